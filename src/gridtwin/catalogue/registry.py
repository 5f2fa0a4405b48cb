"""The registry of compute: systems, node units and the machines of a model; narrowed and searched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from gridtwin.catalogue.hardware import Hardware, load_hardware
from gridtwin.catalogue.pools import Pool
from gridtwin.catalogue.systems import System, load_systems
from gridtwin.errors import RegistryError
from gridtwin.located import did_you_mean

__all__ = ["CLASS_ZH", "Registry", "Wanted", "narrowed", "searched"]

CLASS_ZH: Final = MappingProxyType(
    {
        "general": "通用算力",
        "intelligent": "智能算力",
        "inference": "推理算力",
        "online": "在线服务",
        "super": "超级算力 超算",
        "edge": "边缘算力",
    }
)
KIND_ZH: Final = MappingProxyType({"cpu": "处理器", "gpu": "图形处理器", "npu": "人工智能加速器", "server": "节点"})
HAN: Final = re.compile("[\u4e00-\u9fff]+")
YEARS: Final = re.compile(r"(\d{4})(?:-(\d{4}))?")


@dataclass(frozen=True, slots=True)
class Registry:
    """What can be looked up; without a model, what ships with gridtwin."""

    systems: Mapping[str, System] = field(default_factory=load_systems)
    units: Mapping[str, Hardware] = field(default_factory=load_hardware)
    pools: tuple[Pool, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to keep of a registry; empty keeps all.

    Parameters
    ----------
    region, compute_class, stack, instruction_set, vintage, tier : tuple of str
        Any of these; a vintage is a year or a span such as 2019-2021.
    """

    region: tuple[str, ...] = ()
    compute_class: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    instruction_set: tuple[str, ...] = ()
    vintage: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()


def narrowed(registry: Registry, wanted: Wanted) -> Registry:
    """Keep what has all that is wanted: pools of a model, otherwise node units and the systems behind them.

    Raises
    ------
    RegistryError
        If a value is none that the registry has, or nothing has them all.
    """
    years = [_years(text) for text in wanted.vintage]

    def fits(facts: Mapping[str, str], vintage: int) -> bool:
        of_age = not years or any(first <= vintage <= last for first, last in years)
        return of_age and all(fact in getattr(wanted, name) for name, fact in facts.items() if getattr(wanted, name))

    everything = [_facts(pool) for pool in registry.pools]
    if not everything:
        everything = [_facts(unit) for unit in registry.units.values()]
        everything += [_facts(system) for system in registry.systems.values()]
    for name in ("region", "compute_class", "stack", "instruction_set", "tier"):
        known = {facts.get(name, "") for facts in everything} - {""}
        _require_known(name, getattr(wanted, name), known, "" if registry.model else "; give --model for places")
    units = {name: unit for name, unit in registry.units.items() if fits(_facts(unit), unit.vintage)}
    pools = tuple(pool for pool in registry.pools if fits(_facts(pool), pool.vintage))
    behind = {unit.based_on for unit in units.values()}
    alone = not wanted.compute_class
    systems = {
        name: system
        for name, system in registry.systems.items()
        if (alone or name in behind) and fits(_facts(system), system.vintage)
    }
    return _kept(registry, systems, units, pools, "nothing in the registry has all of that")


def searched(registry: Registry, words: Sequence[str]) -> Registry:
    """Keep what holds every word, in English or Chinese, in its names, its maker, its class or its place.

    Raises
    ------
    RegistryError
        If nothing does; with the word that comes nearest.
    """
    wanted = [word.casefold() for word in words]

    def holds(texts: Iterable[str]) -> bool:
        text = "\n".join(texts).casefold()
        return all(word in text for word in wanted)

    systems = {name: system for name, system in registry.systems.items() if holds(_system_texts(system))}
    units = {name: unit for name, unit in registry.units.items() if holds(_unit_texts(unit, registry.systems))}
    pools = tuple(pool for pool in registry.pools if holds(_pool_texts(pool, registry.systems)))
    return _kept(registry, systems, units, pools, f"nothing is called {' '.join(words)!r}{_nearest(registry, wanted)}")


def _kept(
    registry: Registry,
    systems: Mapping[str, System],
    units: Mapping[str, Hardware],
    pools: tuple[Pool, ...],
    otherwise: str,
) -> Registry:
    if not (pools if registry.pools else (systems or units)):
        raise RegistryError(otherwise)
    return replace(registry, systems=systems, units=units, pools=pools)


def _years(text: str) -> tuple[int, int]:
    found = YEARS.fullmatch(text)
    if found is None:
        raise RegistryError(f"vintage is {text!r}; expected a year or a span of years such as 2019-2021")
    return int(found[1]), int(found[2] or found[1])


def _facts(entry: System | Hardware | Pool) -> dict[str, str]:
    """Return what filters ask for; systems have no class and only pools have a place."""
    if isinstance(entry, Pool):
        place = {"region": entry.identifier.region, "tier": entry.tier, "compute_class": entry.identifier.compute_class}
        return place | {"stack": entry.hardware.stack, "instruction_set": entry.hardware.instruction_set}
    made_for = {"compute_class": entry.compute_class} if isinstance(entry, Hardware) else {}
    return made_for | {"stack": entry.stack, "instruction_set": entry.instruction_set}


def _require_known(name: str, given: Sequence[str], known: set[str], otherwise: str) -> None:
    what = name.replace("compute_", "").replace("_", " ")
    for text in given:
        if not known:
            raise RegistryError(f"{what} is {text!r}, but nothing here has a {what}{otherwise}")
        if text not in known:
            raise RegistryError(f"unknown {what} {text!r}{did_you_mean(text, sorted(known))}")


# --- words ------------------------------------------------------------------------------------------------------------


def _system_texts(system: System) -> Iterator[str]:
    yield from (system.system, system.name, system.name_zh, system.vendor, system.kind, KIND_ZH[system.kind])
    yield from (system.instruction_set, system.stack, str(system.vintage))


def _unit_texts(unit: Hardware, systems: Mapping[str, System]) -> Iterator[str]:
    yield from (unit.name, unit.name_zh, unit.system, unit.compute_class, CLASS_ZH.get(unit.compute_class, ""))
    yield from (unit.instruction_set, unit.stack, str(unit.vintage))
    if system := systems.get(unit.based_on):
        yield from (system.system, system.name, system.name_zh, system.vendor)


def _pool_texts(pool: Pool, systems: Mapping[str, System]) -> Iterator[str]:
    identifier = pool.identifier
    yield from (str(identifier), identifier.site, identifier.region, pool.name, pool.name_zh, pool.tier, pool.hub)
    yield from (identifier.compute_class, CLASS_ZH.get(identifier.compute_class, ""), str(pool.vintage))
    yield from _unit_texts(pool.hardware, systems)


def _nearest(registry: Registry, words: Sequence[str]) -> str:
    """Return the hint for the first word that nothing holds."""
    texts = [*(text for system in registry.systems.values() for text in _system_texts(system))]
    texts += [text for unit in registry.units.values() for text in _unit_texts(unit, registry.systems)]
    texts += [text for pool in registry.pools for text in _pool_texts(pool, registry.systems)]
    missing = next((word for word in words if not any(word in text.casefold() for text in texts)), None)
    if missing is None:
        return ": each word is somewhere, no entry has them all"
    if HAN.fullmatch(missing):
        near = _nearest_han(missing, texts)
        return f" (did you mean {near!r}?)" if near else ""
    known = {word for text in texts for word in re.findall(r"\w[\w.+-]*", text.casefold())}
    hint = did_you_mean(missing, sorted(known))
    return hint if "did you mean" in hint else ""


def _nearest_han(word: str, texts: Iterable[str]) -> str | None:
    """Return the run of Chinese characters that shares most of its places with a word, at least half of them."""
    runs = {run for text in texts for run in HAN.findall(text)}
    pieces = sorted({run[i : i + len(word)] for run in runs for i in range(len(run) - len(word) + 1)})
    if not pieces:
        return None

    def alike(piece: str) -> int:
        return sum(one == other for one, other in zip(piece, word, strict=True))

    best = max(pieces, key=alike)
    return best if 2 * alike(best) >= len(word) else None
