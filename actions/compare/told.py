"""What a message tells about the two opinions, whatever was asked. Pure.

People tell a story: "the surgeon saw me and wants to fuse L4/5, but the second one only looked at my scan and says wait".
The message is cut where it turns from one opinion to the other, then into clauses, and each clause is looked at for
what it says of each question. Only plain wordings count (``told`` in ``knowledge/en/compare.yml``): what is found is
shown to the patient, who can change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

from actions.compare.compare import conditions
from actions.glossary import find_terms
from actions.report.said import NOT_OPERATIONS
from actions.spine_terms import find_levels, find_procedures
from knowledge.explain import CompareQuestion, compare_words

Which = Literal["first", "second"]
_SENTENCE = re.compile(r"[^.;!?\n]+(?:[.;!?\n]+|$)|[.;!?\n]+")
LONGEST = 14
"""Words of a clause that is kept whole as what an opinion calls the problem; of a longer one only the names are."""


def tell(text: str, which: Which) -> dict[str, str]:
    """Return what ``text`` plainly tells: question id (``first_need``, ``tried``) to a choice's value or the words.

    Args:
        which: the opinion spoken of until the text says otherwise.
    """
    found: dict[str, str] = {}
    for opinion, part in _parts(" ".join(text.split()), which):
        part, own = _own(part)
        found = {**own, **found}
        for clause in _clauses(part):
            told = list(_of_clause(clause))
            who = found.get(f"{opinion}_who", "")
            if who and any(question == "who" and value != who for question, value in told):
                opinion = "second"  # somebody else speaks: "the surgeon wants to operate, my GP says wait"
            opinions: tuple[Which, ...] = ("first", "second") if _pattern("both").match(clause) else (opinion,)
            for key, value in ((f"{each}_{question}", value) for question, value in told for each in opinions):
                if key.endswith("_reasons") and key in found:
                    found[key] = f"{found[key]}; {value}"
                found.setdefault(key, value)
    return found


def same_as_first(text: str) -> bool:
    """Whether ``text`` says of the second opinion only that it is the same as the first."""
    return bool(_pattern("same").match(text))


def names_opinion(text: str) -> bool:
    """Whether ``text`` says which of the two opinions it speaks of."""
    return bool(_turns().search(text))


def _parts(text: str, which: Which) -> Iterator[tuple[Which, str]]:
    """``text`` cut where it turns to the first or the second opinion."""
    start, opinion, ones = 0, which, 0
    for turn in _turns().finditer(text):
        yield opinion, text[start : turn.start()]
        ones += turn.lastgroup == "one"
        opinion = "second" if turn.lastgroup == "second" or ones == 2 else "first"
        start = turn.start()
    yield opinion, text[start:]


def _own(part: str) -> tuple[str, dict[str, str]]:
    """What ``part`` says of the patient's own wishes and of what was tried, to the end of the sentence; and the rest."""
    own: dict[str, str] = {}
    rest = []
    for sentence in _SENTENCE.findall(part):
        starts = {name: found.start() for name in ("matters", "tried") if (found := _pattern(name).search(sentence))}
        if "tried" in starts and not _care().search(sentence.lower()):
            del starts["tried"]
        first = min(starts.values(), default=None)
        if first is not None and not sentence.rstrip().endswith("?"):
            own[min(starts, key=lambda name: starts[name])] = sentence[first:].strip(" .;!")
            sentence = sentence[:first]
        rest.append(sentence)
    return "".join(rest), own


def _clauses(part: str) -> list[str]:
    clauses = (_pattern("dangling").sub("", clause).strip() for clause in _pattern("clause_end").split(part))
    return [clause for clause in clauses if re.search(r"\w", clause)]


def _of_clause(clause: str) -> Iterator[tuple[str, str]]:
    plain = clause.lower()
    if plain.endswith("?") or _pattern("somebody").match(plain):
        return
    told = [*_choices(plain), *_operation(clause, plain)]
    questions = {question for question, _ in told}
    yield from told
    because = _pattern("because").search(plain)
    if because:
        yield "reasons", clause[because.end() :].strip()
        return
    other = {"basis", "operation"} & questions or _pattern("will").search(plain)
    diagnosis = "" if other else _diagnosis(clause)
    if diagnosis:
        yield "diagnosis", diagnosis
    elif not questions and (said := _pattern("said").match(plain)) and len(plain.split()) >= 4:
        yield "reasons", clause[said.end() :].strip()


def _choices(plain: str) -> Iterator[tuple[str, str]]:
    """The choices that ``plain`` names in so many words; of several the later one, which the earlier is part of."""
    for question in compare_words().questions:
        for choice in reversed(question.choices):  # "never examined me" holds "examined me"
            if choice.told and _alternatives(choice.told).search(plain):
                yield question.id, choice.value
                break


def _operation(clause: str, plain: str) -> Iterator[tuple[str, str]]:
    """An operation that is advised, by name and level. That it is advised is an answer of its own."""
    operations = [
        item.procedure.name
        for item in find_procedures(clause)
        if item.procedure.id not in NOT_OPERATIONS and not _pattern("not_advised").search(plain[: item.start])
    ]
    if not operations or not (_pattern("advice").search(plain) or len(plain.split()) <= 6):
        return
    levels = ", ".join(clause[level.start : level.end] for level in find_levels(clause))
    named = ", ".join(operations)
    yield "operation", f"{named} at {levels}" if levels else named
    if not any(question == "need" for question, _ in _choices(plain)):
        yield "need", "yes"


def _diagnosis(clause: str) -> str:
    """The problem that ``clause`` names, in its own words without who says so; empty when it names none."""
    if not conditions(clause):
        return ""
    said = _pattern("said").match(clause.lower())
    words = clause[said.end() :].strip() if said else clause
    return words if len(words.split()) <= LONGEST else ", ".join(span.said for span in find_terms(words))


def _question(name: str) -> CompareQuestion:
    return next(question for question in compare_words().questions if question.id == name)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(compare_words().told[name], re.IGNORECASE)


@cache
def _turns() -> re.Pattern[str]:
    told = compare_words().told
    return re.compile("|".join(f"(?P<{name}>{told[name]})" for name in ("first", "second", "one")), re.IGNORECASE)


@cache
def _alternatives(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<!\w)(?:{pattern})(?!\w)" for pattern in patterns))


@cache
def _care() -> re.Pattern[str]:
    return re.compile(compare_words().signs["tried_care"])
