"""From a topic to the messages a patient sees. Pure: no Rasa, no I/O but the knowledge files, read once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import Any

from actions.base import Button, Reply
from actions.explaining import explain_message
from knowledge.content import Answer, content
from knowledge.dialogue import dialogue
from knowledge.explain import explain_words
from knowledge.glossary import terms_by_id

WAITING = frozenset({"can_it_wait", "when_useful", "told_surgery", "cancel_operation", "waiting_for_surgery"})
"""Topics whose answer would let somebody wait who was told to get help ..."""
NOT_NOW = "when_not_to_wait"
"""... and the one they get instead."""
MOST_QUOTED = 100
"""Characters of a question that are said back to show which one was meant."""


def asked_topics(message: Mapping[str, Any]) -> list[str]:
    """The topics a parsed message asks about, in the order asked.

    A pressed button names its topic as an entity; a typed message may hold several questions (``parts``), else the
    classifier's first topic counts. Unknown ids (an old button, a forged payload) are left out.
    """
    named = [entity.get("value") for entity in message.get("entities") or [] if entity.get("entity") == "topic"]
    named = named or [part["topic"] for part in message.get("parts") or []]
    named = named or [topic["id"] for topic in (message.get("topics") or [])[:1]]
    return [topic for topic in dict.fromkeys(named) if isinstance(topic, str) and topic in content().answers]


def without_delay(topics: Sequence[str], told: str) -> list[str]:
    """``topics`` as they may be answered after a sign was ``told`` (its tier) that has not been seen to.

    "Can it wait?" is then no question about a planned operation.
    """
    if told not in ("emergency", "urgent"):
        return list(topics)
    return list(dict.fromkeys(NOT_NOW if topic in WAITING else topic for topic in topics))


def runners_up(message: Mapping[str, Any]) -> list[str]:
    """The topics a typed message may have meant instead, nearest first; none for a pressed button."""
    if any(entity.get("entity") == "topic" for entity in message.get("entities") or []):
        return []
    nearest = [topic["id"] for topic in (message.get("topics") or [])[1:3]]
    known = content().answers
    return [topic for topic in nearest if topic in known and known[topic].kind == "answer"]


def answer_topics(topics: Sequence[str], instead: Sequence[str] = (), emergency: str = "") -> list[Reply]:
    """The replies to one message that asks about ``topics``: each answered, the buttons under the last.

    ``instead`` are topics the message may have meant; they are offered before related ones. ``emergency`` is the number
    where the patient is, "" when that is not known.

    Raises KeyError for a topic that is not in the knowledge files.
    """
    if not topics:
        return []
    answers = [content().answer(topic, emergency) for topic in topics]
    words = dialogue().follow_up
    if len(answers) == 1:
        return [Reply(answers[0].short, buttons(answers[0], instead), payload(answers[0]))]
    texts = [
        # A refusal's question is only an example ("Who won the football?"): it is not put into the patient's mouth.
        words.one_of_several.format(question=answer.ask, text=answer.short) if answer.kind == "answer" else answer.short
        for answer in answers
    ]
    # The contract allows one payload a turn: with several questions it speaks of the first, which was asked first.
    last = Reply(texts[-1], buttons(answers[-1], instead), payload(answers[0]))
    return [Reply(words.several), *map(Reply, texts[:-1]), last]


def with_also_asked(replies: Sequence[Reply], message: Mapping[str, Any]) -> list[Reply]:
    """``replies``, the answers to a message, with something said to each of its questions that they leave out.

    A word is explained, another wish is offered as a button, and what nobody understood is owned up to, with what it may
    mean. ``replies`` are not empty; the buttons stay under the last of all.
    """
    explained, missed, offered = [], [], list[Button]()
    for also in message.get("also_asked") or []:
        start, end = also["text_span"]
        part = str(message.get("text") or "")[start:end].strip(" ,.")
        if also["intent"] == "explain_term":
            explained += [Reply(reply.text) for reply in explain_message({"text": part})]
        elif also["intent"] in explain_words().leave:
            offered.append(Button(explain_words().leave[also["intent"]], f"/{also['intent']}"))
        elif also["intent"] is None:
            said = dialogue().follow_up.not_this_part
            missed.append(Reply(said.format(part=shorten(part, MOST_QUOTED, placeholder=" ..."))))
            offered += [ask_button(topic) for topic in also["topics"][:2] if topic in content().answers]
    under = (*offered, *replies[-1].buttons)
    answers = [*replies[:-1], replace(replies[-1], buttons=()), *missed]
    return [*explained, *answers[:-1], replace(answers[-1], buttons=under)]


def heard_fear(text: str, said_before: Iterable[str]) -> list[Reply]:
    """A kind word before the answer to who tells of fear in the question, once in a conversation."""
    words = dialogue().afraid
    afraid = re.search(words.said, text, re.IGNORECASE) and words.say not in said_before
    return [Reply(words.say)] if afraid else []


def refuse_again(topic: str, last_said: Sequence[str], emergency: str = "") -> list[Reply]:
    """The reply when what was refused is asked for again: what else there is to say of it, in words not just said.

    ``last_said`` are the texts of the assistant's last turns: of a medicine, say, its warning is never left out for long.
    """
    words, answer = dialogue(), content().answer(topic, emergency)
    wordings = [words.refused_more.format(text=answer.more)]
    wordings += [words.refused_again.format(text=text) for text in (answer.for_me, answer.short) if text]
    text = next((text for text in wordings if text not in last_said), wordings[0])
    return [Reply(text, menu(), payload(answer))]


def buttons(answer: Answer, instead: Sequence[str] = ()) -> tuple[Button, ...]:
    """What to offer under an answer: more, its source, a word it uses, related questions."""
    words, glossary = dialogue().buttons, terms_by_id()
    offered = [Button(words.more, "/tell_more")] if answer.more else []
    if answer.sources:
        offered.append(Button(words.source, "/ask_source"))
    if answer.offer:
        offered.append(Button(dialogue().offers[answer.offer], f"/{answer.offer}"))
    terms = [glossary[term] for term in answer.terms if term in glossary and not glossary[term].everyday]
    offered += [Button(f'What is "{term.name}"?', f'/explain_term{{"term":"{term.id}"}}') for term in terms[:1]]
    questions = [topic for topic in dict.fromkeys([*instead, *answer.related]) if topic != answer.id]
    return (*offered, *map(ask_button, questions[: max(3, len(instead) + 1)]))


def ask_button(topic: str) -> Button:
    """The button that asks about ``topic``. Raises KeyError for a topic that is not in the knowledge files."""
    return Button(content().answers[topic].ask, f'/faq{{"topic":"{topic}"}}')


def payload(answer: Answer) -> dict[str, Any]:
    """The reply contract's ``answer`` or ``out_of_scope`` payload."""
    if answer.kind == "out_of_scope":
        return {"kind": "out_of_scope", "topic": answer.id}
    sources = [{"id": source.id, "title": source.title} for source in content().cited(answer)]
    for source in sources:
        source["title"] = source["title"].format(clinic=content().clinic)
    return {"kind": "answer", "topic": answer.id, "sources": sources, "reviewed": answer.reviewed.isoformat()}


def follow_up(
    kind: str, topic: str | None, last_said: Sequence[str], emergency: str = "", *, other: bool = False
) -> list[Reply]:
    """The replies to a follow-up, in words not just said.

    Args:
        kind: ``tell_more``, ``ask_source``, ``ask_why``, ``about_me``, ``simpler``, ``repeat``, ``affirm``, ``noted``,
            ``deny`` or ``unsure``.
        topic: the topic answered last, or None.
        last_said: the texts of the assistant's last turn.
        emergency: the number where the patient is, "" when that is not known.
        other: whether ``about_me`` was asked for another person ("and for my mum?").
    """
    words, phone = dialogue().follow_up, content().clinic.phone
    no_more, no_simpler = words.no_more.format(phone=phone), words.no_simpler.format(phone=phone)
    if kind == "repeat":
        return [Reply(text) for text in last_said] or [Reply(words.nothing_to_repeat)]
    if kind == "deny":
        return [Reply(words.okay, menu())]
    if kind == "noted":
        return [Reply(words.noted, buttons(content().answers[topic]) if topic in content().answers else menu())]
    if topic not in content().answers:
        fitting = {"affirm": words.anything_else, "about_me": words.for_me}
        return [Reply(fitting.get(kind, words.nothing_yet), menu())]
    answer = content().answer(topic, emergency)
    others = tuple(button for button in buttons(answer) if button.payload not in ("/tell_more", "/" + kind))
    simpler = words.simpler.format(text=first_sentences(answer.short, 2))
    meant = [text for text in (answer.for_me, words.for_me) if text]
    ways = {
        "ask_source": [content().where_from(answer) if answer.sources else ""],
        "about_me": [words.for_other.format(text=text) for text in meant] if other else meant,
        "simpler": [simpler, no_simpler],
        "ask_why": [answer.why, answer.more],
    }
    text = next((text for text in ways.get(kind, [answer.more]) if text and text not in last_said), no_more)
    return [Reply(text, others, payload(answer))]


def last_turn(events: Sequence[Mapping[str, Any]], count: int = 1) -> list[str]:
    """The texts the assistant said in the ``count`` turns before this one, oldest first."""
    said: list[str] = []
    turns = 0
    for event in reversed(events):
        if event.get("event") == "user":
            turns += 1
            if turns > count:
                break
        elif event.get("event") == "bot" and turns >= 1 and event.get("text"):
            said.append(event["text"])
    return said[::-1]


def said_of(topic: str | None, last_said: Sequence[str], emergency: str = "") -> bool:
    """Whether what was said last was about ``topic``, so that a yes asks for more of it."""
    if topic not in content().answers:
        return False
    answer = content().answer(topic, emergency)
    parts = [part for part in (first_sentences(answer.short, 2), answer.more, answer.why, answer.for_me) if part]
    return any(part in text for part in parts for text in last_said)


def earlier_intents(events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the intents of the messages before the latest, newest first; "" where one had none."""
    said = [event.get("parse_data") or {} for event in events if event.get("event") == "user"]
    yield from (str((parsed.get("intent") or {}).get("name") or "") for parsed in reversed(said[:-1]))


def last_kind(events: Sequence[Mapping[str, Any]]) -> str:
    """The kind of the assistant's last reply (reply contract), "" when it had none."""
    last: Mapping[str, Any] = next((event for event in reversed(events) if event.get("event") == "bot"), {})
    return str(((last.get("data") or {}).get("custom") or {}).get("kind") or "")


def menu() -> tuple[Button, ...]:
    """The way back that every dead end offers."""
    words = dialogue().buttons
    return (Button(words.menu, "/menu"), Button(words.human, "/human"))


def first_sentences(text: str, count: int) -> str:
    return " ".join(re.split(r"(?<=[.!?])\s+", text)[:count])
