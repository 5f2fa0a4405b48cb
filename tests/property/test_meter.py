"""The meter: what is converted comes back, unlike things never add, identifiers are unique and stay."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.meter import PRECISIONS, PREFIXES, Throughput, total
from gridtwin.catalogue.pools import GROUPS, Pool, totals
from gridtwin.errors import PrecisionError
from gridtwin.inputs.resources import pools_of

precisions = st.sampled_from(list(PRECISIONS.values()))
prefixes = st.sampled_from(list(PREFIXES))
values = st.floats(1e-6, 1e9)
names = st.text(min_size=1, max_size=12)
HARDWARE = load_hardware()


@given(values, precisions, prefixes, prefixes)
def test_conversions_round_trip(value, precision, one, other):
    unit, through = (f"{prefix}{precision.operation}/s" for prefix in (one, other))
    rate = Throughput.of(value, unit, precision)
    assert rate.to(unit) == pytest.approx(value, rel=1e-14)
    assert Throughput.of(rate.to(through), through, precision).per_s == pytest.approx(rate.per_s, rel=1e-14)


@given(values, values, precisions, precisions)
def test_unlike_precisions_never_add(one, other, first, second):
    left, right = Throughput(one, first), Throughput(other, second)
    if first is second:
        assert left + right == right + left == total(first, [left, right])
    else:
        for broken in (lambda: left + right, lambda: right + left, lambda: total(first, [left, right])):
            with pytest.raises(PrecisionError):
                broken()


@given(names, names, names, names, st.integers(1, 10**6), st.integers(0, 10**6))
def test_identifiers_are_read_as_they_are_written(region, site, compute_class, unit, first, more):
    identifier = Identifier("CN", region, site, compute_class, unit, first, first + more)
    assert Identifier.parse(str(identifier)) == identifier


@given(st.lists(st.tuples(names, names, names, names), min_size=2, max_size=6, unique=True))
def test_different_pools_have_different_identifiers(pools):
    texts = {str(Identifier("CN", *parts, 1, 1)) for parts in pools}
    assert len(texts) == len(pools)


rows = st.fixed_dictionaries(
    {
        "site": st.sampled_from(["a", "b", "和林格尔", "d-1", "d 1"]),
        "compute_class": st.sampled_from(["general", "edge", "super"]),
        "hardware": st.sampled_from(list(HARDWARE)),
        "nodes": st.integers(0, 500),
        "vintage": st.sampled_from([0, 2019, 2024]),
    }
)
tables = st.lists(rows, max_size=10, unique_by=lambda row: (row["site"], row["compute_class"]))
SITES = [
    {"site": name, "bus": "1", "region": region, "name": "", "name_zh": "", "tier": "", "hub": ""}
    for name, region in (("a", "X"), ("b", "X"), ("和林格尔", ""), ("d-1", "Y"), ("d 1", "Y"))
]


def identified(table: list[dict]) -> dict[tuple, str]:
    """Return the identifier of every single machine by what its row says."""
    pools = pools_of("CN", SITES, table, {"1": "Z"})
    return {
        (*pool.identifier.pool, number): str(replace(pool.identifier, first=number, last=number))
        for pool in pools
        for number in range(1, min(pool.identifier.count, 20) + 1)
    }


@given(tables, st.randoms(use_true_random=False), st.integers(0, 10))
def test_identifiers_are_unique_and_stay_when_rows_are_moved_added_or_grow(table, random, kept):
    whole = identified(table)
    assert len(set(whole.values())) == len(whole)
    shuffled = random.sample(table, len(table))
    assert identified(shuffled) == whole
    assert identified(shuffled[:kept]).items() <= whole.items()
    grown = [row | {"nodes": row["nodes"] + 3} for row in table]
    assert whole.items() <= identified(grown).items()


@given(tables)
def test_totals_hold_every_machine_once(table):
    pools: list[Pool] = list(pools_of("CN", SITES, table, {"1": "Z"}))
    for by in GROUPS:
        found = totals(pools, by)
        assert sum(part.units for part in found) == sum(row["nodes"] for row in table)
        assert sum(part.peak_mw for part in found) == pytest.approx(sum(pool.peak_mw for pool in pools))
        for part in found:
            assert part.metered.precision is PRECISIONS[part.precision]
