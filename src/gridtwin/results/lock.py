"""One process per run folder. The kernel holds the lock, so that it ends with its process however that ends."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridtwin.errors import LockedError, ResultsError

try:
    import fcntl
except ImportError:  # not POSIX
    fcntl = None  # type: ignore[assignment]

__all__ = ["locked", "require_unlocked"]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, which says who does; it is gone afterwards.

    Raises
    ------
    LockedError
        If another process holds it.
    ResultsError
        If files cannot be locked here.
    """
    descriptor = _acquire(path)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def require_unlocked(path: Path) -> None:
    """Raise LockedError if a process holds the lock file at `path`; what a dead one left does not count."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        _lock(descriptor, path, exclusive=False)
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int:
    """Open and lock the file that is at `path` once it is locked; another may have taken it away meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor, path, exclusive=True)
            if _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int, path: Path, *, exclusive: bool) -> None:
    if fcntl is None:
        raise ResultsError(f"{path.parent}: runs need file locks of a POSIX system (Linux, macOS, WSL)")
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError(f"{path.parent}: {_holder(path)} is at work here; wait for it or stop it") from None
    except OSError as error:
        raise ResultsError(f"{path.parent}: cannot be locked ({error}); use a folder on a local disk") from error


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
