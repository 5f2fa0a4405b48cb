"""Runs that were stopped, for tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gridtwin import api


def stop_after(windows: int) -> Callable[[int, int], None]:
    def progress(done: int, _expected: int) -> None:
        if done == windows:
            raise KeyboardInterrupt

    return progress


@pytest.fixture
def stopped(pocket, tmp_path) -> Callable[..., Path]:
    """Run the pocket scenario and stop it after some windows; returns its folder."""

    def run(windows: int = 2, policy: str = "asap") -> Path:
        with pytest.raises(KeyboardInterrupt) as raised:
            api.run(pocket(f"policy={policy}"), tmp_path / "runs", progress=stop_after(windows))
        (folder,) = (tmp_path / "runs").iterdir()
        assert raised.value.__notes__ == [f"what is done is kept; go on with: gridtwin resume {folder}"]
        return folder

    return run
