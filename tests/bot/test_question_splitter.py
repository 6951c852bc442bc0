"""Several questions in one message, and single questions that must stay one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.question_splitter import MOST_PARTS, items, questions, readings

SEVERAL = [
    ("What does it cost? How soon will I hear?", ["What does it cost?", "How soon will I hear?"]),
    ("what will it cost me and when do i hear back", ["what will it cost me", "when do i hear back"]),
    (
        "Who looks at it, is he independent, and what do I get?",
        ["Who looks at it", "is he independent", "what do I get?"],
    ),
    ("Can Mum come too? Also, do you need her scans?", ["Can Mum come too?", "Also, do you need her scans?"]),
    ("Is it private\nAre you a person", ["Is it private", "Are you a person"]),
    (
        "I want to know what could go wrong, and also how long I would be off work.",
        ["I want to know what could go wrong", "how long I would be off work."],
    ),
    ("hello, two things: is it safe, and can I bring Mum", ["is it safe", "can I bring Mum"]),
    ("does fusion help. what are the risks", ["does fusion help.", "what are the risks"]),
    (
        "I had it in May, anyway what I want to know is do you see people on Sundays and also is it dear",
        ["what I want to know is do you see people on Sundays", "is it dear"],
    ),
    ("And if they do not agree, what are we to do?", ["And if they do not agree, what are we to do?"]),
    (
        "Dr. Example wants to operate on L4.5 or so. Must it be now? Could I try physio first?",
        ["Must it be now?", "Could I try physio first?"],
    ),
]
ONE = [
    "Do I need a fusion?",
    "My surgeon says I need it and my husband says I should wait",
    "I have had pain since May and it is worse at night and nobody can tell me why",
    "should i take it or leave it",
    "What are the pros and cons?",
    "Does a different second opinion mean that my first doctor was wrong?",
    "tell me about fusion and decompression",
    "could the doctor giving the second opinion also do my surgery",
    "Would she then have the last word?",
    "had an mri in june, had six weeks of physio",
]
NONE = ["", "   ", "thanks", "My back hurts. I am tired.", "...", "?", "😀"]


@pytest.mark.parametrize(("message", "parts"), SEVERAL)
def test_finds_each_question(message: str, parts: list[str]) -> None:
    assert [part.text for part in questions(message)] == parts


def test_what_a_request_lists_is_found_apart() -> None:
    assert [part.text for part in items("hello, i want to know 1) the price 2) how long 3) what i bring")] == [
        "the price",
        "how long",
        "what i bring",
    ]
    assert [part.text for part in items("please tell me the price, the waiting time and who does it")] == [
        "the price",
        "the waiting time",
        "who does it",
    ]
    assert [part.text for part in items("whats the cost, the waiting time and do you take foreigners")] == [
        "the cost",
        "the waiting time",
        "do you take foreigners",
    ]
    assert items("My back hurts, my leg is numb and I am tired.") == []


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ("First of all, could we do it from home, because the car makes her ill?", ["could we do it from home"]),
        ("They say different things. Why does that happen?", ["They say different things. Why does that happen?"]),
        ("My surgeon is kind. What will the report from your clinic look like in the end?", []),
    ],
)
def test_a_question_is_read_bare_then_without_its_reason_then_behind_what_it_points_to(
    message: str, read: list[str]
) -> None:
    last = questions(message)[-1]
    first, *others = readings(last, message)
    assert last.text.endswith(first)
    assert others == read


@pytest.mark.parametrize("message", ONE)
def test_one_question_stays_one(message: str) -> None:
    assert len(questions(message)) <= 1


@pytest.mark.parametrize("message", NONE)
def test_no_question(message: str) -> None:
    assert questions(message) == []


def test_a_flood_of_questions_is_cut() -> None:
    assert len(questions("Is it safe? " * 80)) == MOST_PARTS


@given(
    st.text(alphabet=st.sampled_from("how is it ?.,;\n&and also WHAT does\u00e9😀"), max_size=300)
    | st.text(max_size=400)
)
@settings(max_examples=200, deadline=None)
def test_parts_lie_in_the_message_in_order(message: str) -> None:
    end = 0
    for part in questions(message):
        assert message[part.start : part.end] == part.text
        assert part.start >= end
        end = part.end


def test_a_long_message_is_quick() -> None:
    import time

    begun = time.process_time()
    questions("and also " * 2000)
    questions("how much, " * 2000)
    questions("a" * 20000)
    assert time.process_time() - begun < 1.0
