"""Values that know where they were written: YAML documents and CSV tables with the line and column of every cell.

Readers never raise on bad input. They append an `Issue` to the list they are given and go on, so that one reading
reports everything.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gridtwin.errors import Issue

__all__ = [
    "Document",
    "Field",
    "KeyPath",
    "Position",
    "Table",
    "did_you_mean",
    "dotted",
    "overlaid",
    "override",
    "parse_yaml",
    "read_csv",
    "read_yaml",
    "rows",
    "shown",
]

KeyPath: TypeAlias = tuple[str | int, ...]
Cell: TypeAlias = str | float | bool

MAX_YAML_BYTES: Final = 4_000_000
MAX_YAML_DEPTH: Final = 32
MAX_YAML_ALIASES: Final = 100
MAX_YAML_VALUES: Final = 200_000
MAX_NAMES_SHOWN: Final = 12

_YAML_TAG: Final = "tag:yaml.org,2002:"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")  # no others: a name may hold what Unicode calls a line separator
_CSV_CELL: Final = re.compile(r'("(?:[^"]|"")*"|[^,]*)(?:,|$)')


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def issue(self, message: str) -> Issue:
        """Return an issue that stands here."""
        return Issue(self.file, self.line, self.column, message)


def shown(path: Path) -> str:
    """Return `path` as its user would write it: relative where it lies below the working directory."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """Return the hint that follows an unknown name: the nearest known one, or the list of them.

    Examples
    --------
    >>> did_you_mean("polcy", ["policy", "model"])
    " (did you mean 'policy'?)"
    >>> did_you_mean("zzz", ["policy", "model"])
    ' (known: policy, model)'
    """
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(str(given), names, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    more = ", …" if len(names) > MAX_NAMES_SHOWN else ""
    return f" (known: {', '.join(names[:MAX_NAMES_SHOWN])}{more})" if names else ""


# --- YAML -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values of a YAML file and where they stand.

    Parameters
    ----------
    file : str
        Path as the user would write it.
    value : dict, list, str, int, float, bool or None
        Timestamps stay text: reading them is the schema's business.
    keys, values : mapping of key path to Position
        Where each key and each value begins; items of a list have no key.
    """

    file: str
    value: Any
    keys: Mapping[KeyPath, Position]
    values: Mapping[KeyPath, Position]

    def at(self, *path: str | int) -> Position:
        """Return where the value at `path` stands, or the nearest place above it that was written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.values:
                return self.values[path[:length]]
        return Position(self.file)

    def at_key(self, *path: str | int) -> Position:
        """Return where the key at the end of `path` stands, or the nearest place above it."""
        return self.keys.get(path) or self.at(*path)


@dataclass(slots=True)
class _Reader:
    """Turns a YAML node tree into plain values, noting where each stands."""

    file: str
    issues: list[Issue]
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)

    def position(self, node: Node) -> Position:
        return Position(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def read(self, node: Node, path: KeyPath) -> Any:  # noqa: ANN401 - YAML holds any value
        self.values[path] = self.position(node)
        if len(path) > MAX_YAML_DEPTH or len(self.values) > MAX_YAML_VALUES:
            raise RecursionError
        match node:
            case MappingNode():
                return self.mapping(node, path)
            case SequenceNode():
                return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
            case _:
                return self.scalar(str(node.value), node)

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            where = self.position(key_node)
            key = key_node.value
            if not isinstance(key_node, ScalarNode) or key == "<<":
                self.issues.append(where.issue("a key must be a plain name; merge keys and compound keys are not read"))
            elif key in result:
                first = self.keys[*path, key]
                self.issues.append(where.issue(f"key {key!r} is given twice; the first is in line {first.line}"))
            else:
                self.keys[*path, key] = where
                result[key] = self.read(value_node, (*path, key))
        return result

    def scalar(self, text: str, node: Node) -> str | int | float | bool | None:
        kind = str(node.tag).removeprefix(_YAML_TAG)
        try:
            match kind:
                case "str" | "timestamp":
                    return text
                case "int":
                    return int(text.replace("_", ""), 0) if text.lstrip("+-0_") else 0
                case "float":
                    return float(re.sub(r"\.(?=inf|nan)", "", text.lower().replace("_", "")))
                case "bool":
                    return text.lower() == "true"
                case "null":
                    return None
        except ValueError:
            pass
        self.issues.append(self.position(node).issue(f"cannot read {text!r} as a YAML value of kind {kind!r}"))
        return None


def _outgrown(text: str) -> bool:
    """Whether a YAML text nests or repeats itself beyond what any input of ours needs."""
    depth = aliases = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        aliases += isinstance(event, AliasEvent)
        if depth > MAX_YAML_DEPTH or aliases > MAX_YAML_ALIASES:
            return True
    return False


def parse_yaml(text: str, file: str, issues: list[Issue]) -> Document | None:
    """Read a YAML 1.2 text; None where it is not YAML at all.

    Duplicate keys, merge keys, foreign tags and texts beyond the size caps become issues.
    """
    reader = _Reader(file, issues)
    too_large = (
        f"file is larger than gridtwin reads: at most {MAX_YAML_BYTES} bytes, {MAX_YAML_DEPTH} levels, "
        f"{MAX_YAML_ALIASES} aliases, {MAX_YAML_VALUES} values"
    )
    try:
        if len(text) > MAX_YAML_BYTES or _outgrown(text):
            issues.append(Position(file).issue(too_large))
            return None
        node = YAML(typ="rt", pure=True).compose(text)
        value = None if node is None else reader.read(node, ())
    except RecursionError:
        issues.append(Position(file).issue(too_large))
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        issues.append(where.issue(f"not valid YAML: {error.problem or error.context}"))
        return None
    except (YAMLError, AssertionError) as error:  # ruamel asserts where comments stand, as in "#\n| #"
        reason = str(error).partition("\n")[0] or "a comment stands where none can"
        issues.append(Position(file).issue(f"not valid YAML: {reason}"))
        return None
    return Document(file, value, reader.keys, reader.values)


def _read_text(path: Path, issues: list[Issue]) -> str | None:
    """Read a UTF-8 file, with or without a byte-order mark; None with an issue where that fails."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        issues.append(Position(shown(path)).issue(f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        issues.append(Position(shown(path)).issue(f"is not UTF-8 text: {error.reason} at byte {error.start}"))
    return None


def read_yaml(path: Path, issues: list[Issue]) -> Document | None:
    """Read a YAML file (see `parse_yaml`); None where it cannot be read."""
    text = _read_text(path, issues)
    return None if text is None else parse_yaml(text, shown(path), issues)


def dotted(path: KeyPath) -> str:
    """Return a key path as a user writes it, such as `workload.batch.0.name`."""
    return ".".join(str(part) for part in path)


def override(document: Document, assignment: str, issues: list[Issue]) -> Document:
    """Return a document in which one `a.b=value` holds; issues about it stand at `--set a.b`.

    The value is read as YAML; items of lists are addressed by their number, from 0.
    """
    key, equals, text = assignment.partition("=")
    file = f"--set {key}"
    if not equals or not all(key.split(".")):
        issues.append(Position(file).issue(f"expected key=value such as time.duration=7d, got {assignment!r}"))
        return document
    where = Position(file, 1, len(key) + 2)
    parsed = parse_yaml(text, file, issues)
    if parsed is None:
        return document
    value = deepcopy(document.value)
    path: KeyPath = ()
    here = value
    for part in key.split("."):
        step: str | int = int(part) if isinstance(here, list) and part.isdecimal() else part
        if not (isinstance(here, dict) or (isinstance(step, int) and step < len(here))):
            issues.append(where.issue(f"{dotted(path) or 'the file'} has no entry {part!r} to set"))
            return document
        path = (*path, step)
        parent = here
        here = parent.setdefault(step, {}) if isinstance(parent, dict) else parent[step]
        if here is None:
            here = parent[step] = {}
    parent[step] = parsed.value
    kept = {k: v for k, v in document.values.items() if k[: len(path)] != path}
    return replace(document, value=value, keys={**document.keys, path: where}, values={**kept, path: where})


def overlaid(document: Document, path: KeyPath) -> Document:
    """Return a document whose root holds what stands below `path`, mapping by mapping; the rest stays.

    `path` leads to a mapping. Values keep the place where they were written.
    """
    top = document.value
    for part in path:
        top = top[part]
    keys, values = dict(document.keys), dict(document.values)

    def lay(over: Mapping[str, Any], under: Any, at: KeyPath) -> dict[str, Any]:  # noqa: ANN401 - YAML holds any value
        merged = dict(under) if isinstance(under, dict) else {}
        for key, value in over.items():
            here, source = (*at, key), (*path, *at, key)
            keys[here] = document.keys.get(source, document.at(*source))
            if isinstance(value, dict) and isinstance(merged.get(key), dict):
                merged[key] = lay(value, merged[key], here)
                continue
            merged[key] = value
            inside = {k: v for k, v in document.values.items() if k[: len(source)] == source}
            for old in [k for k in values if k[: len(here)] == here]:
                del values[old]
            values.update({(*here, *k[len(source) :]): v for k, v in inside.items()})
        return merged

    return replace(document, value=lay(top, document.value, ()), keys=keys, values=values)


# --- CSV --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """What one column of a table must hold.

    Parameters
    ----------
    name : str
    kind : {"number", "text", "flag", "whole"}
        A flag is `true` or `false`, `whole` an integer.
    at_least, above : float
        Bounds of a number, the second excluded.
    empty : str, float, bool or None
        Meaning of an empty cell; None refuses it. Infinity is accepted only where an empty cell means infinity.
    optional : bool
        Whether the whole column may be missing; `empty` then stands in every row.
    """

    name: str
    kind: Literal["number", "text", "flag", "whole"] = "number"
    at_least: float = -math.inf
    above: float = -math.inf
    empty: Cell | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV table by columns, with the position of every cell.

    Cells that could not be read have been reported; they hold NaN, "" or False here.
    """

    file: str
    columns: Mapping[str, Sequence[Any]]
    lines: Sequence[int]
    starts: Mapping[str, Sequence[int]]

    def __len__(self) -> int:
        return len(self.lines)

    def at(self, row: int, column: str) -> Position:
        """Return where a cell stands; `row` counts data rows from 0."""
        starts = self.starts.get(column)
        return Position(self.file, self.lines[row], starts[row] if starts else 1)

    def text(self, column: str) -> tuple[str, ...]:
        """Return a column of names."""
        return tuple(self.columns[column])

    def unknown(self, column: str, known: Sequence[str], what: str) -> list[Issue]:
        """Return one issue for each cell of `column` that names none of `known`; empty cells are skipped."""
        names = set(known)
        return [
            self.at(row, column).issue(f"unknown {what} {name!r}{did_you_mean(name, known)}")
            for row, name in enumerate(self.columns[column])
            if name and name not in names
        ]


def rows(table: Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table, each by column."""
    for cells in zip(*table.columns.values(), strict=True):
        yield dict(zip(table.columns, cells, strict=True))


def _cells(line: str) -> list[tuple[int, str]]:
    """Split a CSV line into (column of the first character, text); a quoted cell ends on its line."""
    cells, at = [], 0
    while at <= len(line):
        found = _CSV_CELL.match(line, at)
        raw = found[1] if found else line[at:]
        quoted = len(raw) > 1 and raw.startswith('"') and raw.endswith('"')
        cells.append((at + 1, raw[1:-1].replace('""', '"') if quoted else raw.strip()))
        at += len(raw) + 1
    return cells


def _cell(text: str, spec: Field) -> Cell:
    """Read one cell; raises ValueError with a sentence for its author."""
    if not text:
        if spec.empty is None:
            raise ValueError(f"{spec.name} is empty; expected {_expected(spec)}")
        return spec.empty
    if spec.kind == "text":
        return text
    if spec.kind == "flag":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{spec.name} is {text!r}; expected true or false")
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    unlimited = math.isinf(number) and spec.empty != math.inf
    broken = spec.kind == "whole" and not number.is_integer()
    if math.isnan(number) or unlimited or broken or number < spec.at_least or number <= spec.above:
        raise ValueError(f"{spec.name} is {text}; expected {_expected(spec)}")
    return number


def _expected(spec: Field) -> str:
    """Describe in words what a column holds."""
    noun = {"number": "a number", "whole": "a whole number", "text": "a name", "flag": "true or false"}[spec.kind]
    if spec.at_least > -math.inf:
        return f"{noun} >= {spec.at_least:g}"
    return f"{noun} > {spec.above:g}" if spec.above > -math.inf else noun


_UNREADABLE: Final[Mapping[str, Cell]] = {"number": math.nan, "whole": 0, "text": "", "flag": False}


def _header(file: str, line: str, fields: Sequence[Field], issues: list[Issue]) -> list[str] | None:
    """Return the column names of a table, or None where some are missing, unknown or twice there."""
    cells = _cells(line)
    names = [name for _, name in cells]
    known = [spec.name for spec in fields]
    found = [
        Position(file, 1, at).issue(f"unknown column {name!r}{did_you_mean(name, known)}")
        for at, name in cells
        if name not in known
    ]
    found += [
        Position(file, 1, at).issue(f"column {name!r} is there twice")
        for i, (at, name) in enumerate(cells)
        if name in names[:i]
    ]
    found += [
        Position(file).issue(f"column {spec.name!r} is missing; expected {', '.join(known)}")
        for spec in fields
        if spec.name not in names and not spec.optional
    ]
    issues.extend(found)
    return None if found else names


def _duplicates(table: Table, key: Sequence[str]) -> list[Issue]:
    """Return one issue for each row whose key an earlier row has."""
    first: dict[tuple[Any, ...], int] = {}
    found = []
    for row, cells in enumerate(zip(*(table.columns[name] for name in key), strict=True)):
        if "" in cells:
            continue
        if cells in first:
            name, line = ", ".join(map(str, cells)), table.lines[first[cells]]
            found.append(table.at(row, key[0]).issue(f"{key[0]} {name!r} is there twice; the first is in line {line}"))
        first.setdefault(cells, row)
    return found


def _column(
    spec: Field, file: str, lines: Sequence[int], cells: Sequence[tuple[int, str]], issues: list[Issue]
) -> list[Cell]:
    """Read one column; cells that cannot be read become issues and placeholders."""
    values = []
    for line, (at, raw) in zip(lines, cells, strict=True):
        try:
            values.append(_cell(raw, spec))
        except ValueError as error:
            issues.append(Position(file, line, at).issue(str(error)))
            values.append(_UNREADABLE[spec.kind])
    return values


def read_csv(path: Path, fields: Sequence[Field], key: Sequence[str], issues: list[Issue]) -> Table | None:
    """Read a comma-separated table with a header line.

    Parameters
    ----------
    path : Path
    fields : sequence of Field
        Every column the table may have.
    key : sequence of str
        Columns that together are unique.
    issues : list of Issue
        Receives one issue for each bad cell, row and column.

    Returns
    -------
    Table or None
        None where the file or its header cannot be used.
    """
    file = shown(path)
    text = _read_text(path, issues)
    if text is None:
        return None
    lines = _LINE_END.split(text)
    names = _header(file, lines[0] if lines else "", fields, issues)
    if names is None:
        return None
    rows = [(number, _cells(line)) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    issues.extend(
        Position(file, number).issue(f"row has {len(cells)} cells; the header has {len(names)} columns")
        for number, cells in rows
        if len(cells) != len(names)
    )
    rows = [(number, cells) for number, cells in rows if len(cells) == len(names)]
    numbers = [number for number, _ in rows]
    raw = {name: [cells[i] for _, cells in rows] for i, name in enumerate(names)}
    columns = {
        spec.name: _column(spec, file, numbers, raw.get(spec.name) or [(1, "")] * len(rows), issues) for spec in fields
    }
    starts = {name: [at for at, _ in cells] for name, cells in raw.items()}
    table = Table(file, columns, numbers, starts)
    issues.extend(_duplicates(table, key))
    return table
