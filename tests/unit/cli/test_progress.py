import pytest
from rich.console import Console

from gridtwin.cli import main
from gridtwin.cli.progress import bar
from gridtwin.errors import ExitCode, StoppedError


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", True)


def work(**how):
    with bar(**how) as shown:
        shown.step("reading runs")
        shown.advance(1, 4)
        shown.step("drawing")


@pytest.mark.usefixtures("terminal")
def test_a_terminal_sees_steps_counts_and_times(capsys):
    work()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "drawing" in printed.err
    with bar() as shown:
        shown.advance(3, 4)
    printed = capsys.readouterr()
    assert all(text in printed.err for text in ("working", "3/4", "left"))


@pytest.mark.usefixtures("terminal")
def test_quiet_shows_nothing_on_a_terminal(capsys):
    work(shown=False)
    assert capsys.readouterr() == ("", "")


def test_nothing_is_shown_where_stderr_is_no_terminal(capsys):
    work()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("notes", "how", "message"),
    [
        ([], {}, "interrupted; nothing was written"),
        ([], {"interrupted": "a.csv is complete"}, "interrupted; a.csv is complete"),
        (["go on with: x"], {}, "interrupted; go on with: x"),
        ([], {"interrupted": ""}, "interrupted"),
    ],
)
def test_an_interrupt_ends_as_an_error_that_says_what_is_left(notes, how, message):
    interrupt = KeyboardInterrupt()
    for note in notes:
        interrupt.add_note(note)
    with pytest.raises(StoppedError) as raised, bar(**how):
        raise interrupt
    assert str(raised.value) == message
    assert raised.value.exit_code == ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        (["validate", "starter"], "gridtwin.inputs.load.load_study"),
        (["run", "starter"], "gridtwin.inputs.load.load_study"),
        (["verify", "r"], "gridtwin.api.verify"),
        (["doctor"], "gridtwin.doctor.examine"),
        (["new", "mine"], "gridtwin.inputs.new_study.new_study"),
    ],
)
def test_every_verb_that_is_interrupted_says_that_it_wrote_nothing(arguments, called, monkeypatch, capsys, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(called, interrupted)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == ExitCode.INTERRUPTED
    assert capsys.readouterr() == ("", "gridtwin: interrupted; nothing was written\n")
    assert list(tmp_path.iterdir()) == []
