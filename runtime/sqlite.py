"""How every SQLite file of this product is opened."""

from __future__ import annotations

import sqlite3
import time


def prepare(connection: sqlite3.Connection, *, synchronous: str = "FULL", busy_seconds: float = 5.0) -> None:
    """Set ``connection`` up: write-ahead log, waiting for a lock, erased pages overwritten, foreign keys kept.

    ``synchronous``: FULL where a commit must outlive a power cut, else NORMAL. Raises sqlite3.OperationalError.
    """
    connection.execute(f"PRAGMA busy_timeout={busy_seconds * 1000:.0f}")
    _write_ahead(connection, time.monotonic() + busy_seconds)
    for pragma in (f"synchronous={synchronous}", "secure_delete=ON", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection, until: float) -> None:
    """Have a write-ahead log kept. SQLite does not wait for that: of processes that start at once some are refused."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.02)
