"""Looks for the six elements of a good second opinion in a letter, one sentence at a time. Pure.

The method is that of rule-based clinical text processing: cue phrases with negation and section context (ConText,
Harkema 2009), as data. An element counts as present when the letter speaks to it at all: "no neurological deficit"
tells about neurology. "The risks were discussed" tells that something was said, not what: a mention, not an element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from actions.glossary import find_terms
from actions.report.letter import Letter, Sentence
from actions.report.rules import ElementId, ElementRules, Rule, report_rules


@dataclass(frozen=True)
class Element:
    """One of the six. ``sentence`` carries or only mentions it, None when nothing does; ``at`` is where in it."""

    id: ElementId
    found: bool
    sentence: Sentence | None = None
    at: tuple[int, int] = (0, 0)


def find_elements(letter: Letter) -> tuple[Element, ...]:
    """Return the six elements in their fixed order, found or not."""
    return tuple(_element(rules, letter) for rules in report_rules().elements)


def _element(rules: ElementRules, letter: Letter) -> Element:
    for rule in rules.rules:
        for place, sentence in enumerate(letter.sentences):
            at = _meets(rule, sentence, letter.sentences[max(0, place - 2) : place])
            if at:
                return Element(rules.id, True, sentence, at)
    for sentence in letter.sentences:
        for pattern in rules.mentions:
            match = report_rules().compiled(pattern).search(sentence.plain)
            if match:
                return Element(rules.id, False, sentence, match.span())
    return Element(rules.id, False)


def _meets(rule: Rule, sentence: Sentence, before: Sequence[Sentence]) -> tuple[int, int] | None:
    """Where ``sentence`` meets ``rule``, or None."""
    rules = report_rules()
    if (rule.sections and sentence.section not in rule.sections) or sentence.section in rule.not_in:
        return None
    plain = sentence.plain
    for pattern in rule.ignore:
        plain = rules.compiled(pattern).sub(lambda match: "~" * len(match.group()), plain)
    spans: list[tuple[int, int]] = []
    for pattern in rule.has:
        match = rules.compiled(pattern).search(plain)
        if not match:
            return None
        spans.append(match.span())
    if any(rules.compiled(pattern).search(plain) for pattern in rule.lacks):
        return None
    if rule.after and not any(rules.compiled(rule.after).search(earlier.plain) for earlier in before):
        return None
    if rule.tags:
        tagged = next(_tagged(sentence, rule.tags), None)
        if tagged is None:
            return None
        spans.append(tagged)
    return min(span[0] for span in spans), max(span[1] for span in spans)


def _tagged(sentence: Sentence, tags: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    wanted = {term for tag in tags for term in report_rules().groups[tag]}
    for span in find_terms(sentence.text):
        if span.term.id in wanted and not is_negated(sentence.plain, span.start, span.end):
            yield span.start, span.end


def is_negated(plain: str, start: int, end: int) -> bool:
    """Whether what stands from ``start`` to ``end`` of a sentence is said not to be there ("no instability")."""
    negation = report_rules().negation
    before = plain[max(0, start - negation.reach) : start]
    return bool(re.search(negation.before, before) or re.search(negation.after, plain[end:]))
