"""Whoever watches is told of everything that takes long, and may stop it."""

from dataclasses import dataclass, field

import pytest

from gridtwin import api


@dataclass
class Told:
    steps: list[str] = field(default_factory=list)
    counts: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    stop_in: str = ""

    def step(self, text):
        self.steps.append(text)

    def advance(self, done, total):
        if self.steps[-1] == self.stop_in:
            raise KeyboardInterrupt
        self.counts.setdefault(self.steps[-1], []).append((done, total))


def test_a_run_from_the_grid_to_the_key_figures(pocket, tmp_path):
    told = Told()
    result = api.run(pocket("policy=asap", "security.n1=report"), tmp_path, watch=told)
    assert told.steps[:3] == ["building the grid", "windows", "reading windows"]
    assert told.steps[3:] == ["ledgers", "results.nc", "outages", "key figures"]
    windows = len(told.counts["outages"])
    assert told.counts["outages"] == [(done, windows) for done in range(windows)]
    assert windows > 1
    checked = Told()
    assert api.verify(result.run_dir, checked).holds
    assert checked.steps == ["checksums", "reading windows", "ledgers", "results"]
    total = checked.counts["checksums"][0][1]
    assert [done for done, _ in checked.counts["checksums"]] == list(range(total))


def test_stopping_while_outages_are_solved_leaves_a_run_that_can_go_on(pocket, tmp_path):
    with pytest.raises(KeyboardInterrupt) as stopped:
        api.run(pocket("policy=asap", "security.n1=report"), tmp_path, watch=Told(stop_in="outages"))
    (folder,) = tmp_path.iterdir()
    assert stopped.value.__notes__ == [f"what is done is kept; go on with: gridtwin resume {folder}"]
    told = Told()
    assert api.verify(api.resume(folder, watch=told).run_dir).holds
    assert told.steps[:2] == ["reading the inputs", "windows"]
