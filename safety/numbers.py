"""Which number to call, by country. Data: ``knowledge/emergency_numbers.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class Verified:
    """Which of a country's numbers was read on a trusted page."""

    emergency: bool
    crisis: bool
    poison: bool


@dataclass(frozen=True)
class Numbers:
    """The numbers of one country, as they are written in a sentence."""

    emergency: str
    crisis: str
    poison: str
    verified: Verified = Verified(False, False, False)
    basis: str = ""


@dataclass(frozen=True)
class NumbersFile:
    """All numbers, and the line for a country that is not known."""

    checked: date
    unknown: Numbers
    countries: dict[str, Numbers]
    european_union: tuple[str, ...]


@lru_cache(maxsize=1)
def all_numbers() -> NumbersFile:
    """Return the file. Raises KnowledgeError when it is faulty."""
    return load(KNOWLEDGE / "emergency_numbers.yml", NumbersFile)


_NAMES = {
    "usa": "US", "united states": "US", "america": "US", "canada": "CA", "uk": "GB", "united kingdom": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "ireland": "IE", "australia": "AU", "new zealand": "NZ",
    "india": "IN", "south africa": "ZA", "japan": "JP", "south korea": "KR", "israel": "IL", "turkey": "TR", "brazil": "BR",
    "mexico": "MX", "china": "CN", "uae": "AE", "saudi arabia": "SA", "eu": "EU",
}  # fmt: skip


def numbers_for(country: str | None) -> Numbers:
    """Return the numbers for an ISO code or a country's English name; the safe general line when it is not known."""
    file = all_numbers()
    said = (country or "").strip()
    code = _NAMES.get(said.casefold(), said.upper())
    if code in file.european_union and code not in file.countries:
        code = "EU"
    return file.countries.get(code, file.unknown)
