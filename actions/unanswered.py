"""Questions that were not understood and that a patient lets the clinic's staff read, so that they can be understood.

Kept sealed until staff have dealt with them (``scripts/review_questions.py``), the patient deletes their data, or they are
past their time. Nothing is kept unless the patient says so, for one message at a time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from actions.database import forget_deleted_pages, transaction
from actions.sealed import Sealed
from actions.tables import data_keys, unanswered

MOST_OF_ONE = 20
"""So many open questions of one conversation are kept: enough for anyone, and a bound for a vandal."""


@dataclass(frozen=True)
class SharedQuestion:
    """A question that staff may read. ``at``: seconds since 1970, when the patient shared it."""

    id: str
    text: str
    at: float


class Unanswered(Sealed):
    """Shared questions, one transaction a method."""

    def share_question(self, sender: str, text: str) -> bool:
        """Keep ``text`` for staff. Returns False when this conversation has shared as many as are kept."""
        key, identity = self.sender_key(sender), str(uuid.uuid4())
        with transaction(self.engine) as connection:
            held = connection.scalar(select(func.count()).select_from(unanswered).where(unanswered.c.sender_key == key))
            if held is not None and held >= MOST_OF_ONE:
                return False
            sealed = self.own_box(connection, _owner(identity)).seal(text, f"unanswered:body:{identity}")
            connection.execute(insert(unanswered).values(id=identity, sender_key=key, body=sealed, at=self.clock()))
            self.count(connection, "shared")
        return True

    def shared_questions(self) -> list[SharedQuestion]:
        """Return every question that staff have not dealt with, oldest first."""
        with transaction(self.engine) as connection:
            return [
                SharedQuestion(
                    row.id, self.own_box(connection, _owner(row.id)).open(row.body, f"unanswered:body:{row.id}"), row.at
                )
                for row in connection.execute(select(unanswered).order_by(unanswered.c.at))
            ]

    def settle_question(self, identity: str) -> bool:
        """Delete a question that staff have dealt with. Returns whether it was there."""
        with transaction(self.engine) as connection:
            there = self.drop_questions(connection, [identity])
        forget_deleted_pages(self.engine)
        return bool(there)

    def drop_questions(self, connection: Connection, identities: Iterable[str]) -> int:
        """Delete questions with their data keys. Returns how many there were."""
        gone = list(identities)
        connection.execute(delete(data_keys).where(data_keys.c.owner.in_([_owner(each) for each in gone])))
        return connection.execute(delete(unanswered).where(unanswered.c.id.in_(gone))).rowcount


def _owner(identity: str) -> str:
    return f"question:{identity}"
