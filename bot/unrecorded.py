"""Danger signs on their way to the action server, kept in Rasa's database: a Rasa that dies meanwhile loses none.

A row is written before the action server is called and deleted when it has the record. Its body, the conversation as the
action gets it, is sealed with a key of its own.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Callable, Dict, List, Tuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from runtime.vault import Vault

signs = sa.Table(
    "unrecorded_signs",
    sa.MetaData(),
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("sender_id", sa.String(64), nullable=False, index=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)


def make_table(engine: Engine, table: sa.Table) -> None:
    """Make ``table`` where it is missing; of several replicas that start at once one makes it."""
    try:
        table.create(engine, checkfirst=True)
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError):  # PostgreSQL tells the others so
        if not sa.inspect(engine).has_table(table.name):
            raise


class Unrecorded:
    """The rows of one database. All calls block."""

    def __init__(self, engine: Engine, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        self.engine, self.vault, self.clock = engine, vault, clock
        make_table(engine, signs)

    def keep(self, sender: str, body: Dict[str, Any]) -> str:
        """Write down what is about to be sent for ``sender``. Returns the row's id."""
        identity = str(uuid.uuid4())
        wrapped = self.vault.new_key(_owner(identity))
        sealed = self.vault.box(wrapped, _owner(identity)).seal(json.dumps(body), _place(identity))
        row = {"id": identity, "sender_id": self.vault.blind("tracker", sender), "wrapped": wrapped, "body": sealed}
        with self.engine.begin() as connection:
            connection.execute(signs.insert(), {**row, "at": self.clock()})
        return identity

    def done(self, identity: str) -> None:
        """It was taken, or must not be sent any more."""
        with self.engine.begin() as connection:
            connection.execute(signs.delete().where(signs.c.id == identity))

    def waits(self, identity: str) -> bool:
        """Whether it is still to be sent; not when its conversation was deleted meanwhile."""
        with self.engine.connect() as connection:
            return connection.execute(sa.select(signs.c.id).where(signs.c.id == identity)).first() is not None

    def all(self) -> List[Tuple[str, Dict[str, Any]]]:
        """Everything that still waits, oldest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(signs).order_by(signs.c.at)).all()
        opened = []
        for row in rows:
            box = self.vault.box(row.wrapped, _owner(row.id))
            opened.append((row.id, json.loads(box.open(row.body, _place(row.id)))))
        return opened


def forget(connection: Connection, sender_key: str) -> None:
    """Delete what waits of a conversation, in the caller's transaction."""
    connection.execute(signs.delete().where(signs.c.sender_id == sender_key))


def forget_older(connection: Connection, before: float) -> None:
    """Delete what was written down before ``before``."""
    connection.execute(signs.delete().where(signs.c.at < before))


def rewrap(connection: Connection, vault: Vault) -> int:
    """Wrap every key with the current master key. Returns how many were changed."""
    rows = [row for row in connection.execute(sa.select(signs)).all() if not vault.is_current(row.wrapped)]
    for row in rows:
        fresh = vault.rewrap(row.wrapped, _owner(row.id))
        connection.execute(signs.update().where(signs.c.id == row.id).values(wrapped=fresh))
    return len(rows)


def _owner(identity: str) -> str:
    return f"sign:{identity}"


def _place(identity: str) -> str:
    return f"unrecorded_signs:body:{identity}"
