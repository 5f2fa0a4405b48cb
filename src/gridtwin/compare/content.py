"""A comparison as JSON holds it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gridtwin.compare.records import Change, Decomposition, Figure, Reinforcement

if TYPE_CHECKING:
    from gridtwin.compare.comparison import Comparison

__all__ = ["comparison_content"]


def comparison_content(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain mappings, lists, texts and numbers; what is not finite is None."""
    content: dict[str, Any] = _plain(
        {
            "base": asdict(comparison.base),
            "base_reinforcement": _reinforcement(comparison.reinforcement),
            "changes": [_change(change) for change in comparison.changes],
            "trust": [asdict(trust) | {"sound": trust.sound} for trust in comparison.trust],
        }
    )
    return content


def _change(change: Change) -> dict[str, Any]:
    return {
        "run": asdict(change.run),
        "overlap": asdict(change.overlap) | {"same": change.overlap.same},
        "seed_alone": change.seed_alone,
        "inputs": [asdict(found) for found in change.inputs],
        "figures": {figure.name: _figure(figure) for figure in change.figures},
        "decompositions": {table.name: _decomposition(table) for table in change.decompositions},
        "reinforcement": _reinforcement(change.reinforcement),
        "periods": [asdict(period) for period in change.periods],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    content = asdict(figure) | {"delta": figure.delta, "percent": figure.percent}
    del content["name"]
    return content | {"beyond_noise": figure.beyond_noise}


def _decomposition(table: Decomposition) -> dict[str, Any]:
    derived = {"residual": table.residual, "tolerance": table.tolerance, "holds": table.holds}
    return asdict(table) | derived


def _reinforcement(found: Reinforcement) -> dict[str, Any]:
    return {
        "lines": [asdict(line) | {"mw_km": line.mw_km} for line in found.lines],
        "connections": [asdict(site) | {"unused_mw": site.unused_mw} for site in found.connections],
        "without_load": found.without_load,
        "beyond_mw": found.beyond_mw,
        "mw_km": found.mw_km,
        "cost": found.cost,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {str(key): _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
