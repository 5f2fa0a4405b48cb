"""Identifiers of compute: `<country>-<region>-<site>/<class>/<unit>#<n>`, the same for a machine as long as it stands.

An identifier is made of what its row says of itself, never of its place in a table, so that rows can be added and moved
around. Letters of any script, digits, `_` and `.` stand for themselves, in sites `-` too; a space is `+`; every other
byte of UTF-8 is `~` and two hexadecimal digits, so that different names have different identifiers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gridtwin.errors import RegistryError

__all__ = ["FORM", "UNKNOWN_COUNTRY", "Identifier"]

UNKNOWN_COUNTRY: Final = "ZZ"  # ISO 3166 leaves it to its users
FORM: Final = "<country>-<region>-<site>/<class>/<unit>#<n>, or #<n>-#<m> for a range"

_PLAIN: Final = re.compile(r"[\w.]")
_PLAIN_SITE: Final = re.compile(r"[\w.-]")
_ESCAPED: Final = re.compile("(?:~[0-9A-F]{2})+")
_PARTS: Final = re.compile(r"([A-Z]{2})-([^-/#]*)-([^/#]+)/([^/#]+)/([^/#]+)#([1-9][0-9]*)(?:-#([1-9][0-9]*))?")


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """Machines `first` to `last` of one kind, class and site, counted from 1; one where both are the same.

    Parameters
    ----------
    country : str
        Two capital letters of ISO 3166; `ZZ` where nobody said.
    region : str
        May be empty.
    site, compute_class, unit : str
    first, last : int

    Examples
    --------
    >>> pool = Identifier("CN", "Gansu", "qingyang", "general", "kunpeng_block_40kw", 1, 700)
    >>> str(pool)
    'CN-Gansu-qingyang/general/kunpeng_block_40kw#1-#700'
    >>> Identifier.parse("CN-Gansu-qingyang/general/kunpeng_block_40kw#17") in pool
    True
    """

    country: str
    region: str
    site: str
    compute_class: str
    unit: str
    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """Read an identifier.

        Raises
        ------
        RegistryError
            If it is none, or not written as it is here.
        """
        found = _PARTS.fullmatch(text)
        if found is None:
            raise RegistryError(f"{text!r} is no identifier; expected {FORM}")
        country, region, site, compute_class, unit = (_plain(part) for part in found.groups()[:5])
        first, last = int(found[6]), int(found[7] or found[6])
        parsed = cls(country, region, site, compute_class, unit, first, last)
        if str(parsed) != text or parsed.last < parsed.first:
            raise RegistryError(f"{text!r} is no identifier; expected {FORM} (did you mean {str(parsed)!r}?)")
        return parsed

    def __str__(self) -> str:
        site = f"{self.country}-{_escaped(self.region)}-{_escaped(self.site, _PLAIN_SITE)}"
        numbers = f"#{self.first}" if self.first == self.last else f"#{self.first}-#{self.last}"
        return f"{site}/{_escaped(self.compute_class)}/{_escaped(self.unit)}{numbers}"

    def __contains__(self, other: Identifier) -> bool:
        return self.pool == other.pool and self.first <= other.first and other.last <= self.last

    @property
    def pool(self) -> tuple[str, ...]:
        """What all machines of a pool share."""
        return self.country, self.region, self.site, self.compute_class, self.unit

    @property
    def count(self) -> int:
        """How many machines these are."""
        return self.last - self.first + 1


def _escaped(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    return "".join(
        letter if plain.match(letter) else "+" if letter == " " else "".join(f"~{byte:02X}" for byte in letter.encode())
        for letter in text
    )


def _plain(text: str) -> str:
    def decoded(found: re.Match[str]) -> str:
        return bytes.fromhex(found[0].replace("~", "")).decode(errors="replace")

    return _ESCAPED.sub(decoded, text.replace("+", " "))
