"""Explains one or several words, from a question, a button under an answer, or the next words of a letter."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction, say
from actions.explaining import explain_in_letter, explain_last, explain_message
from actions.report.pasted import pasted
from actions.report.reader import read
from actions.report.replies import term_reply

LETTER = "letter:"
"""A ``term`` that means: the words of the letter from this place on."""


class ActionExplainTerm(PatientAction):
    action_name = "action_explain_term"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        message = tracker.latest_message
        named = [str(entity["value"]) for entity in message.get("entities") or [] if entity.get("entity") == "term"]
        place = named[0].removeprefix(LETTER) if named and named[0].startswith(LETTER) else ""
        if place.isdigit():
            say(dispatcher, tracker, [term_reply(read(pasted(tracker.events)), int(place))])
        else:
            text = message.get("text") or ""
            last = explain_last(tracker.events) or explain_in_letter(text, pasted(tracker.events))
            say(dispatcher, tracker, [last] if last else explain_message(message))
        return []
