"""How much time is left: the clinic's calendar and the arithmetic of business minutes. Pure functions of plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from knowledge.loader import load
from runtime.settings import KNOWLEDGE

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Hours:
    opens: str
    closes: str

    def __post_init__(self) -> None:
        if time.fromisoformat(self.opens) >= time.fromisoformat(self.closes):
            raise ValueError("a day must open before it closes")


@dataclass(frozen=True)
class Limit:
    first_look: int
    report: int
    around_the_clock: bool = False


@dataclass(frozen=True)
class Calendar:
    """``knowledge/clinic_calendar.yml``."""

    timezone: str
    hours: dict[str, Hours]
    deadlines: dict[str, Limit]
    escalations: dict[str, int]
    keep_closed_months: int
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except ZoneInfoNotFoundError:
            raise ValueError(f"unknown time zone {self.timezone!r}") from None
        if not self.hours or (unknown := set(self.hours) - set(WEEKDAYS)):
            raise ValueError(f"hours must name weekdays in English, not {', '.join(unknown) or 'none'}")
        if missing := {"stat", "urgent", "soon", "routine"} - set(self.deadlines):
            raise ValueError(f"deadlines lack {', '.join(sorted(missing))}")
        if missing := {"emergency", "crisis", "urgent", "soon", "clarify"} - set(self.escalations):
            raise ValueError(f"escalations lack {', '.join(sorted(missing))}")

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def _open_spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Opening spans from ``start`` on, in UTC, for the next three years at most."""
        day = start.astimezone(self.zone).date()
        for _ in range(3 * 366):
            hours = self.hours.get(WEEKDAYS[day.weekday()])
            if hours and day not in self.holidays:
                # Made in local time and only then turned to UTC, so that a day of 23 or 25 hours comes out right.
                opens = datetime.combine(day, time.fromisoformat(hours.opens), self.zone).astimezone(UTC)
                closes = datetime.combine(day, time.fromisoformat(hours.closes), self.zone).astimezone(UTC)
                if closes > start:
                    yield max(opens, start), closes
            day += timedelta(days=1)

    def add(self, start: datetime, minutes: float, *, around_the_clock: bool = False) -> datetime:
        """Return the moment ``minutes`` business minutes (or minutes) after ``start``, in UTC."""
        start = start.astimezone(UTC)
        left = timedelta(minutes=minutes)
        if around_the_clock:
            return start + left
        for opens, closes in self._open_spans(start):
            if opens + left <= closes:
                return opens + left
            left -= closes - opens
        raise ValueError("the calendar has too few opening hours to reach the deadline")

    def between(self, start: datetime, end: datetime, *, around_the_clock: bool = False) -> float:
        """Return the business minutes (or minutes) from ``start`` to ``end``."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if around_the_clock:
            return max((end - start).total_seconds() / 60, 0.0)
        total = timedelta()
        for opens, closes in self._open_spans(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total.total_seconds() / 60

    def deadline(self, priority: str, stage: Literal["first_look", "report"], received_at: datetime) -> datetime:
        """Return when a case of ``priority`` that arrived at ``received_at`` has to be looked at or answered."""
        limit = self.deadlines[priority]
        return self.add(received_at, getattr(limit, stage), around_the_clock=limit.around_the_clock)

    def escalation_deadline(self, tier: str, raised_at: datetime) -> datetime:
        return self.add(raised_at, self.escalations[tier], around_the_clock=True)

    def shifted(self, deadline: datetime, priority: str, paused_at: datetime, resumed_at: datetime) -> datetime:
        """Return ``deadline`` moved by the time the clock stood still between ``paused_at`` and ``resumed_at``."""
        around = self.deadlines[priority].around_the_clock
        if deadline <= paused_at:
            return deadline  # it was late already: waiting for the patient does not make it early
        left = self.between(paused_at, deadline, around_the_clock=around)
        return self.add(resumed_at, left, around_the_clock=around)


def clinic_calendar() -> Calendar:
    """Return the clinic's calendar. Raises KnowledgeError with file and line when it makes no sense."""
    return load(KNOWLEDGE / "clinic_calendar.yml", Calendar)


def in_words(span: timedelta) -> str:
    """Return a span as a nurse would say it: ``25 min``, ``3 h 10 min``, ``2 days 4 h``."""
    minutes = int(abs(span).total_seconds() // 60)
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    if days:
        parts = [f"{days} day{'s' if days > 1 else ''}"] + ([f"{hours} h"] if hours else [])
    elif hours:
        parts = [f"{hours} h"] + ([f"{minutes} min"] if minutes else [])
    else:
        parts = [f"{minutes} min"]
    return " ".join(parts)
