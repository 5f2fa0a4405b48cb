import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from gridtwin import api
from gridtwin.cli import main
from gridtwin.cli.table import print_summary
from gridtwin.errors import ExitCode, GridError

SUMMARY = {"run_id": "r1", "kpis": {"energy_mwh": 1.5}, "ledgers": {}, "timing_s": {}}


@dataclass
class Result:
    run_dir: Path
    summary: dict
    exit_code: ExitCode
    notice: str = ""


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Run the command line with a run that only remembers how it was called."""
    monkeypatch.chdir(tmp_path)
    Path("day.yaml").write_text("model: none")
    calls = []

    def run(study, out_dir, progress, say, watch):
        calls.append((study, out_dir))
        if say:
            say("run folder r1")
        watch.step("windows")
        progress(1, 2)
        progress(2, 2)
        return Result(Path(out_dir) / "r1", SUMMARY, ExitCode.SLACK_USED)

    monkeypatch.setattr(api, "load_study", lambda path, overrides: (str(path), list(overrides)))
    monkeypatch.setattr(api, "run", run)

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return ended.value.code, capsys.readouterr(), calls[-1] if calls else None

    return call


def test_run_passes_on_what_it_was_given_and_ends_with_the_exit_code_of_the_run(cli):
    code, printed, call = cli("run", "day.yaml", "--set", "a=1", "--set", "b=2", "--out", "there")
    assert code == 4
    assert call == (("day.yaml", ["a=1", "b=2"]), Path("there"))
    assert "1.5" in printed.out
    assert "MWh" in printed.out
    assert "saved in there/r1" in printed.out
    assert printed.err == "gridtwin: run folder r1\n"


def test_json_prints_the_summary_and_nothing_else(cli):
    code, printed, call = cli("run", "day.yaml", "--json")
    assert code == 4
    assert json.loads(printed.out) == SUMMARY
    assert call[1] == Path("outputs")


def test_quiet(cli):
    _, printed, _ = cli("run", "day.yaml", "--quiet")
    assert (printed.out, printed.err) == ("", "")


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--quiet",)])
def test_a_notice_goes_to_stderr(cli, monkeypatch, arguments):
    monkeypatch.setattr(api, "run", lambda *_, **__: Result(Path("r1"), SUMMARY, ExitCode.LIMIT, "jobs are left"))
    code, printed, _ = cli("run", "day.yaml", *arguments)
    assert (code, printed.err) == (6, "gridtwin: jobs are left\n")
    assert "jobs are left" not in printed.out


def test_progress_goes_to_stderr_of_a_terminal(cli, monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", True)
    _, printed, _ = cli("run", "day.yaml", "--json")
    assert json.loads(printed.out) == SUMMARY
    assert "windows" in printed.err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (GridError("no way"), 1, "gridtwin: no way\n"),
        (OSError(28, "No space left on device", "x"), 6, "gridtwin: cannot read or write: [Errno 28]"),
        (KeyboardInterrupt(), 130, "gridtwin: interrupted\n"),
    ],
)
def test_errors_become_messages_and_exit_codes(cli, monkeypatch, error, code, message):
    def run(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(api, "run", run)
    ended, printed, _ = cli("run", "day.yaml")
    assert ended == code
    assert printed.err.startswith(message)
    assert printed.out == ""


def test_the_table_names_figures_for_people_and_prints_unknown_ones_as_they_are(capsys):
    print_summary({"currency": "EUR", "kpis": {"system_cost": 2.0e6, "odd_one": None}, "ledgers": {}})
    printed = capsys.readouterr().out
    assert "production cost" in printed
    assert "EUR" in printed
    assert "odd one" in printed
