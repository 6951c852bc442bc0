"""The desk's database: one engine, one place where transactions open and close, migrations at start.

``python -m casedesk.db migrate-back 0001`` takes the tables back for a program of an earlier release.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session

from runtime import sqlite
from runtime.settings import settings

T = TypeVar("T")
logging.getLogger("alembic").setLevel(logging.WARNING)


class Database:
    """Runs functions of a session, each in a transaction of its own, outside the event loop."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
        self.engine = make_engine(self.url)
        # SQLite has one writer at a time anyway; waiting here is fair, waiting in SQLite is not.
        self._one_at_a_time = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="desk-db")

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session; commit at the end, roll back when anything is raised."""
        with self.alone(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def alone(self) -> AbstractContextManager[Any]:
        """Keep other threads out while on SQLite; on PostgreSQL nobody has to wait."""
        return self._one_at_a_time if self.is_sqlite else nullcontext()

    async def run(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Call ``work(session, ...)`` in a transaction on a worker thread and return what it returns."""

        def within() -> T:
            with self.transaction() as session:
                return work(session, *arguments, **named)

        return await self.aside(within)

    async def aside(self, work: Callable[..., T], *arguments: Any) -> T:
        """Call ``work`` on a worker thread, without a transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    def migrate(self, back_to: str | None = None) -> None:
        """Bring the tables to the newest version, or to ``back_to`` for a program of an earlier release.

        Several processes may start at once: the first does it.
        """
        if self.is_sqlite and self.engine.url.database:
            Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(7214)"))
            config.attributes["connection"] = connection
            if back_to:
                command.downgrade(config, back_to)
            else:
                command.upgrade(config, "head")

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        self.engine.dispose()


def make_engine(url: str) -> Engine:
    """Return an engine. SQLite: write-ahead log, full sync, erased pages overwritten, writers queue up at BEGIN."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver's own BEGIN comes too late to keep writers apart
            sqlite.prepare(connection, busy_seconds=10)

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m casedesk.db", description="Change the version of the desk's tables."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the tables to the newest version")
    back = commands.add_parser("migrate-back", help="take the tables back to an earlier version")
    back.add_argument("version", help="for example 0001")
    arguments = parser.parse_args()
    database = Database(settings().casedesk_database_url)
    database.migrate(back_to=arguments.version if arguments.command == "migrate-back" else None)
    database.close()


if __name__ == "__main__":
    main()
