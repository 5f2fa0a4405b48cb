"""The cost that PyPSA finds for the same rolling problem; it needs an environment of its own, see the benchmark."""

import importlib.util
import os
from pathlib import Path

import pytest

PYTHON = os.environ.get("GRIDTWIN_PYPSA_PYTHON")
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "pypsa_peer.py"
TWO_WINDOWS_H = 72


@pytest.mark.skipif(not PYTHON, reason="set GRIDTWIN_PYPSA_PYTHON to a Python with PyPSA 1.2.4")
def test_pypsa_pays_the_same():
    spec = importlib.util.spec_from_file_location("pypsa_peer", BENCHMARK)
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    assert abs(peer.compare(PYTHON, TWO_WINDOWS_H)["difference"]) < 1e-6
