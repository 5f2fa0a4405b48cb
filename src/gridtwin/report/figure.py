"""What a picture of a run is made of, and how a page carries it.

Numbers of long series are kept to six significant digits (`rounded`): more than pixels can show, and what four bytes
hold without loss. Full precision is in the run folder, and in what `gridtwin export` writes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gridtwin.exports.sheets import Sheet
from gridtwin.units import FloatArray

__all__ = ["Figure", "json_text", "payload", "rounded"]

DIGITS: Final = 6
MOST_DECIMALS: Final = 15
ESCAPES: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A picture, the numbers behind it, and where they come from.

    Parameters
    ----------
    name : str
        Unique among figures; letters, digits and underscores.
    title, caption : str
        Plain text in the language of the reader; the caption says what was aggregated or estimated.
    unit : str
    sources : tuple of str
        Variables and tables of the run folder that it was made from.
    plot : mapping
        `data` and `layout` for `Plotly.newPlot`; numpy arrays are allowed, names in it are already safe (`plain`).
    table : Sheet
        What is drawn, as numbers.
    tabular : bool
        The table says more than the picture and is shown with it.
    """

    name: str
    title: str
    caption: str
    unit: str
    sources: tuple[str, ...]
    plot: Mapping[str, Any]
    table: Sheet
    tabular: bool = False


def rounded(values: FloatArray) -> FloatArray:
    """Round to six significant digits, to no more than fifteen decimals.

    Examples
    --------
    >>> rounded(np.array([1234567.8, 0.123456789, -2.0, np.nan])).tolist()
    [1234570.0, 0.123457, -2.0, nan]
    """
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        decimals = DIGITS - 1 - np.floor(np.log10(np.abs(values)))
    decimals = np.where(np.isfinite(decimals), np.minimum(decimals, MOST_DECIMALS), 0.0)
    scale = 10.0 ** np.abs(decimals)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(decimals >= 0, np.round(values * scale) / scale, np.round(values / scale) * scale))


def payload(figure: Figure) -> dict[str, Any]:
    """Return a figure as JSON holds it: `name`, `title`, `data`, `layout`, `table`.

    Arrays of numbers become base64 as Plotly reads it (`{"dtype", "bdata", "shape"}`), in four bytes where that keeps
    six digits and the array has no more. The table is a list of columns with `name`, `unit`, `kind` (text, number or
    time) and `values`; instants are milliseconds since 1970, UTC.
    """
    return {
        "name": figure.name,
        "title": figure.title,
        "data": _encoded(figure.plot["data"]),
        "layout": _encoded(figure.plot["layout"]),
        "table": [
            {"name": name, "unit": figure.table.units.get(name, ""), **_column(values)}
            for name, values in figure.table.columns.items()
        ],
    }


def json_text(value: object) -> str:
    r"""Write JSON that may stand inside a script element: no character in it can end one.

    Examples
    --------
    >>> json_text({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(ESCAPES)


def _encoded(value: Any) -> Any:  # noqa: ANN401 - any JSON value or array
    if isinstance(value, Mapping):
        return {str(key): _encoded(held) for key, held in value.items()}
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, list | tuple):
        return [_encoded(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _array(values: np.ndarray) -> Any:  # noqa: ANN401 - any JSON value
    """Encode numbers as bytes, the rest as a list; local time as text, the only form that Plotly never shifts."""
    if values.dtype.kind == "M":
        return values.astype("datetime64[m]").astype(str).tolist()
    if values.dtype.kind not in "fiu":
        return [_scalar(value) for value in values.tolist()]
    shape = {"shape": ", ".join(map(str, values.shape))} if values.ndim > 1 else {}
    return _bytes(values) | shape


def _bytes(values: np.ndarray) -> dict[str, str]:
    wide = values.astype("<f8")
    with np.errstate(over="ignore"):
        narrow = values.astype("<f4")
    fits = np.array_equal(rounded(narrow.astype("<f8")), wide, equal_nan=True)
    kept = np.ascontiguousarray(narrow if fits else wide)
    return {"dtype": "f4" if fits else "f8", "bdata": b64encode(kept.tobytes()).decode()}


def _column(values: Sequence[object] | np.ndarray) -> dict[str, Any]:
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return {"kind": "time", "values": _bytes(values.astype("datetime64[ms]").astype(np.int64))}
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        return {"kind": "number", "values": _bytes(values)}
    plain = [_scalar(value) for value in values]
    kind = "text" if any(isinstance(value, str) for value in plain) else "number"
    return {"kind": kind, "values": plain}
