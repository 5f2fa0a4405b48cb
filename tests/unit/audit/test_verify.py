"""Whatever is changed in a run folder is found and named."""

import json
import random
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from gridtwin.audit.verify import verify
from gridtwin.cli import main
from gridtwin.errors import ResultsError
from gridtwin.results.files import sha256
from gridtwin.results.journal import append_entry, read_journal


@pytest.fixture
def folder(pocket_run, tmp_path):
    shutil.copytree(pocket_run("asap").path, tmp_path / "run")
    return tmp_path / "run"


def failures(folder):
    return {check.name: check.failed for check in verify(folder).checks if check.failed}


def commit_again(folder):
    """Write a journal that fits the files as they are, as one would who wants to hide what was changed."""
    entries = read_journal(folder / "journal.jsonl").entries
    (folder / "journal.jsonl").unlink()
    for entry in entries:
        files = {
            name: sha256(folder / name) if (folder / name).exists() else known for name, known in entry.files.items()
        }
        append_entry(folder / "journal.jsonl", entry.kind, files, entry.window)


def spoil(path, column, by):
    table = pq.read_table(path)
    values = table.column(column).to_numpy().copy()
    values[0] += by
    pq.write_table(table.set_column(table.column_names.index(column), column, [values]), path)


def test_a_sound_run_holds(folder):
    found = verify(str(folder))
    assert (found.holds, found.finished) == (True, True)
    names = [check.name for check in found.checks]
    assert names == ["journal", "files", "ledgers", "results.nc", "jobs.parquet", "findings.parquet"]
    assert found.windows == found.planned_windows == 6


def flip(path, rng):
    """Flip one bit at a random place; returns what was there."""
    whole = path.read_bytes()
    place = rng.randrange(len(whole))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1 :])
    return whole


def test_a_flipped_bit_is_found_in_every_file(folder):
    rng = random.Random(1)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    del files["journal.jsonl"]
    whole = {name: flip(path, rng) for name, path in files.items()}
    found = verify(folder).checks[1]
    assert found.failed == tuple(f"{name}: altered since it was written" for name in sorted(files))
    for name, content in whole.items():
        files[name].write_bytes(content)
    assert failures(folder) == {}


@pytest.mark.parametrize("seed", range(5))
def test_a_single_flipped_bit_ends_verify_with_8(folder, seed):
    rng = random.Random(seed)
    path = rng.choice([*sorted((folder / "windows").iterdir()), folder / "results.nc"])
    flip(folder / "journal.jsonl" if seed == 0 else path, rng)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder)])
    assert ended.value.code == 8


@pytest.mark.parametrize("name", ["windows/w00003.line.parquet", "inputs/traces/pocket_jobs.csv", "results.nc"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert f"{name}: missing" in failures(folder)["files"]


def test_a_file_too_many_is_named(folder):
    shutil.copy(folder / "windows" / "w00001.line.parquet", folder / "windows" / "w00099.line.parquet")
    (folder / "export.csv").write_text("a user's own")
    assert failures(folder) == {"files": ("windows/w00099.line.parquet: not in the journal",)}


def test_a_line_taken_out_is_named(folder):
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:3] + lines[4:]))
    assert "line 4 of journal.jsonl" in failures(folder)["journal"][0]


@pytest.mark.parametrize(
    ("name", "column", "failed"),
    [
        ("windows/w00001.bus.parquet", "vm_pu", {"ledgers": "power_ac: residual", "results.nc": "results.nc: vm_pu"}),
        ("windows/w00001.fleet.parquet", "waiting_jobs", {"ledgers": "jobs: residual", "results.nc": "results.nc: w"}),
        ("jobs.parquet", "end_s", {"jobs.parquet": "jobs.parquet: end_s"}),
        ("inputs/jobs.parquet", "nodes", {"ledgers": "node_seconds: residual", "jobs.parquet": "jobs.parquet: nodes"}),
        ("windows/w00001.bus.parquet", "price_per_mwh", {"results.nc": "results.nc: price_per_mwh is not what"}),
    ],
)
def test_a_number_changed_and_committed_again_is_found_by_what_it_means(folder, name, column, failed):
    spoil(folder / name, column, 1)
    commit_again(folder)
    found = failures(folder)
    for check, start in failed.items():
        assert any(text.startswith(start) for text in found[check]), found
    assert not found.keys() & {"journal", "files"}


def test_a_manifest_that_says_otherwise_is_found(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["ledgers"]["power_ac"]["residual"] = 1.0
    del manifest["ledgers"]["co2"]
    manifest["ledgers"]["of_old"] = {"residual": 0.0, "pass": True}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    commit_again(folder)
    failed = failures(folder)["ledgers"]
    assert [text.split(":")[0] for text in failed] == ["power_ac", "co2", "of_old"]


def test_a_file_that_cannot_be_read_is_a_finding(folder):
    (folder / "windows" / "w00001.bus.parquet").write_bytes(b"PAR1")
    (folder / "results.nc").write_bytes(b"no HDF5")
    assert "cannot be read as Parquet" in failures(folder)["contents"][0]
    shutil.copy(folder / "windows" / "w00000.bus.parquet", folder / "windows" / "w00001.bus.parquet")
    assert "results.nc" in failures(folder)["results.nc"][0]


def test_a_run_that_is_not_finished(folder, capsys):
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:-1]))
    found = verify(folder)
    assert (found.holds, found.finished) == (True, False)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder)])
    assert ended.value.code == 0
    assert f"not finished: 6 windows of 6; go on with: gridtwin resume {folder}" in capsys.readouterr().out
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:50])
    assert "`gridtwin resume` drops that line" in failures(folder)["journal"][0]
    (folder / "journal.jsonl").write_bytes(b"")
    assert "no inputs were committed" in failures(folder)["journal"][0]


def test_the_command_line_names_what_failed_and_ends_with_8(folder, capsys):
    (folder / "windows" / "w00002.unit.parquet").unlink()
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder)])
    assert ended.value.code == 8
    printed = capsys.readouterr().out
    assert "FAIL windows/w00002.unit.parquet: missing" in printed
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder), "--json"])
    assert ended.value.code == 8
    told = json.loads(capsys.readouterr().out)
    assert (told["holds"], told["finished"]) == (False, True)
    assert "windows/w00002.unit.parquet: missing" in told["checks"][1]["failed"]


def test_no_run(tmp_path):
    with pytest.raises(ResultsError, match="not the folder of a run"):
        verify(tmp_path)


def test_a_residual_that_is_no_number_is_a_finding(folder):
    table = pq.read_table(folder / "windows" / "w00001.system.parquet")
    values = np.full(table.num_rows, np.nan)
    pq.write_table(
        table.set_column(table.column_names.index("losses_mw"), "losses_mw", [values]),
        folder / "windows" / "w00001.system.parquet",
    )
    assert any(text.startswith("power_market: residual nan") for text in failures(folder)["ledgers"])
