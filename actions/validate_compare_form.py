"""Takes every message of the comparison: an answer, a pasted letter, a question in between, or a command."""

from __future__ import annotations

import dataclasses
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.action_questions_list import about_questions, adds_question, question_list
from actions.base import Events, PatientAction, Reply, say
from actions.compare.compare import compare
from actions.compare.conversation import State, Step, all_asked, is_answer, missed, take
from actions.compare.replies import comparison_replies
from actions.digression import digress, leaving
from actions.report.pasted import is_page
from actions.report.reader import read
from actions.workspace import Workspace
from knowledge.content import content
from knowledge.explain import explain_words

ASK_AGAIN = [SlotSet("compare_answer", None)]
END = [SlotSet("compare_answer", None), SlotSet("requested_slot", None)]
LETTER_CHARACTERS = 300


class ValidateCompareForm(PatientAction):
    action_name = "validate_compare_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        # An empty list would leave the slot filled, and Rasa would take the form for done.
        return await super().run(dispatcher, tracker, domain) or END

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        message = tracker.latest_message
        text, intent = message.get("text") or "", (message.get("intent") or {}).get("name") or ""
        if tracker.get_slot("compare_answer") is None or intent == "red_flag":
            return ASK_AGAIN
        space = Workspace.load(tracker.sender_id)
        state = State.from_plain(space.compare)
        number = tracker.get_slot("emergency_number") or content().clinic.emergency
        reading = read(text) if len(text) >= LETTER_CHARACTERS and is_page(text) else None
        elsewhere = leaving(message)
        if elsewhere and intent != "start_compare" and not is_answer(state, text):
            say(dispatcher, tracker, [Reply(explain_words().left, (elsewhere,))])
            return END
        if about_questions(tracker.events) and (intent == "go_back" or adds_question(text)):
            say(dispatcher, tracker, question_list(tracker))
            return ASK_AGAIN
        step = take(state, text, intent, reading, emergency_number=number)
        if step.digression and (digression := digress(tracker)):
            say(dispatcher, tracker, [*step.replies, *digression])
            space = Workspace.load(tracker.sender_id)  # the list of questions may have been changed in between
            space.compare = dataclasses.asdict(state)
            space.save()
            return ASK_AGAIN
        if step.digression and not step.replies:
            step = Step((missed(state),))
        say(dispatcher, tracker, step.replies)
        if not step.over and all_asked(state):
            say(dispatcher, tracker, comparison_replies(compare(state.answers), emergency_number=number))
        space.compare = dataclasses.asdict(state)
        space.save()
        return END if step.over else ASK_AGAIN
