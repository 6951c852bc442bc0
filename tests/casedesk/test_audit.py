"""The audit: every view and change is in it, and whoever tampers with it is found out."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from casedesk.audit import Audit
from casedesk.models import AuditRow
from tests.casedesk.conftest import Clinic
from tests.casedesk.samples import intake, reference

CASE = reference(1)


def rows(clinic: Clinic) -> list[tuple[str, str, str, str]]:
    with clinic.database.transaction() as session:
        found = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.who, row.action, row.subject, row.why) for row in found]


async def busy_day(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake())
    nurse = await clinic.person("Nurse Example")
    await nurse.opens(f"/cases/{CASE}")
    await nurse.sends(f"/cases/{CASE}/notes", text="Told me about her sister Josephine")
    await nurse.opens(f"/cases/{CASE}/export.csv")
    await clinic.asks(f"/api/cases/{CASE}")


async def test_every_view_and_change_is_written_down_without_content(clinic: Clinic) -> None:
    await busy_day(clinic)
    found = rows(clinic)
    for expected in (
        ("assistant", "intake.submitted", CASE, "version 1"),
        ("Nurse Example", "logged in", "desk", ""),
        ("Nurse Example", "worklist viewed", "worklist", ""),
        ("Nurse Example", "case viewed", CASE, ""),
        ("Nurse Example", "note added", CASE, ""),
        ("Nurse Example", "case exported as csv", CASE, ""),
        ("api", "case read", CASE, ""),
    ):
        assert expected in found
    assert "Josephine" not in str(found)
    assert "Pat" not in str(found)


async def test_an_untouched_chain_is_whole(clinic: Clinic) -> None:
    await busy_day(clinic)
    with clinic.database.transaction() as session:
        verdict = clinic.desk.audit.verify(session)
    assert (verdict.broken_at, verdict.rows) == (None, len(rows(clinic)))


@pytest.mark.parametrize(
    ("tampering", "first_wrong"),
    [
        ("UPDATE audit SET who = 'Someone Else' WHERE seq = 3", 3),
        ("UPDATE audit SET why = '' WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET at = '2020-01-01' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq > 5", 6),
        ("DELETE FROM audit", 1),
        ("UPDATE audit_head SET seq = 1", None),
        ("DELETE FROM audit_head", None),
    ],
)
async def test_tampering_is_found_and_placed(local: Clinic, tampering: str, first_wrong: int | None) -> None:
    await busy_day(local)
    local.changes(tampering)
    with local.database.transaction() as session:
        verdict = local.desk.audit.verify(session)
    assert verdict.broken_at is not None
    if first_wrong:
        assert verdict.broken_at == first_wrong


async def test_a_row_forged_without_the_key_does_not_fit(local: Clinic) -> None:
    await busy_day(local)
    forger = Audit(b"the forger's own key")
    with local.database.transaction() as session:
        forger.add(session, "Nurse Example", "case viewed", CASE)
        assert local.desk.audit.verify(session).broken_at == session.scalar(select(func.count()).select_from(AuditRow))


async def test_the_administrator_reads_it_and_checks_the_chain(local: Clinic) -> None:
    await busy_day(local)
    admin = await local.person("Alex Testcase", "admin")
    page = await admin.opens("/audit?verify=1")
    assert "The chain is unbroken" in page
    assert "note added" in page
    only = await admin.opens("/audit?subject=worklist")
    assert "note added" not in only
    local.changes("UPDATE audit SET who = 'x' WHERE seq = 2")
    assert "The chain is broken: row 2 was changed" in await admin.opens("/audit?verify=1")
