"""Rasa's conversations, encrypted at rest and erasable.

Rasa's own SQL store keeps every message and slot in clear JSON. This one seals each event with a key of its
conversation, finds conversations by a keyed fingerprint of their id, and deletes a whole conversation when its owner
asks. Written against Rasa 3.6's ``SQLTrackerStore`` (SQLAlchemy 1.4).

``python -m bot.tracker_store purge --days 30`` and ``rewrap`` are for whoever looks after the database.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import time
from typing import Any, Optional

import sqlalchemy as sa
import ujson
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.pool import QueuePool

from bot import unrecorded
from runtime import sqlite
from runtime.settings import settings
from runtime.vault import Vault, open_vault

ERASE_SLOT = "erase_conversation"
"""Set by the action that deletes a patient's data: the conversation is deleted instead of saved."""

keys = sa.Table(
    "conversation_keys",
    sa.MetaData(),
    sa.Column("sender_id", sa.String(64), primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)


events = SQLTrackerStore.SQLEvent.__table__

# Rasa's own queries, without its mapper, which takes longer over a turn's rows than the database does.
_is_his = events.c.sender_id == sa.bindparam("key")
_began = sa.select(sa.func.max(events.c.timestamp)).where(_is_his, events.c.type_name == SessionStarted.type_name)
_in_latest_session = events.c.timestamp >= sa.func.coalesce(_began.scalar_subquery(), 0.0)
_with_key = events.outerjoin(keys, keys.c.sender_id == events.c.sender_id)
_ALL = sa.select(keys.c.wrapped, events.c.data).select_from(_with_key).where(_is_his).order_by(events.c.id)
_LATEST = _ALL.where(_in_latest_session)
_STORED = sa.select(
    sa.select(keys.c.wrapped).where(keys.c.sender_id == sa.bindparam("key")).scalar_subquery(),
    sa.select(sa.func.count()).select_from(events).where(_is_his, _in_latest_session).scalar_subquery(),
)
"""A conversation's key, and how many events of its latest session are stored."""


class EncryptedTrackerStore(SQLTrackerStore):
    """Takes the database's address as ``url`` in endpoints.yml."""

    engine: Any

    def __init__(
        self,
        domain: Optional[Domain] = None,
        host: str = "sqlite://",
        event_broker: Optional[EventBroker] = None,
        vault: Optional[Vault] = None,
        **kwargs: Any,
    ) -> None:
        self.vault = vault or open_vault()
        super().__init__(domain=domain, host=host, event_broker=event_broker, **kwargs)
        if self.engine.dialect.name == "sqlite" and self.engine.url.database:
            # Rasa opens the file for every statement and closes it after; the last to close a file with a write-ahead
            # log folds the log in and waits for the disk. Kept open, a turn costs a third of that.
            self.engine.dispose()
            self.engine = open_engine(self.engine.url)
            self.sessionmaker.configure(bind=self.engine)
        for table in (keys, unrecorded.signs):
            unrecorded.make_table(self.engine, table)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store the new events, or delete the conversation when its owner asked for it in this turn."""
        if tracker.get_slot(ERASE_SLOT):
            self.erase(tracker.sender_id)
            return
        if not tracker.events:  # Rasa saves a new conversation before there is anything in it
            return
        await self.stream_events(tracker)
        key = self._key(tracker.sender_id)
        with self.engine.begin() as connection:
            wrapped, have = connection.execute(_STORED, {"key": key}).one()
            if wrapped is None:
                wrapped = self.vault.new_key(_owner(key))
                connection.execute(keys.insert(), {"sender_id": key, "wrapped": wrapped})
            box, rows = self.vault.box(wrapped, _owner(key)), []
            for event in itertools.islice(tracker.events, have, None):
                data = event.as_dict()
                sealed = base64.b64encode(box.seal(ujson.dumps(data), _place(key))).decode()
                stands = {"sender_id": key, "type_name": event.type_name, "timestamp": data.get("timestamp")}
                rows.append({**stands, "data": sealed})
            if rows:
                connection.execute(events.insert(), rows)

    async def _retrieve(self, sender_id: str, fetch_events_from_all_sessions: bool) -> Optional[DialogueStateTracker]:
        key = self._key(sender_id)
        with self.engine.connect() as connection:
            rows = connection.execute(_ALL if fetch_events_from_all_sessions else _LATEST, {"key": key}).all()
        if not rows or not self.domain:
            return None
        box = self.vault.box(rows[0].wrapped or b"", _owner(key))
        found = [ujson.loads(box.open(base64.b64decode(row.data), _place(key))) for row in rows]
        return DialogueStateTracker.from_dict(sender_id, found, self.domain.slots)

    def erase(self, sender_id: str) -> None:
        """Delete every event of a conversation and the key that opens copies of them."""
        self._erase_key(self._key(sender_id))

    def purge(self, older_than: float) -> int:
        """Delete conversations in which nothing was said for ``older_than`` seconds. Returns how many."""
        newest = sa.func.max(self.SQLEvent.timestamp)
        with self.session_scope() as session:
            groups = session.query(self.SQLEvent.sender_id).group_by(self.SQLEvent.sender_id)
            found = [row[0] for row in groups.having(newest < time.time() - older_than)]
        for key in found:
            self._erase_key(key)
        with self.engine.begin() as connection:
            unrecorded.forget_older(connection, time.time() - older_than)
        return len(found)

    def rewrap(self) -> int:
        """Wrap every conversation's key with the current master key. Returns how many were changed."""
        with self.session_scope() as session:
            rows = [row for row in session.execute(sa.select(keys)).all() if not self.vault.is_current(row.wrapped)]
            for row in rows:
                fresh = self.vault.rewrap(row.wrapped, _owner(row.sender_id))
                session.execute(keys.update().where(keys.c.sender_id == row.sender_id).values(wrapped=fresh))
            session.commit()
        with self.engine.begin() as connection:
            return len(rows) + unrecorded.rewrap(connection, self.vault)

    def _erase_key(self, key: str) -> None:
        with self.session_scope() as session:
            session.query(self.SQLEvent).filter(self.SQLEvent.sender_id == key).delete()
            session.execute(keys.delete().where(keys.c.sender_id == key))
            unrecorded.forget(session.connection(), key)
            session.commit()
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                # Deleted pages live on in the write-ahead log until it is folded into the file.
                connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def _key(self, sender_id: str) -> str:
        return self.vault.blind("tracker", sender_id)


def _owner(key: str) -> str:
    return f"conversation:{key}"


def _place(key: str) -> str:
    return f"events:data:{key}"


def open_engine(url: Any) -> sa.engine.Engine:
    """Return an engine for the conversations' database."""
    if sa.engine.make_url(url).get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    engine = sa.create_engine(url, poolclass=QueuePool, connect_args={"check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # A power cut may take the last turn of a conversation; what was sent stands in the intake store, which syncs fully.
    sqlite.prepare(connection, synchronous="NORMAL")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bot.tracker_store", description="Look after the conversations.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("rewrap", help="wrap all keys with the current master key")
    purge = commands.add_parser("purge", help="delete conversations past their time")
    purge.add_argument("--days", type=float, default=30)
    arguments = parser.parse_args()
    store = EncryptedTrackerStore(host=settings().tracker_database_url)
    if arguments.command == "rewrap":
        print(f"{store.rewrap()} keys wrapped anew.")
    else:
        print(f"{store.purge(arguments.days * 86400)} conversations deleted.")


if __name__ == "__main__":
    main()
