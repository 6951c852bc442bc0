"""Sessions, their events and what was offered in them, in SQLite or PostgreSQL, so that a restart loses nothing.

An event is one line of the conversation as the page shows it. Events of a session are numbered from 1 without gaps;
the number is the SSE id, so a page that says what it saw last is sent exactly the rest.

Bodies are sealed with a key of the session's own, so deleting the session makes its words unreadable in backups too.
Sessions live for hours: after a change of the master key the old one is kept until they are gone; nothing is rewrapped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runtime.vault import Vault

metadata = sa.MetaData()

sessions = sa.Table(
    "chat_session",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False, index=True),
    sa.Column("last_event", sa.Integer, nullable=False, default=0),
    sa.Column("turn", sa.String(64)),
    sa.Column("turn_until", sa.Float, index=True),
)
events = sa.Table(
    "chat_event",
    metadata,
    sa.Column("session", sa.ForeignKey("chat_session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("client_id", sa.String(64)),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("session", "client_id"),
)
offers = sa.Table(
    "chat_offer",
    metadata,
    sa.Column("session", sa.ForeignKey("chat_session.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("digest", sa.String(32), primary_key=True),
)
feedback = sa.Table(
    "chat_feedback",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("topic", sa.String(64), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("helped", sa.Boolean, nullable=False),
)
notices = sa.Table(
    "chat_notice",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)


FORGOTTEN_SECONDS = 3600
"""How far back a message is looked for that nobody answered."""


@dataclass(frozen=True)
class Event:
    """One numbered line of a conversation. ``body`` is what the page gets, without the number and the time."""

    number: int
    at: float
    body: dict[str, Any]

    def public(self) -> dict[str, Any]:
        return {"id": self.number, "at": round(self.at, 3), **self.body}


class Gone(LookupError):
    """The session does not exist, or no longer."""


class Store:
    """All SQL of the gateway. Every method is one transaction."""

    def __init__(self, url: str, vault: Vault) -> None:
        self.engine = _engine(url)
        self._writer = self.engine.execution_options(writes=True)
        self._vault = vault

    @property
    def postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    async def open(self) -> None:
        """Make the tables where they are missing. Safe when several replicas start at once."""
        async with self.engine.begin() as connection:
            if self.postgresql:
                await connection.execute(sa.text("SELECT pg_advisory_xact_lock(7500)"))
            await connection.run_sync(metadata.create_all)

    async def close(self) -> None:
        await self.engine.dispose()

    async def ping(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(sa.select(1))

    async def create(self, session: str, language: str, now: float) -> None:
        async with self._write() as connection:
            await connection.execute(
                sessions.insert().values(
                    id=session,
                    key=self._vault.new_key(_owner(session)),
                    language=language,
                    created_at=now,
                    seen_at=now,
                    last_event=0,
                )
            )

    async def language(self, session: str) -> str:
        """Return the session's language. Raises Gone."""
        async with self.engine.connect() as connection:
            found = await connection.scalar(sa.select(sessions.c.language).where(sessions.c.id == session))
        if found is None:
            raise Gone(session)
        return str(found)

    async def append(
        self, session: str, bodies: Sequence[dict[str, Any]], now: float, *, client_id: str | None = None
    ) -> list[Event] | None:
        """Add events and remember the payloads they offer. Raises Gone.

        With a ``client_id`` that this session has used before nothing is added and None comes back: a message sent
        again after a broken connection is still one message.
        """
        offered = {_digest(payload) for body in bodies for payload in _payloads(body)}
        async with self._write() as connection:
            counted = (
                await connection.execute(
                    sessions.update()
                    .where(sessions.c.id == session)
                    .values(last_event=sessions.c.last_event + len(bodies), seen_at=now)
                    .returning(sessions.c.last_event, sessions.c.key)
                )
            ).one_or_none()
            if counted is None:
                raise Gone(session)
            if client_id and await connection.scalar(
                sa.select(events.c.number).where(events.c.session == session, events.c.client_id == client_id)
            ):
                await connection.rollback()
                return None
            box = self._vault.box(counted.key, _owner(session))
            first = counted.last_event - len(bodies) + 1
            added = [Event(first + index, now, body) for index, body in enumerate(bodies)]
            await connection.execute(
                events.insert(),
                [
                    {
                        "session": session,
                        "number": event.number,
                        "client_id": client_id if index == 0 else None,
                        "at": now,
                        "body": box.seal(json.dumps(event.body), _place(session, event.number)),
                    }
                    for index, event in enumerate(added)
                ],
            )
            if offered:
                known = await connection.scalars(
                    sa.select(offers.c.digest).where(offers.c.session == session, offers.c.digest.in_(offered))
                )
                fresh = offered - set(known)
                if fresh:
                    await connection.execute(offers.insert(), [{"session": session, "digest": d} for d in fresh])
        return added

    async def events(self, session: str, after: int = 0) -> list[Event]:
        """Return the events numbered above ``after``, oldest first. Raises Gone."""
        query = sa.select(events).where(events.c.session == session, events.c.number > after).order_by(events.c.number)
        async with self.engine.connect() as connection:
            key = await connection.scalar(sa.select(sessions.c.key).where(sessions.c.id == session))
            if key is None:
                raise Gone(session)
            rows = (await connection.execute(query)).all()
        box = self._vault.box(key, _owner(session))
        return [Event(row.number, row.at, json.loads(box.open(row.body, _place(session, row.number)))) for row in rows]

    async def changed(self, since: float) -> list[str]:
        """Return the sessions that got an event since ``since``."""
        async with self.engine.connect() as connection:
            return list(await connection.scalars(sa.select(sessions.c.id).where(sessions.c.seen_at >= since)))

    async def offered(self, session: str, payload: str) -> bool:
        query = sa.select(offers.c.digest).where(offers.c.session == session, offers.c.digest == _digest(payload))
        async with self.engine.connect() as connection:
            return await connection.scalar(query) is not None

    async def take_turn(self, session: str, turn: str, until: float) -> bool:
        """Claim the session for one turn, or keep it, unless another has it. False: try again shortly. Raises Gone.

        A turn past its time is not taken over: :meth:`interrupted` ends it first, and its patient is told.
        """
        async with self._write() as connection:
            taken = await connection.execute(
                sessions.update()
                .where(sessions.c.id == session, sa.or_(sessions.c.turn.is_(None), sessions.c.turn == turn))
                .values(turn=turn, turn_until=until)
            )
            if taken.rowcount:
                return True
            if await connection.scalar(sa.select(sessions.c.id).where(sessions.c.id == session)) is None:
                raise Gone(session)
        return False

    async def end_turn(self, session: str, turn: str) -> None:
        async with self._write() as connection:
            await connection.execute(
                sessions.update()
                .where(sessions.c.id == session, sessions.c.turn == turn)
                .values(turn=None, turn_until=None)
            )

    async def interrupted(self, now: float, forgotten: float) -> list[tuple[str, str]]:
        """Release turns that a dead process left behind; return their sessions and turn ids.

        Among them are messages written before ``forgotten`` (and within an hour of it) whose turn never began: theirs
        is the last word, and nobody has the turn.
        """
        async with self._write() as connection:
            rows = await connection.execute(
                sa.select(sessions.c.id, sa.func.coalesce(sessions.c.turn, events.c.client_id).label("turn"))
                .join(events, sa.and_(events.c.session == sessions.c.id, events.c.number == sessions.c.last_event))
                .where(
                    sa.or_(
                        sessions.c.turn_until < now,
                        sa.and_(
                            sessions.c.turn.is_(None),
                            sessions.c.seen_at > forgotten - FORGOTTEN_SECONDS,
                            events.c.client_id.is_not(None),
                            events.c.at < forgotten,
                        ),
                    )
                )
                .with_for_update(of=sessions)
            )
            found = [(row.id, row.turn) for row in rows]
            if found:
                await connection.execute(
                    sessions.update()
                    .where(sessions.c.id.in_([session for session, _ in found]))
                    .values(turn=None, turn_until=None)
                )
        return found

    async def erase(self, session: str) -> None:
        """Delete the session and every word of it."""
        async with self._write() as connection:
            for table in (events, offers):
                await connection.execute(table.delete().where(table.c.session == session))
            await connection.execute(sessions.delete().where(sessions.c.id == session))

    async def expire(self, before: float) -> int:
        """Delete sessions not used since ``before``; return how many."""
        old = sa.select(sessions.c.id).where(sessions.c.seen_at < before)
        async with self._write() as connection:
            for table in (events, offers):
                await connection.execute(table.delete().where(table.c.session.in_(old)))
            gone = await connection.execute(sessions.delete().where(sessions.c.seen_at < before))
            await connection.execute(notices.delete().where(notices.c.at < before))
        return gone.rowcount

    async def rate(self, session: str, number: int, topic: str, version: str, helped: bool, now: float) -> None:
        """Keep one opinion on one answer. The key does not lead back to the session, so it may outlive it."""
        key = hashlib.sha256(f"feedback:{session}:{number}".encode()).hexdigest()
        async with self._write() as connection:
            await connection.execute(feedback.delete().where(feedback.c.key == key))
            await connection.execute(
                feedback.insert().values(key=key, at=now, topic=topic, version=version, helped=helped)
            )

    async def first_sight(self, notice: str, now: float) -> bool:
        """Return whether the notice with this id is new, and remember it."""
        async with self._write() as connection:
            if await connection.scalar(sa.select(notices.c.id).where(notices.c.id == notice)):
                return False
            await connection.execute(notices.insert().values(id=notice, at=now))
        return True

    def _write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._writer.begin()


def _engine(url: str) -> AsyncEngine:
    """Return an engine for a plain ``sqlite:///`` or ``postgresql://`` URL, with the asynchronous driver put in."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_async_engine(parsed.set(drivername="postgresql+asyncpg"), pool_pre_ping=True, pool_size=10)
    engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), pool_size=4)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        connection.isolation_level = None  # the driver must not begin by itself: "begin" below does

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writer takes the lock at once: a reader that turns into a writer midway fails instead of waiting.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


def _owner(session: str) -> str:
    return f"chat:{session}"


def _place(session: str, number: int) -> str:
    return f"chat_event:body:{session}/{number}"


def _payloads(body: dict[str, Any]) -> list[str]:
    offering = [item for key in ("buttons", "menu", "sources", "terms") for item in body.get(key, ())]
    return [item["payload"] for item in offering if item.get("payload")]


def _digest(payload: str) -> str:
    return hashlib.sha256(payload.encode()).hexdigest()[:32]
