"""What is counted on the way is what the desk is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from actions import counts
from actions.database import make_engine
from actions.drafts import DAY
from actions.insight import insight
from actions.store import Store
from tests.delivery.cases import correct, escalation, submit


def told(data: Store, var: Path) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for row in insight(data, make_engine(f"sqlite:///{var}/gateway.db")):
        found[row["what"], row["name"]] += row["number"]
    return found


def test_a_day_at_the_assistant(data: Store, var: Path) -> None:
    sent = submit(data, "patient-1")
    correct(data, "patient-1", sent)
    data.record_escalation(escalation())
    data.record_escalation(escalation(tier="urgent", category="infection", sender_id="patient-2"))
    data.save_draft(data.new_draft("patient-2", {"stage": "ask", "field": "pain"}))
    data.save_draft(data.new_draft("patient-3", {"stage": "ask", "field": "phone"}))
    data.discard_draft("patient-3")
    data.add_counts(Counter({("answer", "cost"): 3, ("fallback", ""): 2}))
    data.add_counts(Counter({("answer", "cost"): 1}))
    assert told(data, var) == {
        ("answer", "cost"): 4,
        ("fallback", ""): 2,
        ("begun", ""): 4,
        ("sent", "submitted"): 1,
        ("sent", "corrected"): 1,
        ("escalation", "emergency"): 1,
        ("escalation", "urgent"): 1,
        ("abandoned", "phone"): 1,
        ("standing", "pain"): 1,
    }
    now = data.clock()
    data.clock = lambda: now + 31 * DAY
    data.purge(drafts_older_than=30 * DAY, sent_older_than=90 * DAY)
    assert told(data, var) == {("abandoned", "pain"): 1}, "a week later the old days are not told again"


def test_opinions_on_answers_come_from_the_chat_page(data: Store, var: Path) -> None:
    with create_engine(f"sqlite:///{var}/gateway.db").begin() as connection:
        connection.execute(text("CREATE TABLE chat_feedback (at FLOAT, topic VARCHAR, helped BOOLEAN)"))
        for helped in (True, False, False):
            row = {"at": data.clock(), "helped": helped}
            connection.execute(text("INSERT INTO chat_feedback VALUES (:at, 'cost', :helped)"), row)
    assert told(data, var) == {("helped", "cost"): 1, ("unhelpful", "cost"): 2}


def test_a_chat_store_that_is_down_keeps_back_only_the_opinions(data: Store) -> None:
    data.add_counts(Counter({("answer", "cost"): 3}))
    down = make_engine("postgresql://nobody@127.0.0.1:1/none")
    assert [row["number"] for row in insight(data, down)] == [3]


def test_replies_are_counted_by_what_they_are_about() -> None:
    counts.take_unsaved()
    for custom in (
        {"kind": "answer", "topic": "cost", "sources": [], "reviewed": "2026-11-01"},
        {"kind": "answer", "topic": "cost", "sources": [], "reviewed": "2026-11-01"},
        {"kind": "fallback", "suggestions": ["cost"]},
        {"kind": "intake", "slot": "pain"},
        None,
    ):
        counts.count_reply(custom)
    assert counts.take_unsaved() == {("answer", "cost"): 2, ("fallback", ""): 1}
    assert not counts.take_unsaved()


@pytest.mark.parametrize("kind", ["answer", "fallback", "words"])
def test_prometheus_sees_the_same(kind: str) -> None:
    before = counts.REGISTRY.get_sample_value("plainspoken_replies_total", {"kind": kind}) or 0
    counts.count_reply(None if kind == "words" else {"kind": kind, "topic": "cost"})
    assert counts.REGISTRY.get_sample_value("plainspoken_replies_total", {"kind": kind}) == before + 1
    counts.take_unsaved()
