"""Reads dates as people say them: "last March", "about 3 years ago", "2 April 1968". Pure.

A date is an ISO text as precise as what was said: ``2026``, ``2026-03`` or ``2026-03-14``. What dateparser
(https://dateparser.readthedocs.io) reads well is left to it; what it does not know (durations, seasons, vague years)
is read here first.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta
from typing import Literal

from dateparser.date import DateDataParser

from actions.intake.seasons import seasonal

When = Literal["past", "future", "birth"]

NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen"),
)
_NUMBERS = {word: number for number, word in enumerate(NUMBER_WORDS)} | {
    "a": 1,
    "an": 1,
    "couple": 2,
    "few": 3,
    "several": 4,
    "twenty": 20,
    "thirty": 30,
}
_COUNT = r"(?P<count>\d{1,3}(?:\.5)?|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"
_SPAN = re.compile(
    rf"\b(?:a\s+)?{_COUNT}(?:\s+(?:of|or\s+so|more|and\s+a\s+half|\d+/2))*(?P<half>\s+and\s+a\s+half)?\s+"
    r"(?P<unit>day|week|wk|month|mth|year|yr)s?(?P<late_half>\s+and\s+a\s+half)?\b"
)
_DAY_NAME = re.compile(
    r"\b(?:next |last |this |on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\btomorrow\b|\byesterday\b|\btoday\b"
)
_HALF_YEAR = re.compile(r"\bhalf\s+a\s+year\b")
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_MONTH = re.compile(
    rf"\b(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?(?:,?\s+(?:of\s+)?(?P<year>(?:19|20)\d\d))?"
)
_MONTH_WITH_DAY = re.compile(
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{'|'.join(_MONTHS)})\b|\b(?:{'|'.join(_MONTHS)})\.?\s+\d{{1,2}}(?!\d)"
)
_YEAR = re.compile(r"(?<![\d/.\-])((?:19|20)\d\d)(?![\d/.\-]\d|\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[/.\-](\d{1,2})[/.\-]((?:19|20)?\d\d)(?!\d)")
_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)-(\d\d)(?:-(\d\d))?(?!\d)")
_VAGUE = re.compile(
    r"\b(all my life|whole life|always|forever|for ages|ages|childhood|as a child|since i was|when i was|"
    r"(?:since|when) (?:he|she|they) (?:was|were)|a long time|long time|many years|years and years|for years|years|decades|"
    r"months|weeks|(?:19|20)?\d0'?s)\b"
)
_NO_DATE = re.compile(
    r"^(?:no|none|nope|not yet|no date|no deadline|not booked|nothing booked|no date yet|there is no date|"
    r"there is none|no rush|no hurry|whenever|open|not decided|not set|no,? not yet|there isn'?t one|no fixed date|"
    r"not scheduled)$"
)


def read_date(
    text: str, when: When, *, today: date, month_first: bool, country: str | None = None
) -> tuple[str | None, bool] | None:
    """Return the date in ``text`` and whether it is sure, or None when there is none.

    Args:
        text: in lower case, without punctuation at the end.
        when: ``past`` and ``birth`` take the nearest date behind, ``future`` the nearest ahead.
        month_first: whether 3/4/2025 is the fourth of March (the US) or the third of April.
        country: where the patient is (ISO code), if known: summer is at another time elsewhere.

    Returns:
        ``(iso, sure)``; ``(None, True)`` for words that are an answer without being a date ("all my life").
    """
    found = (
        _absolute(text, month_first)
        or (None if when == "birth" else _seasonal(text, today, when, country) or _span(text, today, when))
        or _named(text, today, when)
        or _parsed(text, today, when, month_first)
    )
    if found:
        return found
    if (when == "past" and _VAGUE.search(text)) or (when == "future" and _NO_DATE.match(text)):
        return None, True
    return None


def bounds(iso: str) -> tuple[date, date]:
    """The first and the last day that ``iso`` may mean."""
    parts = [int(part) for part in iso.split("-")]
    if len(parts) == 1:
        return date(parts[0], 1, 1), date(parts[0], 12, 31)
    if len(parts) == 2:
        return date(parts[0], parts[1], 1), date(parts[0], parts[1], calendar.monthrange(*parts)[1])
    return date(*parts), date(*parts)


def shown(iso: str) -> str:
    """ "2026-03-14" as a person writes it: "14 March 2026"."""
    parts = iso.split("-")
    if len(parts) == 1:
        return parts[0]
    month = calendar.month_name[int(parts[1])]
    return f"{month} {parts[0]}" if len(parts) == 2 else f"{int(parts[2])} {month} {parts[0]}"


def _absolute(text: str, month_first: bool) -> tuple[str, bool] | None:
    if match := _ISO.search(text):
        return _checked(int(match[1]), int(match[2]), int(match[3]) if match[3] else None)
    if match := _NUMERIC.search(text):
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        if year < 100:
            year += 2000 if year < 50 else 1900
        month, day = (first, second) if month_first else (second, first)
        if month > 12:
            month, day = day, month
        found = _checked(year, month, day)
        # 3/4/2025 means two different days in two countries: never take it without asking.
        return (found[0], day > 12 or day == month) if found else None
    return None


def _checked(year: int, month: int, day: int | None) -> tuple[str, bool] | None:
    try:
        date(year, month, day or 1)
    except ValueError:
        return None
    return (f"{year}-{month:02d}" if day is None else f"{year}-{month:02d}-{day:02d}"), True


def _seasonal(text: str, today: date, when: When, country: str | None) -> tuple[str, bool] | None:
    if _MONTH.search(text) or _YEAR.search(text):
        return None  # "spring 2024", "Easter, in April": what is said more exactly counts
    found = seasonal(text, today, ahead=when == "future", country=country)
    return (found, True) if found else None


def _span(text: str, today: date, when: When) -> tuple[str, bool] | None:
    """A duration is counted back from today ("for 3 years") or ahead ("in two weeks")."""
    if _HALF_YEAR.search(text):
        return _shift(today, months=-6 if when == "past" else 6), True
    match = _SPAN.search(text)
    if not match:
        return None
    count = _NUMBERS.get(match["count"]) or float(match["count"])
    if match["half"] or match["late_half"] or re.search(r"and\s+a\s+half", match.group()):
        count += 0.5
    unit, sign = match["unit"], -1 if when == "past" else 1
    if unit in ("day", "week", "wk"):
        return (today + timedelta(days=sign * round(count * (1 if unit == "day" else 7)))).isoformat(), True
    months = round(count * (12 if unit in ("year", "yr") else 1))
    moved = _shift(today, months=sign * months)
    return (moved[:4] if unit in ("year", "yr") and count >= 2 and count == int(count) else moved), True


def _shift(today: date, *, months: int) -> str:
    total = today.year * 12 + today.month - 1 + months
    return f"{total // 12}-{total % 12 + 1:02d}"


def _named(text: str, today: date, when: When) -> tuple[str, bool] | None:
    """Months without a day, years, and "last year" and its like."""
    if _MONTH_WITH_DAY.search(text):
        return None
    match = _MONTH.search(text)
    if match and (
        match["month"] not in ("may", "mar", "dec", "sun", "sat") or match["year"] or _dated(text, match["month"])
    ):
        month = _MONTHS[match["month"]]
        if match["year"]:
            year = int(match["year"])
        elif "last year" in text:
            year = today.year - 1
        elif "next year" in text:
            year = today.year + 1
        elif when == "future":
            year = today.year + (month < today.month)
        else:
            year = today.year - (month > today.month)
        return f"{year}-{month:02d}", True
    if match := _YEAR.search(text):
        return match[1], True
    for words, years in (("year before last", -2), ("last year", -1), ("this year", 0), ("next year", 1)):
        if words in text:
            return str(today.year + years), True
    for words, months in (("last month", -1), ("this month", 0), ("end of the month", 0), ("next month", 1)):
        if words in text:
            return _shift(today, months=months), True
    for words, days in (("last week", -7), ("next week", 7), ("last night", -1), ("this week", 0), ("this morning", 0)):
        if words in text:
            return (today + timedelta(days=days)).isoformat(), True
    return None


def _dated(text: str, month: str) -> bool:
    """Whether "may" is the month and not the verb."""
    return bool(re.search(rf"\b(in|since|last|this|next|from|of|by|early|late|mid|until)\s+{month}\b|^{month}$", text))


def _parsed(text: str, today: date, when: When, month_first: bool) -> tuple[str, bool] | None:
    if not re.search(r"\d|day|tomorrow|tonight", text):
        return None
    parser = DateDataParser(
        languages=["en"],
        settings={
            "PREFER_DATES_FROM": "future" if when == "future" else "past",
            "RELATIVE_BASE": datetime(today.year, today.month, today.day, 12),
            "DATE_ORDER": "MDY" if month_first else "DMY",
            "PARSERS": ["absolute-time", "relative-time"],
        },
    )
    match = _MONTH_WITH_DAY.search(text)
    tries = [text]
    if match:
        tail = re.match(r"(?:st|nd|rd|th)?,?\s+(?:of\s+)?(?:19|20)\d\d", text[match.end() :])
        tries.append(match.group() + (tail.group() if tail else ""))
    tries += _DAY_NAME.findall(text)
    for words in tries:
        data = parser.get_date_data(re.sub(r"\b(next|this|on|of|the)\b\s*", "", words))
        if data.date_obj and data.period in ("day", "time"):
            return data.date_obj.date().isoformat(), True
    return None
