"""What a reply means after something was asked or told: the pure half of the conversation about red flags."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from safety.detect import Assessment, Detector, Finding, rank
from safety.questions import questions


@dataclass(frozen=True)
class Told:
    """What was said earlier in this session: rules that were answered in full, and the severest tier."""

    rules: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    tier: str = "none"
    since: int = 0
    """Messages since then: 0 for the one right after."""


REPLY_WITHIN = 4
"""So many messages after the words, "on my way now" still answers what they asked."""
_POINTS_BACK = re.compile(
    r"\W*(?:and |also |now |yes |yeah )*(?:it|its|it['’]s|they|they['’]re|theyre|the other one)\b", re.I
)
CLEARED = "cleared"
"""Key of the words that stand down after a clarifying question was answered with no."""

STAND_DOWN = frozenset({"deny", "mistake", "already_seen"})


def after_question(
    open_question: str, intent: str, found: Assessment, person: Literal["self", "other"] = "self"
) -> Assessment:
    """Return the conclusion when ``open_question`` was asked in the turn before.

    Args:
        open_question: id of the question.
        intent: what the reply is taken for: affirm, deny, unsure, mistake, already_seen or anything else.
        found: what the reply itself says.
        person: whom the question was about.

    "Yes" leads to the question's tier, "no" stands down, and everything that answers neither yes nor no (not sure,
    another subject, another vague sign) goes up: the same question is never asked twice.
    """
    question = questions().get(open_question)
    if question is None or rank(found.tier) > rank("clarify"):
        return found
    if intent in STAND_DOWN and found.tier == "none":
        return replace(found, key=CLEARED)
    tier = question.yes if intent == "affirm" else question.unsure
    other = "_other" if person == "other" or found.person == "other" else ""
    return replace(
        found,
        tier=tier,
        category=question.category,
        categories=(question.category,),
        key=f"{question.category}_{tier}{other}",
        clarify="",
    )


def after_told(found: Assessment, told: Told) -> Assessment:
    """Return ``found``, turned into a short reminder when all of it was told already and nothing is new or worse.

    A vague sign is not asked about when the gravest answer would lead to no more than was told: that would nag.
    """
    if found.key == CLEARED and told.tier == "emergency":
        return reminder(told)  # the "no" was to the last question, not to what was told before
    if found.tier == "none" or found.key == CLEARED:
        return found
    if found.tier == "clarify":
        grave = questions()[found.clarify].yes if found.clarify in questions() else "emergency"
        heard = found.category in told.categories and rank(told.tier) >= rank(grave)
        return reminder(told, found) if heard else found
    if told.tier == "emergency" and found.category != "crisis" and is_guess(found):
        return reminder(told, found)  # "they took blood" after chest pain: the number was given, other words mislead
    rules = {f.rule for f in found.findings if f.assertion == "present" and rank(f.tier) > rank("clarify")}
    more = rank(found.tier) - rank(told.tier)
    new = found.worse or more > 0 or (more == 0 and rules - told.rules)  # no "see a doctor today" after the ambulance
    if found.categories and set(found.categories) <= told.categories and not new and rules:
        return replace(found, key="reminder_crisis" if found.tier == "crisis" else "reminder")
    return found


def is_guess(found: Assessment) -> bool:
    """Whether the learned signal alone raised ``found``: no rule finds anything in the message."""
    rules = [f.rule for f in found.findings if f.assertion == "present" and f.tier != "decision"]
    return bool(rules) and all(rule.startswith("signal.") for rule in rules)


def reminder(told: Told, found: Assessment | None = None) -> Assessment:
    """Return the short reminder of what was ``told``: for who adds nothing new, or says where they are."""
    found = found or Assessment()
    categories = found.categories or tuple(sorted(told.categories))
    key = "reminder_crisis" if told.tier == "crisis" else "reminder"
    return replace(found, tier=told.tier, category=categories[0], categories=categories, key=key, clarify="")


def after_crisis_words(intent: str, found: Assessment, told: Told, before: str) -> Assessment:
    """Return what a bare "yes" or "no" means right after the crisis words (``before``: the key of what was said).

    They ask "are you thinking about ending your life?" and whom the person can tell. Either may be answered. "Yes" is
    taken for the graver; "no" may mean that there is nobody, so the person to call is named once more.
    """
    if found.key or not before.startswith("crisis_"):
        return found
    if intent == "affirm" and told.tier == "crisis":
        return Assessment("emergency", "crisis", ("crisis",), key="crisis_emergency")
    return replace(reminder(told), key="reminder_crisis") if intent == "deny" else found


def after_means(states: Collection[str], found: Assessment, told: Told) -> Assessment:
    """Return ``found``, or the gravest crisis words when somebody thinking of death tells what they have at hand."""
    if (found.key and found.category != "crisis") or told.tier != "crisis" or "HAS_MEANS" not in states:
        return found
    return Assessment("emergency", "crisis", ("crisis",), key="crisis_emergency", findings=found.findings)


def without_guess(found: Assessment, told: Told, plain: bool) -> Assessment:
    """Return ``found`` without a question that no rule asks for, where it would only frighten.

    After an emergency was told and not taken back, its gravest answer would lead to the number that was given (the words
    of a crisis are others). A message that is ``plain`` about something explained here is not asked about ending one's life.
    """
    signs = [f for f in found.findings if f.tier != "decision"]
    guessed = found.tier == "clarify" and not any(f.assertion == "present" for f in signs)
    crisis = found.category == "crisis"
    if guessed and (plain if crisis else told.tier == "emergency"):
        return Assessment(findings=found.findings)
    return found


def together(earlier: str, said: str, alone: Sequence[Finding], detector: Detector) -> list[Finding]:
    """Return the signs that neither holds and both do: a cancer told before, a back that hurts now.

    Not of a crisis or an overdose: their words ("thanks, goodbye") mean something else a message later.

    Args:
        earlier: what the person told in the last messages.
        said: the message.
        alone: every finding of the message, also those that do not count.
        detector: the rules.
    """
    if not earlier or not said:
        return []
    joint = ", " if _POINTS_BACK.match(said) else "\n"  # "it's swollen" goes on with the sentence before
    if joint == "\n" and not detector.may_span((*earlier.split("\n"), said)):
        return []
    known = {f.rule for f in alone}
    found = [
        f
        for f in detector.detect(f"{earlier}{joint}{said}")
        if f.assertion == "present"
        and f.tier != "decision"
        and f.category not in ("crisis", "overdose")
        and f.rule not in known
        and f.start < len(earlier) < f.start + len(f.evidence)
    ]
    if not found:  # nearly always; the earlier words were read in their own turns
        return []
    known = {f.rule for f in detector.detect(earlier)}
    return [f for f in found if f.rule not in known]


def in_words_for(found: Assessment) -> Assessment:
    """Return ``found`` with the key that fits where and who the person is (in care, under 18)."""
    if rank(found.tier) <= rank("clarify") or found.key.startswith("reminder"):
        return found
    if found.in_care and found.category != "crisis":
        return replace(found, key="in_care")
    if found.minor and found.category == "crisis" and found.person == "self":
        return replace(found, key=f"{found.category}_{found.tier}_minor")
    return found


def keys(categories: Collection[tuple[str, str]]) -> frozenset[str]:
    """Return every key of the words that the detector may ask for, given the (category, tier) pairs of the rules."""
    asked = {f"clarify_{name}" for name in questions()}
    led = {(q.category, tier) for q in questions().values() for tier in (q.yes, q.unsure)}
    told = {f"{category}_{tier}" for category, tier in {*categories, *led}}
    minor = {f"crisis_{tier}_minor" for tier in ("crisis", "emergency")}
    return frozenset(
        asked | told | {f"{key}_other" for key in told} | minor | {CLEARED, "reminder", "reminder_crisis", "in_care"}
    )
