"""Which number to call, by country. Data: ``knowledge/emergency_numbers.yml``."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    "usa": "US", "united states": "US", "united states of america": "US", "america": "US", "the us": "US", "the states": "US",
    "canada": "CA", "uk": "GB", "united kingdom": "GB", "great britain": "GB", "britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "ireland": "IE", "republic of ireland": "IE",
    "australia": "AU", "new zealand": "NZ", "india": "IN", "south africa": "ZA", "japan": "JP", "south korea": "KR",
    "israel": "IL", "turkey": "TR", "brazil": "BR", "mexico": "MX", "china": "CN", "uae": "AE", "saudi arabia": "SA",
    "united arab emirates": "AE", "dubai": "AE", "eu": "EU", "austria": "AT", "belgium": "BE", "bulgaria": "BG",
    "croatia": "HR", "cyprus": "CY", "czechia": "CZ", "czech republic": "CZ", "denmark": "DK", "estonia": "EE",
    "finland": "FI", "france": "FR", "germany": "DE", "greece": "GR", "hungary": "HU", "italy": "IT", "latvia": "LV",
    "lithuania": "LT", "luxembourg": "LU", "malta": "MT", "netherlands": "NL", "holland": "NL", "poland": "PL",
    "portugal": "PT", "romania": "RO", "slovakia": "SK", "slovenia": "SI", "spain": "ES", "sweden": "SE",
}  # fmt: skip
_SAID = re.compile(
    r"(?<!not )(?<!n't )\b(?:i['’]?m|i am|we['’]?re|we are|s?he['’]?s|is|am|live|lives|living|based|stay|staying|here|"
    r"currently|now|holiday|calling|writing|messaging)(?: (?:back|over|out|right now|now|currently|on holiday|away))? "
    r"(?:in|from) (?:[\w' ]{2,30}, ?)?(?:the (?!us\b|states\b))?"
    rf"({'|'.join(sorted(map(re.escape, _NAMES), key=len, reverse=True))})\b",
    re.IGNORECASE,
)


def country_said(texts: Iterable[str]) -> str | None:
    """Return the code of the country that the newest of ``texts`` (oldest first) says someone is in; None when none does.

    Where a person says they are beats any form: it is where the ambulance has to go.
    """
    found = [match for text in texts for match in _SAID.findall(text)]
    return _NAMES[found[-1].casefold()] if found else None


def numbers_for(country: str | None) -> Numbers:
    """Return the numbers for an ISO code or a country's English name; the safe general line when it is not known."""
    file = all_numbers()
    said = (country or "").strip()
    code = _NAMES.get(said.casefold(), said.upper())
    if code in file.european_union and code not in file.countries:
        code = "EU"
    return file.countries.get(code, file.unknown)
