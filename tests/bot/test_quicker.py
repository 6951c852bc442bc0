"""What is done once instead of every time gives the same results."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import BotUttered, Event, SlotSet, UserUttered
from rasa.utils.endpoints import EndpointConfig

from bot import quicker

plain = RemoteAction._validate_action_result


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> RemoteAction:
    monkeypatch.setattr(RemoteAction, "_validate_action_result", plain)
    monkeypatch.setattr(Event, "resolve_by_type", staticmethod(Event.resolve_by_type))
    quicker.make_quicker()
    return RemoteAction("action_answer", EndpointConfig("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("reply", "good"),
    [
        ({"events": [], "responses": []}, True),
        (
            {"events": [{"event": "slot", "name": "last_topic", "value": "cost"}], "responses": [{"text": "Hello"}]},
            True,
        ),
        ({"events": [{"event": "slot"}], "responses": []}, False),
        ({"events": "none", "responses": []}, False),
        ({"events": [], "responses": ["Hello"]}, False),
    ],
)
def test_a_reply_is_judged_as_rasa_judges_it(action: RemoteAction, reply: Dict[str, Any], good: bool) -> None:
    for judge in (plain, RemoteAction._validate_action_result):
        if good:
            assert judge(action, reply)
        else:
            with pytest.raises(ValidationError):
                judge(action, reply)


@pytest.mark.parametrize("event", [SlotSet("last_topic", "cost"), UserUttered("hello"), BotUttered("hello")])
def test_an_event_comes_back_as_what_it_was(action: RemoteAction, event: Event) -> None:
    for _ in range(2):
        assert type(Event.from_parameters(event.as_dict())) is type(event)
    with pytest.raises(ValueError, match="Unknown event"):
        Event.resolve_by_type("no_such_event")
