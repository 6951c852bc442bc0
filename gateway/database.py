"""Where the gateway's transactions run: each is one plain function that is handed a connection.

On PostgreSQL it runs over the asynchronous driver. On SQLite it runs as a whole in a thread: a transaction takes a
fraction of a millisecond, and an asynchronous driver, which changes threads for every single statement of it, ten times
as much. One thread writes, so that writers of this process take turns instead of waiting for each other's file lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runtime import sqlite

T = TypeVar("T")
Work = Callable[[sa.Connection], T]
READERS = 2


class Database:
    """A plain ``sqlite:///`` or ``postgresql://`` address. ``server`` is the engine of a PostgreSQL, else None."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.server: AsyncEngine | None = None
        if parsed.get_backend_name() == "postgresql":
            address = parsed.set(drivername="postgresql+asyncpg")
            self.server = create_async_engine(address, pool_pre_ping=True, pool_size=10)
        else:
            self._file = _sqlite(parsed)
            self._writer, self._readers = (ThreadPoolExecutor(count, "gateway-store") for count in (1, READERS))
            self._writes: sa.Connection | None = None

    async def read(self, work: Work[T]) -> T:
        """Return what ``work`` returns."""
        if self.server:
            async with self.server.connect() as connection:
                return await connection.run_sync(work)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """The same, and what it changed is kept; nothing of it when ``work`` raises."""
        if self.server:
            async with self.server.begin() as connection:
                return await connection.run_sync(work)
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)

    async def close(self) -> None:
        if self.server:
            await self.server.dispose()
        else:
            self._writer.shutdown()
            self._readers.shutdown()
            if self._writes:
                self._writes.close()
            self._file.dispose()

    def _read(self, work: Work[T]) -> T:
        with self._file.connect() as connection:
            return work(connection)

    def _write(self, work: Work[T]) -> T:
        """The writing thread keeps its connection: to fetch one and give it back takes as long as two statements."""
        if self._writes is None:
            self._writes = self._file.execution_options(writes=True).connect()
        try:
            with self._writes.begin():
                return work(self._writes)
        except BaseException:
            self._writes.close()  # whatever went wrong, the next transaction begins with a sound one
            self._writes = None
            raise


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=READERS + 1)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        sqlite.prepare(connection, synchronous="NORMAL")  # letters that are forgotten, and their keys, are overwritten
        connection.isolation_level = None  # the driver must not begin by itself: "begin" below does

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writer takes the lock at once: a reader that turns into a writer midway fails instead of waiting.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine
