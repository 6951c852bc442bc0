"""What a reply means after something was asked or told: the pure half of the conversation about red flags."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from safety.detect import Assessment, rank
from safety.questions import questions


@dataclass(frozen=True)
class Told:
    """What was said earlier in this session: rules that were answered in full, and the severest tier."""

    rules: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    tier: str = "none"


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
    """Return ``found``, turned into a short reminder when all of it was told already and nothing is new or worse."""
    if found.tier in ("none", "clarify") or found.key == CLEARED:
        return found
    rules = {f.rule for f in found.findings if f.assertion == "present" and rank(f.tier) > rank("clarify")}
    new = rules - told.rules or found.worse or rank(found.tier) > rank(told.tier)
    if found.categories and set(found.categories) <= told.categories and not new and rules:
        return replace(found, key="reminder_crisis" if found.tier == "crisis" else "reminder")
    return found


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
