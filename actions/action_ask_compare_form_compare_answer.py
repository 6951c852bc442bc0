"""Asks the next question about the two opinions. When all are answered, says first how they compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction, say
from actions.compare.conversation import State, ask, begin
from actions.compare.told import tell
from actions.report.pasted import letters
from actions.report.reader import read
from actions.workspace import Workspace

BACK = 3
"""So many messages back somebody may have told both opinions and then asked, or pressed, to compare them."""


def opening(events: Sequence[Mapping[str, Any]]) -> str:
    """The message that opened the comparison; where it tells nothing, with the one before it that told both opinions."""
    said = [str(event.get("text") or "") for event in events if event.get("event") == "user"][-BACK:]
    latest = said.pop() if said else ""
    if not latest.startswith("/") and tell(latest, "first"):
        return latest
    for text in reversed(said):
        told = {} if text.startswith("/") else tell(text, "first")
        if {key.partition("_")[0] for key in told} >= {"first", "second"}:
            return text
    return latest


class ActionAskCompareFormCompareAnswer(PatientAction):
    action_name = "action_ask_compare_form_compare_answer"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        space = Workspace.load(tracker.sender_id)
        state = State.from_plain(space.compare)
        message = tracker.latest_message
        if (message.get("intent") or {}).get("name") in ("start_compare", "resume") or not state.asking:
            readings = [read("\n".join(pages)) for pages in letters(tracker.events)]
            told = [reading for reading in readings if reading.kind == "letter"]
            say(dispatcher, tracker, begin(state, opening(tracker.events), told))
        say(dispatcher, tracker, [ask(state)])
        space.compare = dataclasses.asdict(state)
        space.save()
        return []
