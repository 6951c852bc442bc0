"""Taking a case back instead of having everything deleted: asked for, told to the desk, and said truthfully after."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import actions.action_delete_data as module
import actions.validate_intake_form as form
from actions.action_delete_data import ActionDeleteData
from actions.intake.state import State
from actions.outbox import Outbox
from actions.store import Store
from knowledge.intake import words

SAY = words().say
SENDER = "patient-1"


@pytest.fixture
def data(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store the action uses."""
    monkeypatch.setattr(module, "store", lambda: empty_store)
    return empty_store


class Talk:
    """A conversation with the one action: what is said to it, and what it said last."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []
        self.slots: dict[str, Any] = {}

    async def says(self, text: str, intent: str = "delete_data", choice: str = "") -> str:
        self.events.append({"event": "user", "text": text, "timestamp": 1.0})
        entities = [{"entity": "choice", "value": choice}] if choice else []
        latest = {"text": text, "intent": {"name": intent}, "entities": entities}
        dispatcher = CollectingDispatcher()
        tracker = Tracker(SENDER, self.slots, latest, self.events, False, None, {}, "action_listen")
        for event in await ActionDeleteData().run(dispatcher, tracker, {}):
            self.slots[event["name"]] = event["value"]
        self.replies = dispatcher.messages
        self.events += [{"event": "bot", "text": reply["text"]} for reply in self.replies]
        return "\n".join(reply["text"] for reply in self.replies)

    @property
    def buttons(self) -> list[str]:
        return [button["title"] for reply in self.replies for button in reply["buttons"]]


def send_a_case(data: Store) -> str:
    draft = data.new_draft(SENDER, {"stage": "review"})
    data.save_draft(draft)
    return data.submit(draft, {"priority": "routine", "subject": {}}).reference


@pytest.mark.parametrize("way", [{"text": "/delete_data", "choice": "withdraw"}, {"text": "Just take it back."}])
async def test_a_case_is_taken_back_and_nothing_is_deleted(data: Store, way: dict[str, str]) -> None:
    reference, talk = send_a_case(data), Talk()
    assert SAY["withdraw_ask"].format(ref=reference) in await talk.says("I want to withdraw my case")
    assert talk.buttons[1] == words().buttons["withdraw"]
    assert await talk.says(**way) == SAY["withdraw_done"].format(ref=reference)
    assert [sent.status for sent in data.sent_by(SENDER)] == ["withdrawn"]
    first, second = Outbox(data.engine, data.vault, clock=data.clock), Outbox(data.engine, data.vault, clock=data.clock)
    (row,) = first.claim()
    assert row.kind == "intake.submitted"
    first.done(row, 201, {})
    assert [each.kind for each in second.claim()] == ["intake.withdrawn"]
    assert talk.slots.get("erase_conversation") is None


async def test_nothing_is_taken_back_before_it_was_asked(data: Store) -> None:
    send_a_case(data)
    assert (await Talk().says("take my case back")).startswith(SAY["delete_ask"])
    assert [sent.status for sent in data.sent_by(SENDER)] == ["saved"]


async def test_without_a_case_there_is_nothing_to_take_back(data: Store) -> None:
    talk = Talk()
    assert await talk.says("delete my data") == SAY["delete_ask"]
    assert words().buttons["withdraw"] not in talk.buttons
    assert await talk.says("yes", intent="affirm") == SAY["delete_done_nothing"]


async def test_yes_still_deletes_everything(data: Store) -> None:
    send_a_case(data)
    talk = Talk()
    await talk.says("delete my data")
    assert await talk.says("/delete_data", choice="yes") == SAY["delete_done"]
    assert data.sent_by(SENDER) == [] and talk.slots["erase_conversation"] is True


async def test_whoever_corrects_a_case_may_take_it_back_as_well(data: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "store", lambda: data)
    reference = send_a_case(data)
    data.save_draft(data.new_draft(SENDER, State(stage="review", field=None, reference=reference).to_json()))
    latest = {"text": "withdraw my case", "intent": {"name": "delete_data", "confidence": 0.95}, "entities": []}
    dispatcher = CollectingDispatcher()
    tracker = Tracker(SENDER, {"intake_answer": latest["text"]}, latest, [], False, None, {}, "intake_form")
    await form.ValidateIntakeForm().run(dispatcher, tracker, {})
    assert SAY["withdraw_ask"].format(ref=reference) in dispatcher.messages[-1]["text"]
