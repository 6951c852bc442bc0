"""The questions to ask and the plan to keep."""

from __future__ import annotations

import re

import pytest

from tests.conversations.harness import Conversation
from tests.explain.test_letters import LETTERS

FOR = LETTERS["05_surgeon_fusion"]


def listed(patient: Conversation) -> list[str]:
    return re.findall(r"^\d+\. (.+)$", patient.text, re.M)


@pytest.fixture
def reader(patient: Conversation) -> Conversation:
    patient.says(FOR.letter).is_kind("report_check")
    return patient


def test_the_list_is_made_from_what_the_letter_leaves_out(reader: Conversation) -> None:
    questions = listed(reader.picks("Questions to ask"))
    assert 5 <= len(questions) <= 10
    assert "Do my symptoms match what the scan shows?" in questions
    assert reader.text.count("Why:") == len(questions)


def test_the_list_is_changed_in_words_and_changed_back(reader: Conversation) -> None:
    first = listed(reader.says("what questions should I ask them? show my list"))
    first = first or listed(reader.says("show my questions"))
    assert listed(reader.says("drop the third"))[:2] == first[:2]
    assert first[2] not in listed(reader)
    reader.replies_with("I took this off", first[2])
    assert "Will I be able to swim again?" in listed(reader.says("add will I be able to swim again?"))
    assert listed(reader.says("move the last one to the top"))[0] == "Will I be able to swim again?"
    reader.says("undo").replies_with("took the last change back")
    assert listed(reader)[0] == first[0]
    reader.says("undo")
    assert "Will I be able to swim again?" not in reader.text
    assert listed(reader.says("put all the questions back")) == first


def test_the_list_keeps_its_changes_in_the_middle_of_two_opinions(reader: Conversation) -> None:
    first = listed(reader.says("show my questions"))
    reader.says("one says operate, one says wait").says("compare 2 opinions")
    assert first[1] not in listed(reader.says("drop the second"))
    assert (
        listed(reader.says("add: can I fly to see my daughter in May?"))[-1] == "Can I fly to see my daughter in May?"
    )
    assert first[1] not in listed(reader.says("show my questions"))


def test_the_plan_is_one_page_with_everything_in_it(reader: Conversation) -> None:
    reader.picks("Keep for my plan").is_kind("plan").does_not_say(*FOR.private)
    reader.replies_with("My plan", "My questions:", "When to get help at once:", "911", "not a doctor")
    assert reader.says("show my plan").is_kind("plan").text


def test_no_plan_without_anything_said(patient: Conversation) -> None:
    patient.says("show my plan")
    assert patient.custom.get("kind") != "plan"
    assert patient.buttons


def test_nothing_is_left_after_delete_my_data(reader: Conversation) -> None:
    reader.picks("Keep for my plan")
    reader.says("delete my data").picks("Yes")
    reader.says("show my plan")
    assert reader.custom.get("kind") != "plan"
