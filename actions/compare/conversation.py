"""The guided conversation about two opinions: what is asked next, and what an answer means. Pure.

The state is plain data: ``answers`` (question id to value or words), ``asking`` (the question on the table), ``letter``
(what a pasted letter would fill in, until the patient confirms it), ``misses`` (messages in a row that did not fit the
question) and ``done``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from actions.base import Button, Reply
from actions.compare.compare import label
from actions.compare.told import Which, names_opinion, same_as_first, tell
from actions.report.reader import Reading, quote
from actions.wishes import wants_restart, wants_to_ask
from bot.question_splitter import questions as asked
from knowledge.explain import CompareQuestion, compare_words

WHICH: tuple[Which, Which] = ("first", "second")
CONFIRM, TEACH_BACK = "letter_confirm", "teach_back"
UNKNOWN = "unknown"
SHORT = 8
DIAGNOSIS_WORDS = 20
_SHOWN = frozenset({"show_plan", "ask_questions_list", "edit_questions"})
_NO_ANSWERS = _SHOWN | {"resume", "mistake", "start_compare"}
_ASKING = {"faq", "explain_term", "human", "menu"}
_COMMANDS = {"skip": "skip", "unsure": "skip", "go_back": "back", "stop": "stop", "ask_why": "why"}
_NOT_KNOWN = re.compile(
    r"^\W*(?:(?:i )?(?:don.?t|do not) (?:know|remember)|not sure|no idea|unsure|idk|dunno|can.?t (?:say|remember)"
    r"|unknown|\?+)\W*$",
    re.I,
)
_NO_NAME = re.compile(r"^\W*(?:yes|an?|the|just|to|operate|operation|surgery|op|he|she|they|said|says|\W)+$", re.I)
"""To the question which operation: that there is to be one is known."""
_YES = re.compile(r"^\W*(?:yes|yep|yeah|y|right|correct|ok|okay|true|that.?s right|exactly|sure)\b", re.I)
_BARE = re.compile(
    r"\W*(?:(?:yes|yep|yeah|ok|okay|sure|no|nope|thanks|thank you|please|right|hm+|good|fine)\b\W*)+$", re.I
)
_NO = re.compile(r"^\W*(?:no|nope|n|wrong|not (?:right|correct|quite)|false|nah)\b", re.I)


@dataclass
class State:
    """Where the conversation stands. Made from and turned into plain data for the store."""

    answers: dict[str, str] = field(default_factory=dict)
    asking: str = ""
    letter: dict[str, str] = field(default_factory=dict)
    done: bool = False
    misses: int = 0

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> State:
        return cls(**plain) if plain else cls()


@dataclass(frozen=True)
class Step:
    """What came of a message: replies to it, whether the conversation is over, or that the message was no answer."""

    replies: tuple[Reply, ...] = ()
    over: bool = False
    stopped: bool = False
    digression: bool = False


def questions() -> Iterable[tuple[str, CompareQuestion, Which | None]]:
    """Every question in the order asked: id, its data, and of which opinion."""
    each = [item for item in compare_words().questions if item.per_opinion]
    for which in WHICH:
        for item in each:
            yield f"{which}_{item.id}", item, which
    for item in compare_words().questions:
        if not item.per_opinion:
            yield item.id, item, None


def begin(state: State, opening: str, readings: Sequence[Reading] = ()) -> tuple[Reply, ...]:
    """Start, or carry on.

    Args:
        opening: the message that asked for it, or told both opinions before; what it already tells is taken from it.
        readings: the letters read before, oldest first. The last two are taken for the two opinions, to be confirmed.
    """
    words = compare_words()
    if (state.answers or state.letter) and not state.done:
        return (Reply(words.resumed),)
    told = {} if opening.startswith("/") else tell(opening, "first")
    state.answers, state.letter, state.done = told, {}, False
    for which, reading in zip(WHICH, readings[-2:], strict=False):
        state.letter |= from_letter(which, reading)
    noted = (Reply(words.noted.format(lines="\n".join(_under_opinions(told)))),) if told else ()
    return (Reply(words.intro), *noted)


def ask(state: State) -> Reply:
    """The next question; sets ``state.asking``."""
    words = compare_words()
    if state.letter:
        state.asking = CONFIRM
        lines = "\n".join(_under_opinions(state.letter))
        buttons = tuple(Button(words.buttons[name], words.buttons[name]) for name in ("right", "wrong"))
        return Reply(words.from_letter.format(lines=lines), buttons)
    for key, item, which in _open(state):
        state.asking = key
        skip = Button(words.buttons["skip"], "/skip")
        choices = tuple(Button(choice.label, choice.label) for choice in item.choices)
        return Reply(item.ask.format(which=which), (*choices, skip))
    state.asking = TEACH_BACK
    return Reply(words.teach_back.ask, (Button(words.buttons["skip"], "/skip"),))


def all_asked(state: State) -> bool:
    """Whether both opinions have been told."""
    return not state.letter and not any(_open(state))


def _open(state: State) -> Iterable[tuple[str, CompareQuestion, Which | None]]:
    """The questions still to be asked, in order."""
    return (
        (key, item, which)
        for key, item, which in questions()
        if key not in state.answers and _applies(item, which, state)
    )


def take(state: State, text: str, intent: str, reading: Reading | None, *, emergency_number: str) -> Step:
    """What ``text`` means for the question on the table; changes ``state``.

    Args:
        intent: what the classifier took the message for.
        reading: the message read as a letter, when it is long enough to be one.
    """
    words = compare_words()
    command = _COMMANDS.get(intent) if text.startswith("/") or len(text.split()) <= 5 else None
    if _NOT_KNOWN.match(text):
        command = "skip"
    if command == "stop":
        return Step((Reply(words.stopped),), over=True, stopped=True)
    if wants_restart(text):
        state.answers, state.letter, state.asking, state.misses = {}, {}, "", 0
        return Step((Reply(words.restarted),))
    if wants_to_ask(text):
        return Step((Reply(words.ask_first),))
    if state.asking == TEACH_BACK:
        return _check(state, text, command, emergency_number)
    if state.asking == CONFIRM:
        return _confirm(state, text, intent)
    item, which = _question(state.asking)
    if command == "why":
        return Step((Reply(words.why.format(why=item.why)),))
    if command == "back":
        return _back(state)
    if command == "skip":
        state.answers[state.asking] = UNKNOWN
        return Step((Reply(words.skipped),))
    if reading is not None and which:
        if reading.kind != "letter":
            return Step((Reply(words.letter_unread),))
        if which == "first" and "first_diagnosis" in state.answers and "first_need" in state.answers:
            which = "second"  # all that a letter can tell of the first opinion is known
        state.letter = {key: value for key, value in from_letter(which, reading).items() if key not in state.answers}
        return Step() if state.letter else Step((Reply(words.letter_silent),))
    told = {} if text.startswith("/") else _told(state, text, which)
    asks = text.rstrip().endswith("?") or (not told and _is_question(text))
    value = _answer(item, text, told, state.asking)
    if which == "second" and same_as_first(text):
        value = state.answers.get(f"first_{item.id}", UNKNOWN)
    elif not item.choices and item.id != "tried" and (asks or _BARE.match(text)):
        value = None  # a question, or a bare "ok", is no diagnosis
    also = _also(state, told, changes=value is None or names_opinion(text))
    # A choice that was understood is an answer, whatever the classifier takes its words for.
    if intent in _NO_ANSWERS and len(text.split()) <= SHORT and not (item.choices and value) and not also:
        return Step(digression=intent in _SHOWN)
    if asks and intent in _ASKING and not (item.choices and value and not text.rstrip().endswith("?")):
        value = told.get(state.asking)
    if value is not None:
        state.answers[state.asking] = value
    state.answers.update(also)
    noted = (Reply(words.noted.format(lines="\n".join(_under_opinions(also)))),) if also else ()
    if value is not None or also:
        state.misses = 0
        return Step(noted, digression=asks and intent in _ASKING)
    if intent == "affirm" or _YES.fullmatch(text.strip(" .!")):
        return Step((Reply(words.go_on),))  # to "Is that not right?" of what was noted
    if intent == "faq" and not asks and len(text.split()) <= SHORT:
        return Step((missed(state),))  # "worn disc" is no question, whatever topic it comes near
    return Step(digression=True)


def _told(state: State, text: str, which: Which | None) -> dict[str, str]:
    """What ``text`` tells. Somebody of another kind than the first doctor is the second one."""
    told = tell(text, which or "second")
    first = state.answers.get("first_who", UNKNOWN)
    if which == "first" and not names_opinion(text) and first != UNKNOWN and told.get("first_who", first) != first:
        return tell(text, "second")
    return told


def _answer(item: CompareQuestion, text: str, told: dict[str, str], asking: str) -> str | None:
    """The answer that ``text`` is to the question on the table; None when it is none, or one to another question."""
    plain, names = told.get(asking), names_opinion(text)
    others = told.keys() - {asking}
    if item.choices:
        loose = names or (others and len(text.split()) > SHORT)
        return plain or (None if loose else understand(item, text))
    of_problem = others <= {asking.replace("reasons", "diagnosis")}
    long = len(text.split()) > SHORT and not {"matters", "tried"} & others
    if item.id == "reasons" and not names and (of_problem or long):
        return understand(item, text)  # whatever the reasons speak of: "the nerves are squashed"
    if plain:
        return plain if others else understand(item, text)
    if others or (item.id == "operation" and _NO_NAME.match(text)):
        return None
    return understand(item, text)


def _also(state: State, told: dict[str, str], *, changes: bool) -> dict[str, str]:
    """What ``told`` answers besides the question on the table: what is still open, or all of it if it ``changes``."""
    reasons = state.asking.partition("_")[2] == "reasons"
    return {
        key: value
        for key, value in told.items()
        if key != state.asking and state.answers.get(key) != value
        if changes or state.answers.get(key, UNKNOWN) == UNKNOWN
        if not (reasons and key.endswith("_diagnosis") and not changes)  # the problem is a reason then, not its name
    }


def missed(state: State) -> Reply:
    """What to say to a message that did not fit; the third in a row leaves the question out."""
    words = compare_words()
    state.misses += 1
    if state.misses < 3 or state.asking in (CONFIRM, TEACH_BACK):
        choose = state.asking in (CONFIRM, TEACH_BACK, "") or _question(state.asking)[0].choices
        return Reply(words.again if choose else words.again_in_words)
    state.answers[state.asking], state.misses = UNKNOWN, 0
    return Reply(words.left_out)


def is_answer(state: State, text: str) -> bool:
    """Whether ``text`` plainly answers the question on the table, or is said to it: it cannot be a wish to go elsewhere."""
    if wants_restart(text) or wants_to_ask(text):
        return True
    if state.asking == TEACH_BACK:
        return not text.startswith("/")
    if state.asking in ("", CONFIRM):
        return False
    item, _ = _question(state.asking)
    return bool(item.choices) and understand(item, text) is not None


def understand(item: CompareQuestion, text: str) -> str | None:
    """The value ``text`` gives for ``item``: a choice by number, label or wording, or the words; None if unclear."""
    text = " ".join(text.split())
    if not item.choices:
        return text[:300] if re.search(r"\w", text) and not text.startswith("/") else None
    plain = text.lower().strip(" .!")
    if plain.isdigit() and 0 < int(plain) <= len(item.choices):
        return item.choices[int(plain) - 1].value
    best: tuple[int, str] | None = None
    for choice in item.choices:
        for said in (choice.label.lower(), choice.value, *choice.said):
            if _wording(said).search(plain) and (best is None or len(said) > best[0]):
                best = len(said), choice.value
    return best[1] if best else None


@cache
def _wording(said: str) -> re.Pattern[str]:
    """``said`` with up to two other words between its own: "looked at scans" is in "looked at my MRI scans"."""
    gap = r"(?:\W+\w+){0,2}?\W+"
    return re.compile(r"(?<!\w)" + gap.join(re.escape(word) for word in said.split()) + r"(?!\w)")


def from_letter(which: Which, reading: Reading) -> dict[str, str]:
    """The answers a letter gives for one opinion; nothing is guessed that it does not say."""
    advice = reading.recommendation
    need = {"operate": "yes", "no_operation": "no", "non_surgical": "no", "conditional": "maybe"}.get(advice.stance)
    need = need if advice.sure else None
    found = {element.id: element for element in reading.found}
    told: dict[str, str] = {}
    diagnosis = found.get("diagnosis")
    if diagnosis and diagnosis.sentence:
        told["diagnosis"] = quote(reading.letter, diagnosis.sentence, diagnosis.at, DIAGNOSIS_WORDS)
    if need:
        told["need"] = need
    if need in ("yes", "maybe") and advice.operations:
        names = ", ".join(operation.name for operation in advice.operations)
        levels = ", ".join(level.said for level in advice.levels)
        told["operation"] = f"{names} at {levels}" if levels else names
    return {f"{which}_{key}": value for key, value in told.items()}


def _check(state: State, text: str, command: str | None, emergency_number: str) -> Step:
    """The teach-back: never a score; said once more in other words when the key act is missing."""
    words = compare_words().teach_back
    state.done = True
    good = command != "skip" and re.search(words.acts, text, re.I)
    return Step((Reply(words.good if good else words.again.format(emergency_number=emergency_number)),), over=True)


def _confirm(state: State, text: str, intent: str) -> Step:
    words = compare_words()
    if intent == "affirm" or _YES.match(text):
        about = {key.partition("_")[0] for key in state.letter}
        state.answers.update(state.letter)
        state.letter = {}
        of_next = next((which for _, _, which in _open(state)), None)
        turns_back = of_next == "first" and about == {"second"}  # or the next question seems to be about the letter
        return Step((Reply(words.letter_confirmed + (f" {words.back_to_first}" if turns_back else "")),))
    if intent == "deny" or _NO.match(text):
        state.letter = {}
        return Step((Reply(words.letter_dropped),))
    return Step(digression=True)


def _back(state: State) -> Step:
    asked = [key for key, _, _ in questions()]
    before = [key for key in asked[: asked.index(state.asking)] if key in state.answers]
    if not before:
        return Step((Reply(compare_words().nothing_back),))
    del state.answers[before[-1]]
    return Step()


def _question(key: str) -> tuple[CompareQuestion, Which | None]:
    return next((item, which) for name, item, which in questions() if name == key)


def _under_opinions(told: dict[str, str]) -> Iterable[str]:
    """What was told, as lines to be confirmed, under the opinion each belongs to; what belongs to neither comes last."""
    for which in (*WHICH, ""):
        lines = [(key, item) for key, item, of in questions() if key in told and (of or "") == which]
        if lines and which:
            yield f"{compare_words().which[which]}:"
        for key, item in lines:
            yield f"- {item.label}: {label(item.id, told[key])}"


def _applies(item: CompareQuestion, which: Which | None, state: State) -> bool:
    return not item.only_if_need or state.answers.get(f"{which}_need") in item.only_if_need


def _is_question(text: str) -> bool:
    return text.startswith("/") or bool(asked(text))
