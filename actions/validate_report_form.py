"""Takes every message of the report form: reads a pasted letter, answers a question in between, or stops."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Button, Events, PatientAction, Reply, say
from actions.digression import answered_topics, digress, leaving
from actions.report.pasted import is_page, pages_of
from actions.report.reader import prepare, read
from actions.report.replies import report_replies
from bot.question_splitter import questions
from knowledge.content import content
from knowledge.explain import explain_words

ASK_AGAIN = [SlotSet("report_answer", None)]
END = [SlotSet("report_answer", None), SlotSet("requested_slot", None)]
MOST_WORDS_OF_A_QUESTION = 15


def read_letter(dispatcher: CollectingDispatcher, tracker: Tracker, *, urgent_said: bool = False) -> Events:
    """Say what the pasted letter holds and end the form. ``urgent_said``: what cannot wait has been said already."""
    pages = pages_of(tracker.events)
    reading = read("\n".join(pages) or tracker.latest_message.get("text") or "")
    if urgent_said:
        reading = dataclasses.replace(reading, urgent="")
    number = tracker.get_slot("emergency_number") or content().clinic.emergency
    replies = report_replies(reading, emergency_number=number, phone=content().clinic.phone)
    if len(pages) > 1:
        replies.insert(0, Reply(explain_words().joined.format(count=len(pages))))
    say(dispatcher, tracker, replies)
    return [*END, SlotSet("clarify_open", "letter")] if reading.urgent else END


def only_asks(message: Mapping[str, Any]) -> bool:
    """Whether a message that could be a line of a letter is one short question about something explained here."""
    text = message.get("text") or ""
    asked = questions(text)
    whole = len(asked) == 1 and asked[0].text == text.strip()
    return whole and len(text.split()) <= MOST_WORDS_OF_A_QUESTION and bool(answered_topics(message))


class ValidateReportForm(PatientAction):
    action_name = "validate_report_form"

    def __init__(self) -> None:
        prepare()

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        # An empty list would leave the slot filled with the letter, and Rasa would take the form for done.
        return await super().run(dispatcher, tracker, domain) or END

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        message = tracker.latest_message
        text, intent = message.get("text") or "", (message.get("intent") or {}).get("name")
        if tracker.get_slot("report_answer") is None or intent == "red_flag":
            return ASK_AGAIN
        if is_page(text) and not only_asks(message):
            return read_letter(dispatcher, tracker)
        words = explain_words()
        if intent in ("stop", "deny", "go_back", "skip"):
            button = Button(words.buttons["report"], "/start_report")
            say(dispatcher, tracker, [Reply(words.stopped, (button,))])
            return END
        elsewhere = leaving(message)
        if elsewhere and intent != "start_report":
            say(dispatcher, tracker, [Reply(words.left, (elsewhere,))])
            return END
        if intent not in ("start_report", "resume"):
            say(dispatcher, tracker, digress(tracker) or [Reply(words.too_short)])
        return ASK_AGAIN
