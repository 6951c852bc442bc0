"""Wakes the event streams of a session, on this replica and on all others.

The store is the truth; what travels here is only "session X has news up to number N". A lost wake-up therefore costs a
moment, not a message: every stream also looks for itself now and then. Redis carries it when ``PLAINSPOKEN_REDIS_URL``
is set, else PostgreSQL's LISTEN/NOTIFY when that is the store; several processes on one SQLite file ask it twice a
second. A stream of the process that added the news is handed them with the wake-up and need not ask the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence

import redis.asyncio as redis
import sqlalchemy as sa

from gateway.store import Event, Store

log = logging.getLogger(__name__)

CHANNEL = "plainspoken_chat"
RETRY_SECONDS = 2.0
POLL_SECONDS = 0.5


class Listener:
    """One stream's ear: ``news`` is set when there is something it has not taken yet."""

    def __init__(self, last: int) -> None:
        self.news = asyncio.Event()
        self._newest = last
        self._handed: list[Event] = []

    def hear(self, newest: int, fresh: Sequence[Event] = ()) -> None:
        """There are events up to number ``newest`` (0: something else happened), and ``fresh`` are some of them."""
        if newest and newest <= self._newest:
            return
        if newest:
            self._newest = newest
            self._handed += fresh
        else:
            self._handed.clear()  # so that the store is asked, which knows whether the session still is
        self.news.set()

    def take(self, last: int) -> list[Event] | None:
        """Return what was handed over, if it is just what follows number ``last``. None: the store has to be asked."""
        handed, self._handed = self._handed, []
        self.news.clear()
        follows = handed and [event.number for event in handed] == list(range(last + 1, self._newest + 1))
        return handed if follows else None


class Bus:
    """Wake-ups by session id."""

    def __init__(self, store: Store, redis_url: str) -> None:
        self._store = store
        self._redis = redis.from_url(redis_url) if redis_url else None
        self._waiting: defaultdict[str, set[Listener]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    async def open(self) -> None:
        listen = self._poll
        if self._redis:
            listen = self._listen_redis
        elif self._store.server:
            listen = self._listen_postgresql
        self._listener = asyncio.create_task(self._keep(listen))

    async def close(self) -> None:
        if self._listener:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        if self._redis:
            await self._redis.aclose()

    async def problem(self) -> str | None:
        """Return what is wrong with the way wake-ups travel, or None."""
        if self._redis is None:
            return None
        try:
            async with asyncio.timeout(2):
                await self._redis.ping()
        except (OSError, TimeoutError, redis.RedisError):
            return "Redis (PLAINSPOKEN_REDIS_URL) does not answer"
        return None

    async def wake(self, session: str, fresh: Sequence[Event] = ()) -> None:
        """Tell every replica that ``session`` has the events ``fresh``, or, without any, that it must be looked at.

        Never fails: the news is in the store already.
        """
        newest = fresh[-1].number if fresh else 0
        self._wake_here(session, newest, fresh)
        try:
            if self._redis:
                await self._redis.publish(CHANNEL, f"{session} {newest}")
            elif self._store.server:
                async with self._store.server.begin() as connection:
                    await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, f"{session} {newest}")))
        except (OSError, redis.RedisError, sa.exc.SQLAlchemyError):
            log.warning("wake-up not sent", exc_info=True, extra={"session": session})

    @contextlib.contextmanager
    def waiting(self, session: str, last: int) -> Iterator[Listener]:
        """Give a Listener that hears whatever comes after event number ``last`` of ``session``."""
        listener = Listener(last)
        self._waiting[session].add(listener)
        try:
            yield listener
        finally:
            self._waiting[session].discard(listener)
            if not self._waiting[session]:
                del self._waiting[session]

    def _wake_here(self, session: str, newest: int, fresh: Sequence[Event] = ()) -> None:
        for listener in self._waiting.get(session, ()):
            listener.hear(newest, fresh)

    def _heard(self, message: str) -> None:
        session, _, newest = message.partition(" ")
        self._wake_here(session, int(newest or 0))

    async def _keep(self, listen: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await listen()
            except (OSError, redis.RedisError, sa.exc.SQLAlchemyError):
                log.warning("wake-ups interrupted", exc_info=True)
            await asyncio.sleep(RETRY_SECONDS)

    async def _poll(self) -> None:
        asked = time.time()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            since, asked = asked, time.time()
            if self._waiting:
                # Overlapping, because clocks and commits are not exact; what a stream has it does not hear again.
                for session, newest in (await self._store.changed(since - POLL_SECONDS)).items():
                    self._wake_here(session, newest)

    async def _listen_redis(self) -> None:
        assert self._redis
        async with self._redis.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            async for message in channel.listen():
                if message["type"] == "message":
                    self._heard(message["data"].decode())

    async def _listen_postgresql(self) -> None:
        assert self._store.server
        async with self._store.server.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.add_listener(CHANNEL, lambda *arguments: self._heard(arguments[-1]))
            lost = asyncio.Event()
            raw.add_termination_listener(lambda _: lost.set())
            await lost.wait()
