"""The intake database: how it is opened, brought up to date, and the one place where a transaction opens and closes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from runtime import sqlite

MIGRATIONS = Path(__file__).parent / "migrations"


class StoreUnavailable(RuntimeError):
    """The database cannot be read or written (disk full, damaged, unreachable). Nothing of the change was kept."""


def make_engine(url: str) -> Engine:
    """Return an engine for a ``sqlite:///`` or ``postgresql://`` address.

    SQLite runs with a write-ahead log and full sync, so that what was committed survives a power cut; with
    ``secure_delete``, so that what was erased leaves no trace in free pages; and takes its write lock at BEGIN, because
    a lock taken later can find that another writer was faster.
    """
    address = make_url(url.replace("postgres://", "postgresql://", 1))
    if address.get_backend_name() == "postgresql":
        address = address.set(drivername="postgresql+psycopg")  # whatever driver Rasa's runtime names
    engine = create_engine(address, pool_pre_ping=address.get_backend_name() != "sqlite")
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            path = Path(engine.url.database)
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                path.touch(mode=0o600)  # for this user alone; SQLite gives its other files the same rights

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver's own BEGIN would come too late
            sqlite.prepare(connection)

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Everything done with the connection is kept together at the end, or not at all.

    Raises:
        StoreUnavailable: the database refused; nothing was kept.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise StoreUnavailable(type(error.orig).__name__) from error


def migrate(engine: Engine, back_to: str | None = None) -> None:
    """Bring the tables to the newest version. Of several processes starting at once, the first does it.

    Args:
        back_to: take the tables back to this version instead, for a program of an earlier release.

    Raises:
        StoreUnavailable: the file is damaged, the disk is full or the server does not answer.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7213)"))
        config.attributes["connection"] = connection
        if back_to:
            command.downgrade(config, back_to)
        else:
            command.upgrade(config, "head")


def forget_deleted_pages(engine: Engine) -> None:
    """SQLite keeps deleted pages in its write-ahead log until it is folded into the file: fold it."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw: Any = connection.connection.driver_connection
            raw.rollback()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
