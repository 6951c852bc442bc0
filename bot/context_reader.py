"""What a short message means after what was said: "the second one" picks, and nothing is taken back that was not said.

The classifier sees one message. Runs after it, with the tracker, and before the red-flag component, which may overrule it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Optional, Sequence

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.so_far import STOOD_DOWN, last_buttons, offered, told
from bot.so_far import messages as said
from knowledge.content import content
from safety.questions import questions

_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1, "former": 0, "latter": 1}
_PICK = re.compile(
    r"\W*(?:(?:i mean|yes|and|ok|okay|um|hmm|er|please|just|the|number|option|choice|no)\W+)*"
    rf"(?:(?P<word>{'|'.join(_PLACES)})|(?P<number>[1-9])(?:st|nd|rd|th)?)(?:\W+(?:one|option|choice|question|please))*\W*",
    re.I,
)
_OF_THE_WORD = re.compile(
    r"\W*(?:(?:and|but|so|ok|okay|oh)\W+)*(?:how \w+ )?(?:is|are|can|could|will|would|does|do|should)\b"
    r"(?: (?:it|that|this|they|these|those|you|i|one|people))(?: \w+){0,4}? "
    r"(?:danger\w*|safe|risky|serious|bad|harm\w*|worse|better|improve\w*|heal\w*|go(?:es)? away|cur(?:ed?|able)|fix\w*|permanent|"
    r"forever|last|common|normal|rare|worr(?:y|ied|ying)|scared|deadly|fatal|on (?:its|their) own)\b(?: [\w']+){0,4}\W*",
    re.I,
)
"""After a word was explained: "is it dangerous?", "can that get better on its own?". It asks about the one person."""
_OPERATION = re.compile(
    r"\w(?:ectomy|otomy|plasty|odesis)\b|\b(?:fusion|decompression|operation|surgery|[a-z]?lif|acdf|stimulator|disc replacement)\b",
    re.I,
)
_DANGER = re.compile(r"\b(?:danger\w*|safe|risky|harm\w*|deadly|fatal)\b", re.I)
"""Of an operation's name: what it may do to anybody is a topic."""
_HOW_COMMON = re.compile(
    r"\W*(?:(?:and|but|so|ok|okay|oh|wow)\W+)*(?:how (?:common|usual|normal|rare|likely) (?:is|are) (?:it|that|this|they)|"
    r"(?:is|are) (?:it|that|this|they|these) (?:\w+ )?(?:common|usual|normal|rare|unusual|likely)|"
    r"(?:does|do) (?:it|that|this|they) (?:\w+ )?happen(?: \w+){0,2})\W*",
    re.I,
)
"""After an answer: it asks how often that is, whatever the words alone come near to."""
_WHAT_IS_THAT = re.compile(
    r"\W*(?:(?:and|but|so|ok|okay|oh|um)\W+)*what(?: is|['\u2019]?s) that\W*(?:please|then|exactly)?\W*", re.I
)
"""It points at what was just said, and is about nothing of its own."""
_ANOTHER_WORD = re.compile(
    r"\W*(?:and what about|and|or|also|what about|how about)\b "
    r"(?!.*\b(?:what|why|how|who|when|where|now|then|so|i|me|my|mine|you|your|he|she|his|her|we|us|they)\b)(?:[\w/-]+\W*){1,4}",
    re.I,
)
_OWN_SUBJECT = 0.6
"""How surely "and the cost?" must be about something of its own; a bare medical word gets a half-hearted guess."""
_EDIT = re.compile(
    r"\W*(?:(?:please|also|and|ok|okay|now|then|can you|could you)\W+)*(?:add|drop|remove|delete|take off|take out|cross out|scrap|move|swap|"
    r"undo)\b.*",
    re.I | re.S,
)
"""After the list of questions: a change to it, whatever the question added is about."""
_ADD = re.compile(r"\W*(?:please\W+)?add\s*:.+", re.I | re.S)
"""This is plainly meant for the list, whatever was said before."""
_LISTED = ("ask_questions_list", "edit_questions")
_NAMED = ("report_check", "plan")
"""Kinds of replies whose buttons people name in a word or two: "keep it", "compare"."""
_NOT_NAMING = frozenset(
    ("it", "that", "this", "please", "the", "my", "a", "to", "for", "ok", "okay", "yes", "and", "me", "now", "what")
)
_NEAR = 0.08
"""What was likely beside a meaning that cannot be is answered from this probability on ..."""
_SURE = 0.33
"""... when it makes up so much of what remains."""


def picked(text: str, count: int) -> Optional[int]:
    """The place, from 0, of the choice that ``text`` names among ``count``; None when it names none of them."""
    found = _PICK.fullmatch(text) if count else None
    if not found:
        return None
    place = _PLACES[found["word"].lower()] if found["word"] else int(found["number"]) - 1
    return place % count if -1 <= place < count else None


def named(text: str, titles: Sequence[str]) -> Optional[int]:
    """The place of the one button among ``titles`` that ``text`` names by its first word and nothing else.

    "Keep it" is "Keep for my plan"; "what should I keep in mind" is none.
    """
    words = [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in _NOT_NAMING]
    found = [place for place, title in enumerate(titles) if words and _of_title(words, title)]
    return found[0] if len(found) == 1 else None


def _of_several(tracker: DialogueStateTracker, text: str) -> Optional[str]:
    """The topic that ``text`` picks where the message before asked several things: "and the second one?"."""
    parts = (tracker.latest_message.parse_data or {}).get("parts") or []
    topics = list(dict.fromkeys(part["topic"] for part in parts if part.get("topic")))
    place = picked(text, len(topics)) if len(topics) > 1 else None
    return None if place is None else topics[place]


def _of_title(words: Sequence[str], title: str) -> bool:
    own = re.findall(r"[a-z0-9]+", title.lower())
    return words[0] == own[0] and set(words) <= set(own)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ContextReader(GraphComponent):
    """Needs the TopicClassifier before it; changes its ``intent`` where the conversation says otherwise.

    - the place of a choice that was offered in the turn before, outside a form: the intent and entities of its button;
      so the name of a button under a letter that was read or under the plan;
    - the place of one of several things that the message before asked: that topic again;
    - after the list of questions, "add ..." and the like change it;
    - right after a word was explained: whether that is bad is ``about_me``, whether an operation is dangerous the topic of
      risks, and a bare "and stenosis?" asks for the next;
    - "what is that?" carries on from what was said before it (``ask_why``);
    - right after an answer "is that common?" asks how often that is, where that is known;
    - a sign taken back, or said to be seen to, where none was told or asked about: what is likely beside that, else
      ``nlu_fallback``.
    """

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ContextReader:
        """Rasa's constructor; see :class:`GraphComponent`."""
        return cls()

    def process(self, messages: List[Message], tracker: Optional[DialogueStateTracker] = None) -> List[Message]:
        """Read each message in its conversation; without one nothing is changed."""
        for message in messages:
            text = str(message.get(TEXT) or "")
            if tracker is None or tracker.active_loop_name or text.startswith("/") or not any(said(tracker)):
                continue
            choices = offered(tracker)
            place = picked(text, len(choices))
            kind, buttons = last_buttons(tracker)
            name = named(text, [button["title"] for button in buttons]) if kind in _NAMED else None
            before = tracker.latest_message.intent_name
            if place is not None:
                _take(message, choices[place]["payload"])
            elif name is not None:
                _take(message, buttons[name]["payload"])
            elif (topic := _of_several(tracker, text)) is not None:
                _take(message, '/faq{"topic":"%s"}' % topic)
            elif _ADD.fullmatch(text) or (before in _LISTED and _EDIT.fullmatch(text)):
                _take(message, "/edit_questions")
            elif _WHAT_IS_THAT.fullmatch(text):
                _take(message, "/ask_why")
            elif before == "explain_term" and _asks_the_risks(tracker, text):
                _take(message, '/faq{"topic":"surgery_risks"}')
            elif before == "faq" and _HOW_COMMON.fullmatch(text) and (payload := _how_often(tracker)):
                _take(message, payload)
            elif before == "explain_term" and (meant := _after_a_word(message, text)):
                message.set(INTENT, {"name": meant, "confidence": 1.0}, add_to_output=True)
            elif (message.get(INTENT) or {}).get("name") in STOOD_DOWN and not _warned(tracker):
                _leave_out(message)
        return messages


def _asks_the_risks(tracker: DialogueStateTracker, text: str) -> bool:
    """Whether ``text`` asks if the operation is dangerous whose name was just explained."""
    explained = str(tracker.latest_message.text or "")
    return bool(_OF_THE_WORD.fullmatch(text) and _DANGER.search(text) and _OPERATION.search(explained))


def _how_often(tracker: DialogueStateTracker) -> str:
    """The payload that tells how often that is which was just spoken of; "" where nothing is known of it."""
    topic = str(tracker.get_slot("last_topic") or "")
    answer = content().answers.get(topic)
    if answer is None or not answer.how_often:
        return ""
    return "/tell_more" if answer.how_often == topic else '/faq{"topic":"%s"}' % answer.how_often


def _after_a_word(message: Message, text: str) -> str:
    """The intent of ``text`` right after a word was explained; "" where it speaks for itself."""
    if _OF_THE_WORD.fullmatch(text):
        return "about_me"
    sure = (message.get("understanding") or {}).get("level") == "sure"
    plain = sure and float((message.get(INTENT) or {}).get("confidence") or 0.0) >= _OWN_SUBJECT
    return "" if plain or not _ANOTHER_WORD.fullmatch(text) else "explain_term"


def _warned(tracker: DialogueStateTracker) -> bool:
    """Whether a sign was told in this conversation, is being asked about, or was said to be seen to."""
    if any(event.intent_name in STOOD_DOWN for event in said(tracker)):
        return True
    return bool(told(tracker).categories) or tracker.get_slot("clarify_open") in (*questions(), "letter")


def _take(message: Message, payload: str) -> None:
    """Give ``message`` the meaning of a button's ``payload``."""
    name, _, values = payload.lstrip("/").partition("{")
    entities = json.loads("{" + values) if values else {}
    message.set(INTENT, {"name": name, "confidence": 1.0}, add_to_output=True)
    found = [
        {"entity": entity, "value": value, "start": 0, "end": 0, "extractor": "ContextReader"}
        for entity, value in entities.items()
    ]
    message.set(ENTITIES, [*(message.get(ENTITIES) or []), *found], add_to_output=True)


def _leave_out(message: Message) -> None:
    """Give ``message`` the topic that is likely when its first meaning is left out, or say that it was not understood."""
    rest = 1.0 - float(message.get(INTENT)["confidence"])
    topics = message.get("topics") or []
    likely = topics and topics[0]["confidence"] >= max(_NEAR, _SURE * rest)
    name = "faq" if likely else "nlu_fallback"
    message.set(INTENT, {"name": name, "confidence": topics[0]["confidence"] if likely else rest}, add_to_output=True)
    message.set("label", f"faq/{topics[0]['id']}" if likely else None, add_to_output=True)
    understood = {"level": "sure", "topics": [topics[0]["id"]]} if likely else {"level": "none", "topics": []}
    message.set("understanding", {**(message.get("understanding") or {}), **understood}, add_to_output=True)
