"""Nothing that is added to a message lowers its tier: not reassurance, not politeness, not a question, not small talk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.conversation import Told, after_told, in_words_for
from safety.detect import assess, detect, rank
from safety.rules import load_rules

SIGNS = sorted(
    {text for _, rule in load_rules() if rule.tier in ("emergency", "crisis", "urgent") for text in rule.positive}
)
DECISIONS = sorted({text for _, rule in load_rules() if rule.tier == "decision" for text in rule.positive})
BEFORE = [
    "Hi there, hope you are well.",
    "Sorry to bother you.",
    "Quick question.",
    "I have a slipped disc and I'm waiting for surgery.",
    "How much does a review cost?",
    "My wife thinks it's nothing.",
    "I'm sure this is silly but here goes.",
    "Thanks for reading.",
    "I had an MRI in March.",
    "I don't want to waste your time.",
    "My mother had the same thing.",
    "I read about this online.",
    "I am 62 and live in Ohio.",
    "No fever.",
    "I was watching TV.",
    "The scan says mild stenosis at L4/5.",
    "We went to Spain in June.",
    "He never listens.",
    "My dad is 79.",
]
AFTER = [
    "It's probably nothing.",
    "My doctor says not to worry.",
    "Everyone tells me it's just sciatica.",
    "I'm not worried.",
    "Thanks so much!",
    "Please can you tell me what a second opinion costs?",
    "Is that normal?",
    "What do you think?",
    "I can wait until Monday.",
    "Otherwise I'm fine.",
    "My surgeon seems nice.",
    "I live in Leeds.",
    "No rush.",
    "How long is the waiting list?",
    "My wife says hi.",
    "The scan was in May.",
    "I had an injection too.",
]


def tier(text: str) -> int:
    return rank(assess(detect(text)).tier)


def said_now(text: str) -> str:
    """The tier that reaches the patient, when nothing was said before."""
    return in_words_for(after_told(assess(detect(text)), Told(frozenset(), frozenset(), "none"))).tier


def sentence(text: str) -> str:
    return text if text[-1] in ".?!" else f"{text}."


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(SIGNS), st.lists(st.sampled_from(BEFORE), max_size=2), st.lists(st.sampled_from(AFTER), max_size=2)
)
def test_other_sentences_never_lower_a_tier(sign: str, before: list[str], after: list[str]) -> None:
    assert tier(" ".join([*before, sentence(sign), *after])) >= tier(sign)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SIGNS), st.sampled_from(DECISIONS), st.booleans())
def test_trouble_with_a_decision_never_lowers_a_tier(sign: str, decision: str, first: bool) -> None:
    both = [sentence(decision), sentence(sign)] if first else [sentence(sign), sentence(decision)]
    assert rank(said_now(" ".join(both))) >= tier(sign)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SIGNS),
    st.sampled_from(
        [str.upper, str.title, lambda s: s.rstrip(".?!"), lambda s: s + "!!!", lambda s: s.replace("'", "’")]
    ),
)
def test_how_it_is_typed_does_not_matter(sign: str, change: object) -> None:
    assert callable(change)
    assert tier(change(sign)) >= tier(sign)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all_is_read(text: str) -> None:
    assess(detect(text))
    assess(detect(text, source="report"))


@pytest.mark.parametrize(
    "text", ["", " ", "?", "\n\n", "🙂", "\ud83d", "a" * 5000, "no " * 500, "numb " * 300, "{}[]()*+?.\\"]
)
def test_odd_texts_are_read(text: str) -> None:
    assess(detect(text))
