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


ASIDES = [
    "keep tripping over it",
    "my GP was lovely",
    "I stopped driving",
    "my husband sorted the kids",
    "the pain came back",
    "it stopped me sleeping",
    "my wife is fine with the surgery",
    "bloods were normal",
    "they said it would pass",
    "my mum had it too",
    "I'm 45",
    "never had it before",
    "it started after the injection",
    "I recovered well from the first op",
    "physio helped before",
    "I was fine yesterday",
    "was ok until last night",
    "got better then worse",
    "should I wait",
    "if it gets worse I will call",
    "what if it's serious",
    "been like this all week",
    "it was fine this morning",
    "my sister died of cancer",
]
"""What people tell beside a sign, with words that take back another: "came back", "fine", "normal", "stopped"."""
PLAIN_SIGNS = [
    "I can't pee",
    "my foot won't lift",
    "I can't feel my bum",
    "both my legs are numb",
    "my wound is leaking pus",
    "chest pain and I can't breathe",
    "I took 20 tramadol",
    "I want to die",
    "my face has dropped",
    "I can't wake her up",
    "my calf is swollen and hot",
    "temp 39 and my back is agony",
    "can't do my buttons anymore",
    "fell down the stairs and can't move",
]


@pytest.mark.parametrize("aside", ASIDES)
def test_what_is_told_beside_a_sign_never_lowers_its_tier(aside: str) -> None:
    capital = aside[0].upper() + aside[1:]
    for sign in PLAIN_SIGNS:
        for text in (f"{sign}, {aside}", f"{sign}. {capital}.", f"{aside}, {sign}", f"{capital}. {sign}."):
            assert tier(text) >= tier(sign), text


@pytest.mark.parametrize("sign", PLAIN_SIGNS[:4])
@pytest.mark.parametrize(
    "aside", ["my last operation was years ago", "scan was clear last year", "the letter says mild stenosis"]
)
def test_a_clause_about_something_else_excuses_nothing(sign: str, aside: str) -> None:
    assert tier(f"{sign}, {aside}") >= tier(sign)


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
