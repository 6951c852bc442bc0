"""The red-flag detector as the last component of Rasa's pipeline: it runs on every message and overrules every intent.

It reads the message, the tracker (an open clarifying question, what was told before, the country) and the sentence
embedding; what it concludes is worked out by the pure functions of ``safety/``. Everything the emergency words need is
set here as entities, so that Rasa can say them with the action server down.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.after_emergency import NO_TOPIC, asks_of_it, has_no_topic, is_remark, typed_reply
from bot.plain_text import readable
from bot.question_splitter import questions as asked_in
from bot.question_splitter import thoughts
from bot.sentence_embedding import shared_embedding
from bot.so_far import last_assessment, said_before, told, told_lately, typed, was_letter
from safety.conversation import (
    CLEARED,
    Told,
    after_crisis_words,
    after_means,
    after_question,
    after_told,
    in_words_for,
    is_guess,
    reminder,
    together,
    without_guess,
)
from safety.detect import Assessment, Finding, Learned, assess, decision_flags, detector
from safety.letters import is_letter, own_words
from safety.normalise import said_in_a_sentence
from safety.numbers import country_named, country_said, numbers_for
from safety.questions import questions
from safety.second_signal import cues, second_signal

log = logging.getLogger(__name__)

_PLAIN = 0.8
"""A topic as likely as this is plain: a question about it needs a clearer sign before it is asked about danger."""
_COMMAND = re.compile(r"^/(?P<intent>[\w/.-]+)(?:@[\d.]+)?(?P<entities>\{.*\})?\s*$", re.DOTALL)
LETTER = "letter"
TOLD = "told"
"""On a message: the severest tier told in this session and not taken back. No answer may speak of waiting then."""
"""The intent of a pasted letter, and the ``clarify_open`` of the question that its reader asks about a grave finding."""
_IN_A_WORD = 4
"""A reply of so many words may answer a clarifying question by what it names: "just the left one"."""
INVITES_REPORT = "read_my_scan"
"""The topic whose answer says that the words of a report may be pasted."""
_ANSWERS = {"affirm": "unsure", "unsure": "unsure", "deny": "deny"}
"""How the answer to "is it new or worse?" counts: what a letter found calls for a doctor today, not for an ambulance."""
_TYPED = re.compile(
    r"\W*(?:(?P<affirm>yes|yeah|yep|yup|it(?:'s| is) (?:new|(?:getting )?worse)|both)|(?P<deny>no|nope|it(?:'s| is) (?:old|not)))\b",
    re.I,
)
_SAID_WITH_A_REPLY = frozenset({"unwell.emergency_word", "unwell.vague"})


failures = 0
"""How often the component failed since the process began. Readiness reports it; the turn itself goes on."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class RedFlagComponent(GraphComponent):
    """Sets intent ``red_flag`` and what the emergency words need, when a message calls for them.

    Needs the sentence embedding (without it the second signal is silent). Adds ``red_flags`` (every finding, also those
    that do not count) and ``decision_flags`` (ids) to every message. Method: see ``safety/detect.py``.
    """

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> RedFlagComponent:
        """Rasa's constructor; see :class:`GraphComponent`. Raises KnowledgeError when the rules are faulty."""
        return cls()

    def __init__(self) -> None:
        self._detector = detector()
        self._signal = second_signal()

    def process(self, messages: List[Message], tracker: Optional[DialogueStateTracker] = None) -> List[Message]:
        """Look at every message. Never raises: what fails is logged by type, and the bare words are looked at without it."""
        global failures
        for message in messages:
            for look in (self._look, self._look_at_words):
                try:
                    look(message, tracker)
                    break
                except Exception:
                    failures += 1
                    log.exception("red flag detection failed", extra={"count": failures})
        return messages

    def _look_at_words(self, message: Message, _tracker: Optional[DialogueStateTracker]) -> None:
        """The rules alone, when what was said before, or the learned signal, stood in the way: too much is safer."""
        found = assess(self._detector.detect(str(message.get(TEXT) or ""), source="patient"))
        if found.key:
            self._overrule(message, found, None)

    def _look(self, message: Message, tracker: Optional[DialogueStateTracker]) -> None:
        text = str(message.get(TEXT) or "")
        intent, said = _command(text) if text.startswith("/") else (_intent(message), text)
        slots = tracker.current_slot_values() if tracker else {}
        loop = tracker.active_loop_name if tracker else None
        invited = loop is None and (was_letter(tracker) or slots.get("last_topic") == INVITES_REPORT)
        sent = bool((message.get("metadata") or {}).get("letter"))  # the page says so: uploaded, or pasted as a letter
        letter = is_letter(said, expected=loop == "report_form" or invited or sent)
        # Its reader asks about grave findings itself, first; the intake does so for a letter that was sent to it.
        if letter and (loop in (None, "report_form") or (sent and loop == "intake_form")):
            said = own_words(said)
            message.set(LETTER, True, add_to_output=True)
            if loop is None:
                _set_intent(message, LETTER, [])
        findings = self._detector.detect(said, source="report" if letter and loop else "patient") if said else []
        states = self._detector.states(said) if said else frozenset()
        # In a form people describe their pain because they were asked to: there the rules alone may interrupt.
        learned = None if letter or loop or not said or text.startswith("/") else self._learned(message, said, findings)
        if loop is None and said:
            findings = [*findings, *together(told_lately(tracker), said, findings, self._detector)]
        found = assess(findings, learned, states)
        heard, before = told(tracker), said_before(tracker)
        open_question = str(slots.get("clarify_open") or "")
        if open_question in questions():
            crisis = questions()[open_question].category == "crisis"
            # Only the learned signal asked, and the person speaks of something else: the question stands there to be read.
            asked = last_assessment(tracker)
            aside = bool(asked) and not asked.get("rules") and (_is_clear(message, crisis) or bool(asked_in(said)))
            answer = "deny" if _denied(findings) and "REPLY_SERIOUS" not in states else intent
            if len(said.split()) <= _IN_A_WORD:
                answer = questions()[open_question].answer(states) or answer
            found = found if aside else after_question(open_question, answer, found)
        elif open_question == LETTER and (reaction := _about_letter(intent, said)):
            found = after_question("report", reaction, found)
        found = after_means(states, without_guess(found, heard, _is_clear(message, found.category == "crisis")), heard)
        reply = typed_reply(said, states, intent, heard, before)
        if not reply and not found.key and loop is None and asks_of_it(said, intent, states, heard):
            reply = "ask_them"
        calmed = reply in ("safe", "let_be_crisis") and found.category == "crisis" and is_guess(found)
        if reply and (found.tier == "clarify" or not found.key or calmed) and (calmed or _adds_nothing(found)):
            # "Someone is with me" answers what was asked: it is no new sign.
            found = Assessment(findings=found.findings)
        elif not found.key and not reply:
            found = after_crisis_words(intent, found, heard, before)
        where = self._new_country(said, heard, slots, tracker)
        # Who says where they are after emergency words needs the number of that country; but the intake asks for it itself.
        if not found.key and where and loop != "intake_form":
            found = reminder(heard)
        elif not found.key and not reply and loop is None:
            if is_remark(message, intent, states, heard, before):
                found = reminder(heard)
            elif _denied(findings) and has_no_topic(message, intent) and not asked_in(said_in_a_sentence(said)):
                found = Assessment(findings=found.findings, key=CLEARED)
        found = in_words_for(after_told(found, heard))
        message.set(
            "red_flags", [_as_dict(finding) for finding in findings if finding.tier != "decision"], add_to_output=True
        )
        message.set("decision_flags", list(decision_flags(findings)), add_to_output=True)
        message.set(TOLD, heard.tier, add_to_output=True)
        if found.key:
            country = where or country_said([*typed(tracker), said]) or slots.get("country")
            self._overrule(message, found, country)
        elif reply:
            _set_intent(message, "escalation_reply", [_entity("choice", reply)])
        if where:
            _add_entities(message, [_entity("country", where)])
        if open_question in (*questions(), LETTER) and not found.clarify:
            _add_entities(message, [_entity("clarify_open", "answered")])

    def _new_country(
        self, said: str, heard: Told, slots: Dict[str, Any], tracker: Optional[DialogueStateTracker]
    ) -> Optional[str]:
        """The country that someone names for the first time after emergency words, so that its number is given once."""
        if not heard.categories:
            return None
        here = country_said([said]) or country_named(said)
        return here if here and here not in (country_said(typed(tracker)), slots.get("country")) else None

    def _learned(self, message: Message, said: str, findings: List[Finding]) -> Optional[Learned]:
        """What the second signal thinks of the whole message, or of the gravest of its sentences."""
        parts = thoughts(said)
        seen = [(_vector(message), cues(said, findings))]
        seen += [
            (shared_embedding().features(readable(part)), cues(part, self._detector.detect(part))) for part in parts
        ]
        # A story is about more than its topic: only what is short can plainly be a question about fees.
        learned = self._signal.strongest(seen, plain=_is_plain(message) and not parts)
        return learned and replace(learned, person=self._detector.person(said))

    def _overrule(self, message: Message, found: Assessment, country: Any) -> None:
        numbers = numbers_for(country)
        values: Dict[str, Any] = {
            "escalation": found.key,
            "escalation_tier": found.tier,
            "escalation_categories": list(found.categories) or [found.category],
            "emergency_number": numbers.emergency,
            "crisis_line": numbers.crisis,
            "poison_line": numbers.poison,
        }
        if found.clarify:
            values["clarify_open"] = found.clarify
        _set_intent(message, "red_flag", [_entity(name, value) for name, value in values.items()])
        message.set(
            "assessment",
            {
                "key": found.key,
                "tier": found.tier,
                "category": found.category,
                "person": found.person,
                "rules": sorted({f.rule for f in found.findings if f.assertion == "present" and f.tier != "decision"}),
            },
            add_to_output=True,
        )
        log.info("red flag", extra={"category": found.category, "tier": found.tier})


def _command(text: str) -> Tuple[str, str]:
    """Return the intent of a button's payload and the free text in its entities: a person may have typed that."""
    match = _COMMAND.match(text)
    if not match:
        return "", text.lstrip("/")
    try:
        values = json.loads(match.group("entities") or "{}").values()
    except ValueError:
        return match.group("intent"), str(match.group("entities"))
    return match.group("intent"), ". ".join(str(value) for value in values if " " in str(value))


def _intent(message: Message) -> str:
    return str((message.get(INTENT) or {}).get("name") or "")


def _about_letter(intent: str, said: str) -> str:
    """What a reply says to "is it new, or getting worse?"; "" when it speaks of something else."""
    typed = _TYPED.match(said) if len(said.split()) <= 12 else None
    return _ANSWERS.get(str(typed.lastgroup) if typed else intent, "")


def _is_plain(message: Message) -> bool:
    """Whether a message is surely about something explained here. What is told of the body is taken for no such topic."""
    topics = message.get("topics") or []
    return bool(topics) and topics[0]["id"] not in NO_TOPIC and float(topics[0]["confidence"]) >= _PLAIN


def _is_clear(message: Message, crisis: bool) -> bool:
    """Whether it is plain what a message wants, be it a topic or anything else that is done here.

    ``crisis``: it may be about ending one's life, so that words of sadness or fear are not plain; "what would you do if
    you were me?" is.
    """
    top = message.get(INTENT) or {}
    topic = str((message.get("topics") or [{"id": ""}])[0]["id"]) if top.get("name") == "faq" else ""
    low = crisis and message.get("label") in (
        "chitchat/low",
        "chitchat/scared",
        "chitchat/frustrated",
        "chitchat/unheard",
        "chitchat/grief",
    )
    advice = crisis and topic == "should_i_have_surgery" and bool(asked_in(str(message.get(TEXT) or "")))
    known = (
        top.get("name") not in (None, "", "nlu_fallback", "affirm", "deny", "unsure", "mistake", "already_seen")
        and (topic not in NO_TOPIC or advice)
        and not low
    )
    return known and float(top.get("confidence") or 0.0) >= _PLAIN


def _vector(message: Message) -> Any:
    _, sentence = message.get_dense_features(TEXT, [])
    return None if sentence is None else sentence.features[0]


def _denied(findings: List[Finding]) -> bool:
    """Whether a message names signs only to say that they are not there: "no numbness, bladder fine"."""
    signs = [finding for finding in findings if finding.tier != "decision"]
    return bool(signs) and all(finding.assertion == "negated" for finding in signs)


def _adds_nothing(found: Assessment) -> bool:
    """Whether no rule finds a sign that would have to be asked about apart: "ambulance", said by who called one, is none."""
    return all(
        f.rule in _SAID_WITH_A_REPLY for f in found.findings if f.assertion == "present" and f.tier != "decision"
    )


def _entity(name: str, value: Any) -> Dict[str, Any]:
    return {"entity": name, "value": value, "start": 0, "end": 0, "extractor": "RedFlagComponent"}


def _add_entities(message: Message, entities: List[Dict[str, Any]]) -> None:
    message.set(ENTITIES, [*(message.get(ENTITIES) or []), *entities], add_to_output=True)


def _set_intent(message: Message, name: str, entities: List[Dict[str, Any]]) -> None:
    top = {"name": name, "confidence": 1.0}
    message.set(INTENT, top, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [top, *(message.get(INTENT_RANKING_KEY) or [])], add_to_output=True)
    _add_entities(message, entities)
    text = str(message.get(TEXT) or "")
    if text.startswith("/"):
        # Rasa's RegexMessageHandler comes after every component and would put the payload's own intent back.
        message.set(TEXT, text.lstrip("/") or name)


def _as_dict(finding: Finding) -> Dict[str, str]:
    return {
        "category": finding.category,
        "tier": finding.tier,
        "evidence": finding.evidence,
        "assertion": finding.assertion,
        "person": finding.person,
        "rule": finding.rule,
    }
