"""What may come in the middle of a guided conversation that is no answer to it: a question, a word, small talk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker

from actions.action_questions_list import question_list
from actions.action_show_plan import plan_message
from actions.answering import answer_topics, asked_topics, with_also_asked, without_delay
from actions.base import Button, Reply, emergency_number
from actions.explaining import explain_message
from actions.small_talk import small_talk
from bot.question_splitter import questions
from knowledge.content import content
from knowledge.explain import explain_words

SHORT = 8
"""Words a command may have. A longer text is an answer, whatever the classifier takes it for."""

SURE = 0.6
"""How sure the classifier must be that somebody wants to go elsewhere: "nothing yet" is an answer."""


def leaving(message: Mapping[str, Any]) -> Button | None:
    """The button for something that cannot be done in the middle of this conversation, when a message asks for it."""
    intent = (message.get("intent") or {}).get("name") or ""
    title = explain_words().leave.get(intent)
    short = len((message.get("text") or "").split()) <= SHORT
    sure = float((message.get("intent") or {}).get("confidence") or 0.0) >= SURE
    return Button(title, f"/{intent}") if title and short and sure else None


def answered_topics(message: Mapping[str, Any]) -> list[str]:
    """The topics of a message that are answered in the middle of something else; empty when it only tells something."""
    topics, text = without_delay(asked_topics(message), message.get("told") or ""), message.get("text") or ""
    if not (text.startswith("/") or text.rstrip().endswith("?") or questions(text)):
        # "He looked at my scan" tells something here and does not ask us to look at it.
        topics = [topic for topic in topics if content().answers[topic].kind == "answer"]
    return topics


def digress(tracker: Tracker) -> list[Reply]:
    """The replies to a message that asks something else; empty when it does not. One payload at most."""
    message = tracker.latest_message
    intent = (message.get("intent") or {}).get("name")
    short = len((message.get("text") or "").split()) <= SHORT
    if intent == "show_plan" and short:
        return plan_message(tracker)
    if intent in ("ask_questions_list", "edit_questions") and short:
        return question_list(tracker)
    if intent == "explain_term":
        return explain_message(message)
    if intent == "chitchat":
        label = str(message.get("label") or "").partition("/")[2]
        return [Reply(small_talk(tracker, label)[0])]
    if intent == "faq":
        topics, number = answered_topics(message), emergency_number(tracker)
        answers = answer_topics(topics, emergency=number)
        return [Reply(reply.text) for reply in with_also_asked(answers, message)] if answers else []
    return []
