"""What identifies a person is unreadable at rest, and gone when it is erased."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from casedesk import privacy
from casedesk.db import Database
from casedesk.desk import Desk, open_desk
from runtime.vault import VaultError, new_master
from tests.casedesk.conftest import Clinic, opened
from tests.casedesk.samples import answered, delivery, escalation, intake, reference, signed

ROOT = Path(__file__).resolve().parents[2]
CASE = reference(1)
WORDS = (
    "Quetzalcoatlus",
    "1931-12-24",
    "5550177",
    "zanzibar.example",
    "pterodactyl",
    "marmalade",
    "hummingbird",
    "obsidian",
)
SUBJECT = {
    "name": "Pat Quetzalcoatlus",
    "birth_date": "1931-12-24",
    "phone": "+15555550177",
    "email": "pat@zanzibar.example",
}


async def lived_in(clinic: Clinic) -> None:
    """A case with words in every place where words can be."""
    flag = {"category": "cauda_equina", "tier": "emergency", "evidence": "numb as obsidian", "rule": "ce-3"}
    turn = {"at": "2026-11-20T15:04:00+00:00", "who": "patient", "text": "pterodactyl pain"}
    answers = {"main_problem": answered("pterodactyl pain", "pterodactyl pain")}
    await clinic.delivers(
        "intake.submitted", intake(subject=SUBJECT, answers=answers, red_flags=[flag], transcript=[turn])
    )
    await clinic.delivers("intake.corrected", intake(version=2, subject=SUBJECT, answers=answers))
    await clinic.delivers(
        "escalation.raised", escalation(evidence="hummingbird in my chest", contact={"phone": "5550177"})
    )
    nurse = await clinic.person("Nurse Example")
    await nurse.sends(f"/cases/{CASE}/notes", text="likes marmalade")
    await nurse.sends(f"/cases/{CASE}/calls", outcome="no_answer", text="marmalade again")
    await nurse.sends("/search", q="Quetzalcoatlus")


def everything(clinic: Clinic) -> bytes:
    """Every byte the database holds: SQLite's files, or a text dump of each PostgreSQL table."""
    if clinic.database.is_sqlite:
        path = Path(str(clinic.database.engine.url.database))
        return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    with clinic.database.transaction() as session:
        tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        return b"".join(str(session.execute(text(f"SELECT * FROM {table}")).all()).encode() for table in tables)


async def test_no_word_of_a_patient_is_readable_in_the_database(clinic: Clinic) -> None:
    await lived_in(clinic)
    held = everything(clinic)
    assert CASE.encode() in held, "the search itself must work"
    assert [word for word in WORDS if word.encode() in held] == []


async def test_no_word_of_a_patient_is_logged(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await lived_in(clinic)
        await clinic.delivers("intake.submitted", intake(9, subject=SUBJECT, priority="pterodactyl"), status=422)
    from runtime.logs import WordlessFormatter

    written = "\n".join(WordlessFormatter().format(record) for record in caplog.records)
    assert [word for word in WORDS if word in written] == []


async def test_erasure_leaves_no_trace_but_a_tombstone(clinic: Clinic) -> None:
    await lived_in(clinic)
    await clinic.delivers("intake.submitted", intake(2))
    with clinic.database.transaction() as session:
        keys = session.scalars(text("SELECT wrapped_key FROM cases WHERE id = 'intake-1'")).all()
        sealed = session.scalars(text("SELECT sealed FROM versions WHERE case_id = 'intake-1'")).all()
    body = {"sender_id": "sender-1", "why": "the patient asked"}
    row = delivery("erasure.requested", body)
    status, answer = await clinic.posts(row[1], signed(*row))
    assert status == 201
    assert sorted(answer["erased"]) == [reference(1, "ESC"), CASE]
    assert await clinic.posts(row[1], signed(*row)) == (200, answer)
    held = everything(clinic)
    for remains in (*keys, *sealed):
        assert bytes(remains) not in held
    for remains in (b"sender-1", b"+15555550177"):
        assert remains not in held
    for table in ("cases", "versions"):
        assert clinic.counts(table) == 1, "the other patient's case stays"
    assert clinic.counts("entries") == clinic.counts("escalations") == 0
    with clinic.database.transaction() as session:
        rows = session.execute(text("SELECT reference, who, why FROM tombstones ORDER BY reference")).all()
        assert clinic.desk.audit.verify(session).broken_at is None
    assert rows == [
        (reference(1, "ESC"), "assistant", "the patient asked"),
        (CASE, "assistant", "the patient asked"),
    ]


async def test_what_was_erased_does_not_come_back_by_a_late_delivery(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake(), key="k1")
    await clinic.delivers("erasure.requested", {"intake_id": "intake-1", "reference": CASE})
    await clinic.delivers("erasure.requested", {"intake_id": "intake-2", "reference": reference(2)})
    for number in (1, 2):
        answer = await clinic.delivers("intake.submitted", intake(number), key=f"late-{number}")
        assert answer == {"case": reference(number), "status": "erased"}
    assert clinic.counts("cases") == 0


async def test_erasing_one_intake_leaves_the_senders_other_one(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake(1))
    await local.delivers("intake.submitted", intake(2, sender_id="sender-1"))
    body = {"sender_id": "sender-1", "intake_id": "intake-1", "reference": CASE}
    assert (await local.delivers("erasure.requested", body))["erased"] == [CASE]
    assert local.counts("cases") == 1
    assert "erased" not in await local.delivers("erasure.requested", {}, status=422)


async def test_closed_cases_go_when_their_time_is_over(clinic: Clinic) -> None:
    for number in (1, 2, 3):
        await clinic.delivers("intake.submitted", intake(number))
    for number in (1, 2):
        body = {"intake_id": f"intake-{number}", "version": 2, "reference": reference(number)}
        await clinic.delivers("intake.withdrawn", body)
    long_ago = datetime.now(UTC) - timedelta(days=31 * clinic.desk.calendar.keep_closed_months)
    clinic.changes("UPDATE cases SET closed_at = :then WHERE id = 'intake-1'", then=long_ago)
    clinic.changes("UPDATE cases SET received_at = :then WHERE id = 'intake-3'", then=long_ago)
    with clinic.database.transaction() as session:
        assert privacy.retire(session, clinic.desk) == [CASE]
    assert clinic.counts("cases") == 2, "a case that is still open is never old"


async def test_a_desk_that_starts_erases_what_is_past_its_time(sqlite: Database, desk: Desk) -> None:
    """One that is started anew every night never lives through a whole day."""
    async for clinic in opened(sqlite, desk, send_notices=False):
        await clinic.delivers("intake.submitted", intake(1))
        await clinic.delivers("intake.withdrawn", {"intake_id": "intake-1", "version": 2, "reference": reference(1)})
        long_ago = datetime.now(UTC) - timedelta(days=31 * desk.calendar.keep_closed_months)
        clinic.changes("UPDATE cases SET closed_at = :then", then=long_ago)
    async for clinic in opened(sqlite, desk, send_notices=False):
        async with asyncio.timeout(10):
            while clinic.counts("cases"):
                await asyncio.sleep(0.05)


async def test_a_new_master_key_opens_everything_and_the_old_one_nothing(clinic: Clinic, var: Path) -> None:
    await lived_in(clinic)
    new_master()
    rotated = open_desk()
    with clinic.database.transaction() as session:
        assert privacy.rewrap(session, rotated) == 2
        assert privacy.rewrap(session, rotated) == 0
    (var / "secrets" / "master-previous").unlink()
    fresh = open_desk()
    from casedesk import casework

    with clinic.database.transaction() as session:
        case = casework.get_case(session, CASE)
        assert case
        assert fresh.summary(case)["name"] == "Pat Quetzalcoatlus"
        with pytest.raises(VaultError):
            clinic.desk.summary(case)


def test_operators_erase_by_command(var: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "casedesk.privacy", "erase", "PS-0000-0000", "--why", "test"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PLAINSPOKEN_SECRET_MASTER": secrets.token_hex(32)}
    done = subprocess.run(command, text=True, env=environment, cwd=ROOT, capture_output=True)
    assert done.stdout.strip() == "Erased: nothing; no such reference", done.stderr
