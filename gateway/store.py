"""Sessions, their events and what was offered in them, in SQLite or PostgreSQL, so that a restart loses nothing.

An event is one line of the conversation as the page shows it. Events of a session are numbered from 1 without gaps;
the number is the SSE id, so a page that says what it saw last is sent exactly the rest.

Bodies are sealed with a key of the session's own, so deleting the session makes its words unreadable in backups too.
Sessions live for hours: after a change of the master key the old one is kept until they are gone; nothing is rewrapped.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.database import Database
from gateway.tables import events, feedback, letters, metadata, notices, offers, sessions, turns
from runtime.vault import Vault

MOST_LETTERS = 5
"""How many letters of one chat are kept; a case takes no more."""

# What every turn asks, made once: putting a statement together takes longer than SQLite takes to answer it.
_of: sa.BindParameter[str] = sa.bindparam("of")
_it: sa.BindParameter[str] = sa.bindparam("it")
_COUNT = (
    sessions.update()
    .where(sessions.c.id == _of)
    .values(last_event=sessions.c.last_event + sa.bindparam("more"), seen_at=sa.bindparam("now"))
    .returning(sessions.c.last_event, sessions.c.key)
)
_SAID = sa.select(events.c.number).where(events.c.session == _of, events.c.client_id == sa.bindparam("said"))
_OFFERED = sa.select(offers.c.digest).where(
    offers.c.session == _of, offers.c.digest.in_(sa.bindparam("digests", expanding=True))
)
_KEY = sa.select(sessions.c.key).where(sessions.c.id == _of)
_NEWS = (
    sa.select(events.c.number, events.c.at, events.c.body)
    .where(events.c.session == _of, events.c.number > sa.bindparam("after"))
    .order_by(events.c.number)
)
_TAKE = (
    sessions.update()
    .where(sessions.c.id == _of, sa.or_(sessions.c.turn.is_(None), sessions.c.turn == _it))
    .values(turn=_it)
)
_RELEASE = sessions.update().where(sessions.c.id == _of, sessions.c.turn == _it).values(turn=None)
_OPEN_TURN = sa.select(turns.c.turn).where(turns.c.session == _of, turns.c.turn == _it)
_OPEN_TURNS = sa.select(sa.func.count()).select_from(turns).where(turns.c.session == _of)
_CLOSE = turns.delete().where(turns.c.session == _of, turns.c.turn == _it)


@dataclass(frozen=True)
class Event:
    """One numbered line of a conversation. ``body`` is what the page gets, without the number and the time."""

    number: int
    at: float
    body: dict[str, Any]

    def public(self) -> dict[str, Any]:
        return {"id": self.number, "at": round(self.at, 3), **self.body}


@dataclass(frozen=True)
class Letter:
    """A letter kept for the time of the chat: an id nobody can guess, what it is, how large. Rasa is told no more of it."""

    id: str
    type: str
    size: int


class Gone(LookupError):
    """The session does not exist, or no longer."""


class Store:
    """All SQL of the gateway. Every method is one transaction."""

    def __init__(self, url: str, vault: Vault) -> None:
        self._database = Database(url)
        self._vault = vault

    @property
    def server(self) -> AsyncEngine | None:
        """The PostgreSQL that holds the tables, when it is one."""
        return self._database.server

    async def open(self) -> None:
        """Make the tables where they are missing. Safe when several replicas start at once."""

        def work(connection: sa.Connection) -> None:
            if self.server:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7500)"))
            metadata.create_all(connection)

        await self._database.write(work)

    async def close(self) -> None:
        await self._database.close()

    async def ping(self) -> None:
        await self._database.read(lambda connection: connection.scalar(sa.select(1)))

    async def create(self, session: str, language: str, now: float) -> None:
        row = {"id": session, "key": self._vault.new_key(_owner(session)), "language": language, "last_event": 0}
        row |= {"created_at": now, "seen_at": now}
        await self._database.write(lambda connection: connection.execute(sessions.insert(), row))

    async def language(self, session: str) -> str:
        """Return the session's language. Raises Gone."""
        query = sa.select(sessions.c.language).where(sessions.c.id == session)
        found = await self._database.read(lambda connection: connection.scalar(query))
        if found is None:
            raise Gone(session)
        return str(found)

    async def open_turn(
        self, session: str, body: dict[str, Any], now: float, *, turn: str, until: float
    ) -> tuple[Event, bool] | None:
        """Add a patient's message, whose turn opens and is believed to be alive until ``until``. Raises Gone.

        Returns the event, and whether the turn may begin at once: it has the session when no other turn waits for it.
        Where this session has had a message with the id ``turn`` nothing is added and None comes back: a message sent
        again after a broken connection is still one message.
        """

        def work(connection: sa.Connection) -> tuple[Event, bool] | None:
            counted = _count(connection, session, 1, now)
            if connection.scalar(_SAID, {"of": session, "said": turn}):
                connection.rollback()
                return None
            others = connection.scalar(_OPEN_TURNS, {"of": session})
            connection.execute(turns.insert(), {"session": session, "turn": turn, "until": until})
            taken = not others and connection.execute(_TAKE, {"of": session, "it": turn}).rowcount == 1
            return self._add(connection, session, counted, [body], now, turn)[0], taken

        return await self._database.write(work)

    async def append(
        self,
        session: str,
        bodies: Sequence[dict[str, Any]],
        now: float,
        *,
        ends: str | None = None,
        notice: str | None = None,
    ) -> list[Event] | None:
        """Add events and remember the payloads they offer. Raises Gone.

        With ``ends`` they are the end of that turn. Where it has ended already, None comes back: of the process that
        answers and those that clean up after dead ones, one has the last word. The same for the id of a ``notice`` that
        was shown before.
        """

        def work(connection: sa.Connection) -> list[Event] | None:
            counted = _count(connection, session, len(bodies), now)
            if (ends and not _end(connection, session, ends)) or (
                notice and connection.scalar(sa.select(notices.c.id).where(notices.c.id == notice))
            ):
                connection.rollback()
                return None
            if notice:
                connection.execute(notices.insert(), {"id": notice, "at": now})
            added = self._add(connection, session, counted, bodies, now)
            offered = {_digest(payload) for body in bodies for payload in _payloads(body)}
            if offered:
                fresh = offered - set(connection.scalars(_OFFERED, {"of": session, "digests": sorted(offered)}))
                if fresh:
                    connection.execute(offers.insert(), [{"session": session, "digest": d} for d in fresh])
            return added

        return await self._database.write(work)

    def _add(
        self,
        connection: sa.Connection,
        session: str,
        counted: Any,
        bodies: Sequence[dict[str, Any]],
        now: float,
        client_id: str | None = None,
    ) -> list[Event]:
        """Insert the events that ``counted`` made room for, in the caller's transaction."""
        box = self._vault.box(counted.key, _owner(session))
        first = counted.last_event - len(bodies) + 1
        added = [Event(first + index, now, body) for index, body in enumerate(bodies)]
        rows = [
            {
                "session": session,
                "number": event.number,
                "client_id": client_id,
                "at": now,
                "body": box.seal(json.dumps(event.body), _place(session, event.number)),
            }
            for event in added
        ]
        connection.execute(events.insert(), rows)
        return added

    async def events(self, session: str, after: int = 0) -> list[Event]:
        """Return the events numbered above ``after``, oldest first. Raises Gone."""

        def work(connection: sa.Connection) -> list[Event]:
            key = connection.scalar(_KEY, {"of": session})
            if key is None:
                raise Gone(session)
            rows = connection.execute(_NEWS, {"of": session, "after": after}).all()
            box = self._vault.box(key, _owner(session)) if rows else None
            return [
                Event(row.number, row.at, json.loads(box.open(row.body, _place(session, row.number))))
                for row in rows
                if box
            ]

        return await self._database.read(work)

    async def changed(self, since: float) -> dict[str, int]:
        """Return the sessions that got an event since ``since``, and the number of the newest."""
        query = sa.select(sessions.c.id, sessions.c.last_event).where(sessions.c.seen_at >= since)
        return await self._database.read(
            lambda connection: {row.id: row.last_event for row in connection.execute(query)}
        )

    async def offered(self, session: str, payload: str) -> bool:
        values = {"of": session, "digests": [_digest(payload)]}
        return await self._database.read(lambda connection: connection.scalar(_OFFERED, values)) is not None

    async def take_turn(self, session: str, turn: str) -> bool:
        """Claim the session for one turn, unless another has it. False: try again shortly. Raises Gone.

        The turn of a process that died is not taken over: it is ended first, and its patient is told.
        """

        def work(connection: sa.Connection) -> bool:
            taken = connection.execute(_TAKE, {"of": session, "it": turn})
            if connection.scalar(_OPEN_TURN, {"of": session, "it": turn}) is None:
                raise Gone(session)  # the session was erased, or the turn given up
            return bool(taken.rowcount)

        return await self._database.write(work)

    async def hold_turn(self, session: str, turn: str, until: float) -> None:
        """Say that the turn, waiting or under way, is alive until ``until``."""
        change = turns.update().where(turns.c.session == session, turns.c.turn == turn).values(until=until)
        await self._database.write(lambda connection: connection.execute(change))

    async def interrupted(self, now: float) -> list[tuple[str, str]]:
        """Return the sessions and turn ids whose process has not been heard of in time."""
        query = sa.select(turns.c.session, turns.c.turn).where(turns.c.until < now).order_by(turns.c.until)
        return await self._database.read(
            lambda connection: [(row.session, row.turn) for row in connection.execute(query)]
        )

    async def keep_letter(
        self, session: str, turn: str, content: bytes, kind: str, now: float, *, room: int
    ) -> Letter | None:
        """Keep a letter that came with the message ``turn``, in place of the oldest when there are many. Raises Gone.

        None: the letters of all chats take up ``room`` bytes already. It is read with the patient all the same.
        """

        def work(connection: sa.Connection) -> Letter | None:
            key = connection.scalar(_KEY, {"of": session})
            if key is None:
                raise Gone(session)
            of_session = letters.c.session == session
            here = connection.execute(sa.select(letters).where(of_session, letters.c.turn == turn)).first()
            if here:  # the message was sent again
                return Letter(here.id, here.type, here.size)
            taken = connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(letters.c.size), 0))) or 0
            if taken + len(content) > room:
                return None
            letter = Letter(secrets.token_hex(16), kind, len(content))
            sealed = self._vault.box(key, _owner(session)).seal_bytes(content, f"chat_letter:body:{letter.id}")
            row = {"session": session, "turn": turn, "at": now, "body": sealed, **vars(letter)}
            connection.execute(letters.insert(), row)
            newest = sa.select(letters.c.id).where(of_session).order_by(letters.c.at.desc()).limit(MOST_LETTERS)
            connection.execute(letters.delete().where(of_session, letters.c.id.not_in(newest)))
            return letter

        return await self._database.write(work)

    async def letter(self, session: str, letter: str) -> tuple[str, bytes] | None:
        """Return the type and the bytes of a letter of ``session``; None when it is not there (any more)."""

        def work(connection: sa.Connection) -> tuple[str, bytes] | None:
            wanted = letters.c.session == session, letters.c.id == letter
            row = connection.execute(sa.select(letters).where(*wanted)).first()
            if row is None:
                return None
            box = self._vault.box(connection.scalar(_KEY, {"of": session}) or b"", _owner(session))
            return row.type, box.open_bytes(row.body, f"chat_letter:body:{row.id}")

        return await self._database.read(work)

    async def forget(self, session: str, before: int) -> None:
        """Delete the lines numbered below ``before``, all letters, and the key that opens copies. The chat goes on."""

        def work(connection: sa.Connection) -> None:
            old_key = connection.scalar(sa.select(sessions.c.key).where(sessions.c.id == session).with_for_update())
            if old_key is None:
                return
            connection.execute(offers.delete().where(offers.c.session == session))
            connection.execute(letters.delete().where(letters.c.session == session))
            connection.execute(events.delete().where(events.c.session == session, events.c.number < before))
            new_key = self._vault.new_key(_owner(session))
            old, new = self._vault.box(old_key, _owner(session)), self._vault.box(new_key, _owner(session))
            for row in connection.execute(_NEWS, {"of": session, "after": before - 1}).all():
                place = _place(session, row.number)
                change = events.update().where(events.c.session == session, events.c.number == row.number)
                connection.execute(change.values(body=new.seal(old.open(row.body, place), place)))
            connection.execute(sessions.update().where(sessions.c.id == session).values(key=new_key))

        await self._database.write(work)

    async def erase(self, session: str) -> None:
        """Delete the session and every word of it."""

        def work(connection: sa.Connection) -> None:
            for table in (events, offers, turns, letters):
                connection.execute(table.delete().where(table.c.session == session))
            connection.execute(sessions.delete().where(sessions.c.id == session))

        await self._database.write(work)

    async def expire(self, before: float) -> int:
        """Delete sessions not used since ``before``; return how many."""
        old = sa.select(sessions.c.id).where(sessions.c.seen_at < before)

        def work(connection: sa.Connection) -> int:
            for table in (events, offers, turns, letters):
                connection.execute(table.delete().where(table.c.session.in_(old)))
            gone = connection.execute(sessions.delete().where(sessions.c.seen_at < before))
            connection.execute(notices.delete().where(notices.c.at < before))
            return gone.rowcount

        return await self._database.write(work)

    async def rate(self, session: str, number: int, topic: str, version: str, helped: bool, now: float) -> None:
        """Keep one opinion on one answer. The key does not lead back to the session, so it may outlive it."""
        key = hashlib.sha256(f"feedback:{session}:{number}".encode()).hexdigest()
        row = {"key": key, "at": now, "topic": topic, "version": version, "helped": helped}

        def work(connection: sa.Connection) -> None:
            connection.execute(feedback.delete().where(feedback.c.key == key))
            connection.execute(feedback.insert(), row)

        await self._database.write(work)


def _count(connection: sa.Connection, session: str, more: int, now: float) -> Any:
    """Make room for ``more`` events: the session's key and the number of the last of them. Raises Gone.

    First in its transaction, because it locks the session: whoever else adds to it waits.
    """
    counted = connection.execute(_COUNT, {"of": session, "more": more, "now": now}).one_or_none()
    if counted is None:
        raise Gone(session)
    return counted


def _end(connection: sa.Connection, session: str, turn: str) -> bool:
    """Close a turn in the caller's transaction and let the next one begin. False: it was closed already."""
    closed = connection.execute(_CLOSE, {"of": session, "it": turn})
    connection.execute(_RELEASE, {"of": session, "it": turn})
    return bool(closed.rowcount)


def _owner(session: str) -> str:
    return f"chat:{session}"


def _place(session: str, number: int) -> str:
    return f"chat_event:body:{session}/{number}"


def _payloads(body: dict[str, Any]) -> list[str]:
    offering = [item for key in ("buttons", "menu", "sources", "terms") for item in body.get(key, ())]
    return [item["payload"] for item in offering if item.get("payload")]


def _digest(payload: str) -> str:
    return hashlib.sha256(payload.encode()).hexdigest()[:32]
