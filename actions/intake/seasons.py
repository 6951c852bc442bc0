"""Reads dates that people tie to a feast or a season: "before Christmas", "after Easter", "by the summer". Pure.

A feast with "before" or "after" is the day beside it; without, the day itself. A season is the month it begins in.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from dateutil.easter import easter

SOUTH = frozenset({"AU", "NZ", "ZA", "AR", "CL", "UY", "BR"})
"""Countries with summer in December, of those patients are likely to write from."""


def _thursday(year: int) -> date:
    """Thanksgiving in the United States: the fourth Thursday of November."""
    return date(year, 11, 22 + (calendar.THURSDAY - date(year, 11, 22).weekday()) % 7)


_FEASTS: dict[str, Callable[[int], date]] = {
    r"christmas eve": lambda year: date(year, 12, 24),
    r"christmas(?: day)?|xmas|x-mas": lambda year: date(year, 12, 25),
    r"new year'?s? eve": lambda year: date(year, 12, 31),
    r"the holidays": lambda year: date(year, 12, 25),
    r"(?:the )?new year(?:'?s)?(?: day)?": lambda year: date(year, 1, 1),
    r"easter(?: sunday)?": easter,
    r"thanksgiving": _thursday,
    r"hallowe'?en": lambda year: date(year, 10, 31),
    r"valentine'?s?(?: day)?": lambda year: date(year, 2, 14),
    r"(?:the )?end of (?:the|this) year|year'?s? end": lambda year: date(year, 12, 31),
}
_NUMBER = {"a": 1, "the": 1, "one": 1, "two": 2, "three": 3, "four": 4, "a few": 3, "a couple of": 2}
_BESIDE = re.compile(
    rf"(?:(?P<count>\d{{1,2}}|{'|'.join(sorted(_NUMBER, key=len, reverse=True))}) (?P<unit>day|week|month)s? )?"
    r"(?P<side>(?:just |right |shortly |soon |well )?(?:before|after|until|till|by|following))? ?(?:last |next |this )?$"
)
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_SEASON = re.compile(
    r"(?:^|\b(?P<which>next|this|last|coming|early|late|in|by|before|after|until|till|since|during|around|the)\s+)"
    r"(?:the\s+)?(?:(?:early|late|end of|start of|beginning of|coming|next)\s+)?(?:the\s+)?(?P<season>spring|summer|autumn|fall|winter)\b"
)


def seasonal(text: str, today: date, *, ahead: bool, country: str | None) -> str | None:
    """Return the day or month that ``text`` (lower case) means, the nearest ``ahead`` or behind; None when it names none."""
    for words, day_in in _FEASTS.items():
        if match := re.search(rf"\b(?:{words})\b", text):
            return _feast(text[: match.start()], day_in, today, ahead=ahead)
    match = _SEASON.search(text)
    if not match or (match["season"] == "fall" and not ahead):
        return None  # "since the fall" is an accident
    return _season(match, today, ahead=ahead, south=country in SOUTH)


def _feast(lead: str, day_in: Callable[[int], date], today: date, *, ahead: bool) -> str:
    beside = _BESIDE.search(lead)
    side = (beside["side"] or "").split()[-1:] if beside else []
    step = {"before": -1, "after": 1, "following": 1}.get("".join(side), 0)
    moved = timedelta(days=step)
    if beside and beside["unit"] and step:
        count = _NUMBER.get(beside["count"]) or int(beside["count"])
        moved *= count * {"day": 1, "week": 7, "month": 30}[beside["unit"]]
    found = [day_in(year) + moved for year in range(today.year - 1, today.year + 3)]
    if ahead:
        return min(day for day in found if day >= today).isoformat()
    return max(day for day in found if day <= today).isoformat()


def _season(match: re.Match[str], today: date, *, ahead: bool, south: bool) -> str:
    begins = (_SEASONS[match["season"]] + (6 if south else 0) - 1) % 12 + 1
    now = today.year * 12 + today.month - 1
    first = today.year * 12 + begins - 1
    first -= 12 * (first > now)  # the one that began last
    under_way = now - first < 3
    if ahead:
        first = now if under_way and match["which"] in ("this", "in", "during", "late") else first + 12
    elif under_way and match["which"] == "last":
        first -= 12
    return f"{first // 12}-{first % 12 + 1:02d}"
