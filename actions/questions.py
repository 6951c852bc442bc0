"""The list of questions to ask: built from everything said so far, ordered, at most ten, editable in words. Pure.

Which question fits which facts is data (``knowledge/en/questions.yml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from actions.base import Button, Reply
from actions.compare.compare import compare
from actions.spine_terms import procedures
from actions.workspace import LetterNote, Workspace
from bot.question_splitter import questions as asked_in
from knowledge.explain import question_words

MOST = 10
UNDO_STEPS = 10


@dataclass(frozen=True)
class Item:
    """A question on the list; ``id`` is "" for one the patient added."""

    id: str
    ask: str
    why: str


@dataclass(frozen=True)
class Edit:
    """What a message asks to change: ``drop`` the numbers given, ``add`` the words given, ``move`` the first number to the
    place of the second, ``swap`` both, ``undo`` the change before, or put all back."""

    kind: Literal["drop", "add", "move", "swap", "undo", "restore"]
    numbers: tuple[int, ...] = ()
    text: str = ""


def decision_flags(events: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The decision flags heard in a conversation (Rasa events), each once."""
    heard = (
        flag
        for event in events
        if event.get("event") == "user"
        for flag in (event.get("parse_data") or {}).get("decision_flags") or []
    )
    return tuple(dict.fromkeys(str(flag) for flag in heard))


def facts(space: Workspace, letters: Iterable[LetterNote], flags: Iterable[str]) -> frozenset[str]:
    """The facts questions are picked by (listed in ``questions.yml``)."""
    found: set[str] = {"always", *(f"flag:{flag}" for flag in flags)}
    for letter in letters:
        found |= {f"missing:{element}" for element in letter.missing}
        found |= {f"unclear:{kind}" for kind in letter.mismatches}
        found |= {f"operation:{name}" for operation in letter.operations for name in _family(operation)}
        if letter.stance == "operate":
            found.add("advice:operate")
            if not letter.operations or not letter.levels:
                found.add("missing:operation")
    answers = space.compare.get("answers") or {}
    if answers:
        compared = compare(answers)
        found |= {f"differs:{kind}" for kind in compared.differences}
        found |= {"advice:operate"} if "need_yes" in compared.facts else set()
        found |= {"operation:fusion"} if "one_fusion" in compared.facts else set()
        found |= {"goal"} if "matters_known" in compared.facts else set()
    return frozenset(found)


def _family(operation: str) -> tuple[str, ...]:
    known = {item.id: item for item in procedures().procedures}
    broader = known[operation].kind_of if operation in known else None
    return (operation, broader) if broader else (operation,)


def build(space: Workspace, letters: Iterable[LetterNote], flags: Iterable[str]) -> tuple[Item, ...]:
    """The questions that fit, most important first, without those dropped; the patient's own are never cut off."""
    known = facts(space, letters, flags)
    matters = (space.compare.get("answers") or {}).get("matters", "")
    own = [Item("", text, question_words().added_why) for text in space.added]
    fitting = [
        Item(question.id, question.ask.format(matters=matters.rstrip(". ")), question.why)
        for question in question_words().questions
        if question.id not in space.dropped and known & set(question.when)
    ]
    chosen = fitting[: MOST - len(own)] + own
    place = {key: number for number, key in enumerate(space.order)}
    return tuple(sorted(chosen, key=lambda item: place.get(item.id or item.ask, len(place))))


_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_CARDINALS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_NUMBERS = {word: number for words in (_ORDINALS, _CARDINALS) for number, word in enumerate(words, 1)}
_DROP = re.compile(
    r"\b(?:drop|remove|delete|take (?:off|out|away)|leave out|cross (?:off|out)|skip|lose|get rid of|scrap)\b(.*)",
    re.I | re.S,
)
_ADD = re.compile(
    r"^\W*(?:(?:please|can you|could you|i want to|i'd like to|also|and)\s+)*(?:add|put (?:in|on)|include|write down(?!\s+(?:my|the|some|all)\s+questions\b))\b"
    r"[:,]?\s*(?:this|one|(?:a|the|my) question)?[:,]?\s*(?:(?:on|to) (?:the|my) list)?[:,]?\s*(.+)",
    re.I | re.S,
)
_RESTORE = re.compile(
    r"\b(?:put (?:them |it )?(?:all )?(?:(?:the |my )?questions )?back|restore|whole list|start over|reset)\b", re.I
)


_PLACE = r"(?:\d+(?:st|nd|rd|th)?|last|top|start|front|beginning|end|bottom|" + "|".join(_NUMBERS) + ")"
_MOVE = re.compile(
    rf"\b(?:move|put|make|bring|place|shift)\s+(?:(?:the|number|question|my)\s+)*({_PLACE}|it|that|this)(?:\s+(?:one|question))?"
    rf"\s+(?:up\s+|down\s+)?(?:to\s+|be\s+|at\s+|as\s+|in\s+)?(?:(?:the|number|place|position|very)\s+)*({_PLACE})\b",
    re.I,
)
_SWAP = re.compile(
    rf"\bswap\s+(?:(?:the|number|question)\s+)*({_PLACE})\s+(?:and|with)\s+(?:(?:the|number|question)\s+)*({_PLACE})\b",
    re.I,
)
_UNDO = re.compile(
    r"^\W*(?:(?:please|can you|no|oops|sorry)[\s,]+)*(?:undo|take (?:it|that) back|put (?:it|that|the last one) back|go back|back)\b",
    re.I,
)


def _place(word: str, count: int) -> int:
    """The number of a place said as "3", "third", "top" or "last" in a list of ``count``."""
    digits = re.match(r"\d+", word)
    if digits:
        return int(digits.group())
    if word.lower() in ("last", "end", "bottom", "it", "that", "this"):
        return count  # what was added a moment ago stands at the end
    return _NUMBERS.get(word.lower(), 1)


def edit_of(text: str, count: int) -> Edit | None:
    """What ``text`` asks to change in a list of ``count`` questions; None when it asks for no change."""
    if _UNDO.search(text):
        return Edit("undo")
    for kind, pattern in (("move", _MOVE), ("swap", _SWAP)):
        moved = pattern.search(text)
        if moved:
            return Edit(kind, (_place(moved.group(1), count), _place(moved.group(2), count)))  # type: ignore[arg-type]
    added = _ADD.match(text)
    if added and added.group(1).strip(" .\"'"):
        return Edit("add", text=added.group(1).strip(" \"'")[:200])
    if _RESTORE.search(text):
        return Edit("restore")
    dropped = _DROP.search(text)
    if not dropped:
        return None
    rest = dropped.group(1).lower()
    numbers = [int(number) for number in re.findall(r"\d+", rest)]
    numbers += [
        _NUMBERS[word] for word in re.findall(r"[a-z]+", rest) if word in _NUMBERS and not (word == "one" and numbers)
    ]
    if re.search(r"\blast\b", rest):
        numbers.append(count)
    if len(numbers) > 1 and "one" in rest.split() and 1 in numbers and not re.search(r"\b(?:first|1)\b", rest):
        numbers.remove(1)  # "the third one"
    return Edit("drop", tuple(dict.fromkeys(numbers)))


def change(space: Workspace, items: Sequence[Item], edit: Edit) -> str:
    """Carry out ``edit`` on ``space`` and return what to say about it."""
    words = question_words()
    if edit.kind == "undo":
        if not space.undo:
            return words.nothing_to_undo
        space.dropped, space.added, space.order = space.undo.pop()
        return words.undone
    before = [list(space.dropped), list(space.added), list(space.order)]
    said = _change(space, items, edit)
    if before != [space.dropped, space.added, space.order]:
        space.undo = [*space.undo, before][-UNDO_STEPS:]
    return said


def _change(space: Workspace, items: Sequence[Item], edit: Edit) -> str:
    words = question_words()
    if edit.kind == "restore":
        space.dropped, space.added, space.order = [], [], []
        return words.restored
    if edit.kind == "add":
        if len(space.added) >= MOST:
            return words.full
        space.added.append(_as_question(edit.text))
        return words.added
    if not edit.numbers or any(not 0 < number <= len(items) for number in edit.numbers):
        return words.no_such.format(count=len(items)) if edit.numbers else words.not_understood
    if edit.kind in ("move", "swap"):
        space.order = _moved([item.id or item.ask for item in items], edit)
        return words.moved
    for number in edit.numbers:
        item = items[number - 1]
        if item.id:
            space.dropped.append(item.id)
        else:
            space.added.remove(item.ask)
    return words.dropped.format(questions=" ".join(f"\u201c{items[number - 1].ask}\u201d" for number in edit.numbers))


def _as_question(text: str) -> str:
    """The patient's words as they stand in a list: "will i be able to swim" is "Will I be able to swim?"."""
    text = re.sub(r"(?<![\w.])i(?=$|[\s'\u2019?])", "I", text)
    mark = "?" if text[-1].isalnum() and asked_in(text) else ""
    return text[0].upper() + text[1:] + mark


def _moved(keys: list[str], edit: Edit) -> list[str]:
    """``keys`` in their new order."""
    first, second = (number - 1 for number in edit.numbers)
    if edit.kind == "swap":
        keys[first], keys[second] = keys[second], keys[first]
    else:
        keys.insert(second, keys.pop(first))
    return keys


def question_replies(items: Sequence[Item], said: str = "") -> list[Reply]:
    """The list as messages of at most five questions; ``said`` comes first."""
    words = question_words()
    replies = [Reply(said)] if said else []
    offers = (
        Button(words.buttons["plan"], "/show_plan"),
        Button(words.buttons["letter"], "/start_report"),
        Button(words.buttons["compare"], "/start_compare"),
    )
    if not items:
        return [*replies, Reply(words.empty, offers)]
    lines = [words.item.format(number=number, ask=item.ask, why=item.why) for number, item in enumerate(items, 1)]
    half = (len(lines) + 1) // 2 if len(lines) > 5 else len(lines)
    replies.append(Reply("\n".join([words.intro, *lines[:half]])))
    if lines[half:]:
        replies.append(Reply("\n".join(lines[half:])))
    return [*replies, Reply(words.edit, offers)]
