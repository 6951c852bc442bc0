"""The wordings of small talk, with the numbers of where the person is filled in."""

from __future__ import annotations

from rasa_sdk import Tracker

from actions.base import any_number
from knowledge.content import content
from knowledge.dialogue import dialogue


def small_talk(tracker: Tracker, label: str) -> list[str]:
    """What may be said to small talk of the kind ``label`` ("low"), in the order of saying it; never empty."""
    numbers = {
        "phone": content().clinic.phone,
        "emergency_number": any_number(tracker),
        "crisis_line": tracker.get_slot("crisis_line"),
    }
    kinds = dialogue().chitchat
    return [text.format(**numbers) for text in kinds.get(label) or kinds["greet"]]
