"""What ends: erasure on request, retention, and the move of all data keys to a new master key."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from actions import outbox as queue
from actions.database import forget_deleted_pages, transaction
from actions.drafts import DAY
from actions.sealed import space_key
from actions.tables import (
    data_keys,
    draft_files,
    drafts,
    escalations,
    intakes,
    outbox,
    tombstones,
    unanswered,
    versions,
    workspaces,
)
from actions.unanswered import Unanswered


@dataclass(frozen=True)
class Erased:
    """How much an erasure removed."""

    drafts: int
    intakes: int
    escalations: int
    workspaces: int = 0
    questions: int = 0

    @property
    def total(self) -> int:
        return self.drafts + self.intakes + self.escalations + self.workspaces + self.questions


class Keeping(Unanswered):
    """Erasure, retention and rotation of keys."""

    def erase(self, sender: str, *, why: str = "patient_request") -> Erased:
        """Delete everything of this conversation here, and tell the case system to do the same.

        The data keys go with the rows, so that copies in backups cannot be read either. Tombstones without any
        patient data say that something was erased. The tracker is erased by the caller.
        """
        key = self.sender_key(sender)
        with transaction(self.engine) as connection:
            spaces = self._drop_workspaces(connection, [key])
            asked = connection.scalars(select(unanswered.c.id).where(unanswered.c.sender_key == key)).all()
            questions = self.drop_questions(connection, asked)
            found = [
                (what, row.id, row.reference if what != "draft" else None)
                for what, table in (("draft", drafts), ("intake", intakes), ("escalation", escalations))
                for row in connection.execute(select(table).where(table.c.sender_key == key))
            ]
            now, on_its_way = self.clock(), 0.0
            for what, identity, reference in found:
                on_its_way = max(on_its_way, self._remove(connection, what, identity))
                connection.execute(
                    insert(tombstones).values(id=str(uuid.uuid4()), what=what, reference=reference, at=now, why=why)
                )
            if any(what != "draft" for what, _, _ in found):
                # Not before a delivery that a worker holds right now has ended: it would arrive after its erasure.
                self._put_erasure(connection, sender, found, due_at=max(now, on_its_way), why=why)
        forget_deleted_pages(self.engine)
        count = Counter(what for what, _, _ in found)
        return Erased(count["draft"], count["intake"], count["escalation"], spaces, questions)

    def purge(self, *, drafts_older_than: float, sent_older_than: float) -> Erased:
        """Delete drafts, workspaces and sent intakes past their age in seconds. What is not delivered yet is kept."""
        now = self.clock()
        waiting = select(outbox.c.owner).where(outbox.c.done_at.is_(None))
        with transaction(self.engine) as connection:
            left = connection.execute(select(drafts).where(drafts.c.updated_at < now - drafts_older_than)).all()
            old_drafts = [row.id for row in left]
            for step, number in Counter(row.step for row in left).items():
                self.count(connection, "abandoned", step, number)
            old_intakes = connection.scalars(
                select(intakes.c.id).where(
                    intakes.c.updated_at < now - sent_older_than, ("intake:" + intakes.c.id).not_in(waiting)
                )
            ).all()
            old_escalations = connection.scalars(
                select(escalations.c.id).where(
                    escalations.c.at < now - sent_older_than, ("escalation:" + escalations.c.id).not_in(waiting)
                )
            ).all()
            old_spaces = connection.scalars(
                select(workspaces.c.sender_key).where(workspaces.c.updated_at < now - drafts_older_than)
            ).all()
            spaces = self._drop_workspaces(connection, old_spaces)
            old_questions = connection.scalars(
                select(unanswered.c.id).where(unanswered.c.at < now - drafts_older_than)
            ).all()
            questions = self.drop_questions(connection, old_questions)
            kinds = (("draft", old_drafts), ("intake", old_intakes), ("escalation", old_escalations))
            for what, identities in kinds:
                for identity in identities:
                    self._remove(connection, what, identity)
                    connection.execute(
                        insert(tombstones).values(id=str(uuid.uuid4()), what=what, at=now, why="retention")
                    )
            old_erasures = connection.scalars(
                select(outbox.c.owner).where(outbox.c.kind == "erasure.requested", outbox.c.done_at < now - 30 * DAY)
            ).all()
            for owner in old_erasures:
                queue.cancel(connection, owner)
                connection.execute(delete(data_keys).where(data_keys.c.owner == owner))
        forget_deleted_pages(self.engine)
        return Erased(len(old_drafts), len(old_intakes), len(old_escalations), spaces, questions)

    def rewrap(self) -> int:
        """Wrap every data key with the current master key. Returns how many were changed."""
        with transaction(self.engine) as connection:
            rows = [
                row
                for row in connection.execute(select(data_keys).with_for_update())
                if not self.vault.is_current(row.wrapped)
            ]
            for row in rows:
                connection.execute(
                    update(data_keys)
                    .where(data_keys.c.owner == row.owner)
                    .values(wrapped=self.vault.rewrap(row.wrapped, row.owner))
                )
        return len(rows)

    def _drop_workspaces(self, connection: Connection, keys: Sequence[str]) -> int:
        """Delete the workspaces of ``keys`` with their data keys. Returns how many there were."""
        dropped = connection.execute(delete(workspaces).where(workspaces.c.sender_key.in_(keys)))
        connection.execute(delete(data_keys).where(data_keys.c.owner.in_([space_key(key) for key in keys])))
        return dropped.rowcount

    def _remove(self, connection: Connection, what: str, identity: str) -> float:
        """Delete one draft, intake or escalation with its key. Returns until when a delivery may be on its way."""
        if what == "draft":
            self.drop_draft(connection, identity)
            return 0.0
        owner = f"{what}:{identity}"
        on_its_way = queue.cancel(connection, owner)
        table = intakes if what == "intake" else escalations
        connection.execute(delete(table).where(table.c.id == identity))
        connection.execute(delete(versions).where(versions.c.intake_id == identity))
        connection.execute(delete(drafts).where(drafts.c.id == identity))
        connection.execute(delete(draft_files).where(draft_files.c.draft_id == identity))
        connection.execute(delete(data_keys).where(data_keys.c.owner == owner))
        return on_its_way

    def _put_erasure(
        self, connection: Connection, sender: str, found: list[tuple[str, str, str | None]], *, due_at: float, why: str
    ) -> None:
        for what, identity, reference in found:
            if what == "draft":
                continue
            owner = f"erasure:{uuid.uuid4()}"
            self.own_box(connection, owner)
            body = {"sender_id": sender, f"{what}_id": identity, "reference": reference, "why": why}
            queue.put(
                connection,
                self.vault,
                owner=owner,
                kind="erasure.requested",
                key=owner.replace(":", "."),
                body=body,
                rank=queue.ESCALATION,
                stat=False,
                now=self.clock(),
                due_at=due_at,
            )
