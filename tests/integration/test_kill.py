"""kill -9 at random moments, then resume: every file is that of a run that was left alone."""

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "times", "kills"),
    [
        ("tests/scenarios/pocket.yaml", 2, 2),
        ("scenarios/rts_gmlc_day.yaml", 1, 1),
    ],
)
def test_a_killed_run_loses_nothing(request, scenario, times, kills):
    repo = request.path.parents[2]
    call = [sys.executable, str(repo / "benchmarks" / "kills.py"), "--scenario", str(repo / scenario)]
    done = subprocess.run(
        [*call, "--times", str(times), "--kills", str(kills)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{times} of {times} equal, byte by byte" in done.stdout
