"""The insight page: what patients ask and where they stop, in counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.casedesk.conftest import Clinic
from tests.casedesk.samples import signed

TODAY = datetime.now(UTC).date().isoformat()
LONG_AGO = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()


def report(*figures: tuple[str, str, str, int]) -> bytes:
    rows = [dict(zip(("day", "what", "name", "number"), figure, strict=True)) for figure in figures]
    return json.dumps({"pending": 0, "insight": rows}).encode()


async def tell(clinic: Clinic, *figures: Any, status: int = 200) -> None:
    body = report(*figures)
    assert (await clinic.posts(body, signed("r", body), "/api/outbox-status"))[0] == status


async def test_a_nurse_sees_what_was_asked_and_where_patients_stop(clinic: Clinic) -> None:
    nurse = await clinic.person("Nurse Example")
    assert "Nothing was asked yet" in await nurse.opens("/insight")
    figures = [
        (TODAY, "answer", "cost", 30),
        (TODAY, "answer", "first_doctor_wrong", 10),
        (LONG_AGO, "answer", "how_long", 5),
        (TODAY, "fallback", "", 10),
        (TODAY, "helped", "cost", 3),
        (TODAY, "unhelpful", "cost", 1),
        (TODAY, "escalation", "emergency", 2),
        (TODAY, "begun", "", 9),
        (TODAY, "sent", "submitted", 4),
        (TODAY, "abandoned", "phone", 3),
        ("now", "standing", "pain", 2),
    ]
    await tell(clinic, *figures)
    page = await nurse.opens("/insight")
    assert "<strong>40</strong> answered; <strong>10</strong> not understood (20%)" in page
    assert "<td>30</td><td>75%</td>" in page, "three of four questions were about cost"
    assert "<td>1</td><td>25%</td>" in page, "one of four opinions on that answer was bad"
    assert "<strong>9</strong> begun, <strong>4</strong> sent, <strong>3</strong> given up" in page
    assert "How long" not in page and "How long" in await nurse.opens("/insight?days=90")


async def test_a_report_again_changes_nothing_and_who_moved_on_stands_elsewhere(clinic: Clinic) -> None:
    nurse = await clinic.person("Nurse Example")
    for _ in range(2):
        await tell(clinic, (TODAY, "answer", "cost", 7), ("now", "standing", "pain", 2))
    assert "<strong>7</strong> answered" in await nurse.opens("/insight")
    await tell(clinic, (TODAY, "answer", "cost", 8), ("now", "standing", "phone", 1))
    assert clinic.counts("insight") == 2


async def test_there_is_no_room_for_words(clinic: Clinic) -> None:
    await tell(clinic, (TODAY, "answer", "my leg hurts", 1), status=422)
    assert clinic.counts("insight") == 0
