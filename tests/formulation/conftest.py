"""Linear programs as text that a person can check, and their comparison as linear programs.

`GRIDTWIN_WRITE_GOLDEN=1 pytest tests/formulation` writes the files anew; look at the difference before keeping it.
"""

from __future__ import annotations

import os
import re
import runpy
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import highspy
import numpy as np
import pytest
from scipy import sparse

from gridtwin.optim import Program, Rows, Session

PLAIN = (0.0, np.inf)
GOLDEN = Path(__file__).parent / "golden"
NUMBER = r"[-+]?(?:inf|\d+\.?\d*(?:e[-+]?\d+)?)"

HAND = runpy.run_path(str(Path(__file__).parents[1] / "unit" / "dispatch" / "conftest.py"))
hand_units, hand_grid, hand_work, hand_stores, hand_links = (
    HAND[f"hand_{name}"] for name in ("units", "grid", "work", "stores", "links")
)

Names = Mapping[str, np.ndarray]  # block -> column numbers of any shape, -1 where there is none


@dataclass(frozen=True)
class LinearProgram:
    """A linear program with named columns. Order carries no meaning."""

    bounds: Mapping[str, tuple[float, float]]
    cost: Mapping[str, float]
    rows: tuple[tuple[Mapping[str, float], float, float], ...]

    def __str__(self) -> str:
        cost = [f"  {_term(name, value)}" for name, value in self.cost.items()]
        rows = sorted(f"  {_between(_sum(terms), lower, upper)}" for terms, lower, upper in self.rows)
        plain = [name for name, pair in self.bounds.items() if pair == PLAIN]
        bounds = [f"  {_between(name, *pair)}" for name, pair in self.bounds.items() if pair != PLAIN]
        listed = wrap(" ".join(plain), 110, initial_indent="  ", subsequent_indent="  ")
        return "\n".join(["minimise", *cost, "such that", *rows, "where", *bounds, "not negative", *listed, ""])

    @property
    def content(self) -> tuple[Mapping[str, str], Mapping[str, str], Counter[str]]:
        """Bounds, costs and rows, comparable whatever their order and the sign of a row."""
        bounds = {name: f"{lower:.9g} {upper:.9g}" for name, (lower, upper) in self.bounds.items()}
        cost = {name: f"{value:.9g}" for name, value in self.cost.items()}
        return bounds, cost, Counter(_canonical(*row) for row in self.rows)


@pytest.fixture
def read_program() -> Callable[..., LinearProgram]:
    """Name the columns of a program by block: `read_program(program, blocks)`."""
    return _named


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare a program with `golden/<test>.txt`, which begins with the docstring of the test."""
    name = request.node.name.removeprefix("test_")

    def check(program: Program | Session, blocks: Names, rest: str = "") -> None:
        found = _named(program, blocks, rest)
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("GRIDTWIN_WRITE_GOLDEN"):
            heading = "\n".join(f"# {line.strip()}".rstrip() for line in request.function.__doc__.strip().splitlines())
            path.write_text(f"{heading}\n{found}")
        assert found.content == _parsed(path.read_text()).content

    return check


def _named(program: Program | Session, blocks: Names, rest: str = "") -> LinearProgram:
    rows, cost, (lower, upper) = _parts(program)
    label = {}
    for block, columns in blocks.items():
        for index in np.argwhere(columns >= 0):
            label[int(columns[tuple(index)])] = f"{block}[{','.join(map(str, index))}]"
    unnamed = [column for column in range(len(cost)) if column not in label]
    label |= {column: f"{rest}[{i}]" for i, column in enumerate(unnamed)}
    assert bool(unnamed) == bool(rest), "every column has a block"
    matrix = rows.matrix.tocsr()
    matrix.sum_duplicates()
    terms = [
        {label[int(c)]: float(v) for c, v in zip(matrix.indices[a:b], matrix.data[a:b], strict=True)}
        for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    ]
    return LinearProgram(
        bounds={label[i]: (float(lower[i]), float(upper[i])) for i in range(len(cost))},
        cost={label[i]: float(cost[i]) for i in range(len(cost)) if cost[i] != 0},
        rows=tuple(zip(terms, rows.lower.tolist(), rows.upper.tolist(), strict=True)),
    )


def _parts(program: Program | Session) -> tuple[Rows, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    if isinstance(program, Program):
        return program.assembled(), program.cost, program.column_bounds
    lp = program._highs.getLp()
    held = lp.a_matrix_
    kind = sparse.csc_array if held.format_ == highspy.MatrixFormat.kColwise else sparse.csr_array
    matrix = kind((held.value_, held.index_, held.start_), shape=(lp.num_row_, lp.num_col_))
    rows = Rows(sparse.csr_array(matrix), np.array(lp.row_lower_), np.array(lp.row_upper_))
    return rows, np.array(lp.col_cost_), (np.array(lp.col_lower_), np.array(lp.col_upper_))


def _canonical(terms: Mapping[str, float], lower: float, upper: float) -> str:
    ordered = sorted(terms.items())
    sign = -1.0 if ordered and ordered[0][1] < 0 else 1.0
    if sign < 0:
        lower, upper = -upper, -lower
    return _between(_sum({name: sign * value for name, value in ordered}), lower, upper)


def _number(value: float) -> str:
    return f"{value + 0.0:.9g}"


def _term(name: str, value: float) -> str:
    size = "" if abs(value) == 1.0 else f"{_number(abs(value))} "
    return f"{'-' if value < 0 else '+'} {size}{name}"


def _sum(terms: Mapping[str, float]) -> str:
    return " ".join(_term(name, value) for name, value in sorted(terms.items()))


def _between(what: str, lower: float, upper: float) -> str:
    if lower == upper:
        return f"{what} = {_number(upper)}"
    if np.isinf(lower):
        return f"{what} <= {_number(upper)}"
    return f"{what} >= {_number(lower)}" if np.isinf(upper) else f"{_number(lower)} <= {what} <= {_number(upper)}"


def _parsed(text: str) -> LinearProgram:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    at, then, last = (lines.index(heading) for heading in ("such that", "where", "not negative"))
    rows = [_parsed_relation(line) for line in lines[at + 1 : then]]
    bounds = [_parsed_relation(line) for line in lines[then + 1 : last]]
    plain = dict.fromkeys(" ".join(lines[last + 1 :]).split(), PLAIN)
    return LinearProgram(
        bounds=plain | {what: tuple(pair) for what, *pair in bounds},
        cost=_parsed_terms(" ".join(lines[1:at])),
        rows=tuple((_parsed_terms(what), lower, upper) for what, lower, upper in rows),
    )


def _parsed_relation(line: str) -> tuple[str, float, float]:
    both = re.fullmatch(rf"({NUMBER}) <= (.*) <= ({NUMBER})", line)
    if both:
        return both[2], float(both[1]), float(both[3])
    what, sign, value = re.fullmatch(rf"(.*) (=|<=|>=) ({NUMBER})", line).groups()
    lower = -np.inf if sign == "<=" else float(value)
    return what, lower, np.inf if sign == ">=" else float(value)


def _parsed_terms(text: str) -> dict[str, float]:
    found = re.findall(rf"([-+]) (?:({NUMBER}) )?(\S+)", text)
    return {name: float(sign + (value or "1")) for sign, value, name in found}
