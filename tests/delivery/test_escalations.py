"""After the emergency words: the record, the answer to "what will you do?", and a store that is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import actions.action_escalation_reply as reply_module
import actions.action_record_escalation as record_module
from actions.action_escalation_reply import ActionEscalationReply
from actions.action_record_escalation import ActionRecordEscalation, escalation_record
from actions.base import NotKept
from actions.database import StoreUnavailable
from casedesk.schema import Raised
from safety.rules import RULES_VERSION

SAID = "i cant pee since last night"
TOLD = "Call 911 now."


def conversation(*, key: str = "cauda_equina_emergency", tier: str = "emergency", **message: Any) -> Tracker:
    latest = {
        "text": SAID,
        "intent": {"name": "red_flag"},
        "entities": [],
        "red_flags": [
            {
                "category": "cauda_equina",
                "tier": tier,
                "evidence": "cant pee",
                "assertion": "present",
                "rule": "ces.retention",
            }
        ],
        "assessment": {
            "key": key,
            "tier": tier,
            "category": "cauda_equina",
            "person": "self",
            "rules": ["ces.retention"],
        },
        **message,
    }
    events = [
        {"event": "user", "message_id": "m1", "timestamp": 1.0, "text": latest["text"]},
        {"event": "bot", "text": TOLD},
    ]
    slots = {
        "escalation": key,
        "escalation_tier": tier,
        "escalation_categories": ["cauda_equina"],
        "emergency_number": "911",
        "country": "US",
    }
    return Tracker("someone", slots, latest, events, False, None, {}, "action_listen")


async def run(action: Any, tracker: Tracker) -> CollectingDispatcher:
    dispatcher = CollectingDispatcher()
    await action.run(dispatcher, tracker, {})
    return dispatcher


class Kept:
    """A store that remembers what it was given, or is not there."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.records, self.confirmed, self.reached = failures, [], [], True

    def record_escalation(self, record: dict[str, Any]) -> str:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("locked")
        self.records.append(record)
        return "ESC-0000-0000"

    def update_escalation(self, sender: str, confirmed: str) -> str:
        self.confirmed.append(confirmed)
        return "ESC-0000-0000"

    def reached_desk(self, sender: str) -> bool:
        return self.reached

    def draft(self, sender: str) -> None:
        return None


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    store = Kept()
    monkeypatch.setattr(record_module, "store", lambda: store)
    monkeypatch.setattr(reply_module, "store", lambda: store)
    return store


def test_the_record_says_all_the_desk_needs_and_passes_its_door() -> None:
    record = escalation_record(conversation(), "cauda_equina_emergency", "emergency")
    assert record["evidence"] == SAID and record["words"] == TOLD and record["told"] is True
    assert record["rules"] == ["ces.retention"] and record["rules_version"] == RULES_VERSION
    Raised.model_validate({**record, "reference": "ESC-7K3M-Q0XD"})
    json.dumps(record)


def test_a_repeated_action_makes_no_second_record() -> None:
    first, again = (escalation_record(conversation(), "cauda_equina_emergency", "emergency") for _ in range(2))
    assert first["escalation_id"] == again["escalation_id"]


async def test_an_escalation_is_kept(kept: Kept) -> None:
    await run(ActionRecordEscalation(), conversation())
    assert [record["category"] for record in kept.records] == ["cauda_equina"]


@pytest.mark.parametrize(
    ("key", "tier"), [("clarify_bladder", "clarify"), ("reminder", "emergency"), ("cleared", "none")]
)
async def test_questions_and_reminders_are_not_recorded(kept: Kept, key: str, tier: str) -> None:
    await run(ActionRecordEscalation(), conversation(key=key, tier=tier))
    assert kept.records == []


async def test_with_a_locked_store_rasa_is_told_to_come_again_and_the_patient_hears_no_apology(kept: Kept) -> None:
    kept.failures = 1
    dispatcher = CollectingDispatcher()
    with pytest.raises(NotKept):
        await ActionRecordEscalation().run(dispatcher, conversation(), {})
    assert dispatcher.messages == []
    await run(ActionRecordEscalation(), conversation())
    assert len(kept.records) == 1


@pytest.mark.parametrize(
    ("choice", "words", "confirmed"),
    [("calling", "Stay on the line", "calling"), ("going", "Don't drive", "going"), ("transport", "911", "not_going")],
)
async def test_the_answer_is_heard_and_told_to_the_desk(kept: Kept, choice: str, words: str, confirmed: str) -> None:
    tracker = conversation(intent={"name": "escalation_reply"}, entities=[{"entity": "choice", "value": choice}])
    (message,) = (await run(ActionEscalationReply(), tracker)).messages
    assert words in message["text"] and kept.confirmed == [confirmed]


@pytest.mark.parametrize(
    ("choice", "said"), [("fear", True), ("other", True), ("calling", False), ("not_going", False)]
)
async def test_a_warning_that_has_not_arrived_is_not_passed_off_as_one(kept: Kept, choice: str, said: bool) -> None:
    tracker = conversation(intent={"name": "escalation_reply"}, entities=[{"entity": "choice", "value": choice}])
    (message,) = (await run(ActionEscalationReply(), tracker)).messages
    assert "not got your message" not in message["text"]
    kept.reached = False
    (message,) = (await run(ActionEscalationReply(), tracker)).messages
    assert ("Our team has not got your message yet, so don't wait for us." in message["text"]) is said


async def test_the_country_named_in_the_chat_is_the_one_whose_number_is_said(kept: Kept) -> None:
    tracker = conversation(intent={"name": "escalation_reply"}, entities=[{"entity": "choice", "value": "fear"}])
    tracker.events.insert(0, {"event": "user", "text": "I'm in Australia and my back hurts"})
    (message,) = (await run(ActionEscalationReply(), tracker)).messages
    assert message["text"].startswith("Call 000 now.")
    assert escalation_record(tracker, "cauda_equina_emergency", "emergency")["country"] == "AU"


async def test_not_going_is_asked_why_once(kept: Kept) -> None:
    tracker = conversation(intent={"name": "escalation_reply"}, entities=[{"entity": "choice", "value": "not_going"}])
    (message,) = (await run(ActionEscalationReply(), tracker)).messages
    assert len(message["buttons"]) == 6
    for button in message["buttons"]:
        answer = json.loads(button["payload"].partition("/escalation_reply")[2])["choice"]
        following = conversation(intent={"name": "escalation_reply"}, entities=[{"entity": "choice", "value": answer}])
        (after,) = (await run(ActionEscalationReply(), following)).messages
        assert not after["buttons"] and "911" in after["text"]


@pytest.mark.parametrize(("intent", "confirmed"), [("already_seen", "seen"), ("mistake", "mistake")])
async def test_seen_and_mistake_stand_down(kept: Kept, intent: str, confirmed: str) -> None:
    await run(ActionEscalationReply(), conversation(intent={"name": intent}))
    assert kept.confirmed == [confirmed]
