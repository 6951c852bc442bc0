"""The audit trail: append-only rows, each sealed with the one before it.

Every row's code is HMAC-SHA256 over the row and the code of the row before, with a key that is not in the database:
who can write to the database alone can neither change, remove, insert nor forge a row unnoticed. The head row keeps
the number and code of the last row, so that rows cut off at the end are missed, too. A row says who, what, when and
why, never what a record contains.

``python -m casedesk.audit verify`` checks the whole chain.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from casedesk.models import AuditHead, AuditRow
from runtime.settings import secret

START = "0" * 64


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found: ``broken_at`` is the number of the first row that does not fit."""

    rows: int
    broken_at: int | None
    problem: str = ""


class Audit:
    """Writes to and checks the chain.

    Args:
        key: the chain's key; not the database's.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def add(self, session: Session, who: str, action: str, subject: str, why: str = "") -> None:
        """Append a row in the caller's transaction: the deed and its record are kept, or neither is."""
        head = session.get(AuditHead, 1, with_for_update=True)
        if head is None:
            head = AuditHead(id=1, seq=0, mac=START)
            session.add(head)
        row = AuditRow(
            seq=head.seq + 1,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            who=who,
            action=action,
            subject=subject,
            why=why[:200],
            prev=head.mac,
        )
        row.mac = self._mac(row)
        session.add(row)
        head.seq, head.mac = row.seq, row.mac
        session.flush()

    def verify(self, session: Session) -> Verdict:
        """Read the whole chain and return whether it is unbroken."""
        prev, expected = START, 1
        for row in self._rows(session):
            if row.seq != expected:
                return Verdict(expected - 1, expected, f"row {expected} is missing")
            if row.prev != prev or not hmac.compare_digest(row.mac, self._mac(row)):
                return Verdict(expected - 1, row.seq, f"row {row.seq} was changed")
            prev, expected = row.mac, expected + 1
        head = session.get(AuditHead, 1)
        if head is None and expected > 1:
            return Verdict(expected - 1, expected, "the head of the chain is missing")
        if head and (head.seq, head.mac) != (expected - 1, prev):
            return Verdict(expected - 1, expected, f"rows after {expected - 1} are missing")
        return Verdict(expected - 1, None)

    def _rows(self, session: Session) -> Iterator[AuditRow]:
        return session.scalars(select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=500))

    def _mac(self, row: AuditRow) -> str:
        content = json.dumps([row.seq, row.at, row.who, row.action, row.subject, row.why, row.prev])
        return hmac.new(self._key, content.encode(), hashlib.sha256).hexdigest()


def open_audit() -> Audit:
    """Return this machine's audit, keyed with the secret ``audit``."""
    return Audit(bytes.fromhex(secret("audit")))


def main() -> int:
    from casedesk.db import Database
    from runtime.settings import settings

    parser = argparse.ArgumentParser(prog="python -m casedesk.audit", description="Check the audit trail.")
    parser.add_argument("command", choices=["verify"])
    parser.parse_args()
    database = Database(settings().casedesk_database_url)
    with database.transaction() as session:
        verdict = open_audit().verify(session)
    database.close()
    if verdict.broken_at is None:
        print(f"The audit trail is unbroken: {verdict.rows} rows.")
        return 0
    print(f"The audit trail is BROKEN: {verdict.problem}. Rows before it fit: {verdict.rows}.")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
