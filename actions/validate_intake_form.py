"""Takes every message of the intake form: decides what it is, keeps it, answers digressions, says what became of it.

Rasa's form has one slot, ``intake_answer``. It is given back empty to have the next question asked; ``intake_outcome``
says why the form ended (``ended`` or ``escalate``), so that a form that broke off is never taken for one that is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import asked_topics, follow_up
from actions.base import Button, Events, PatientAction, Reply, say
from actions.case_words import already_sent, delete_question, facts, nothing_to_resume, sent_reply
from actions.database import StoreUnavailable
from actions.digression import answered_topics, digress
from actions.intake.apply import Effect
from actions.intake.decision import Message
from actions.intake.state import State
from actions.intake.turn import IntakeTurn, Outcome
from actions.report.reader import read
from actions.report.replies import urgent_reply
from actions.small_talk import small_talk
from actions.store import store
from knowledge.content import content
from knowledge.intake import FlagRule, words
from safety.numbers import numbers_for

log = logging.getLogger(__name__)

ASK_AGAIN = [SlotSet("intake_answer", None)]
END = [SlotSet("intake_answer", None), SlotSet("requested_slot", None), SlotSet("resuming", None)]


def _filled(line: str, known: Mapping[str, str]) -> str:
    """Put the facts into a phrase. What the patient wrote may stand in it, braces and all."""
    for name, value in known.items():
        line = line.replace(f"{{{name}}}", value)
    return line


def _emergency(flag: FlagRule, state: State) -> Events:
    """The slots that Rasa's emergency words are filled from."""
    numbers = numbers_for(state.value("country"))
    other = "_other" if state.person == "other" else ""
    return [
        SlotSet("escalation", f"{flag.category}_{flag.tier}{other}"),
        SlotSet("escalation_tier", flag.tier),
        SlotSet("escalation_categories", [flag.category]),
        SlotSet("emergency_number", numbers.emergency),
        SlotSet("crisis_line", numbers.crisis),
        SlotSet("poison_line", numbers.poison),
    ]


def message_of(parsed: Mapping[str, Any]) -> Message:
    """The message as the pure conversation takes it."""
    intent = parsed.get("intent") or {}
    text = parsed.get("text") or ""
    pressed = text.startswith("/")
    named = [(topic, 1.0) for topic in asked_topics(parsed)] if pressed else []
    topics = named or [(topic["id"], topic["confidence"]) for topic in parsed.get("topics") or []]
    if intent.get("name") == "faq" and not answered_topics(parsed):
        topics = []  # nothing would be said to it, and the question asked again without a word why
    label = parsed.get("label") or ""
    letter = bool((parsed.get("metadata") or {}).get("letter"))
    return Message(
        text, intent.get("name") or "", intent.get("confidence") or 0.0, tuple(topics), label, pressed, letter
    )


class ValidateIntakeForm(PatientAction):
    action_name = "validate_intake_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        try:
            return await self.respond(dispatcher, tracker)
        except StoreUnavailable:
            log.error("intake database unavailable", extra={"action": self.action_name, "sender": tracker.sender_id})
            dispatcher.utter_message(text=words().say["not_saved"].format(phone=content().clinic.phone))
            return [*END, SlotSet("intake_outcome", "ended")]
        except Exception:
            log.exception("action failed", extra={"action": self.action_name, "sender": tracker.sender_id})
            dispatcher.utter_message(response="utter_something_broke")
            return ASK_AGAIN  # an empty list would leave the slot filled, and Rasa would take the form for done

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        message = message_of(tracker.latest_message)
        if tracker.get_slot("intake_answer") is None or message.intent == "red_flag":
            return []
        data = store()
        turn = IntakeTurn(data, tracker.sender_id)
        outcome = await turn.take(message, tracker.events)
        if outcome is None:
            # A reply was lost after the case had been committed, and the patient said "send" again.
            sent = await asyncio.to_thread(data.sent_by, tracker.sender_id)
            say(dispatcher, tracker, [already_sent(sent[0]) if sent else nothing_to_resume()])
            return [*END, SlotSet("intake_outcome", "ended")]
        if message.letter and (reading := read(message.text)).urgent:
            # A grave finding is asked about first, as when a letter is read; the intake waits and can be gone on with.
            number = tracker.get_slot("emergency_number") or content().clinic.emergency
            say(dispatcher, tracker, [Reply(words().say["letter_first"]), urgent_reply(reading, number)])
            return [*END, SlotSet("intake_outcome", "ended"), SlotSet("clarify_open", "letter")]
        lines = [_filled(line, facts(tracker)) for line in outcome.step.say]
        if outcome.step.state.fails and (tracker.latest_message.get("understanding") or {}).get("language") == "other":
            lines = small_talk(tracker, "language")[:1]
        say(dispatcher, tracker, [Reply(line) for line in lines])
        return self._carry_out(dispatcher, tracker, outcome, message)

    def _carry_out(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, outcome: Outcome, message: Message
    ) -> Events:
        step, phrases = outcome.step, words().say
        known_facts = {**facts(tracker), "code": outcome.code or ""}
        country = step.state.value("country")
        known: Events = [SlotSet("country", country)] if country else []
        match step.effect:
            case Effect.ASK | Effect.REDEEM:
                return [*ASK_AGAIN, *known]
            case Effect.DIGRESS:
                # The turn's one payload belongs to the question that follows; it names what was answered.
                say(dispatcher, tracker, [Reply(reply.text) for reply in digress(tracker)])
                return [*ASK_AGAIN, SlotSet("last_topic", step.topic)] if message.intent == "faq" else ASK_AGAIN
            case Effect.FOLLOW_UP:
                replies = follow_up(message.intent, tracker.get_slot("last_topic"), [])
                say(dispatcher, tracker, [Reply(reply.text) for reply in replies])
                return ASK_AGAIN
            case Effect.HUMAN:
                say(dispatcher, tracker, [Reply(phrases["human"].format(**known_facts))])
                return ASK_AGAIN
            case Effect.CODE:
                say(dispatcher, tracker, [Reply(phrases["code"].format(**known_facts))])
                return ASK_AGAIN
            case Effect.STATUS:
                say(dispatcher, tracker, [Reply(phrases["status_draft"])])
                return ASK_AGAIN
            case Effect.STOP:
                buttons = (Button(words().buttons["resume"], "/resume"),)
                say(dispatcher, tracker, [Reply(phrases["stopped"].format(**known_facts), buttons)])
            case Effect.SUBMIT:
                assert outcome.sent
                say(dispatcher, tracker, [sent_reply(outcome.sent, corrected=bool(step.state.reference))])
                return [*END, *known, SlotSet("intake_outcome", "ended")]
            case Effect.DELETE:
                say(dispatcher, tracker, [delete_question(step.state.reference)])
                return [*END, SlotSet("intake_outcome", "ended"), SlotSet("asking", "delete")]
            case Effect.ESCALATE:
                assert step.flag
                return [*END, *known, SlotSet("intake_outcome", "escalate"), *_emergency(step.flag, step.state)]
        return [*END, *known, SlotSet("intake_outcome", "ended")]
