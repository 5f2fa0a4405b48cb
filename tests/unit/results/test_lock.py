import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from gridtwin.errors import ExitCode, LockedError, ResultsError
from gridtwin.results import lock
from gridtwin.results.lock import locked, require_unlocked

HOLD = """
import sys, time
from pathlib import Path
from gridtwin.results.lock import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


@pytest.fixture
def holder(path):
    """Return a process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_one_process_at_a_time_and_the_other_is_told_who(path, holder):
    who = re.escape(f"process {holder.pid} on {socket.gethostname()} is at work here")
    with pytest.raises(LockedError, match=who) as raised, locked(path):
        pass
    assert raised.value.exit_code == ExitCode.LOCKED == 7
    with pytest.raises(LockedError, match=who):
        require_unlocked(path)


def test_a_process_that_died_holds_nothing(path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert path.exists()
    require_unlocked(path)
    with locked(path):
        assert str(os.getpid()) in path.read_text()
    assert not path.exists()


def test_it_is_given_back_whatever_happens(path):
    with pytest.raises(ZeroDivisionError), locked(path):
        _ = 1 / 0
    require_unlocked(path)
    with locked(path), pytest.raises(LockedError), locked(path):
        pass
    with locked(path):
        pass


def test_a_lock_file_that_was_taken_away_is_not_held(path, monkeypatch):
    """The holder removes the file between another's opening and locking it; that one must not lock a ghost."""
    lock_it, ghosts = lock._lock, []

    def removed_first(descriptor, place, **how):
        lock_it(descriptor, place, **how)
        if not ghosts:
            ghosts.append(place.unlink())

    monkeypatch.setattr(lock, "_lock", removed_first)
    with locked(path):
        assert path.exists()
        with pytest.raises(LockedError), locked(path):
            pass


def test_a_system_without_locks_says_so(path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    with pytest.raises(ResultsError, match="POSIX"), locked(path):
        pass
