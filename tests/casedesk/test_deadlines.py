"""The clinic's calendar: business minutes, weekends, holidays, clock changes, and what the shipped file says."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from casedesk.deadlines import Calendar, Hours, Limit, clinic_calendar, in_words
from knowledge.loader import KnowledgeError, load
from runtime.settings import KNOWLEDGE

WEEK = {day: Hours("09:00", "17:00") for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
CALENDAR = Calendar(
    timezone="America/New_York",
    hours=WEEK,
    deadlines={
        "stat": Limit(30, 1440, around_the_clock=True),
        "urgent": Limit(120, 480),
        "soon": Limit(480, 960),
        "routine": Limit(960, 2400),
    },
    escalations={"emergency": 15, "crisis": 15, "urgent": 60, "soon": 240, "clarify": 240},
    keep_closed_months=24,
    holidays=(datetime(2026, 11, 26).date(),),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone)


@pytest.mark.parametrize(
    ("received", "priority", "due"),
    [
        ("2026-11-20 10:00", "urgent", "2026-11-20 12:00"),  # a Friday, within hours
        ("2026-11-20 16:00", "urgent", "2026-11-23 10:00"),  # over the weekend: an hour on Friday, one on Monday
        ("2026-11-21 11:00", "urgent", "2026-11-23 11:00"),  # on a Saturday
        ("2026-11-23 02:00", "urgent", "2026-11-23 11:00"),  # before opening
        ("2026-11-20 17:00", "urgent", "2026-11-23 11:00"),  # on the stroke of closing
        ("2026-11-25 16:00", "urgent", "2026-11-27 10:00"),  # the holiday between does not count
        ("2026-11-20 09:00", "soon", "2026-11-20 17:00"),  # exactly one day
        ("2026-11-20 09:01", "soon", "2026-11-23 09:01"),
        ("2026-11-21 23:50", "stat", "2026-11-22 00:20"),  # day and night, weekends too
        ("2026-10-30 16:00", "urgent", "2026-11-02 10:00"),  # clocks go back in between
        ("2026-03-06 16:00", "urgent", "2026-03-09 10:00"),  # clocks go forward in between
    ],
)
def test_a_deadline_counts_the_clinics_hours(received: str, priority: str, due: str) -> None:
    assert CALENDAR.deadline(priority, "first_look", at(received)) == at(due)


def test_minutes_between_are_the_minutes_added() -> None:
    start = at("2026-11-20 16:20")
    for minutes in (0, 1, 39, 40, 41, 600, 5000):
        assert CALENDAR.between(start, CALENDAR.add(start, minutes)) == minutes


def test_a_weekend_has_no_business_minutes() -> None:
    assert CALENDAR.between(at("2026-11-20 17:00"), at("2026-11-23 09:00")) == 0
    assert CALENDAR.between(at("2026-11-21 09:00"), at("2026-11-21 10:00"), around_the_clock=True) == 60


def test_waiting_for_the_patient_stops_the_clock() -> None:
    due = CALENDAR.deadline("soon", "first_look", at("2026-11-23 09:00"))  # Monday 17:00
    moved = CALENDAR.shifted(due, "soon", at("2026-11-23 15:00"), at("2026-11-25 09:00"))
    assert moved == at("2026-11-25 11:00"), "two hours were left when it stopped"


def test_a_late_case_does_not_become_early_by_waiting() -> None:
    due = at("2026-11-23 10:00")
    assert CALENDAR.shifted(due, "soon", at("2026-11-23 15:00"), at("2026-11-25 09:00")) == due


def test_a_warning_is_due_day_and_night() -> None:
    assert CALENDAR.escalation_deadline("crisis", at("2026-11-22 03:00")) == at("2026-11-22 03:15")


def test_a_calendar_without_enough_hours_is_an_error_not_an_endless_loop() -> None:
    with pytest.raises(ValueError, match="too few opening hours"):
        CALENDAR.add(at("2026-11-20 10:00"), 10_000_000)


def test_the_shipped_calendar_is_sound() -> None:
    calendar = clinic_calendar()
    start = at("2026-11-20 10:00")
    order = [calendar.deadline(priority, "first_look", start) for priority in ("stat", "urgent", "soon", "routine")]
    assert order == sorted(order)
    assert all(
        calendar.deadlines[priority].first_look < calendar.deadlines[priority].report for priority in calendar.deadlines
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("timezone: America/New_York", "timezone: America/Atlantis"), "unknown time zone"),
        (("  monday:", "  lundi:"), "weekdays in English"),
        (('opens: "08:00"', 'opens: "19:00"'), "open before it closes"),
        (("  stat:", "  now:"), "lack stat"),
        (("keep_closed_months", "keep_months"), "unknown key 'keep_months'"),
    ],
)
def test_a_slip_in_the_calendar_is_named_with_file_and_line(tmp_path: Path, wrong: tuple[str, str], says: str) -> None:
    path = tmp_path / "clinic_calendar.yml"
    path.write_text((KNOWLEDGE / "clinic_calendar.yml").read_text().replace(*wrong, 1))
    with pytest.raises(KnowledgeError, match=rf"clinic_calendar\.yml:\d+: .*{says}"):
        load(path, Calendar)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (60, "1 h"),
        (190, "3 h 10 min"),
        (1440, "1 day"),
        (3120, "2 days 4 h"),
        (-25, "25 min"),
    ],
)
def test_spans_are_said_as_people_say_them(minutes: int, words: str) -> None:
    assert in_words(timedelta(minutes=minutes)) == words
