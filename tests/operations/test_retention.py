"""What is past its time goes, from every store, and nothing else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from actions.database import make_engine
from actions.drafts import DAY
from actions.outbox import Outbox
from actions.retention import SENT_DAYS, Retention
from actions.store import Store
from tests.conftest import ROOT
from tests.delivery.cases import escalation, submit

CONVERSATIONS = """
import asyncio, sys
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from bot.tracker_store import EncryptedTrackerStore
store = EncryptedTrackerStore(domain=Domain.empty(), host=sys.argv[1])
for sender in ("patient-old", "patient-new"):
    tracker = DialogueStateTracker(sender, [])
    tracker.update(UserUttered("hello"))
    asyncio.run(store.save(tracker))
"""


def conversations(path: Path) -> str:
    """Two conversations as Rasa stores them, the first of them 31 days old. Returns the database's address."""
    url = f"sqlite:///{path}"
    program = [str(ROOT / ".venv/bot/bin/python"), "-W", "ignore", "-c", CONVERSATIONS, url]
    done = subprocess.run(
        program, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    with sqlite3.connect(path) as connection:
        oldest = connection.execute("SELECT sender_id FROM events ORDER BY id").fetchone()[0]
        connection.execute("UPDATE events SET timestamp = timestamp - ? WHERE sender_id = ?", (31 * DAY, oldest))
    return url


def test_a_year_passes(data: Store, tmp_path_factory: pytest.TempPathFactory) -> None:
    begun, ahead = data.clock(), 0.0

    def clock() -> float:
        return begun + ahead

    data.clock = clock
    tracker = tmp_path_factory.mktemp("rasa") / "tracker.db"  # Rasa minds a path with the word postgresql in it
    retention = Retention(data, make_engine(conversations(tracker)), chat_days=30, clock=clock)
    submit(data, "patient-1")
    data.record_escalation(escalation())
    data.save_draft(data.new_draft("patient-2", {}))
    queue = Outbox(data.engine, data.vault, clock=clock)
    for row in queue.claim():
        queue.done(row, 201, {})

    assert retention.due()
    first = retention.run()
    assert (first.conversations, first.sent.total) == (1, 0), "only the conversation of 31 days ago is past its time"
    assert not retention.due()
    with sqlite3.connect(tracker) as connection:
        for table in ("events", "conversation_keys"):
            assert connection.execute(f"SELECT count(DISTINCT sender_id) FROM {table}").fetchone() == (1,)

    ahead = 31 * DAY
    assert retention.due()
    second = retention.run()
    assert (second.conversations, second.sent.drafts, second.sent.intakes) == (1, 1, 0)

    ahead = (SENT_DAYS + 1) * DAY
    third = retention.run()
    assert (third.sent.intakes, third.sent.escalations) == (1, 1)
    assert data.sent_by("patient-1") == []


def test_it_does_not_wait_for_rasa(data: Store, tmp_path: Path) -> None:
    assert Retention(data, make_engine(f"sqlite:///{tmp_path}/none.db"), chat_days=30).run().conversations == 0
