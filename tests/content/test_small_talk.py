"""Small talk in the middle of a guided conversation: every wording can be said, with the numbers of where the person is."""

from __future__ import annotations

import pytest
from rasa_sdk import Tracker

from actions.digression import digress
from actions.small_talk import small_talk
from knowledge.dialogue import dialogue


def talking(label: str, country: str | None) -> Tracker:
    latest = {"text": "so it goes", "intent": {"name": "chitchat", "confidence": 0.9}, "label": f"chitchat/{label}"}
    slots = {"country": country, "crisis_line": "988", "emergency_number": "911"}
    return Tracker("patient-1", slots, latest, [], False, None, {"name": "intake_form"}, "action_listen")


@pytest.mark.parametrize("label", dialogue().chitchat)
@pytest.mark.parametrize("country", [None, "GB"])
def test_every_wording_has_its_numbers(label: str, country: str | None) -> None:
    tracker = talking(label, country)
    said = small_talk(tracker, label)
    assert len(said) == len(dialogue().chitchat[label]) and not any("{" in text or "None" in text for text in said)
    assert [reply.text for reply in digress(tracker)] == said[:1]
