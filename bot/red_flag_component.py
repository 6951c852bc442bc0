"""The red-flag detector as the last component of Rasa's pipeline: it runs on every message and overrules every intent.

It reads the message, the tracker (an open clarifying question, what was told before, the country) and the sentence
embedding; what it concludes is worked out by the pure functions of ``safety/``. Everything the emergency words need is
set here as entities, so that Rasa can say them with the action server down.
"""

from __future__ import annotations

import json
import logging
import re
from typing import Any, Dict, List, Optional, Tuple

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.events import SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from safety.conversation import Told, after_question, after_told, in_words_for
from safety.detect import Assessment, Finding, assess, decision_flags, detector, rank
from safety.letters import is_letter, own_words
from safety.numbers import country_said, numbers_for
from safety.questions import questions
from safety.second_signal import second_signal

log = logging.getLogger(__name__)

_PLAIN = 0.8
"""A topic as likely as this is plain: a question about it needs a clearer sign before it is asked about danger."""
_COMMAND = re.compile(r"^/(?P<intent>[\w/.-]+)(?:@[\d.]+)?(?P<entities>\{.*\})?\s*$", re.DOTALL)
LETTER = "letter"
"""The intent of a pasted letter, and the ``clarify_open`` of the question that its reader asks about a grave finding."""
_ANSWERS = {"affirm": "unsure", "unsure": "unsure", "deny": "deny"}
"""How the answer to "is it new or worse?" counts: what a letter found calls for a doctor today, not for an ambulance."""
_TYPED = re.compile(
    r"\W*(?:(?P<affirm>yes|yeah|yep|yup|it(?:'s| is) (?:new|(?:getting )?worse)|both)|(?P<deny>no|nope|it(?:'s| is) (?:old|not)))\b",
    re.I,
)
_REPLIES = {
    "REPLY_NOT_GOING": "not_going",
    "REPLY_HELPED": "helped",
    "REPLY_CALLING": "calling",
    "REPLY_GOING": "going",
}

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
        letter = is_letter(said, expected=loop == "report_form" or (loop is None and _was_letter(tracker)))
        if letter and loop in (None, "report_form"):  # its reader asks about grave findings itself, first
            said = own_words(said)
            message.set(LETTER, True, add_to_output=True)
            if loop is None:
                _set_intent(message, LETTER, [])
        findings = self._detector.detect(said, source="report" if letter and loop else "patient") if said else []
        states = self._detector.states(said) if said else frozenset()
        # In a form people describe their pain because they were asked to: there the rules alone may interrupt.
        learned = (
            None
            if letter or loop or not said or text.startswith("/")
            else self._signal(_vector(message), plain=_is_plain(message))
        )
        found = assess(findings, learned, states)
        open_question = str(slots.get("clarify_open") or "")
        if open_question in questions():
            found = after_question(open_question, intent, found)
        elif open_question == LETTER and (answer := _about_letter(intent, said)):
            found = after_question("report", answer, found)
        found = in_words_for(after_told(found, _told(tracker)))
        message.set(
            "red_flags", [_as_dict(finding) for finding in findings if finding.tier != "decision"], add_to_output=True
        )
        message.set("decision_flags", list(decision_flags(findings)), add_to_output=True)
        if found.key:
            self._overrule(message, found, country_said([*_typed(tracker), said]) or slots.get("country"))
        elif slots.get("escalation") and (choice := _typed_reply(states, tracker)):
            _set_intent(message, "escalation_reply", [_entity("choice", choice)])
        if open_question in (*questions(), LETTER) and not found.clarify:
            _add_entities(message, [_entity("clarify_open", "answered")])

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


def _was_letter(tracker: Optional[DialogueStateTracker]) -> bool:
    """Whether the message before was a letter, so that this one may be its next part."""
    last = tracker.latest_message if tracker else None
    return bool(last and (last.parse_data or {}).get(LETTER))


def _typed(tracker: Optional[DialogueStateTracker]) -> List[str]:
    """Return what the person typed before, oldest first."""
    return [event.text or "" for event in (tracker.events if tracker else ()) if isinstance(event, UserUttered)]


def _is_plain(message: Message) -> bool:
    topics = message.get("topics") or []
    return bool(topics) and float(topics[0]["confidence"]) >= _PLAIN


def _vector(message: Message) -> Any:
    _, sentence = message.get_dense_features(TEXT, [])
    return None if sentence is None else sentence.features[0]


def _told(tracker: Optional[DialogueStateTracker]) -> Told:
    """Return what was told in full in this session."""
    rules: set = set()
    categories: set = set()
    tier = "none"
    for event in reversed(tracker.events if tracker else ()):
        if isinstance(event, SessionStarted):
            break
        if not isinstance(event, UserUttered):
            continue
        if event.intent_name in ("mistake", "already_seen"):
            break  # stood down: whatever comes after is new
        told = (event.parse_data or {}).get("assessment")
        if told and rank(told["tier"]) > rank("clarify"):
            rules |= set(told["rules"])
            categories.add(told["category"])
            tier = max(tier, told["tier"], key=rank)
    return Told(frozenset(rules), frozenset(categories), tier)


def _typed_reply(states: Any, tracker: Optional[DialogueStateTracker]) -> str:
    """Return the choice that a typed answer to "what will you do now?" stands for; only right after it was asked."""
    last = tracker.latest_message if tracker else None
    if last is None or not (last.parse_data or {}).get("assessment"):
        return ""
    return next((choice for state, choice in _REPLIES.items() if state in states), "")


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
