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
    places: dict[str, tuple[str, ...]]
    """States and cities by country: who says "I'm in Texas" has said where help must come."""


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
_SHORT = {"us": "US", "u.s": "US", "u.s.a": "US", "u.k": "GB", "nz": "NZ", "aus": "AU"}
"""Names that stand for a country only where nothing else is said: "us" is a word, too."""
_SAID = (
    r"(?<!not )(?<!n't )\b(?:i['’]?m|i am|we['’]?re|we are|s?he['’]?s|is|am|live|lives|living|based|stay|staying|here|"
    r"currently|now|holiday|calling|writing|messaging)(?: (?:back|over|out|right now|now|currently|on holiday|away))? "
    r"(?:in|from) (?:[\w' ]{2,30}, ?)?(?:the (?!us\b|states\b))?"
)
_NOT_THEM = re.compile(
    r"\b(?:surgeon|doctor|consultant|specialist|clinic|hospital|cent(?:re|er)|company|insurer|neighbou?r|lawyer)s?"
    r"(?: who| that)? (?:is|are|was|were|lives?|works?|comes?|based)\b[^.,;!?\n]*",
    re.IGNORECASE,
)
"""Where somebody is who is not the patient: "my surgeon is from London"."""
_ALONE = r"\W*(?:(?:i['’]?m|i am|we|are|we['’]?re|in|from|the|here|it['’]?s|is|my|country|actually|sorry|ok|okay|yes|no|oh)\W+)*"


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """The code of the country by every name of it, and of a place in it."""
    return {place: code for code, places in all_numbers().places.items() for place in places} | _NAMES


@lru_cache(maxsize=2)
def _pattern(before: str, after: str, *more: str) -> re.Pattern[str]:
    names = sorted(map(re.escape, [*_names(), *more]), key=len, reverse=True)
    return re.compile(rf"{before}({'|'.join(names)}){after}", re.IGNORECASE)


def country_said(texts: Iterable[str]) -> str | None:
    """Return the code of the country that the newest of ``texts`` (oldest first) says someone is in; None when none does.

    Where a person says they are beats any form: it is where the ambulance has to go.
    """
    said = _pattern(_SAID, r"\b")
    found = [match for text in texts for match in said.findall(_NOT_THEM.sub("", text))]
    return _names()[found[-1].casefold()] if found else None


def country_named(text: str) -> str | None:
    """Return the code of the country when ``text`` is little more than its name: "UK", "actually Canada"."""
    found = _pattern(_ALONE, r"\W*$", *_SHORT).match(text)
    return (_names() | _SHORT)[found[1].casefold()] if found else None


def numbers_for(country: str | None) -> Numbers:
    """Return the numbers for an ISO code or a country's English name; the safe general line when it is not known."""
    file = all_numbers()
    said = (country or "").strip()
    code = _NAMES.get(said.casefold(), said.upper())
    if code in file.european_union and code not in file.countries:
        code = "EU"
    return file.countries.get(code, file.unknown)
