"""The outbox: what is to be delivered, kept in the same database and the same transaction as what it is about.

A row is leased by one worker, sent, and marked done, to be tried again, or dead. The rows of one owner (an intake with
its corrections) go out strictly in order, but nothing waits for a letter. Nothing is dropped: what heals by itself is
retried for ever, what cannot is a visible dead letter that a person can send again.

The transactional outbox pattern is described at https://microservices.io/patterns/data/transactional-outbox.html; the
waiting times are "full jitter" (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, func, insert, or_, select, update

from actions.database import transaction
from actions.tables import data_keys, intakes, outbox
from runtime.vault import Box, Vault, VaultError

ESCALATION, STAT, ORDINARY, LETTER = 0, 1, 2, 3
FILE = "intake.file"
"""The kind of a letter's row. It waits for its case; nothing waits for it: a correction must not be held up by one."""
FIRST_WAIT = 2.0
LONGEST_WAIT = 15 * 60.0
LONGEST_STAT_WAIT = 60.0


@dataclass(frozen=True)
class Row:
    """One delivery, opened and leased by this worker."""

    id: int
    owner: str
    seq: int
    kind: str
    key: str
    body: dict[str, Any]
    stat: bool
    tries: int
    created_at: float


@dataclass(frozen=True)
class DeadLetter:
    """A row that no retry can heal: what it is, why, since when. No patient data."""

    key: str
    kind: str
    error: str
    at: float


@dataclass(frozen=True)
class Late:
    """A stat row that should have been delivered long ago."""

    key: str
    kind: str
    since: float


@dataclass(frozen=True)
class Health:
    """What waits (by what it is about: how many, the oldest's age in seconds), and what is dead."""

    waiting: dict[str, tuple[int, float]]
    dead: tuple[DeadLetter, ...]

    @property
    def pending(self) -> int:
        return sum(number for number, _ in self.waiting.values())

    @property
    def oldest_seconds(self) -> float:
        return max((age for _, age in self.waiting.values()), default=0.0)


def put(
    connection: Connection,
    vault: Vault,
    *,
    owner: str,
    kind: str,
    key: str,
    body: dict[str, Any],
    rank: int,
    stat: bool,
    now: float,
    due_at: float | None = None,
) -> None:
    """Add a delivery in the caller's transaction. ``owner`` must have its data key in ``data_keys`` already."""
    seq = connection.scalar(select(func.coalesce(func.max(outbox.c.seq), 0) + 1).where(outbox.c.owner == owner))
    connection.execute(
        insert(outbox).values(
            owner=owner,
            seq=seq,
            kind=kind,
            key=key,
            body=_box(connection, vault, owner).seal(json.dumps(body), f"outbox:body:{key}"),
            rank=rank,
            stat=stat,
            created_at=now,
            due_at=now if due_at is None else due_at,
        )
    )


def wait_seconds(tries: int, *, stat: bool, retry_after: float | None, chance: float) -> float:
    """Return how long to wait after failure number ``tries`` (1, 2, ...); ``chance`` is a random number below 1.

    A receiver's ``Retry-After`` is obeyed, but a stat row never waits longer than a minute.
    """
    longest = LONGEST_STAT_WAIT if stat else LONGEST_WAIT
    wait = chance * min(longest, FIRST_WAIT * 2.0 ** min(tries, 20))
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_WAIT))
    return min(wait, longest)


class Outbox:
    """Claims and settles rows. Several workers may share one database; each names itself."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        *,
        clock: Callable[[], float],
        lease_seconds: float = 60.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.engine, self.vault, self.clock, self.lease_seconds, self.chance = (
            engine,
            vault,
            clock,
            lease_seconds,
            chance,
        )
        self.name = secrets.token_hex(8)

    def claim(self, limit: int = 10) -> list[Row]:
        """Lease up to ``limit`` rows that are due, the most urgent first. Raises StoreUnavailable."""
        now = self.clock()
        earlier = outbox.alias("earlier")
        blocked = (
            select(earlier.c.id)
            .where(
                earlier.c.owner == outbox.c.owner,
                earlier.c.seq < outbox.c.seq,
                earlier.c.done_at.is_(None),
                earlier.c.kind != FILE,
            )
            .exists()
        )
        free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
        due = and_(outbox.c.done_at.is_(None), outbox.c.dead_at.is_(None), outbox.c.due_at <= now, free, ~blocked)
        wanted = select(outbox).where(due).order_by(outbox.c.rank, outbox.c.due_at, outbox.c.id).limit(limit)
        with transaction(self.engine) as connection:
            if self.engine.dialect.name == "postgresql":
                wanted = wanted.with_for_update(skip_locked=True)  # SQLite's BEGIN IMMEDIATE keeps workers apart
            rows = connection.execute(wanted).all()
            if not rows:
                return []
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_([row.id for row in rows]))
                .values(lease_until=now + self.lease_seconds, lease_owner=self.name, tries=outbox.c.tries + 1)
            )
            return [row for row in (self._opened(connection, row) for row in rows) if row]

    def done(self, row: Row, status: int, receipt: dict[str, Any]) -> bool:
        """Settle a delivered row; its body is erased. Returns False when it was settled or erased meanwhile."""
        with transaction(self.engine) as connection:
            owner_key = connection.scalar(select(data_keys.c.wrapped).where(data_keys.c.owner == row.owner))
            if owner_key is None:
                return False
            sealed = self.vault.box(owner_key, row.owner).seal(json.dumps(receipt), f"outbox:receipt:{row.key}")
            changed = connection.execute(
                update(outbox)
                .where(outbox.c.id == row.id, outbox.c.done_at.is_(None))
                .values(
                    done_at=self.clock(),
                    last_status=status,
                    last_error=None,
                    lease_until=None,
                    receipt=sealed,
                    body=b"",
                )
            )
            if changed.rowcount and row.kind in ("intake.submitted", "intake.corrected"):
                # In the same transaction, so that what the patient is told on asking is never behind or ahead.
                connection.execute(
                    update(intakes)
                    .where(
                        intakes.c.id == row.body["intake_id"],
                        intakes.c.version == row.body["version"],
                        intakes.c.status == "saved",
                    )
                    .values(status="received", updated_at=self.clock())
                )
            return changed.rowcount == 1

    def retry(self, row: Row, *, status: int | None, error: str, retry_after: float | None = None) -> float:
        """Put a row back, to be tried again. Returns the seconds until then."""
        wait = wait_seconds(row.tries, stat=row.stat, retry_after=retry_after, chance=self.chance())
        self._settle(row, due_at=self.clock() + wait, last_status=status, last_error=error[:200])
        return wait

    def bury(self, row: Row, *, status: int | None, error: str) -> None:
        """Make a row a dead letter: kept, visible, not tried again until a person says so."""
        self._settle(row, dead_at=self.clock(), last_status=status, last_error=error[:200])

    def revive(self, key: str) -> bool:
        """Try the dead letter ``key`` again now. Returns False when there is no such dead letter."""
        with transaction(self.engine) as connection:
            changed = connection.execute(
                update(outbox)
                .where(outbox.c.key == key, outbox.c.dead_at.is_not(None), outbox.c.done_at.is_(None))
                .values(dead_at=None, due_at=self.clock(), lease_until=None, tries=0)
            )
            return changed.rowcount == 1

    def receipts(self, owner: str) -> list[dict[str, Any]]:
        """What the receiver answered to the rows of ``owner`` that are done, in order."""
        with transaction(self.engine) as connection:
            rows = connection.execute(
                select(outbox).where(outbox.c.owner == owner, outbox.c.receipt.is_not(None)).order_by(outbox.c.seq)
            ).all()
            if not rows:
                return []
            box = _box(connection, self.vault, owner)
            return [json.loads(box.open(row.receipt, f"outbox:receipt:{row.key}")) for row in rows]

    def alarming(self, after: float) -> list[Late]:
        """Stat rows undelivered for ``after`` seconds, dead ones included, that no alarm has been raised for."""
        with transaction(self.engine) as connection:
            rows = connection.execute(
                select(outbox.c.key, outbox.c.kind, outbox.c.created_at).where(
                    outbox.c.stat,
                    outbox.c.done_at.is_(None),
                    outbox.c.alarmed_at.is_(None),
                    outbox.c.created_at <= self.clock() - after,
                )
            ).all()
        return [Late(row.key, row.kind, row.created_at) for row in rows]

    def alarmed(self, late: Sequence[Late]) -> None:
        """Note that an alarm was raised for ``late``, so that it is raised once."""
        with transaction(self.engine) as connection:
            connection.execute(
                update(outbox).where(outbox.c.key.in_([row.key for row in late])).values(alarmed_at=self.clock())
            )

    def health(self) -> Health:
        """What waits and what is dead."""
        open_rows = and_(outbox.c.done_at.is_(None), outbox.c.dead_at.is_(None))
        with transaction(self.engine) as connection:
            waiting = connection.execute(
                select(outbox.c.kind, func.count(), func.min(outbox.c.created_at))
                .where(open_rows)
                .group_by(outbox.c.kind)
            ).all()
            dead = connection.execute(
                select(outbox.c.key, outbox.c.kind, outbox.c.last_error, outbox.c.dead_at)
                .where(outbox.c.dead_at.is_not(None), outbox.c.done_at.is_(None))
                .order_by(outbox.c.dead_at)
            ).all()
        letters = tuple(DeadLetter(row.key, row.kind, row.last_error or "", row.dead_at) for row in dead)
        found: dict[str, tuple[int, float]] = {}
        for kind, number, since in waiting:
            about = kind.split(".")[0]
            before, age = found.get(about, (0, 0.0))
            found[about] = (before + number, max(age, self.clock() - since))
        return Health(found, letters)

    def _settle(self, row: Row, **values: Any) -> None:
        with transaction(self.engine) as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.id == row.id, outbox.c.done_at.is_(None), outbox.c.lease_owner == self.name)
                .values(lease_until=None, **values)
            )

    def _opened(self, connection: Connection, row: Any) -> Row | None:
        try:
            body = _box(connection, self.vault, row.owner).open(row.body, f"outbox:body:{row.key}")
        except (VaultError, KeyError):
            # One row that cannot be read must not keep all others from going out.
            values = {"dead_at": self.clock(), "last_error": "sealed with another key", "lease_until": None}
            connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))
            return None
        tries = row.tries + 1  # this one included
        return Row(row.id, row.owner, row.seq, row.kind, row.key, json.loads(body), row.stat, tries, row.created_at)


def cancel(connection: Connection, owner: str) -> float:
    """Delete every row of ``owner`` in the caller's transaction. Returns until when one may still be on its way."""
    until = connection.scalar(
        select(func.max(outbox.c.lease_until)).where(outbox.c.owner == owner, outbox.c.done_at.is_(None))
    )
    connection.execute(delete(outbox).where(outbox.c.owner == owner))
    return until or 0.0


def file_key(intake_id: str, version: int, file_id: str) -> str:
    """The idempotency key of a letter: it ends with the file's id, so that rows can be told apart without opening them."""
    return f"{intake_id}.{version}.{file_id}"


def cancel_files(connection: Connection, owner: str, *, keep: Collection[str]) -> None:
    """Delete the rows of ``owner`` that hold letters, have not left and are not of the file ids in ``keep``.

    One that a worker holds right now may still arrive: the receiver knows from the newest version that it is not wanted.
    """
    waiting = select(outbox.c.id, outbox.c.key).where(
        outbox.c.owner == owner, outbox.c.kind == FILE, outbox.c.done_at.is_(None)
    )
    gone = [row.id for row in connection.execute(waiting) if row.key.rpartition(".")[2] not in keep]
    connection.execute(delete(outbox).where(outbox.c.id.in_(gone)))


def _box(connection: Connection, vault: Vault, owner: str) -> Box:
    wrapped = connection.scalar(select(data_keys.c.wrapped).where(data_keys.c.owner == owner))
    if wrapped is None:
        raise KeyError(f"no data key for {owner}")
    return vault.box(wrapped, owner)
