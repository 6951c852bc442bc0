"""Somebody who has sent their case and says what is wrong in it is offered to change it."""

from __future__ import annotations

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

import actions.sent_case as module
from actions.action_answer import ActionAnswer
from actions.action_fallback import ActionFallback
from actions.base import PatientAction
from actions.store import Store
from knowledge.intake import words

SENDER = "patient-1"


@pytest.fixture
def data(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(module, "store", lambda: empty_store)
    return empty_store


async def said(action: PatientAction, text: str, last_topic: str | None = None) -> tuple[str, list[str]]:
    """What ``action`` says to ``text``, which the classifier took for something we do not answer; and its buttons."""
    latest = {
        "text": text,
        "intent": {"name": "faq", "confidence": 0.9},
        "entities": [],
        "topics": [{"id": "off_topic", "confidence": 0.9}],
    }
    dispatcher = CollectingDispatcher()
    tracker = Tracker(SENDER, {"last_topic": last_topic}, latest, [], False, None, {}, "action_listen")
    await action.run(dispatcher, tracker, {})
    replies = dispatcher.messages
    return replies[0]["text"], [button["title"] for reply in replies for button in reply["buttons"]]


@pytest.mark.parametrize("text", ["I want to change my phone to 202 555 0177", "my phone number is wrong"])
@pytest.mark.parametrize("action", [ActionAnswer(), ActionFallback()], ids=["answer", "fallback"])
async def test_a_sent_case_is_offered_for_change(data: Store, action: PatientAction, text: str) -> None:
    draft = data.new_draft(SENDER, {"stage": "review"})
    data.save_draft(draft)
    reference = data.submit(draft, {"priority": "routine", "subject": {}}).reference
    reply, buttons = await said(action, text, "off_topic")
    assert reply == words().say["have_sent"].format(ref=reference)
    assert words().buttons["change_sent"] in buttons


@pytest.mark.parametrize("text", ["I want to change my phone to 202 555 0177", "can you fix my car"])
async def test_without_a_case_or_a_wish_to_change_it_nothing_is_offered(data: Store, text: str) -> None:
    if "car" in text:
        draft = data.new_draft(SENDER, {"stage": "review"})
        data.save_draft(draft)
        data.submit(draft, {"priority": "routine", "subject": {}})
    assert words().buttons["change_sent"] not in (await said(ActionAnswer(), text))[1]
