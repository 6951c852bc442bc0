"""The emergency words in domain.yml: every key has words, and the words keep the rules for such words."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

pytest.importorskip("textstat")  # the care side has it; Rasa's runtime does not

from actions.escalation_words import escalation_words
from knowledge.lint import grade, longest_sentence, words
from runtime.settings import ROOT
from safety.conversation import keys
from safety.numbers import all_numbers, numbers_for
from safety.questions import questions
from safety.rules import load_rules

VARIATIONS: dict[str, dict[str, Any]] = {
    (variation.get("condition") or [{"value": ""}])[0]["value"]: variation
    for variation in yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["responses"]["utter_escalation"]
}
NEEDED = keys({(category, rule.tier) for category, rule in load_rules() if rule.tier not in ("decision", "clarify")})
TOLD = sorted(
    key for key, variation in VARIATIONS.items() if (variation.get("custom") or {}).get("kind") == "escalation"
)
ACTIONS = (
    "Call",
    "Please call",
    "Please talk",
    "Please help",
    "Please see",
    "Please tell",
    "Please get",
    "Tell the nurse",
)


def said(key: str, country: str | None = "US") -> str:
    numbers = numbers_for(country)
    return str(VARIATIONS[key]["text"]).format(
        emergency_number=numbers.emergency, crisis_line=numbers.crisis, poison_line=numbers.poison
    )


def test_every_key_has_words_and_no_words_are_idle() -> None:
    assert set(VARIATIONS) - {""} == NEEDED


@pytest.mark.parametrize("key", sorted(VARIATIONS))
def test_the_words_are_plain(key: str) -> None:
    text = said(key)
    assert grade(text) <= 5
    assert words(longest_sentence(text)) <= 25, longest_sentence(text)
    assert "\n" not in text and "http" not in text and "www" not in text


@pytest.mark.parametrize("key", TOLD)
def test_the_first_sentence_is_the_action(key: str) -> None:
    assert said(key).startswith(ACTIONS)


@pytest.mark.parametrize("key", sorted(VARIATIONS))
def test_the_words_do_not_diagnose_or_dose(key: str) -> None:
    text = said(key).casefold()
    assert not re.search(
        r"\byou have (cauda|a stroke|cancer|an infection|a clot|sepsis)|cauda equina|\bmg\b|\bwait and see\b", text
    )
    assert "call your surgeon" not in text or "emergency" not in key


@pytest.mark.parametrize("key", TOLD)
@pytest.mark.parametrize("country", ["US", "GB", "FR", None])
def test_an_emergency_names_a_number(key: str, country: str | None) -> None:
    assert numbers_for(country).emergency in said(key, country)


@pytest.mark.parametrize("question", sorted(questions()))
def test_a_question_is_one_question_with_a_safety_line(question: str) -> None:
    text = said(f"clarify_{question}")
    assert text.count("?") == 1 and "911" in text
    custom = VARIATIONS[f"clarify_{question}"]["custom"]
    expected = questions()[question]
    assert custom == {"kind": "clarify", "tier_if_yes": expected.yes, "category": expected.category}
    assert [button["payload"] for button in VARIATIONS[f"clarify_{question}"]["buttons"]] == [
        "/affirm",
        "/deny",
        "/unsure",
    ]


@pytest.mark.parametrize("choice", sorted(escalation_words().replies))
def test_the_replies_are_plain(choice: str) -> None:
    reply = escalation_words().replies[choice]
    assert grade(reply.text.format(emergency_number="911", crisis_line="988")) <= 5
    for button in reply.buttons:
        assert len(button.title) <= 20 and button.choice in escalation_words().replies
        assert len('/escalation_reply{"choice":"%s"}' % button.choice) <= 64


def test_numbers_by_country_and_for_an_unknown_one() -> None:
    assert numbers_for("US").emergency == "911"
    assert numbers_for("uk").crisis == "116 123"
    assert numbers_for("DE").emergency == "112"
    assert numbers_for("Atlantis") == numbers_for(None) == all_numbers().unknown
    assert "999 (UK)" in numbers_for("").emergency


def test_every_number_says_where_it_is_from() -> None:
    for code, numbers in all_numbers().countries.items():
        assert numbers.basis, code
