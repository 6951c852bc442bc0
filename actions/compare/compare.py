"""Compares two opinions. Pure: from the answers to what agrees, what differs, likely reasons, evidence and what to ask.

The rules are data (``knowledge/en/compare.yml``): every remark names the facts it needs. The facts this module draws
from the answers: ``differ_<kind>``, ``agree_<kind>`` for diagnosis, need, type and timing, ``differ_any``;
``one_records``, ``both_records``, ``any_records``; ``different_fields``; ``insurer``; ``need_yes``, ``need_no``;
``one_fusion``; ``one_now``; ``reason_scan``, ``reason_nerve``; ``tried_little``, ``tried_much``; ``matters_known``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from actions.glossary import find_terms
from actions.report.elements import is_negated
from actions.report.rules import report_rules
from actions.report.said import NOT_OPERATIONS
from actions.spine_terms import find_levels, find_procedures
from knowledge.explain import Remark, compare_words

Kind = Literal["diagnosis", "need", "type", "timing"]
Answers = Mapping[str, str]
"""Question ids (``first_need``, ``tried``) to what was answered: a choice's value or the patient's words."""

FIELDS = {"spine_surgeon": "surgeon", "neurosurgeon": "surgeon", "orthopaedic": "surgeon"}


@dataclass(frozen=True)
class Point:
    """One thing both opinions speak to. ``verdict`` is "unclear" when the words given do not tell."""

    kind: Kind
    verdict: Literal["agree", "differ", "unclear"]
    first: str
    second: str

    @property
    def text(self) -> str:
        words = compare_words().kinds[self.kind]
        return str(getattr(words, self.verdict)).format(both=self.first, first=self.first, second=self.second)


@dataclass(frozen=True)
class Comparison:
    """What follows from both opinions; all texts are ready to be said."""

    points: tuple[Point, ...]
    facts: frozenset[str]
    reasons: tuple[str, ...]
    evidence: tuple[Remark, ...]
    settle: tuple[str, ...]
    ask: tuple[str, ...]

    @property
    def differences(self) -> tuple[Kind, ...]:
        return tuple(point.kind for point in self.points if point.verdict == "differ")


def compare(answers: Answers) -> Comparison:
    """Compare the two opinions in ``answers``; questions left out or answered "unknown" make no point."""
    points = tuple(point for point in (_diagnosis(answers), _need(answers), _type(answers), _timing(answers)) if point)
    facts = frozenset(_facts(answers, points))
    words = compare_words()
    matters = _given(answers, "matters")
    reasons = tuple(remark.text.format(matters=matters) for remark in words.reasons if _holds(remark, facts))
    return Comparison(
        points,
        facts,
        reasons[:5],
        tuple(remark for remark in words.evidence if _holds(remark, facts)),
        tuple(remark.text for remark in words.settle if _holds(remark, facts))[:3],
        tuple(f"{words.whom[remark.whom]}: {remark.text}" for remark in words.ask if _holds(remark, facts))[:4],
    )


def _holds(remark: Remark, facts: frozenset[str]) -> bool:
    return facts.issuperset(remark.when)


def _given(answers: Answers, question: str) -> str:
    answer = answers.get(question, "")
    return "" if answer == "unknown" else answer


def _pair(answers: Answers, question: str) -> tuple[str, str] | None:
    first, second = _given(answers, f"first_{question}"), _given(answers, f"second_{question}")
    return (first, second) if first and second else None


def label(question: str, value: str) -> str:
    """The words shown for a choice's ``value``; free words stay as they are."""
    for item in compare_words().questions:
        if item.id == question:
            return next((choice.label.lower() for choice in item.choices if choice.value == value), value)
    return value


def _need(answers: Answers) -> Point | None:
    pair = _pair(answers, "need")
    if pair is None:
        return None
    first, second = (label("need", value) for value in pair)
    return Point("need", "agree" if pair[0] == pair[1] else "differ", first, second)


def _timing(answers: Answers) -> Point | None:
    pair = _pair(answers, "timing")
    if pair is None or "not_said" in pair:
        return None
    first, second = (label("timing", value) for value in pair)
    return Point("timing", "agree" if pair[0] == pair[1] else "differ", first, second)


def _diagnosis(answers: Answers) -> Point | None:
    """The same when both name a common condition; different when both name a cause and none in common.

    "A pinched nerve" is what a cause does, so beside a named cause it tells neither.
    """
    pair = _pair(answers, "diagnosis")
    if pair is None:
        return None
    named = [conditions(text) for text in pair]
    if _same_words(*pair) or named[0] & named[1]:
        return Point("diagnosis", "agree", *pair)
    return Point("diagnosis", "differ" if all(names - {"nerve"} for names in named) else "unclear", *pair)


def conditions(text: str) -> frozenset[str]:
    """The problems named in ``text``, each by the family of terms it belongs to (``compare.yml``) or by itself."""
    words, rules, plain = compare_words(), report_rules(), text.lower()
    known = {name for group in ("condition", "weak_condition", "pain_condition") for name in rules.groups[group]}
    families = {name: family for family, names in words.families.items() for name in names}
    terms = [(families.get(span.term.id, span.term.id), span.start, span.end) for span in find_terms(text)]
    lay = [(family, *found.span()) for family, pattern in words.lay.items() for found in re.finditer(pattern, plain)]
    named = [item for item in terms if item[0] in known | set(words.families)] + lay
    return frozenset(name for name, start, end in named if not is_negated(plain, start, end))


def _type(answers: Answers) -> Point | None:
    pair = _pair(answers, "operation")
    if pair is None:
        return None
    operations = [_operations(text) for text in pair]
    levels = [{level.name for level in find_levels(text)} for text in pair]
    if _same_words(*pair):
        return Point("type", "agree", *pair)
    if not all(operations):
        return Point("type", "unclear", *pair) if compare_words().kinds["type"].unclear else None
    same = operations[0] == operations[1] and (not all(levels) or levels[0] == levels[1])
    return Point("type", "agree" if same else "differ", *pair)


def _operations(text: str) -> set[str]:
    return {item.procedure.id for item in find_procedures(text)} - NOT_OPERATIONS


def _same_words(first: str, second: str) -> bool:
    return re.findall(r"\w+", first.lower()) == re.findall(r"\w+", second.lower())


def _facts(answers: Answers, points: tuple[Point, ...]) -> Iterable[str]:
    for point in points:
        yield f"{point.verdict}_{point.kind}"
    if any(point.verdict == "differ" for point in points):
        yield "differ_any"
    bases = [_given(answers, f"{which}_basis") for which in ("first", "second")]
    if bases.count("records"):
        yield "any_records"
        yield "both_records" if bases.count("records") == 2 else "one_records"
    who = [_given(answers, f"{which}_who") for which in ("first", "second")]
    if "insurer" in who:
        yield "insurer"
    if all(who) and FIELDS.get(who[0], who[0]) != FIELDS.get(who[1], who[1]):
        yield "different_fields"
    needs = [_given(answers, f"{which}_need") for which in ("first", "second")]
    if "yes" in needs:
        yield "need_yes"
    if "no" in needs or "wait" in needs:
        yield "need_no"
    joined = ["fusion" in _families(_given(answers, f"{which}_operation")) for which in ("first", "second")]
    if joined.count(True) == 1:
        yield "one_fusion"
    if [_given(answers, f"{which}_timing") for which in ("first", "second")].count("now") == 1:
        yield "one_now"
    signs = compare_words().signs
    reasons = " ".join(_given(answers, f"{which}_reasons") for which in ("first", "second")).lower()
    yield from (name for name in ("reason_scan", "reason_nerve") if re.search(signs[name], reasons))
    tried = _given(answers, "tried").lower()
    care = set(re.findall(signs["tried_care"], tried))
    if tried and (re.search(signs["tried_nothing"], tried) or not care):
        yield "tried_little"
    elif len(care) >= 2:
        yield "tried_much"
    if _given(answers, "matters"):
        yield "matters_known"


def _families(text: str) -> set[str]:
    return {name for item in find_procedures(text) for name in (item.procedure.id, item.procedure.kind_of) if name}
