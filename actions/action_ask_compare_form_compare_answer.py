"""Asks the next question about the two opinions. When all are answered, says first how they compare."""

from __future__ import annotations

import dataclasses

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction, say
from actions.compare.conversation import State, ask, begin
from actions.report.pasted import letters
from actions.report.reader import read
from actions.workspace import Workspace


class ActionAskCompareFormCompareAnswer(PatientAction):
    action_name = "action_ask_compare_form_compare_answer"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        space = Workspace.load(tracker.sender_id)
        state = State.from_plain(space.compare)
        message = tracker.latest_message
        if (message.get("intent") or {}).get("name") in ("start_compare", "resume") or not state.asking:
            readings = [read("\n".join(pages)) for pages in letters(tracker.events)]
            told = [reading for reading in readings if reading.kind == "letter"]
            say(dispatcher, tracker, begin(state, message.get("text") or "", told))
        say(dispatcher, tracker, [ask(state)])
        space.compare = dataclasses.asdict(state)
        space.save()
        return []
