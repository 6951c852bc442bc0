"""What came in from messaging channels and what has to go out, kept in SQL: a crash loses nothing and doubles nothing.

A message is in the inbox before the provider is told that we have it; its event's fingerprint stays for a year, so that
a repeat is known. A reply is in the outbox before anything is sent; its mark (message and place in the answer) stays
too, so that a turn run again after a crash adds nothing twice. Words are sealed with the person's own key and are gone
as soon as they are dealt with; the provider's id (a phone number, a chat id) is kept sealed only.

Leases make one process at a time answer a person, and one at a time send to them: order holds with several replicas.
All calls block; the channels make them in a thread.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import IntegrityError

from bot.channels.choices import Choices
from bot.channels.renderer import Bubble
from runtime.vault import Box, Vault

LEASE = 90.0
KEEP_MARKS = 366 * 86400.0
MOST_WAITING = 20_000

metadata = sa.MetaData()

people = sa.Table(
    "channel_person",
    metadata,
    sa.Column("sender", sa.String(80), primary_key=True),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("address", sa.LargeBinary, nullable=False),
    sa.Column("choices", sa.LargeBinary),
    sa.Column("seen_at", sa.Float, nullable=False, index=True),
    sa.Column("turn_until", sa.Float, nullable=False, default=0.0),
    sa.Column("send_until", sa.Float, nullable=False, default=0.0),
    sa.Column("forget", sa.Boolean, nullable=False, default=False),
)
inbox = sa.Table(
    "channel_inbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event", sa.String(64), nullable=False, unique=True),
    sa.Column("sender", sa.String(80)),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("place", sa.Float, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Index("channel_inbox_waiting", "state", "sender"),
)
outbox = sa.Table(
    "channel_outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("mark", sa.String(64), nullable=False, unique=True),
    sa.Column("sender", sa.String(80)),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("due", sa.Float, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Index("channel_outbox_waiting", "state", "sender"),
)


@dataclass(frozen=True)
class Incoming:
    """One thing a person did on a channel, as read from the provider's request.

    ``person`` is the provider's id of the person, ``address`` what a reply is sent to. ``event`` names the thing for
    ever: a repeat by the provider has the same. ``place`` orders things that overtook each other. Of ``text``,
    ``option`` (a button's id) and ``media`` (image, voice, file, location, other) at least one is set.
    """

    person: str
    address: str
    event: str
    place: float
    text: str = ""
    option: str = ""
    media: str = ""
    edited: bool = False


@dataclass(frozen=True)
class Person:
    """Somebody on a channel. ``sender`` is what Rasa knows them by."""

    sender: str
    channel: str
    address: str
    choices: Choices
    forget: bool
    box: Box

    @property
    def kind(self) -> str:
        """What the renderer calls the channel (whatsapp and sms are both Twilio's)."""
        return self.sender.partition("-")[0]


@dataclass(frozen=True)
class Waiting:
    """A message to be answered. ``again``: a process died while it was answering this."""

    id: int
    event: str
    text: str
    option: str
    media: str
    again: bool


@dataclass(frozen=True)
class Letter:
    """A message to be sent. ``uncertain``: a process died, or the connection, while it was being sent."""

    id: int
    bubble: Bubble
    urgent: bool
    tries: int
    at: float
    uncertain: bool


class Full(Exception):
    """More waits than we keep; the provider has to come again later."""


class Post:
    """The three tables in one database, SQLite or PostgreSQL.

    Args:
        url: the database; tables are made when they are not there.
        vault: seals what people write and their addresses.
        clock: seconds since 1970; tests bring their own.
    """

    def __init__(self, url: str, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        self._vault = vault
        self._clock = clock
        self._engine = _engine(url)
        metadata.create_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def sender(self, prefix: str, person: str) -> str:
        """Return what Rasa knows ``person`` by: unguessable, and never the same on two channels."""
        return f"{prefix}-{self._vault.blind(f'channel {prefix}', person)[:32]}"

    # --- what comes in ---

    def seen(self, channel: str, event: str) -> bool:
        """Return whether ``event`` came in before."""
        with self._engine.connect() as connection:
            query = sa.select(inbox.c.id).where(inbox.c.event == _fingerprint(channel, event))
            return connection.execute(query).first() is not None

    def lately(self, sender: str, seconds: float) -> int:
        """Return how many messages ``sender`` sent within the last ``seconds``."""
        query = sa.select(sa.func.count()).where(inbox.c.sender == sender, inbox.c.at > self._clock() - seconds)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def take(self, channel: str, sender: str, incoming: Incoming) -> bool:
        """Keep ``incoming`` for answering. False: it was here before. Raises Full."""
        now = self._clock()
        with self._begin() as connection:
            waiting = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.state == "new")
            if (connection.execute(waiting).scalar() or 0) >= MOST_WAITING:
                raise Full
        box = self._person(channel, sender, incoming.address, now)
        event = _fingerprint(channel, incoming.event)
        body = json.dumps({"text": incoming.text, "option": incoming.option, "media": incoming.media})
        row = {
            "event": event,
            "sender": sender,
            "channel": channel,
            "place": incoming.place,
            "body": box.seal(body, f"channel_inbox:body:{event}"),
            "at": now,
            "state": "new",
        }
        return self._insert(inbox, row)

    def next_in(self, sender: str) -> Waiting | None:
        """Return the oldest message of ``sender`` that is not answered, and mark it as being answered."""
        with self._begin() as connection:
            query = (
                sa.select(inbox)
                .where(inbox.c.sender == sender, inbox.c.state.in_(("new", "taken")))
                .order_by(inbox.c.state.desc(), inbox.c.place, inbox.c.id)  # "taken" before "new"
                .limit(1)
            )
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            connection.execute(sa.update(inbox).where(inbox.c.id == row["id"]).values(state="taken"))
            box = self._box(connection, sender)
        body = json.loads(box.open(row["body"], f"channel_inbox:body:{row['event']}"))
        return Waiting(row["id"], row["event"], **body, again=row["state"] == "taken")

    def answered(self, waiting: Waiting) -> None:
        """Forget the words of ``waiting``; its fingerprint stays."""
        with self._begin() as connection:
            connection.execute(sa.update(inbox).where(inbox.c.id == waiting.id).values(state="done", body=None))

    # --- what goes out ---

    def say(
        self,
        person: Person,
        cause: str,
        bubbles: Sequence[Bubble],
        *,
        urgent: bool = False,
        choices: Choices | None = None,
    ) -> None:
        """Keep ``bubbles`` for sending, and the choices they leave open. What ``cause`` said before is skipped."""
        now = self._clock()
        for place, bubble in enumerate(bubbles):
            mark = _fingerprint(cause, str(place))
            row = {
                "mark": mark,
                "sender": person.sender,
                "channel": person.channel,
                "body": person.box.seal(json.dumps([bubble.text, bubble.buttons]), f"channel_outbox:body:{mark}"),
                "urgent": urgent,
                "tries": 0,
                "at": now,
                "due": now,
                "state": "new",
            }
            self._insert(outbox, row)
        if choices is not None:
            sealed = person.box.seal(choices.dump(), f"channel_person:choices:{person.sender}")
            with self._begin() as connection:
                connection.execute(sa.update(people).where(people.c.sender == person.sender).values(choices=sealed))

    def next_out(self, sender: str) -> Letter | None:
        """Return what is to be sent to ``sender`` now, marked as being sent: emergency words first, then in order."""
        with self._begin() as connection:
            query = (
                sa.select(outbox)
                .where(outbox.c.sender == sender, outbox.c.state.in_(("new", "sending")))
                .order_by(outbox.c.urgent.desc(), outbox.c.id)
                .limit(1)
            )
            row = connection.execute(query).mappings().first()
            if row is None or row["due"] > self._clock():
                return None
            values = {"state": "sending", "tries": row["tries"] + 1}
            connection.execute(sa.update(outbox).where(outbox.c.id == row["id"]).values(values))
            box = self._box(connection, sender)
        text, buttons = json.loads(box.open(row["body"], f"channel_outbox:body:{row['mark']}"))
        bubble = Bubble(text, tuple((title, option) for title, option in buttons))
        return Letter(row["id"], bubble, row["urgent"], row["tries"] + 1, row["at"], row["state"] == "sending")

    def settled(self, letter: Letter, state: str) -> None:
        """Forget the words of ``letter``; ``state`` says what became of it: sent, refused, unsure or old."""
        with self._begin() as connection:
            connection.execute(sa.update(outbox).where(outbox.c.id == letter.id).values(state=state, body=None))

    def later(self, letter: Letter, seconds: float) -> None:
        """Try ``letter`` again in ``seconds``."""
        values = {"state": "new", "due": self._clock() + seconds}
        with self._begin() as connection:
            connection.execute(sa.update(outbox).where(outbox.c.id == letter.id).values(values))

    def age(self, letter: Letter) -> float:
        """Return how many seconds ``letter`` has been waiting."""
        return self._clock() - letter.at

    # --- people ---

    def person(self, sender: str) -> Person | None:
        """Return who ``sender`` is, or None when they are not known or were forgotten."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(people).where(people.c.sender == sender)).mappings().first()
        if row is None:
            return None
        box = self._vault.box(row["key"], f"channel:{sender}")
        dumped = row["choices"]
        choices = Choices.load(box.open(dumped, f"channel_person:choices:{sender}")) if dumped else Choices()
        address = box.open(row["address"], f"channel_person:address:{sender}")
        return Person(sender, row["channel"], address, choices, row["forget"], box)

    def lease(self, sender: str, what: str) -> bool:
        """Take, or keep, the right to do ``what`` ("turn" or "send") for ``sender``. False: another process has it."""
        column, now = people.c[f"{what}_until"], self._clock()
        query = sa.update(people).where(people.c.sender == sender, column < now).values({column.name: now + LEASE})
        with self._begin() as connection:
            return bool(connection.execute(query).rowcount)

    def renew(self, sender: str, what: str) -> None:
        """Keep a lease for another while."""
        values = {f"{what}_until": self._clock() + LEASE}
        with self._begin() as connection:
            connection.execute(sa.update(people).where(people.c.sender == sender).values(values))

    def release(self, sender: str, what: str) -> None:
        """Give the right back."""
        with self._begin() as connection:
            connection.execute(sa.update(people).where(people.c.sender == sender).values({f"{what}_until": 0.0}))

    def busy(self, channel: str) -> tuple[list[str], list[str]]:
        """Return who waits for an answer, and to whom something is to be sent, on ``channel`` and with nobody at it."""
        now = self._clock()
        unanswered = (
            sa.select(inbox.c.sender)
            .join(people, people.c.sender == inbox.c.sender)
            .where(inbox.c.channel == channel, inbox.c.state.in_(("new", "taken")), people.c.turn_until < now)
            .distinct()
        )
        unsent = (
            sa.select(outbox.c.sender)
            .join(people, people.c.sender == outbox.c.sender)
            .where(
                outbox.c.channel == channel,
                outbox.c.state.in_(("new", "sending")),
                outbox.c.due <= now,
                people.c.send_until < now,
            )
            .distinct()
        )
        with self._engine.connect() as connection:
            return list(connection.execute(unanswered).scalars()), list(connection.execute(unsent).scalars())

    def unsent(self, channel: str) -> int:
        """Return how many messages wait to be sent on ``channel``."""
        query = sa.select(sa.func.count()).where(outbox.c.channel == channel, outbox.c.state.in_(("new", "sending")))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def forget(self, sender: str) -> None:
        """Delete who ``sender`` is, once everything has been sent to them; only fingerprints stay."""
        with self._begin() as connection:
            connection.execute(sa.update(people).where(people.c.sender == sender).values(forget=True))
        self.forget_asked(sender)

    def forget_asked(self, sender: str) -> None:
        """Delete ``sender`` if that was asked for and nothing waits for them."""
        with self._begin() as connection:
            gone = connection.execute(
                sa.delete(people).where(
                    people.c.sender == sender,
                    people.c.forget,
                    ~sa.exists().where(outbox.c.sender == sender, outbox.c.state.in_(("new", "sending"))),
                    ~sa.exists().where(inbox.c.sender == sender, inbox.c.state == "new"),
                )
            ).rowcount
            if gone:
                for table in (inbox, outbox):
                    connection.execute(sa.update(table).where(table.c.sender == sender).values(sender=None, body=None))

    def tidy(self, keep_people: float) -> None:
        """Delete people not seen for ``keep_people`` seconds, and fingerprints older than a year."""
        now = self._clock()
        with self._engine.connect() as connection:
            old = list(
                connection.execute(sa.select(people.c.sender).where(people.c.seen_at < now - keep_people)).scalars()
            )
        for sender in old:
            self.forget(sender)
        with self._begin() as connection:
            for table in (inbox, outbox):
                done = table.c.state.not_in(("new", "taken", "sending"))
                connection.execute(sa.delete(table).where(done, table.c.at < now - KEEP_MARKS))

    # --- inside ---

    def _person(self, channel: str, sender: str, address: str, now: float) -> Box:
        """Make or refresh the row of ``sender`` and return their box."""
        with self._begin() as connection:
            key = connection.execute(sa.select(people.c.key).where(people.c.sender == sender)).scalar()
        owner = f"channel:{sender}"
        if key is None:
            key = self._vault.new_key(owner)
            sealed = self._vault.box(key, owner).seal(address, f"channel_person:address:{sender}")
            row = {"sender": sender, "channel": channel, "key": key, "address": sealed, "seen_at": now}
            if self._insert(people, row):
                return self._vault.box(key, owner)
            return self._person(channel, sender, address, now)  # another process was first
        box = self._vault.box(key, owner)
        values = {"address": box.seal(address, f"channel_person:address:{sender}"), "seen_at": now}
        with self._begin() as connection:
            connection.execute(sa.update(people).where(people.c.sender == sender).values(values))
        return box

    def _box(self, connection: Connection, sender: str) -> Box:
        key = connection.execute(sa.select(people.c.key).where(people.c.sender == sender)).scalar()
        return self._vault.box(key or b"", f"channel:{sender}")

    def _insert(self, table: sa.Table, row: dict[str, Any]) -> bool:
        """Insert ``row`` unless its key is there already."""
        try:
            with self._begin() as connection:
                connection.execute(sa.insert(table).values(row))
        except IntegrityError:
            return False
        return True

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _engine(url: str) -> Engine:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(url, future=True, pool_pre_ping=True, hide_parameters=True)
    engine = sa.create_engine(
        url, future=True, hide_parameters=True, connect_args={"timeout": 30, "check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # a read that becomes a write would fail at once otherwise

    return engine
