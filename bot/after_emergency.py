"""What a message means that follows emergency words: an answer to them, a remark, or a question about the emergency itself.

Who was just told to call asks "what do I do?", "will I be paralysed?" or "can I drive there?". Their words come near to
topics that are explained here, and such an answer would be worse than none: without a word of a subject of its own
(``OWN_SUBJECT``) a message is read as being about the emergency. Pure functions of the message and of what was told.
"""

from __future__ import annotations

import re
from typing import Collection

from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.question_splitter import questions as asked_in
from safety.conversation import REPLY_WITHIN, Told
from safety.detect import rank

NO_TOPIC = frozenset({"diagnose_me", "other_health", "off_topic", "should_i_have_surgery", "back_care", "recovery"})
"""Out-of-scope topics that remarks about a sign are taken for."""
_NOT_NOW = frozenset({"under_18", "goals_differ", "ask_the_clinic", "insurance", "for_someone_else"})
"""Topics that a remark after emergency words is taken for: "she is 82 and stubborn" asks nothing about a child's case."""
_SINCE = re.compile(
    r"\W*(?:it'?s been |its been |it is |been |only |just |maybe )*"
    r"(?:(?:since|for|about|around)\b(?:\W+\w+){1,5}|(?:\w+\W+){1,3}(?:minutes|hours?|days?|weeks?|months?)(?: (?:ago|now))?)\W*$",
    re.I,
)
"""A message that only says since when: "since about a week"."""
_BARRIERS = {
    "REPLY_DISBELIEF": "disbelief",
    "REPLY_COST": "cost",
    "REPLY_TRANSPORT": "transport",
    "REPLY_FAMILY": "family",
    "REPLY_BOTHER": "bother",
}
"""What keeps people from going. The answers to it name the emergency number first: only after an emergency."""
_REPLIES = {
    "REPLY_PERSUADE": "persuade",
    "REPLY_NOT_GOING": "not_going",
    "REPLY_WHAT_NEXT": "what_next",
    "REPLY_CANNOT_CALL": "other",
    "REPLY_HELPED": "helped",
    "REPLY_CALLING": "calling",
    "REPLY_GOING": "going",
    "REPLY_STAY": "staying",
    "REPLY_LET_BE": "let_be",
}
_BRIEF = 8
"""Words of a message in which "what do I do?" asks about the emergency; a longer one asks about something of its own."""
_AFTER_CRISIS = {
    "persuade": "stay_crisis",
    "staying": "stay_crisis",
    "what_to_do": "heard_crisis",
    "heard": "heard_crisis",
    "let_be": "let_be_crisis",
}
_NOTED = re.compile(
    r"\W*(?:(?:ok(?:ay|ey)?|kk?|al+ ?right|right|fine|got it|understood|noted|i see|i will|thanks?|thank you|thx|ta)\b\W*)+$",
    re.I,
)
"""A message that only says that the words were heard: "ok" is no "yes, someone is with me"."""


def typed_reply(said: str, states: Collection[str], intent: str, heard: Told, before: str) -> str:
    """Return the choice that a typed answer to "what will you do now?", or "is someone with you?", stands for."""
    if not heard.categories or heard.since >= REPLY_WITHIN:
        return ""
    crisis = "crisis" in heard.categories
    if crisis and "REPLY_SAFE" in states:
        return "safe"
    emergency = heard.tier == "emergency"
    fear = {"REPLY_FEAR": "fear"} if emergency and not crisis else {}
    late = {} if emergency or crisis else {"REPLY_NO_ANSWER": "no_answer"}
    known = {**(_BARRIERS if emergency else {}), **late, **_REPLIES, **fear}
    choice = next((choice for state, choice in known.items() if state in states), "")
    if not choice and before and _NOTED.match(said):
        choice = "heard"
    if not choice and "REPLY_WHAT_DO" in states and len(said.split()) <= _BRIEF:
        choice = "what_to_do" if emergency or crisis else "what_to_do_today"
    if crisis:
        choice = _AFTER_CRISIS.get(choice, choice)
    if crisis and not choice and "REPLY_NO_PLAN" in states:
        choice = "heard_crisis"  # the wish to die may still be there
    if choice or not before or before.startswith("crisis_"):
        return choice
    if intent == "affirm":  # the words for somebody else ask whether one can stay; a doctor today is no ambulance
        return "staying" if before.endswith("_other") else "helped" if before.endswith("_emergency") else "heard"
    return "other" if intent == "deny" and emergency else ""


def is_remark(message: Message, intent: str, states: Collection[str], heard: Told, before: str) -> bool:
    """Whether a message after emergency words asks how serious it is, or right after them neither answers nor asks.

    "It's probably from sitting" and "is that serious?" get the short reminder, not an answer about something else.
    """
    if rank(heard.tier) < rank("urgent"):
        return False
    said = str(message.get(TEXT) or "")
    serious = "REPLY_SERIOUS" in states or (bool(before) and intent == "about_me")
    if serious and heard.since < REPLY_WITHIN and heard.categories != {"crisis"}:
        return True
    lasting = intent == "faq" and bool(_SINCE.match(said))
    topic = str((message.get("topics") or [{"id": ""}])[0]["id"]) if intent == "faq" else ""
    aside = has_no_topic(message, intent) or topic in _NOT_NOW or (bool(topic) and _is_of_it(heard, states))
    return (
        ((aside and heard.since < REPLY_WITHIN) or (bool(before) and (lasting or intent == "deny")))
        and not said.startswith("/")
        and not asked_in(said)
    )


def asks_of_it(said: str, intent: str, states: Collection[str], heard: Told) -> bool:
    """Whether ``said`` asks about the emergency that was told of, as far as its words go: the people on the phone can tell."""
    question = ("?" in said or bool(asked_in(said))) and "REPLY_SERIOUS" not in states
    open_to_it = intent in ("faq", "nlu_fallback", "about_me") and not said.startswith("/")
    return question and open_to_it and heard.since < REPLY_WITHIN and _is_of_it(heard, states)


def _is_of_it(heard: Told, states: Collection[str]) -> bool:
    return heard.tier == "emergency" and heard.categories != {"crisis"} and "OWN_SUBJECT" not in states


def has_no_topic(message: Message, intent: str) -> bool:
    """Whether nothing that is explained here was recognised in a message."""
    topics = [str(topic["id"]) for topic in message.get("topics") or []]
    return intent == "nlu_fallback" or (intent == "faq" and (not topics or topics[0] in NO_TOPIC))
