"""What a patient has not sent yet: the intake being filled in, and what they keep while comparing opinions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from actions.database import transaction
from actions.sealed import Sealed, space_key
from actions.tables import draft_files, drafts, workspaces
from runtime.references import new_reference

DAY = 86400.0
RESUME_SECONDS = 3 * DAY
NO_LETTERS: Mapping[str, bytes] = {}


@dataclass
class Draft:
    """An intake being filled in: whose, and where the conversation stands (plain data, sealed when stored)."""

    id: str
    sender: str
    state: dict[str, Any]
    created_at: float


class Drafts(Sealed):
    """Drafts and workspaces, one transaction a method."""

    def draft(self, sender: str) -> Draft | None:
        """Return the open draft of ``sender``, or None."""
        with transaction(self.engine) as connection:
            return self._draft(connection, drafts.c.sender_key == self.sender_key(sender), sender)

    def new_draft(self, sender: str, state: dict[str, Any]) -> Draft:
        """Return a draft that is not stored yet: nothing is kept before :meth:`save_draft`."""
        return Draft(str(uuid.uuid4()), sender, state, self.clock())

    def save_draft(self, draft: Draft, letters: Mapping[str, bytes] = NO_LETTERS) -> None:
        """Store ``draft``, taking the place of any other open draft of the same sender.

        Args:
            letters: new letters the patient agrees to hand over, by file id. Those that ``draft.state["files"]`` does not
                list (any more) are deleted.
        """
        now, key = self.clock(), self.sender_key(draft.sender)
        stage = str(draft.state.get("stage", ""))
        step = str(draft.state.get("field") or stage) if stage == "ask" else stage
        with transaction(self.engine) as connection:
            other = connection.scalar(select(drafts.c.id).where(drafts.c.sender_key == key, drafts.c.id != draft.id))
            if other:
                self.drop_draft(connection, other)
            sealed = self.own_box(connection, f"intake:{draft.id}").seal(
                json.dumps(draft.state), f"drafts:state:{draft.id}"
            )
            changed = connection.execute(
                update(drafts)
                .where(drafts.c.id == draft.id)
                .values(sender_key=key, state=sealed, step=step, updated_at=now)
            )
            if not changed.rowcount:
                self.count(connection, "begun")
                connection.execute(
                    insert(drafts).values(
                        id=draft.id,
                        sender_key=key,
                        state=sealed,
                        step=step,
                        created_at=draft.created_at,
                        updated_at=now,
                    )
                )
            self._keep_letters(connection, draft, letters)

    def discard_draft(self, sender: str) -> bool:
        """Delete the open draft of ``sender``. Returns whether there was one."""
        with transaction(self.engine) as connection:
            found = connection.execute(select(drafts).where(drafts.c.sender_key == self.sender_key(sender))).first()
            if found:
                self.count(connection, "abandoned", found.step)
                self.drop_draft(connection, found.id)
        return bool(found)

    def resume_code(self, sender: str) -> str | None:
        """Return a new code that opens the draft from another channel for three days; None without a draft."""
        code = new_reference("RC")
        with transaction(self.engine) as connection:
            changed = connection.execute(
                update(drafts)
                .where(drafts.c.sender_key == self.sender_key(sender))
                .values(resume_key=self.vault.blind("resume", code), resume_until=self.clock() + RESUME_SECONDS)
            )
        return code if changed.rowcount else None

    def redeem(self, code: str, sender: str) -> Draft | None:
        """Hand the draft that ``code`` opens over to ``sender``. None when the code is unknown, used or expired."""
        with transaction(self.engine) as connection:
            valid = (drafts.c.resume_key == self.vault.blind("resume", code)) & (drafts.c.resume_until > self.clock())
            draft = self._draft(connection, valid, sender)
            if draft is None:
                return None
            key = self.sender_key(sender)
            other = connection.scalar(select(drafts.c.id).where(drafts.c.sender_key == key, drafts.c.id != draft.id))
            if other:
                self.drop_draft(connection, other)
            connection.execute(
                update(drafts).where(drafts.c.id == draft.id).values(sender_key=key, resume_key=None, resume_until=None)
            )
            return draft

    def workspace(self, sender: str) -> dict[str, Any]:
        """Return what ``sender`` asked to keep while comparing opinions (plain data), empty when nothing was kept."""
        key = self.sender_key(sender)
        with transaction(self.engine) as connection:
            sealed = connection.scalar(select(workspaces.c.state).where(workspaces.c.sender_key == key))
            if sealed is None:
                return {}
            opened = self.own_box(connection, space_key(key)).open(sealed, f"workspaces:state:{key}")
            state: dict[str, Any] = json.loads(opened)
            return state

    def save_workspace(self, sender: str, state: dict[str, Any]) -> None:
        """Keep ``state`` for ``sender``, in place of what was kept before."""
        key = self.sender_key(sender)
        with transaction(self.engine) as connection:
            sealed = self.own_box(connection, space_key(key)).seal(json.dumps(state), f"workspaces:state:{key}")
            values = {"state": sealed, "updated_at": self.clock()}
            changed = connection.execute(update(workspaces).where(workspaces.c.sender_key == key).values(**values))
            if not changed.rowcount:
                connection.execute(insert(workspaces).values(sender_key=key, **values))

    def _keep_letters(self, connection: Connection, draft: Draft, letters: Mapping[str, bytes]) -> None:
        wanted: Collection[str] = [file["id"] for file in draft.state.get("files", ())]
        of_draft = draft_files.c.draft_id == draft.id
        connection.execute(delete(draft_files).where(of_draft, draft_files.c.id.not_in(wanted)))
        for file_id, content in letters.items():
            if file_id in wanted:
                box = self.own_box(connection, f"intake:{draft.id}")
                sealed = box.seal_bytes(content, f"draft_files:body:{draft.id}.{file_id}")
                connection.execute(delete(draft_files).where(of_draft, draft_files.c.id == file_id))
                connection.execute(insert(draft_files).values(draft_id=draft.id, id=file_id, body=sealed))

    def _draft(self, connection: Connection, condition: Any, sender: str) -> Draft | None:
        row = connection.execute(select(drafts).where(condition)).first()
        if row is None:
            return None
        state = self.own_box(connection, f"intake:{row.id}").open(row.state, f"drafts:state:{row.id}")
        return Draft(row.id, sender, json.loads(state), row.created_at)
