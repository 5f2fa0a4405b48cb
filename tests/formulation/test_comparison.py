"""The comparison sees every number and no order."""

import numpy as np
import pytest

from gridtwin.optim import Program


def small(read_program, cost=3.0, upper=5.0, coefficient=2.0, limit=7.0, rows=1, *, turned=False):
    """Minimise 3 a[0] with 1 <= 2 a[0] - b[0] <= 7, b[0] and its row perhaps first, and the row's sign turned."""
    program, sign = Program(), -1.0 if turned else 1.0
    if turned:
        b = program.columns((1,))
    a = program.columns((1,), upper=upper, cost=cost)
    if not turned:
        b = program.columns((1,))
    for _ in range(rows):
        row = program.rows((1,), *sorted((sign, sign * limit)))
        program.entries(row, a, sign * coefficient)
        program.entries(row, b, -sign)
    return read_program(program, {"a": a, "b": b})


def test_order_and_sign_of_rows_do_not_matter(read_program):
    assert small(read_program).content == small(read_program, turned=True).content


@pytest.mark.parametrize(
    "change", [{"cost": 3.1}, {"upper": np.inf}, {"coefficient": 2.001}, {"limit": 7.5}, {"rows": 2}], ids=str
)
def test_every_number_matters(read_program, change):
    assert small(read_program).content != small(read_program, **change).content


def test_text_reads_as_written(read_program):
    assert str(small(read_program)).splitlines() == [
        "minimise",
        "  + 3 a[0]",
        "such that",
        "  1 <= + 2 a[0] - b[0] <= 7",
        "where",
        "  0 <= a[0] <= 5",
        "not negative",
        "  b[0]",
    ]
