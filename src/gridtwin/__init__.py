"""Compute-power co-dispatch digital twin: data-centre jobs and an AC power grid on one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtwin.api import load_study, open_results, resume, run, verify

__version__ = "0.1.0"

__all__ = ["__version__", "load_study", "open_results", "resume", "run", "verify"]


def __getattr__(name: str) -> object:
    """Import the interface when it is used, so that `import gridtwin` stays light."""
    if name in __all__:
        from gridtwin import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
