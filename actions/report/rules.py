"""The rules of the report reader (``knowledge/en/report.yml``), loaded and compiled once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from knowledge.loader import load
from runtime.settings import KNOWLEDGE

ElementId = Literal["diagnosis", "imaging_match", "neurology", "conservative_care", "expected_benefit", "risks"]


@dataclass(frozen=True)
class Rule:
    """One way a sentence can carry an element. The keys are explained in ``report.yml``."""

    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    after: str | None = None
    sections: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class ElementRules:
    id: ElementId
    rules: tuple[Rule, ...]
    mentions: tuple[str, ...] = ()
    unlearned: tuple[str, ...] = ()
    unlearned_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Negation:
    before: str
    after: str
    reach: int


@dataclass(frozen=True)
class RecommendationRules:
    cue: str
    generic: str
    surgical: str
    operation_note: str
    after_operation: str
    refused_before: str
    avoided_before: str
    refused: str
    refused_after: str
    past_before: str
    renewed: str
    past_after: str
    conditional: str
    option: str
    weighed: str
    reported: str
    proposed: str
    said_by_others: str
    theirs: str
    proposer: str
    endorsed: str
    planned: str
    asked: str
    wants_advice: str
    told: str
    evidence: str
    expects: str
    no_hurry: str
    some_need: str
    after_told: str
    slogan: str
    done_by_care: str
    may_need: str
    own: str
    nothing_for: str
    refused_alone: str
    asks_need: str
    asked_if: str
    answer_no: str
    answer_yes: str
    put_off: str
    was_planned: str
    agreed_alone: str
    in_risks: str
    own_plan: str
    chosen: str
    put_off_before: str
    backing: str
    in_one_breath: str
    or_else: str
    own_after: str
    divided: str
    even: str
    another_before: str
    another_after: str
    overruled: str
    to_come: str
    postponed: str
    postponed_label: str
    added_to: str
    unless_better: str
    no_help: str
    differs: str
    once_advised: str
    else_harm: str
    best_of: str
    remove_it: str
    removable: str
    perhaps_before: str
    perhaps_after: str
    contrast: str
    care_goes_first: str
    care_not_first: str
    former: str
    set_against: str
    picked: str
    picked_place: str
    listed: str
    left_open: str
    undecided: str
    declined_alone: str
    care_chosen: str
    care_preferred: str
    plan_backed: str
    plan_refused: str
    decided: str
    rebooked: str
    called_off: str
    identified: str
    seeks: str
    sided: str
    wait: str
    care_cue: str
    needle_advised: str
    needle_tried: str
    care_failed: str


@dataclass(frozen=True)
class UrgentRules:
    terms: tuple[str, ...]
    categories: tuple[str, ...]
    listed: str
    there: str
    unless: str


@dataclass(frozen=True)
class ScanRules:
    title: str
    headings: str
    not_with: str


@dataclass(frozen=True)
class ReportRules:
    headings: dict[str, tuple[str, ...]]
    labels: dict[str, str]
    line_headings: dict[str, str]
    criteria: str
    vocabulary: dict[str, str]
    afresh: str
    elements: tuple[ElementRules, ...]
    groups: dict[str, tuple[str, ...]]
    negation: Negation
    recommendation: RecommendationRules
    urgent: UrgentRules
    spine_words: str
    other_parts: str
    medical_words: str
    scan: ScanRules
    everyday_explained: tuple[str, ...]
    also_names: tuple[str, ...]
    no_names: tuple[str, ...]
    shortest_words: int
    fewest_known: float
    longest_characters: int

    def compiled(self, pattern: str) -> re.Pattern[str]:
        """``pattern`` with the vocabulary filled in."""
        return _compiled(pattern)

    @cached_property
    def kind_of_term(self) -> dict[str, str]:
        """The group of each glossary term that is in one; the first where it is in several."""
        return {term: group for group, terms in reversed(self.groups.items()) for term in terms}

    @cached_property
    def section_of(self) -> dict[str, str]:
        """The section each heading opens."""
        return {heading: section for section, headings in self.headings.items() for heading in headings}


@cache
def report_rules() -> ReportRules:
    """The rules of ``report.yml``. Raises KnowledgeError with file and line when it is malformed."""
    return load(KNOWLEDGE / "en" / "report.yml", ReportRules)


def compile_all() -> None:
    """Compile every pattern now: it takes a second or two."""
    rules = report_rules()
    for element in rules.elements:
        for rule in element.rules:
            for pattern in (*rule.has, *rule.lacks, *rule.ignore, *([rule.after] if rule.after else [])):
                _compiled(pattern)
        for pattern in (*element.mentions, *element.unlearned):
            _compiled(pattern)
    for pattern in (*vars(rules.recommendation).values(), rules.urgent.listed, rules.urgent.there, rules.urgent.unless):
        _compiled(pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for name, words in report_rules().vocabulary.items():
        pattern = pattern.replace("{" + name + "}", words)
    return re.compile(pattern)
