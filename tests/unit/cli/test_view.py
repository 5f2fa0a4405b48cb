"""`gridtwin view` where it cannot begin."""

import socket
import sys

import pytest

from gridtwin.cli import main
from gridtwin.errors import ExitCode


def test_a_port_that_is_taken_is_told(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            main(["view", str(tmp_path), "--port", str(port), "--no-browser"])
    assert ended.value.code == ExitCode.LIMIT
    assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["view", str(tmp_path / "none"), "--no-browser"])
    assert ended.value.code == ExitCode.INVALID_INPUT
    assert "make a run first" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("gridtwin.view")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(SystemExit) as ended:
        main(["view", str(tmp_path), "--no-browser"])
    assert ended.value.code == ExitCode.USAGE
    assert "pip install 'gridtwin[view]'" in "".join(capsys.readouterr())
