"""Red flags in the middle of everything else. What is detected is tested in tests/safety; this is the conversation."""

from __future__ import annotations

import pytest

from tests.conversations.harness import Conversation


@pytest.mark.parametrize(
    ("said", "tier", "category"),
    [
        ("I can't feel when I pee", "emergency", "cauda_equina"),
        ("my husband cant wake up after his tablets", "emergency", "overdose"),
        ("i want to die", "crisis", "crisis"),
        ("no fever but i cant pee since last night", "emergency", "cauda_equina"),
    ],
)
def test_help_comes_first(patient: Conversation, said: str, tier: str, category: str) -> None:
    patient.says(said).escalates(tier, category)
    assert "\n\n" not in patient.replies[0]["text"]


def test_a_question_with_a_red_flag_gets_the_red_flag_first(patient: Conversation) -> None:
    patient.says("how much is a review? also i cant pee since last nite").escalates("emergency", "cauda_equina")


@pytest.mark.parametrize(
    "said",
    [
        "what are the signs of cauda equina",
        "this wait is killing me",
        "my mum had cauda equina in 2009, is it genetic?",
        "no numbness, no bladder trouble",
        "i cant speak french",
    ],
)
def test_nobody_is_alarmed_for_nothing(patient: Conversation, said: str) -> None:
    patient.says(said).does_not_escalate()
    assert patient.text.strip()


def test_a_weak_signal_is_asked_about_once_and_unsure_goes_up(patient: Conversation) -> None:
    patient.says("i have bladder problems").clarifies("cauda_equina")
    patient.replies_with("911")
    patient.says("not sure").escalates("emergency", "cauda_equina")


def test_what_they_will_do_is_asked_and_nobody_is_nagged(patient: Conversation) -> None:
    patient.says("I went numb between my legs today").escalates("emergency", "cauda_equina")
    first = patient.replies[0]["text"]
    patient.picks("I'm calling now").does_not_escalate()
    patient.says("will they do an MRI there?").does_not_say(first)
    assert patient.text.strip()


def test_last_year_stands_down(patient: Conversation) -> None:
    patient.says("i cant pee").escalates("emergency", "cauda_equina")
    patient.says("sorry i meant last year, i am fine now").does_not_escalate()
    patient.says("How much does it cost?").answers("cost")
