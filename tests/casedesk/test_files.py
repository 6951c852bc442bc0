"""Letters that patients agreed to hand over: kept sealed, handed out to staff to be saved, gone when taken back."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from typing import Any

import pytest

from casedesk.audit import open_audit
from casedesk.db import Database
from casedesk.models import AuditRow
from tests.casedesk.conftest import API_TOKEN, Clinic, Person
from tests.casedesk.samples import LETTER, NOTE, delivery, intake, letter, listed, reference, signed
from tests.casedesk.test_privacy import everything

CASE = reference(1)
FILE, SECOND = listed(), listed("letter-2", NOTE, 2)


async def with_letters(clinic: Clinic) -> Person:
    await clinic.delivers("intake.submitted", intake(files=[FILE, SECOND]))
    await clinic.delivers("intake.file", letter(FILE))
    await clinic.delivers("intake.file", letter(SECOND, NOTE))
    return await clinic.person("Nurse Example")


async def test_a_nurse_saves_the_very_bytes_and_it_stands_in_the_audit(clinic: Clinic) -> None:
    nurse = await with_letters(clinic)
    page = await nurse.opens(f"/cases/{CASE}")
    assert "Letter 1 (PDF)" in page and "Letter 2 (text)" in page and "1 kB, came" in page
    for file_id, content, name in (("letter-1", LETTER, "letter-1.pdf"), ("letter-2", NOTE, "letter-2.txt")):
        async with nurse.client.get(f"/cases/{CASE}/files/{file_id}") as reply:
            assert (reply.status, await reply.read()) == (200, content)
            assert reply.headers["Content-Disposition"] == f'attachment; filename="{CASE}-{name}"'
            assert reply.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert reply.headers["Cache-Control"] == "no-store"
    with clinic.database.transaction() as session:
        rows = session.query(AuditRow).filter(AuditRow.action == "file downloaded").all()
        assert [(row.who, row.subject, row.why) for row in rows] == [
            ("Nurse Example", CASE, "letter-1"),
            ("Nurse Example", CASE, "letter-2"),
        ]
        assert open_audit().verify(session).broken_at is None


@pytest.mark.parametrize(("role", "status"), [("nurse", 200), ("reviewer", 200), ("admin", 200)])
async def test_whoever_may_read_a_case_may_read_its_letters(local: Clinic, role: str, status: int) -> None:
    await with_letters(local)
    person = await local.person("Someone Else", role)
    await person.opens(f"/cases/{CASE}/files/letter-2", status)


async def test_nobody_else_gets_them(local: Clinic) -> None:
    nurse = await with_letters(local)
    await local.delivers("intake.submitted", intake(2))
    await nurse.opens(f"/cases/{reference(2)}/files/letter-1", 404)
    await nurse.opens(f"/cases/{CASE}/files/..%2F..%2Fetc", 404)
    stranger = await local.client()
    async with stranger.get(f"/cases/{CASE}/files/letter-1", allow_redirects=False) as reply:
        assert reply.status == 303
    assert (await local.asks(f"/api/cases/{CASE}/files/letter-1", "wrong"))[0] == 401


async def test_the_interface_lists_and_hands_out(local: Clinic) -> None:
    await with_letters(local)
    _, found = await local.asks(f"/api/cases/{CASE}")
    assert [(file["id"], file["size"], bool(file["received_at"])) for file in found["files"]] == [
        ("letter-1", len(LETTER), True),
        ("letter-2", len(NOTE), True),
    ]
    client = await local.client()
    headers = {"Authorization": f"Bearer {API_TOKEN}"}
    async with client.get(f"/api/cases/{CASE}/files/letter-1", headers=headers) as reply:
        assert await reply.read() == LETTER
        assert reply.headers["Content-Disposition"].startswith("attachment")


async def test_a_letter_comes_after_its_case_once_and_only_if_listed(clinic: Clinic) -> None:
    assert (await clinic.delivers("intake.file", letter(FILE), status=425))["error"] == "earlier_version_missing"
    await clinic.delivers("intake.submitted", intake(files=[FILE]))
    await clinic.delivers("intake.file", letter(FILE, version=2), status=425)
    row = delivery("intake.file", letter(FILE))
    assert (await clinic.posts(row[1], signed(*row)))[0] == 201
    assert (await clinic.posts(row[1], signed(*row)))[0] == 200
    await clinic.delivers("intake.file", letter(FILE))
    await clinic.delivers("intake.file", letter(SECOND, NOTE))
    assert clinic.counts("files") == 1


def wrong_size() -> dict[str, Any]:
    return letter({**FILE, "size": 3})


def wrong_digest() -> dict[str, Any]:
    return letter({**FILE, "sha256": hashlib.sha256(b"another").hexdigest()})


def wrong_type() -> dict[str, Any]:
    return letter({**FILE, "type": "text/plain"})


def wrong_text() -> dict[str, Any]:
    return {**letter(FILE), "content": "%%%"}


@pytest.mark.parametrize("data", [wrong_size(), wrong_digest(), wrong_type(), wrong_text()])
async def test_a_letter_that_is_not_what_it_says_is_refused(local: Clinic, data: dict[str, Any]) -> None:
    await local.delivers("intake.submitted", intake(files=[data["file"]]))
    answer = await local.delivers("intake.file", data, status=422)
    assert answer["error"] == "invalid" and answer["fields"][0]["field"].startswith(("data.file", "content"))


async def test_the_largest_letter_the_chat_takes_fits(local: Clinic) -> None:
    content = b"%PDF-1.7" + bytes(10 * 1024 * 1024 - 8)
    file = listed(content=content)
    await local.delivers("intake.submitted", intake(files=[file]))
    await local.delivers("intake.file", letter(file, content), key="large")
    row = delivery("intake.file", letter(file, content), "large", "2026-11-20T15:04:00+00:00")
    assert (await local.posts(row[1], signed(*row)))[0] == 409, "a key is still good for one body only"
    nurse = await local.person("Nurse Example")
    async with nurse.client.get(f"/cases/{CASE}/files/letter-1") as reply:
        assert await reply.read() == content


async def test_a_correction_takes_a_letter_back_and_the_page_says_so(clinic: Clinic) -> None:
    nurse = await with_letters(clinic)
    answer = await clinic.delivers("intake.corrected", intake(version=2, files=[{**SECOND, "name": "Letter 1 (text)"}]))
    assert answer["erased"] == ["letter-1"]
    assert clinic.counts("files") == 1
    page = await nurse.opens(f"/cases/{CASE}")
    assert "<del>Letter 1 (PDF), Letter 2 (text)</del>" in page
    await nurse.opens(f"/cases/{CASE}/files/letter-1", 404)
    await clinic.delivers("intake.file", letter(FILE))
    assert clinic.counts("files") == 1, "one that was still on its way is not kept either"


async def test_a_withdrawal_erases_them(clinic: Clinic) -> None:
    nurse = await with_letters(clinic)
    body = {"intake_id": "intake-1", "version": 3, "reference": CASE}
    await clinic.delivers("intake.withdrawn", {**body, "version": 2})
    assert clinic.counts("files") == 0
    assert "Letter 1" not in (await nurse.opens(f"/cases/{CASE}")).split("Versions")[0]
    await clinic.delivers("intake.file", letter(FILE))
    assert clinic.counts("files") == 0


async def test_they_are_unreadable_at_rest_and_leave_no_trace_when_erased(clinic: Clinic) -> None:
    await with_letters(clinic)
    with clinic.database.transaction() as session:
        sealed = [bytes(row[0]) for row in session.connection().exec_driver_sql("SELECT sealed FROM files")]
    held = everything(clinic)
    assert LETTER not in held and b"pterodactyl" not in held and base64.b64encode(LETTER) not in held
    await clinic.delivers("erasure.requested", {"intake_id": "intake-1", "reference": CASE})
    assert clinic.counts("files") == 0
    held = everything(clinic)
    assert all(remains not in held for remains in sealed)
    await clinic.delivers("intake.file", letter(FILE))
    assert clinic.counts("files") == 0


async def test_they_go_along_in_print_and_exports(local: Clinic) -> None:
    nurse = await with_letters(local)
    assert "Letter 2 (text), 1 kB" in await nurse.opens(f"/cases/{CASE}/print")
    exported = json.loads(await nurse.opens(f"/cases/{CASE}/export.json"))
    assert [base64.b64decode(file["content"]) for file in exported["files"]] == [LETTER, NOTE]
    rows = list(csv.DictReader(io.StringIO((await nurse.opens(f"/cases/{CASE}/export.csv")).lstrip("\ufeff"))))
    assert next(row["answer"] for row in rows if row["field"] == "files") == "2"
    bundle = json.loads(await nurse.opens(f"/cases/{CASE}/export.fhir.json"))
    documents = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "DocumentReference"]
    assert [base64.b64decode(each["content"][0]["attachment"]["data"]) for each in documents] == [LETTER, NOTE]
    assert len({entry["fullUrl"] for entry in bundle["entry"]}) == len(bundle["entry"])


async def test_tables_go_back_without_them_and_keep_the_cases(clinic: Clinic, database: Database) -> None:
    await with_letters(clinic)
    database.migrate(back_to="0003")
    assert clinic.counts("cases") == 1
    database.migrate()
    assert clinic.counts("files") == 0
