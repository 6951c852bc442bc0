"""Questions and what follows them."""

from __future__ import annotations

import re

import pytest

from tests.conversations.harness import Conversation

FIRST_TWELVE = [
    ("Does a different second opinion mean my first doctor was wrong?", "first_doctor_wrong"),
    ("Is it enough if they only look at my records?", "records_only_enough"),
    ("how do i know the second doctor is independent", "independence"),
    ("when is it worth getting a second opinion", "when_useful"),
    ("What should a good second opinion explain?", "good_second_opinion"),
    ("I have two different opinions. What now?", "two_opinions_what_now"),
    ("how often do second opinions differ", "how_often_differ"),
    ("How much does it cost?", "cost"),
    ("what do i need to bring with me", "what_to_bring"),
    ("they are pushing me to decide right now", "feeling_rushed"),
    ("do i really need a fusion", "need_fusion"),
    ("why am I still in pain after my fusion", "still_in_pain"),
]


@pytest.mark.parametrize(("question", "topic"), FIRST_TWELVE)
def test_a_question_gets_its_answer_with_a_source(patient: Conversation, question: str, topic: str) -> None:
    patient.says(question).answers(topic)
    assert patient.custom["sources"] or topic == "cost", "an answer without a source"
    assert patient.custom["reviewed"]
    assert len(re.findall(r"[\w$%'-]*\w[\w$%'-]*", patient.replies[0]["text"])) <= 60


def test_more_and_where_it_is_from(patient: Conversation) -> None:
    patient.says("Does a different second opinion mean my first doctor was wrong?").answers("first_doctor_wrong")
    short = patient.text
    patient.picks("Tell me more").answers("first_doctor_wrong")
    assert patient.text != short
    patient.says("where is that from?").replies_with("Second Opinion Before Spine Surgery")


def test_a_follow_up_is_about_the_last_answer(patient: Conversation) -> None:
    patient.says("how long does a second opinion take").answers("how_long")
    patient.says("and how much is that?").answers("cost")
    patient.says("tell me more").answers("cost")
    patient.says("why?")
    assert patient.custom.get("topic") == "cost"
    patient.says("and what about for me?")
    assert patient.custom.get("topic") == "cost"


def test_two_questions_in_one_message_are_both_answered(patient: Conversation) -> None:
    patient.says("How much does it cost? And will my surgeon be offended if I ask?")
    patient.replies_with("one by one")
    assert sum(bool(reply.get("text")) for reply in patient.replies) >= 3


def test_say_that_again(patient: Conversation) -> None:
    patient.says("Do I need a referral?").answers("referral")
    said = patient.replies[0]["text"]
    patient.says("can you repeat that please").replies_with(said)


@pytest.mark.parametrize(
    ("asked", "topic"),
    [
        ("should i have the operation yes or no", "should_i_have_surgery"),
        ("can you look at my mri picture", "read_my_scan"),
        ("how much ibuprofen can i take", "medicine_dose"),
        ("who won the football", "off_topic"),
        ("can you help with my rash", "other_health"),
    ],
)
def test_what_it_does_not_do_is_refused_kindly(patient: Conversation, asked: str, topic: str) -> None:
    patient.says(asked).refuses(topic)


def test_the_same_fallback_never_comes_twice_in_a_row(patient: Conversation) -> None:
    said = [patient.says(text).text for text in ("blorp zindle quax", "frindle mop", "zazz kerplunk wibble")]
    assert said[0] != said[1] != said[2]


def test_small_talk(patient: Conversation) -> None:
    patient.says("hi there").replies_with("not a doctor")
    patient.says("thanks!").replies_with("welcome")
    patient.says("are you a real person?").answers("who_are_you")
