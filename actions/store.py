"""The intake store: drafts, sent intakes with their versions, escalations, and what leaves for the case system.

What a patient is told is done stands in a committed transaction first: an intake and its outbox row are written
together or not at all. Every function that touches the database may raise :class:`StoreUnavailable`.

``python -m actions.store rewrap`` moves all data keys to a new master key; ``purge`` deletes what is past its time.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from actions import outbox as queue
from actions.database import StoreUnavailable, forget_deleted_pages, make_engine, migrate, transaction
from actions.drafts import DAY, Draft, Drafts
from actions.escalations import Escalations
from actions.keeping import Keeping
from actions.tables import draft_files, drafts, intakes, versions
from runtime.settings import settings
from runtime.vault import open_vault

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sent:
    """An intake the store has committed."""

    id: str
    reference: str
    version: int
    status: str
    updated_at: float


class Store(Drafts, Escalations, Keeping):
    """All reading and writing of patient data on the care side, one transaction a method."""

    def submit(self, draft: Draft, case: Mapping[str, Any]) -> Sent:
        """Commit ``draft`` as an intake with its delivery, and return what the patient may now be told.

        The same draft submitted twice (a reply was lost and the patient confirmed again) is one intake. A draft whose
        intake was sent before becomes its next version. ``case`` is the delivery contract's ``data`` without the
        keys ``intake_id``, ``reference``, ``version`` and ``sender_id``, which are filled in here. The letters it lists
        leave the draft and follow the case, each in a delivery of its own; one that it does not list any more and that
        has not left yet does not leave.
        """
        now = self.clock()
        with transaction(self.engine) as connection:
            before = connection.execute(select(intakes).where(intakes.c.id == draft.id).with_for_update()).first()
            if before and not connection.scalar(select(drafts.c.id).where(drafts.c.id == draft.id)):
                return _sent(before)
            version = before.version + 1 if before else 1
            reference = before.reference if before else self.unused(connection, "PS", intakes)
            kind = "corrected" if before else "submitted"
            body = {
                **case,
                "intake_id": draft.id,
                "reference": reference,
                "version": version,
                "sender_id": draft.sender,
                **self._taken_back(connection, draft.id, case),
            }
            values = {
                "sender_key": self.sender_key(draft.sender),
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
            self._send_letters(connection, body)
            self.count(connection, "sent", kind)
            connection.execute(delete(drafts).where(drafts.c.id == draft.id))
        log.info("intake kept", extra={"reference": reference, "version": version, "kind": kind})
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
            queue.cancel_files(connection, f"intake:{row.id}", keep=())
        forget_deleted_pages(self.engine)
        return Sent(row.id, row.reference, version, "withdrawn", self.clock())

    def sent_by(self, sender: str) -> list[Sent]:
        """The intakes sent in this conversation, newest first."""
        with transaction(self.engine) as connection:
            rows = connection.execute(
                select(intakes)
                .where(intakes.c.sender_key == self.sender_key(sender))
                .order_by(intakes.c.created_at.desc())
            ).all()
        return [_sent(row) for row in rows]

    def standing_case(self, sender: str) -> Sent | None:
        """The newest intake of this conversation that was not taken back."""
        return next((sent for sent in self.sent_by(sender) if sent.status != "withdrawn"), None)

    def find(self, reference: str, *, sender: str, proof: str | None = None) -> Sent | None:
        """Return an intake by its reference, if who asks may know.

        Whoever sent it may; anyone else has to give the phone number (with country code), e-mail address or birth
        date (ISO) that stands in it as ``proof``. A wrong proof and an unknown reference look the same.
        """
        keys = [self.vault.blind(name, proof) for name in ("phone", "email", "birth")] if proof else []
        allowed = intakes.c.sender_key == self.sender_key(sender)
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
            return self._newest(connection, intake_id)

    def _newest(self, connection: Connection, intake_id: str) -> dict[str, Any] | None:
        row = connection.execute(
            select(versions)
            .where(versions.c.intake_id == intake_id, versions.c.kind != "withdrawn")
            .order_by(versions.c.version.desc())
        ).first()
        if row is None:
            return None
        box = self.own_box(connection, f"intake:{row.intake_id}")
        found: dict[str, Any] = json.loads(box.open(row.body, f"versions:body:{row.intake_id}.{row.version}"))
        return found

    def _add_version(
        self, connection: Connection, intake_id: str, version: int, kind: str, body: dict[str, Any], *, stat: bool
    ) -> None:
        owner = f"intake:{intake_id}"
        box = self.own_box(connection, owner)
        sealed = box.seal(json.dumps(body), f"versions:body:{intake_id}.{version}")
        connection.execute(
            insert(versions).values(intake_id=intake_id, version=version, kind=kind, body=sealed, at=self.clock())
        )
        rank = queue.STAT if stat else queue.ORDINARY
        self.put(connection, owner, f"intake.{kind}", f"{intake_id}.{version}", body, rank, stat)

    def _taken_back(self, connection: Connection, intake_id: str, case: Mapping[str, Any]) -> dict[str, Any]:
        """The letters that the version before listed and ``case`` does not: receivers that keep them have to be told."""
        listed = {file["id"] for file in case.get("files") or []}
        before = (self._newest(connection, intake_id) or {}).get("files") or []
        gone = [file for file in before if file["id"] not in listed]
        return {"files_taken_back": gone} if gone else {}

    def _send_letters(self, connection: Connection, case: Mapping[str, Any]) -> None:
        """Put the letters of a draft that is now the intake ``case`` into the outbox, in the order the case lists them."""
        intake_id, listed = case["intake_id"], case.get("files") or []
        owner, of_draft = f"intake:{intake_id}", draft_files.c.draft_id == intake_id
        queue.cancel_files(connection, owner, keep=[file["id"] for file in listed])
        here = {row.id: row.body for row in connection.execute(select(draft_files).where(of_draft))}
        for file in listed:
            if file["id"] not in here:
                continue  # of an earlier version: it was sent then
            box = self.own_box(connection, owner)
            content = box.open_bytes(here[file["id"]], f"draft_files:body:{intake_id}.{file['id']}")
            of_case = {key: case[key] for key in ("intake_id", "reference", "version")}
            body = {**of_case, "file": file, "content": base64.b64encode(content).decode()}
            key = queue.file_key(intake_id, case["version"], file["id"])
            self.put(connection, owner, queue.FILE, key, body, queue.LETTER, False)
        connection.execute(delete(draft_files).where(of_draft))

    def _check_keys(self, body: Mapping[str, Any]) -> dict[str, str | None]:
        subject = body.get("subject") or {}
        names = (("phone_key", "phone", "phone"), ("email_key", "email", "email"), ("birth_key", "birth", "birth_date"))
        return {
            column: self.vault.blind(purpose, subject[field]) if subject.get(field) else None
            for column, purpose, field in names
        }


def _sent(row: Any) -> Sent:
    return Sent(row.id, row.reference, row.version, row.status, row.updated_at)


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
    back = commands.add_parser("migrate-back", help="take the tables back to an earlier version")
    back.add_argument("version", help="for example 0001")
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
        elif arguments.command == "migrate-back":
            migrate(make_engine(settings().database_url), back_to=arguments.version)
        else:
            store()
    except StoreUnavailable as error:
        raise SystemExit(
            f"The intake database {settings().database_url.split('@')[-1]} does not work: {error}"
        ) from None


if __name__ == "__main__":
    main()
