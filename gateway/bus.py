"""Wakes the event streams of a session, on this replica and on all others.

The store is the truth; what travels here is only "session X has news". A lost wake-up therefore costs a moment, not a
message: every stream also looks for itself now and then. Redis carries it when ``PLAINSPOKEN_REDIS_URL`` is set, else
PostgreSQL's LISTEN/NOTIFY when that is the store; several processes on one SQLite file ask it twice a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

import redis.asyncio as redis
import sqlalchemy as sa

from gateway.store import Store

log = logging.getLogger(__name__)

CHANNEL = "plainspoken_chat"
RETRY_SECONDS = 2.0
POLL_SECONDS = 0.5


class Bus:
    """Wake-ups by session id."""

    def __init__(self, store: Store, redis_url: str) -> None:
        self._store = store
        self._redis = redis.from_url(redis_url) if redis_url else None
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    async def open(self) -> None:
        listen = self._poll
        if self._redis:
            listen = self._listen_redis
        elif self._store.postgresql:
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

    async def wake(self, session: str) -> None:
        """Tell every replica that ``session`` has news. Never fails: the news is in the store already."""
        self._wake_here(session)
        try:
            if self._redis:
                await self._redis.publish(CHANNEL, session)
            elif self._store.postgresql:
                async with self._store.engine.begin() as connection:
                    await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, session)))
        except (OSError, redis.RedisError, sa.exc.SQLAlchemyError):
            log.warning("wake-up not sent", exc_info=True, extra={"session": session})

    @contextlib.contextmanager
    def waiting(self, session: str) -> Iterator[asyncio.Event]:
        """Give an asyncio.Event that is set whenever ``session`` has news."""
        event = asyncio.Event()
        self._waiting[session].add(event)
        try:
            yield event
        finally:
            self._waiting[session].discard(event)
            if not self._waiting[session]:
                del self._waiting[session]

    def _wake_here(self, session: str) -> None:
        for event in self._waiting.get(session, ()):
            event.set()

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
                # Overlapping, because clocks and commits are not exact; a wake-up too many does no harm.
                for session in await self._store.changed(since - POLL_SECONDS):
                    self._wake_here(session)

    async def _listen_redis(self) -> None:
        assert self._redis
        async with self._redis.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            async for message in channel.listen():
                if message["type"] == "message":
                    self._wake_here(message["data"].decode())

    async def _listen_postgresql(self) -> None:
        async with self._store.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            await raw.add_listener(CHANNEL, lambda *arguments: self._wake_here(arguments[-1]))
            lost = asyncio.Event()
            raw.add_termination_listener(lambda _: lost.set())
            await lost.wait()
