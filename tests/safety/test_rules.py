"""Every rule's own phrases, the phrases written while the rules were made, and how rule files are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from knowledge.loader import KnowledgeError
from runtime.settings import KNOWLEDGE
from safety.detect import Detector, assess, decision_flags, detect, detector, rank
from safety.rules import load_rules, parse

RULES = load_rules()
POSITIVE = [(rule.id, text) for _, rule in RULES for text in rule.positive]
NEGATIVE = [(rule.id, text) for _, rule in RULES for text in rule.negative]
PHRASES = yaml.safe_load((KNOWLEDGE / "en" / "red_flag_phrases.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("rule", "text"), POSITIVE)
def test_a_rule_finds_its_phrase(rule: str, text: str) -> None:
    assert rule in {f.rule for f in detect(text) if f.assertion == "present"}


@pytest.mark.parametrize(("rule", "text"), NEGATIVE)
def test_a_rule_lets_its_look_alike_pass(rule: str, text: str) -> None:
    assert rule not in {f.rule for f in detect(text) if f.assertion == "present"}


def test_no_rule_is_idle() -> None:
    """Without any one rule, one of its own phrases would be answered otherwise."""
    idle = []
    for _, rule in RULES:
        changed = False
        for text in rule.positive:
            found = detect(text)
            rest = [f for f in found if f.rule != rule.id]
            before, after = assess(found), assess(rest)
            flags = decision_flags(found) != decision_flags(rest)
            changed |= flags or (before.tier, before.categories) != (after.tier, after.categories)
        if not changed:
            idle.append(rule.id)
    assert not idle


def test_phrases_of_many_voices() -> None:
    texts = [text for group in PHRASES["positives"].values() for text in group]
    missed = [text for text in texts if rank(assess(detect(text)).tier) < rank("soon")]
    alarmed = [text for text in PHRASES["none"] if rank(assess(detect(text)).tier) > rank("clarify")]
    assert len(missed) <= 0.02 * len(texts), missed
    assert len(alarmed) <= 0.01 * len(PHRASES["none"]), alarmed


@pytest.mark.parametrize("pattern", ["", "&& PEE", "PEE &", "PEE (x)", "..  & .."])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        parse(pattern)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(KNOWLEDGE / "en" / "red_flags", tmp_path / "red_flags"))


def test_an_unknown_key_is_refused_with_file_and_line(folder: Path) -> None:
    path = folder / "rules_cancer.yml"
    path.write_text(path.read_text().replace("    tier: urgent\n", "    tier: urgent\n    colour: red\n", 1))
    with pytest.raises(KnowledgeError, match=r"rules_cancer\.yml:\d+: unknown key 'colour'"):
        Detector(folder)


def test_an_unknown_concept_is_refused(folder: Path) -> None:
    path = folder / "rules_cancer.yml"
    path.write_text(path.read_text().replace("CANCER && BACK_PAIN", "CANCER && NO_SUCH_THING"))
    with pytest.raises(ValueError, match="NO_SUCH_THING"):
        Detector(folder)


def test_a_repeated_id_is_refused(folder: Path) -> None:
    shutil.copy(folder / "rules_cancer.yml", folder / "rules_copy.yml")
    with pytest.raises(ValueError, match="repeat"):
        Detector(folder)


def test_no_idiom_shrinks_to_a_sign() -> None:
    """Little words are dropped: an idiom that shrinks to a clinical word ("stroke my ...") would hide that word."""
    matcher = detector().matcher
    for word in ("stroke", "numb", "pee", "suicide", "breathe", "chest", "weak", "fits", "seizure", "dead", "clot"):
        assert matcher.concepts(word).spans, word
