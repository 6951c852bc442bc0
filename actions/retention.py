"""What is past its time is deleted, once a day, by whichever delivery worker comes first: ``python -m actions.retention``.

How long things are kept is what the clinic promises its patients (``knowledge/clinic.yml``): chats and what was not
sent for ``chat_days``, copies of sent intakes for ``SENT_DAYS`` after the last news of them. The gateway forgets its
sessions by the hour, messaging channels and the case desk run their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, column, delete, func, inspect, select, table

from actions.database import forget_deleted_pages, make_engine, transaction
from actions.drafts import DAY
from actions.keeping import Erased
from actions.store import Store, store
from knowledge.content import Clinic
from knowledge.loader import load
from runtime.settings import KNOWLEDGE, settings

SENT_DAYS = 90
"""The desk is where a case lives; this copy is for "where is my case?" and corrections; sending and its arrival renew it."""

# Rasa's conversations (bot/tracker_store.py): named here because Rasa's runtime has no process of its own for this.
EVENTS = table("events", column("sender_id"), column("timestamp"))
CONVERSATION_KEYS = table("conversation_keys", column("sender_id"))
UNRECORDED = table("unrecorded_signs", column("at"))


@dataclass(frozen=True)
class Retired:
    """What one run deleted."""

    conversations: int
    sent: Erased


class Retention:
    """Deletes what is past its time from the intake store and from Rasa's conversations."""

    def __init__(
        self, data: Store, conversations: Engine, *, chat_days: float, clock: Callable[[], float] = time.time
    ) -> None:
        self.data, self.conversations, self.chat_days, self.clock = data, conversations, chat_days, clock
        self._next = 0.0

    def due(self) -> bool:
        """Whether a day has passed since this process last ran it."""
        return self.clock() >= self._next

    def run(self) -> Retired:
        """Delete now. Running it twice, or in two processes at once, does no harm. Raises StoreUnavailable."""
        gone = self._old_conversations()
        sent = self.data.purge(drafts_older_than=self.chat_days * DAY, sent_older_than=SENT_DAYS * DAY)
        self._next = self.clock() + DAY
        return Retired(gone, sent)

    def _old_conversations(self) -> int:
        """Delete conversations in which nothing was said for ``chat_days``, with their keys. Returns how many."""
        if not inspect(self.conversations).has_table("events"):
            return 0  # Rasa has not started yet
        before = self.clock() - self.chat_days * DAY
        has_signs = inspect(self.conversations).has_table("unrecorded_signs")
        with transaction(self.conversations) as connection:
            if has_signs:
                connection.execute(delete(UNRECORDED).where(UNRECORDED.c.at < before))
            found = connection.scalars(
                select(EVENTS.c.sender_id).group_by(EVENTS.c.sender_id).having(func.max(EVENTS.c.timestamp) < before)
            ).all()
            for start in range(0, len(found), 500):  # a statement takes only so many values
                some = found[start : start + 500]
                connection.execute(delete(EVENTS).where(EVENTS.c.sender_id.in_(some)))
                connection.execute(delete(CONVERSATION_KEYS).where(CONVERSATION_KEYS.c.sender_id.in_(some)))
        if found:
            forget_deleted_pages(self.conversations)
        return len(found)


def retention(data: Store) -> Retention:
    """The retention of this installation, as its settings and the clinic's profile say."""
    clinic = load(KNOWLEDGE / "clinic.yml", Clinic)
    return Retention(data, make_engine(settings().tracker_database_url), chat_days=clinic.chat_days)


def main() -> None:
    print(retention(store()).run())


if __name__ == "__main__":
    main()
