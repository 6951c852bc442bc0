"""Asks for the letter, or for its next page."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Button, Events, PatientAction, Reply, say
from actions.report.pasted import ADD, chosen, pasted
from actions.validate_report_form import read_letter
from knowledge.explain import explain_words


class ActionAskReportFormReportAnswer(PatientAction):
    action_name = "action_ask_report_form_report_answer"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        words = explain_words()
        if (tracker.latest_message.get("intent") or {}).get("name") == "resume" and pasted(tracker.events):
            return read_letter(dispatcher, tracker, urgent_said=True)
        text = words.ask_letter_more if chosen(tracker.latest_message) == ADD else words.ask_letter
        say(dispatcher, tracker, [Reply(text, (Button(words.buttons["stop"], "/stop"),))])
        return []
