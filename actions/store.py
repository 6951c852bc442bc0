"""The intake store: drafts, sent intakes with their versions, escalations, and what leaves for the case system.

What a patient is told is done stands in a committed transaction first: an intake and its outbox row are written
together or not at all. Every function that touches the database may raise :class:`StoreUnavailable`.

``python -m actions.store rewrap`` moves all data keys to a new master key; ``purge`` deletes what is past its time.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update

from actions import outbox as queue
from actions.database import StoreUnavailable, make_engine, migrate, transaction
from actions.tables import data_keys, drafts, escalations, intakes, outbox, tombstones, versions, workspaces
from runtime.references import new_reference
from runtime.settings import settings
from runtime.vault import Box, Vault, open_vault

DAY = 86400.0
RESUME_SECONDS = 3 * DAY
STAT_TIERS = frozenset({"emergency", "crisis"})


@dataclass
class Draft:
    """An intake being filled in: whose, and where the conversation stands (plain data, sealed when stored)."""

    id: str
    sender: str
    state: dict[str, Any]
    created_at: float


@dataclass(frozen=True)
class Sent:
    """An intake the store has committed."""

    id: str
    reference: str
    version: int
    status: str
    updated_at: float


@dataclass(frozen=True)
class Erased:
    """How much an erasure removed."""

    drafts: int
    intakes: int
    escalations: int
    workspaces: int = 0


class Store:
    """All reading and writing of patient data on the care side, one transaction a method."""

    def __init__(self, engine: Engine, vault: Vault, *, clock: Callable[[], float] = time.time) -> None:
        self.engine, self.vault, self.clock = engine, vault, clock

    # --- drafts ---

    def draft(self, sender: str) -> Draft | None:
        """Return the open draft of ``sender``, or None."""
        with transaction(self.engine) as connection:
            return self._draft(connection, drafts.c.sender_key == self._sender_key(sender), sender)

    def new_draft(self, sender: str, state: dict[str, Any]) -> Draft:
        """Return a draft that is not stored yet: nothing is kept before :meth:`save_draft`."""
        return Draft(str(uuid.uuid4()), sender, state, self.clock())

    def save_draft(self, draft: Draft) -> None:
        """Store ``draft``, taking the place of any other open draft of the same sender."""
        now, key = self.clock(), self._sender_key(draft.sender)
        with transaction(self.engine) as connection:
            other = connection.scalar(select(drafts.c.id).where(drafts.c.sender_key == key, drafts.c.id != draft.id))
            if other:
                self._drop_draft(connection, other)
            sealed = self._own_box(connection, f"intake:{draft.id}").seal(
                json.dumps(draft.state), f"drafts:state:{draft.id}"
            )
            changed = connection.execute(
                update(drafts).where(drafts.c.id == draft.id).values(sender_key=key, state=sealed, updated_at=now)
            )
            if not changed.rowcount:
                connection.execute(
                    insert(drafts).values(
                        id=draft.id, sender_key=key, state=sealed, created_at=draft.created_at, updated_at=now
                    )
                )

    def discard_draft(self, sender: str) -> bool:
        """Delete the open draft of ``sender``. Returns whether there was one."""
        with transaction(self.engine) as connection:
            found = connection.scalar(select(drafts.c.id).where(drafts.c.sender_key == self._sender_key(sender)))
            if found:
                self._drop_draft(connection, found)
        return bool(found)

    def resume_code(self, sender: str) -> str | None:
        """Return a new code that opens the draft from another channel for three days; None without a draft."""
        code = new_reference("RC")
        with transaction(self.engine) as connection:
            changed = connection.execute(
                update(drafts)
                .where(drafts.c.sender_key == self._sender_key(sender))
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
            key = self._sender_key(sender)
            other = connection.scalar(select(drafts.c.id).where(drafts.c.sender_key == key, drafts.c.id != draft.id))
            if other:
                self._drop_draft(connection, other)
            connection.execute(
                update(drafts).where(drafts.c.id == draft.id).values(sender_key=key, resume_key=None, resume_until=None)
            )
            return draft

    # --- workspaces ---

    def workspace(self, sender: str) -> dict[str, Any]:
        """Return what ``sender`` asked to keep while comparing opinions (plain data), empty when nothing was kept."""
        key = self._sender_key(sender)
        with transaction(self.engine) as connection:
            sealed = connection.scalar(select(workspaces.c.state).where(workspaces.c.sender_key == key))
            if sealed is None:
                return {}
            opened = self._own_box(connection, _space(key)).open(sealed, f"workspaces:state:{key}")
            state: dict[str, Any] = json.loads(opened)
            return state

    def save_workspace(self, sender: str, state: dict[str, Any]) -> None:
        """Keep ``state`` for ``sender``, in place of what was kept before."""
        key = self._sender_key(sender)
        with transaction(self.engine) as connection:
            sealed = self._own_box(connection, _space(key)).seal(json.dumps(state), f"workspaces:state:{key}")
            values = {"state": sealed, "updated_at": self.clock()}
            changed = connection.execute(update(workspaces).where(workspaces.c.sender_key == key).values(**values))
            if not changed.rowcount:
                connection.execute(insert(workspaces).values(sender_key=key, **values))

    # --- sent intakes ---

    def submit(self, draft: Draft, case: Mapping[str, Any]) -> Sent:
        """Commit ``draft`` as an intake with its delivery, and return what the patient may now be told.

        The same draft submitted twice (a reply was lost and the patient confirmed again) is one intake. A draft whose
        intake was sent before becomes its next version. ``case`` is the delivery contract's ``data`` without the
        keys ``intake_id``, ``reference``, ``version`` and ``sender_id``, which are filled in here.
        """
        now = self.clock()
        with transaction(self.engine) as connection:
            before = connection.execute(select(intakes).where(intakes.c.id == draft.id).with_for_update()).first()
            if before and not connection.scalar(select(drafts.c.id).where(drafts.c.id == draft.id)):
                return _sent(before)
            version = before.version + 1 if before else 1
            reference = before.reference if before else self._unused(connection, "PS", intakes)
            kind = "corrected" if before else "submitted"
            body = {
                **case,
                "intake_id": draft.id,
                "reference": reference,
                "version": version,
                "sender_id": draft.sender,
            }
            values = {
                "sender_key": self._sender_key(draft.sender),
                "version": version,
                "status": "saved",
                "updated_at": now,
                **self._check_keys(body),
            }
            if before:
                connection.execute(update(intakes).where(intakes.c.id == draft.id).values(**values))
            else:
                connection.execute(insert(intakes).values(id=draft.id, reference=reference, created_at=now, **values))
            self._add_version(connection, draft.id, version, kind, body, stat=case.get("priority") == "stat")
            connection.execute(delete(drafts).where(drafts.c.id == draft.id))
            return Sent(draft.id, reference, version, "saved", now)

    def withdraw(self, intake_id: str) -> Sent | None:
        """Take a sent intake back: a last version that tells the case system so. None when there is no such intake."""
        with transaction(self.engine) as connection:
            row = connection.execute(select(intakes).where(intakes.c.id == intake_id).with_for_update()).first()
            if row is None or row.status == "withdrawn":
                return None
            version = row.version + 1
            body = {"intake_id": row.id, "reference": row.reference, "version": version}
            connection.execute(
                update(intakes)
                .where(intakes.c.id == row.id)
                .values(version=version, status="withdrawn", updated_at=self.clock())
            )
            self._add_version(connection, row.id, version, "withdrawn", body, stat=False)
            return Sent(row.id, row.reference, version, "withdrawn", self.clock())

    def sent_by(self, sender: str) -> list[Sent]:
        """The intakes sent in this conversation, newest first."""
        with transaction(self.engine) as connection:
            rows = connection.execute(
                select(intakes)
                .where(intakes.c.sender_key == self._sender_key(sender))
                .order_by(intakes.c.created_at.desc())
            ).all()
        return [_sent(row) for row in rows]

    def find(self, reference: str, *, sender: str, proof: str | None = None) -> Sent | None:
        """Return an intake by its reference, if who asks may know.

        Whoever sent it may; anyone else has to give the phone number (with country code), e-mail address or birth
        date (ISO) that stands in it as ``proof``. A wrong proof and an unknown reference look the same.
        """
        keys = [self.vault.blind(name, proof) for name in ("phone", "email", "birth")] if proof else []
        allowed = intakes.c.sender_key == self._sender_key(sender)
        if keys:
            allowed = or_(
                allowed,
                intakes.c.phone_key == keys[0],
                intakes.c.email_key == keys[1],
                intakes.c.birth_key == keys[2],
            )
        with transaction(self.engine) as connection:
            row = connection.execute(select(intakes).where(intakes.c.reference == reference, allowed)).first()
        return _sent(row) if row else None

    def case(self, intake_id: str) -> dict[str, Any] | None:
        """Return the newest full case of an intake, as it was sent, or None."""
        with transaction(self.engine) as connection:
            row = connection.execute(
                select(versions)
                .where(versions.c.intake_id == intake_id, versions.c.kind != "withdrawn")
                .order_by(versions.c.version.desc())
            ).first()
            if row is None:
                return None
            box = self._own_box(connection, f"intake:{intake_id}")
            found: dict[str, Any] = json.loads(box.open(row.body, f"versions:body:{intake_id}.{row.version}"))
            return found

    def set_status(self, reference: str, status: str) -> None:
        """Note what the case system says about an intake. A withdrawn one stays withdrawn."""
        with transaction(self.engine) as connection:
            connection.execute(
                update(intakes)
                .where(intakes.c.reference == reference, intakes.c.status != "withdrawn")
                .values(status=status, updated_at=self.clock())
            )

    # --- escalations ---

    def record_escalation(self, record: Mapping[str, Any]) -> str:
        """Commit an escalation and its delivery, ahead of every intake. Returns its reference.

        Args:
            record: the delivery contract's ``data``; ``escalation_id``, ``reference`` and ``at`` are filled in. The
                same ``escalation_id`` again (a retried action) changes nothing and returns the same reference.
        """
        now, identity = self.clock(), str(record.get("escalation_id") or uuid.uuid4())
        with transaction(self.engine) as connection:
            before = connection.scalar(select(escalations.c.reference).where(escalations.c.id == identity))
            if before:
                return str(before)
            reference = self._unused(connection, "ESC", escalations)
            body = {"at": _iso(now), **record, "escalation_id": identity, "reference": reference}
            owner = f"escalation:{identity}"
            sealed = self._own_box(connection, owner).seal(json.dumps(body), f"escalations:body:{identity}")
            connection.execute(
                insert(escalations).values(
                    id=identity,
                    reference=reference,
                    sender_key=self._sender_key(record["sender_id"]),
                    tier=record["tier"],
                    category=record["category"],
                    body=sealed,
                    version=1,
                    at=now,
                )
            )
            self._put(
                connection,
                owner,
                "escalation.raised",
                f"{identity}.1",
                body,
                queue.ESCALATION,
                record["tier"] in STAT_TIERS,
            )
            return reference

    def update_escalation(self, sender: str, confirmed: str) -> str | None:
        """Note what the patient says they do now, on their newest escalation, and tell the case system. Its reference.

        Args:
            confirmed: calling, going, helped, not_going, seen or mistake.
        """
        with transaction(self.engine) as connection:
            row = connection.execute(
                select(escalations)
                .where(escalations.c.sender_key == self._sender_key(sender))
                .order_by(escalations.c.at.desc())
                .with_for_update()
            ).first()
            if row is None:
                return None
            owner, version = f"escalation:{row.id}", row.version + 1
            box = self._own_box(connection, owner)
            body = {**json.loads(box.open(row.body, f"escalations:body:{row.id}")), "confirmed": confirmed}
            connection.execute(
                update(escalations)
                .where(escalations.c.id == row.id)
                .values(version=version, body=box.seal(json.dumps(body), f"escalations:body:{row.id}"))
            )
            self._put(
                connection,
                owner,
                "escalation.updated",
                f"{row.id}.{version}",
                body,
                queue.ESCALATION,
                row.tier in STAT_TIERS,
            )
            return str(row.reference)

    def red_flags(self, sender: str, since: float) -> list[dict[str, Any]]:
        """What was escalated in this conversation since ``since``, as an intake carries it, oldest first."""
        with transaction(self.engine) as connection:
            rows = connection.execute(
                select(escalations)
                .where(escalations.c.sender_key == self._sender_key(sender), escalations.c.at >= since)
                .order_by(escalations.c.at)
            ).all()
            found = []
            for row in rows:
                box = self._own_box(connection, f"escalation:{row.id}")
                body = json.loads(box.open(row.body, f"escalations:body:{row.id}"))
                if body.get("confirmed") != "mistake":
                    rule = next(iter(body.get("rules") or []), None)
                    found.append(
                        {
                            "category": row.category,
                            "tier": row.tier,
                            "evidence": body.get("evidence", ""),
                            "rule": rule,
                            "at": body["at"],
                        }
                    )
            return found

    # --- erasure, retention, keys ---

    def erase(self, sender: str, *, why: str = "patient_request") -> Erased:
        """Delete everything of this conversation here, and tell the case system to do the same.

        The data keys go with the rows, so that copies in backups cannot be read either. Tombstones without any
        patient data say that something was erased. The tracker is erased by the caller.
        """
        key = self._sender_key(sender)
        with transaction(self.engine) as connection:
            spaces = self._drop_workspaces(connection, [key])
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
        self._clean_files()
        count = Counter(what for what, _, _ in found)
        return Erased(count["draft"], count["intake"], count["escalation"], spaces)

    def purge(self, *, drafts_older_than: float, sent_older_than: float) -> Erased:
        """Delete drafts, workspaces and sent intakes past their age in seconds. What is not delivered yet is kept."""
        now = self.clock()
        waiting = select(outbox.c.owner).where(outbox.c.done_at.is_(None))
        with transaction(self.engine) as connection:
            old_drafts = connection.scalars(
                select(drafts.c.id).where(drafts.c.updated_at < now - drafts_older_than)
            ).all()
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
            self._drop_workspaces(connection, old_spaces)
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
        self._clean_files()
        return Erased(*(len(identities) for _, identities in kinds))

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

    # --- within a transaction ---

    def _sender_key(self, sender: str) -> str:
        return self.vault.blind("sender", sender)

    def _own_box(self, connection: Connection, owner: str) -> Box:
        wrapped = connection.scalar(select(data_keys.c.wrapped).where(data_keys.c.owner == owner))
        if wrapped is None:
            wrapped = self.vault.new_key(owner)
            connection.execute(insert(data_keys).values(owner=owner, wrapped=wrapped))
        return self.vault.box(wrapped, owner)

    def _draft(self, connection: Connection, condition: Any, sender: str) -> Draft | None:
        row = connection.execute(select(drafts).where(condition)).first()
        if row is None:
            return None
        state = self._own_box(connection, f"intake:{row.id}").open(row.state, f"drafts:state:{row.id}")
        return Draft(row.id, sender, json.loads(state), row.created_at)

    def _drop_draft(self, connection: Connection, identity: str) -> None:
        """Delete a draft, and its key unless an intake was sent under it."""
        connection.execute(delete(drafts).where(drafts.c.id == identity))
        if not connection.scalar(select(intakes.c.id).where(intakes.c.id == identity)):
            connection.execute(delete(data_keys).where(data_keys.c.owner == f"intake:{identity}"))

    def _drop_workspaces(self, connection: Connection, keys: Sequence[str]) -> int:
        """Delete the workspaces of ``keys`` with their data keys. Returns how many there were."""
        dropped = connection.execute(delete(workspaces).where(workspaces.c.sender_key.in_(keys)))
        connection.execute(delete(data_keys).where(data_keys.c.owner.in_([_space(key) for key in keys])))
        return dropped.rowcount

    def _remove(self, connection: Connection, what: str, identity: str) -> float:
        """Delete one draft, intake or escalation with its key. Returns until when a delivery may be on its way."""
        if what == "draft":
            self._drop_draft(connection, identity)
            return 0.0
        owner = f"{what}:{identity}"
        on_its_way = queue.cancel(connection, owner)
        table = intakes if what == "intake" else escalations
        connection.execute(delete(table).where(table.c.id == identity))
        connection.execute(delete(versions).where(versions.c.intake_id == identity))
        connection.execute(delete(drafts).where(drafts.c.id == identity))
        connection.execute(delete(data_keys).where(data_keys.c.owner == owner))
        return on_its_way

    def _add_version(
        self, connection: Connection, intake_id: str, version: int, kind: str, body: dict[str, Any], *, stat: bool
    ) -> None:
        owner = f"intake:{intake_id}"
        box = self._own_box(connection, owner)
        sealed = box.seal(json.dumps(body), f"versions:body:{intake_id}.{version}")
        connection.execute(
            insert(versions).values(intake_id=intake_id, version=version, kind=kind, body=sealed, at=self.clock())
        )
        rank = queue.STAT if stat else queue.ORDINARY
        self._put(connection, owner, f"intake.{kind}", f"{intake_id}.{version}", body, rank, stat)

    def _put(
        self, connection: Connection, owner: str, kind: str, key: str, body: dict[str, Any], rank: int, stat: bool
    ) -> None:
        now = self.clock()
        queue.put(connection, self.vault, owner=owner, kind=kind, key=key, body=body, rank=rank, stat=stat, now=now)

    def _put_erasure(
        self, connection: Connection, sender: str, found: list[tuple[str, str, str | None]], *, due_at: float, why: str
    ) -> None:
        for what, identity, reference in found:
            if what == "draft":
                continue
            owner = f"erasure:{uuid.uuid4()}"
            self._own_box(connection, owner)
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

    def _check_keys(self, body: Mapping[str, Any]) -> dict[str, str | None]:
        subject = body.get("subject") or {}
        names = (("phone_key", "phone", "phone"), ("email_key", "email", "email"), ("birth_key", "birth", "birth_date"))
        return {
            column: self.vault.blind(purpose, subject[field]) if subject.get(field) else None
            for column, purpose, field in names
        }

    def _unused(self, connection: Connection, prefix: str, table: Any) -> str:
        while True:
            reference = new_reference(prefix)
            if not connection.scalar(select(table.c.id).where(table.c.reference == reference)):
                return reference

    def _clean_files(self) -> None:
        """SQLite keeps deleted pages in its write-ahead log until it is folded into the file."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                raw: Any = connection.connection.driver_connection
                raw.rollback()
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _space(key: str) -> str:
    """The owner of a workspace's data key; the fingerprint is cut to what the column holds."""
    return f"space:{key[:50]}"


def _sent(row: Any) -> Sent:
    return Sent(row.id, row.reference, row.version, row.status, row.updated_at)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


@lru_cache(maxsize=1)
def store() -> Store:
    """Return this process's store, opened and migrated at first use. Raises StoreUnavailable."""
    engine = make_engine(settings().database_url)
    migrate(engine)
    return Store(engine, open_vault())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m actions.store", description="Look after the intake database.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the tables to the newest version")
    commands.add_parser("rewrap", help="wrap all data keys with the current master key")
    purge = commands.add_parser("purge", help="delete what is past its time")
    purge.add_argument("--draft-days", type=float, default=30)
    purge.add_argument("--sent-days", type=float, default=90)
    arguments = parser.parse_args()
    try:
        if arguments.command == "rewrap":
            print(f"{store().rewrap()} keys wrapped anew.")
        elif arguments.command == "purge":
            print(
                store().purge(drafts_older_than=arguments.draft_days * DAY, sent_older_than=arguments.sent_days * DAY)
            )
        else:
            store()
    except StoreUnavailable as error:
        raise SystemExit(
            f"The intake database {settings().database_url.split('@')[-1]} does not work: {error}"
        ) from None


if __name__ == "__main__":
    main()
