"""Erasure, retention and rotation of keys.

``python -m casedesk.privacy erase PS-XXXX-XXXX --why CODE`` erases one case or escalation,
``... retention`` erases closed cases older than the clinic keeps them, ``... rewrap`` follows a new master key.
"""

from __future__ import annotations

import argparse
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, text
from sqlalchemy.orm import Session

from casedesk.db import Database
from casedesk.desk import Desk, open_desk
from casedesk.models import Case, Delivery, Escalation, Notice, Tombstone
from runtime.settings import settings


def erase(
    session: Session,
    desk: Desk,
    *,
    who: str,
    why: str,
    sender_id: str | None = None,
    subject_id: str | None = None,
    reference: str | None = None,
) -> list[str]:
    """Delete every case and escalation that fits any of the three, with its data key. Returns the references.

    Each leaves a tombstone, and so does an id that has not arrived yet: it is refused when it does.

    The caller runs :func:`scrub` after the transaction, so that the database files hold no remains either.
    """
    erased = []
    table: Any
    for table in (Case, Escalation):
        fits = []
        if sender_id:
            fits.append(table.sender_id == sender_id)
        if subject_id:
            fits.append(table.id == subject_id)
        if reference:
            fits.append(table.reference == reference)
        for row in session.scalars(select(table).where(or_(*fits))).all():
            session.merge(Tombstone(id=row.id, reference=row.reference, at=datetime.now(UTC), who=who, why=why))
            # Keys of past deliveries go as well; a late repeat is recognised by the tombstone.
            session.execute(delete(Delivery).where(Delivery.subject_id == row.id))
            session.execute(delete(Notice).where(Notice.reference == row.reference))
            session.delete(row)
            desk.record(session, who, "erased", row.reference, why)
            erased.append(row.reference)
    if subject_id and not session.get(Tombstone, subject_id):  # it is still on its way: refuse it when it comes
        session.add(Tombstone(id=subject_id, reference=reference or "", at=datetime.now(UTC), who=who, why=why))
    session.flush()
    return erased


def scrub(database: Database) -> None:
    """Make the database files forget deleted rows: compact the file and empty the write-ahead log.

    SQLite overwrites deleted rows itself (secure_delete). PostgreSQL frees them with VACUUM; older copies of its pages
    and its backups hold ciphertext whose key is gone.
    """
    if database.is_sqlite:
        with database.alone(), contextlib.closing(database.engine.raw_connection()) as connection:
            connection.execute("VACUUM")  # type: ignore[attr-defined]
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[attr-defined]
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("cases", "versions", "entries", "files", "tokens", "escalations", "deliveries", "notices"):
            connection.execute(text(f"VACUUM {table}"))


def retire(session: Session, desk: Desk) -> list[str]:
    """Erase cases closed, and escalations acknowledged, longer ago than the clinic keeps them. Returns references."""
    limit = datetime.now(UTC) - timedelta(days=30.44 * desk.calendar.keep_closed_months)
    cases = select(Case.reference).where(Case.status == "closed", Case.closed_at < limit)
    escalations = select(Escalation.reference).where(Escalation.acknowledged_at < limit)
    references = [*session.scalars(cases), *session.scalars(escalations)]
    return [
        done for found in references for done in erase(session, desk, who="retention", why="expired", reference=found)
    ]


def rewrap(session: Session, desk: Desk) -> int:
    """Wrap every data key with the current master key. Returns how many were wrapped anew."""
    count = 0
    table: Any
    for table, kind in ((Case, "case"), (Escalation, "escalation")):
        for row in session.scalars(select(table).execution_options(yield_per=200)):
            if not desk.vault.is_current(row.wrapped_key):
                row.wrapped_key = desk.vault.rewrap(row.wrapped_key, f"{kind}:{row.id}")
                count += 1
    desk.record(session, "operator", "keys rewrapped", "keys", str(count))
    return count


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m casedesk.privacy", description="Erasure, retention, key rotation.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("erase", help="erase one case or escalation")
    one.add_argument("reference")
    one.add_argument("--why", required=True, help="a short code, for example patient_request")
    commands.add_parser("retention", help="erase what the clinic no longer keeps")
    commands.add_parser("rewrap", help="wrap all data keys with the current master key")
    arguments = parser.parse_args()
    database, desk = Database(settings().casedesk_database_url), open_desk()
    database.migrate()
    with database.transaction() as session:
        if arguments.command == "rewrap":
            print(f"Data keys wrapped anew: {rewrap(session, desk)}")
        elif arguments.command == "retention":
            print(f"Erased: {len(retire(session, desk))}")
        else:
            erased = erase(session, desk, who="operator", why=arguments.why, reference=arguments.reference)
            print(f"Erased: {', '.join(erased) or 'nothing; no such reference'}")
    if arguments.command != "rewrap":
        scrub(database)
    database.close()


if __name__ == "__main__":
    main()
