"""Time-of-use tariffs of `east_west_china`: the zones' half hours and prices in the tables of a model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from modelling.east_west_china.fleet_sources import rows

__all__ = ["PERIOD_COLUMNS", "PRICE_COLUMNS", "period_rows", "price_rows"]

PERIOD_COLUMNS: Final = ("tariff", "month", "period", "from_h", "to_h")
PRICE_COLUMNS: Final = ("tariff", "period", "price_per_mwh")
PERIODS: Final = {"T": "super_peak", "P": "peak", "F": "flat", "V": "valley", "D": "deep_valley"}
KWH_PER_MWH: Final = 1000

# schedule and price of each tariff, where they do not have its name: estimates but for the first five
SCHEDULES: Final = {
    "Guangdong_PRD5": "Guangdong",
    "Guangdong_North": "Guangdong",
    "Liaoning": "Jilin",
    "Guangxi": "Guangdong",
    "Chongqing": "Sichuan",
    "Tibet": "Qinghai",
}
PRICES: Final = {
    "Shanghai": "Shanghai_large_industry",
    "Zhejiang": "Zhejiang_large_industry",
    "Yunnan": "Guizhou",
    "Tibet": "Qinghai",
}
SUSPENDED_SUPER_PEAK: Final = ("Heilongjiang", "Jilin", "Liaoning", "Yunnan")
SUPER_PEAK_OVER_PEAK: Final = 1.2  # estimate where a zone publishes none; most rules say 20 %


def period_rows(sources: Path, tariffs: tuple[str, ...]) -> Iterator[list[object]]:
    """Rows of tariffs.csv: the runs of equal half hours of each month."""
    schedule = {(row["zone"], int(row["month"])): row["half_hours"] for row in rows(sources / "tou_periods_2026.csv")}
    for tariff in tariffs:
        zone = SCHEDULES.get(tariff, tariff)
        for month in range(1, 13):
            at = 0
            for letter, run in groupby(schedule[zone, month]):
                length = len(list(run))
                yield [tariff, month, PERIODS[letter], at / 2, (at + length) / 2]
                at += length


def price_rows(sources: Path, tariffs: tuple[str, ...]) -> Iterator[list[object]]:
    """Rows of tariff_prices.csv, CNY/MWh, for the periods that occur in each tariff."""
    price = {row["zone"]: row for row in rows(sources / "tou_prices_2026_03.csv")}
    used = dict.fromkeys((tariff, period) for tariff, _, period, *_ in period_rows(sources, tariffs))
    for tariff, period in used:
        yield [tariff, period, _price(price[PRICES.get(str(tariff), str(tariff))], str(tariff), str(period))]


def _price(published: dict[str, str], tariff: str, period: str) -> float:
    """Price of a period, CNY/MWh; one that is not published follows from its neighbour."""
    if text := published[f"{period}_cny_per_kwh"]:
        per_kwh = float(text)
    elif period == "super_peak":
        factor = 1.0 if tariff in SUSPENDED_SUPER_PEAK else SUPER_PEAK_OVER_PEAK
        per_kwh = factor * float(published["peak_cny_per_kwh"])
    else:
        assert period == "deep_valley", f"{tariff} has no price for {period}"
        per_kwh = float(published["valley_cny_per_kwh"])
    return round(per_kwh * KWH_PER_MWH, 1)
