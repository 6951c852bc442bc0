"""What the parts of the intake store share: who a row belongs to, the keys that seal it, what leaves for the case system.

Every function that touches the database may raise :class:`actions.database.StoreUnavailable`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, text

from actions import outbox as queue
from actions.database import transaction
from actions.tables import data_keys, draft_files, drafts, intakes
from runtime.references import new_reference
from runtime.vault import Box, Vault

ADD = text(
    "INSERT INTO counts (day, what, name, number) VALUES (:day, :what, :name, :number) "
    "ON CONFLICT (day, what, name) DO UPDATE SET number = counts.number + excluded.number"
)


class Sealed:
    """The database, the vault and the clock of the store, and what is done with them inside a transaction."""

    def __init__(self, engine: Engine, vault: Vault, *, clock: Callable[[], float] = time.time) -> None:
        self.engine, self.vault, self.clock = engine, vault, clock

    def sender_key(self, sender: str) -> str:
        """The fingerprint by which the rows of ``sender`` are found."""
        return self.vault.blind("sender", sender)

    def own_box(self, connection: Connection, owner: str) -> Box:
        """Return the box of ``owner``, with a new data key when there is none yet."""
        wrapped = connection.scalar(select(data_keys.c.wrapped).where(data_keys.c.owner == owner))
        if wrapped is None:
            wrapped = self.vault.new_key(owner)
            connection.execute(insert(data_keys).values(owner=owner, wrapped=wrapped))
        return self.vault.box(wrapped, owner)

    def drop_draft(self, connection: Connection, identity: str) -> None:
        """Delete a draft with its letters, and its key unless an intake was sent under it."""
        connection.execute(delete(draft_files).where(draft_files.c.draft_id == identity))
        connection.execute(delete(drafts).where(drafts.c.id == identity))
        if not connection.scalar(select(intakes.c.id).where(intakes.c.id == identity)):
            connection.execute(delete(data_keys).where(data_keys.c.owner == f"intake:{identity}"))

    def put(
        self, connection: Connection, owner: str, kind: str, key: str, body: dict[str, Any], rank: int, stat: bool
    ) -> None:
        """Add a delivery, due at once."""
        now = self.clock()
        queue.put(connection, self.vault, owner=owner, kind=kind, key=key, body=body, rank=rank, stat=stat, now=now)

    def count(self, connection: Connection, what: str, name: str = "", number: int = 1) -> None:
        """Add to today's figure of ``what`` and ``name``: topics, steps and tiers, never words."""
        day = datetime.fromtimestamp(self.clock(), UTC).date().isoformat()
        connection.execute(ADD, {"day": day, "what": what, "name": name, "number": number})

    def add_counts(self, figures: Mapping[tuple[str, str], int]) -> None:
        """Add many figures at once."""
        with transaction(self.engine) as connection:
            for (what, name), number in figures.items():
                self.count(connection, what, name, number)

    def unused(self, connection: Connection, prefix: str, table: Any) -> str:
        """Return a new reference that no row of ``table`` has."""
        while True:
            reference = new_reference(prefix)
            if not connection.scalar(select(table.c.id).where(table.c.reference == reference)):
                return reference


def space_key(key: str) -> str:
    """The owner of a workspace's data key; the fingerprint is cut to what the column holds."""
    return f"space:{key[:50]}"
