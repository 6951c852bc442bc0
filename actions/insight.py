"""The figures of the last days for the clinic's insight page: what was counted here, and what the chat page was told.

Counts of topics, tiers and steps. No words, no ids of patients.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, column, func, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError

from actions.database import StoreUnavailable, transaction
from actions.store import Store
from actions.tables import counts, drafts

log = logging.getLogger(__name__)

DAYS = 7
"""Each report repeats the last days, so that a desk that was down misses nothing."""

# The gateway's table of opinions on answers (gateway/store.py).
FEEDBACK = table("chat_feedback", column("at"), column("topic"), column("helped"))


def insight(data: Store, opinions: Engine) -> list[dict[str, Any]]:
    """Return rows ``{day, what, name, number}``: the whole figure of each day, not what was added."""
    today = datetime.fromtimestamp(data.clock(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    with transaction(data.engine) as connection:
        rows = connection.execute(select(counts).where(counts.c.day >= first.date().isoformat())).all()
        standing = connection.execute(select(drafts.c.step, func.count()).group_by(drafts.c.step)).all()
    found = [{"day": row.day, "what": row.what, "name": row.name, "number": row.number} for row in rows]
    found += [{"day": "now", "what": "standing", "name": step, "number": number} for step, number in standing]
    try:
        return found + _opinions(opinions, first)
    except (StoreUnavailable, SQLAlchemyError):  # the report of what is undelivered must not wait for opinions
        log.warning("opinions not read", exc_info=True)
        return found


def _opinions(engine: Engine, first: datetime) -> list[dict[str, Any]]:
    if not inspect(engine).has_table("chat_feedback"):
        return []  # the gateway has not started yet
    found = []
    with transaction(engine) as connection:
        for number in range(DAYS):
            begin = first + timedelta(days=number)
            within = FEEDBACK.c.at.between(begin.timestamp(), (begin + timedelta(days=1)).timestamp() - 0.001)
            query = select(FEEDBACK.c.topic, FEEDBACK.c.helped, func.count()).where(within)
            for topic, helped, count in connection.execute(query.group_by(FEEDBACK.c.topic, FEEDBACK.c.helped)):
                what = "helped" if helped else "unhelpful"
                found.append({"day": begin.date().isoformat(), "what": what, "name": topic, "number": count})
    return found
