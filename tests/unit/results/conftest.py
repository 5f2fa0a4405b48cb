"""A window of made-up numbers."""

import numpy as np
import pytest

from gridtwin.results.variables import variables

COORDS = {
    "site": ("s1", "s2"),
    "compute_class": ("general", "intelligent", "serving"),
    "origin": ("here", "there"),
    "queue": ("q1", "q2"),
    "bus": ("1", "2", "3"),
    "line": ("l1", "l2"),
    "unit": ("u1", "u2"),
    "store": ("b1",),
    "link": ("k1",),
    "element": ("other", "shed", "unit:u1:1"),
}
WHOLE = ("nodes", "jobs", "node_s", "columns", "rows", "rounds", "committed", "converged")


@pytest.fixture
def coords():
    return COORDS


@pytest.fixture
def window():
    """Return a function of (window, steps) that makes instants, values of every variable, and events."""

    def make(number=0, steps=2):
        rng = np.random.default_rng(number)
        start = np.datetime64("2020-01-01T00:00:00", "s")
        lengths = {name: len(labels) for name, labels in COORDS.items()} | {"time": steps, "window": 1}
        values = {}
        for name, variable in variables().items():
            shape = tuple(lengths[dim] for dim in variable.dims)
            exact = name.endswith(WHOLE)
            values[name] = rng.integers(9, size=shape) if exact else rng.normal(size=shape)
        event = {"row": rng.integers(9, size=number + 1), "start_s": rng.integers(9, size=number + 1)}
        return start + (number * steps + np.arange(steps)) * np.timedelta64(3600, "s"), values, {"job_start": event}

    return make
