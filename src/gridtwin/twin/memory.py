"""Memory that a window no longer needs goes back to the system."""

from __future__ import annotations

import ctypes
import gc

__all__ = ["give_back"]


def give_back() -> None:
    """Collect what is unreachable and let glibc return free pages; elsewhere only the first.

    Solvers and tables of a window are large and of all sizes. glibc keeps what they leave between smaller things that
    live on, so that a year's process would grow by tens of MB a window although nothing is held.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
