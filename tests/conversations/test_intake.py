"""The intake in the running assistant: from the first question to the case at the desk, and what may come between."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.conftest import Stack
from tests.conversations.harness import Conversation
from tests.intake.talk import SHORT_PATH


def at_the_desk(stack: Stack, reference: str, seconds: float = 5.0) -> dict[str, Any]:
    """The case as the desk has it; fails when it is not there in time."""
    request = urllib.request.Request(
        f"{stack.casedesk}/api/cases/{reference}", headers={"Authorization": f"Bearer {stack.token}"}
    )
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                found: dict[str, Any] = json.load(reply)
                return found
        except urllib.error.HTTPError:
            assert time.monotonic() < end, f"{reference} did not reach the desk in {seconds} s"
            time.sleep(0.1)


def up_to(patient: Conversation, slot: str) -> Conversation:
    """Answer the short path until ``slot`` is asked."""
    patient.says("I want to send my case to the clinic")
    for asked, text in SHORT_PATH:
        if asked == slot:
            break
        patient.asks(asked).says(text)
    return patient.asks(slot)


def reference_in(patient: Conversation) -> str:
    found = re.search(r"PS-\w{4}-\w{4}", patient.text)
    assert found, f"no reference number in {patient.text!r}"
    assert patient.custom == {"kind": "case", "reference": found.group(), "status": "saved"}
    return found.group()


def test_an_intake_reaches_the_desk_in_two_seconds_with_every_answer(stack: Stack, patient: Conversation) -> None:
    up_to(patient, "offer").says("check and send").asks("review")
    patient.replies_with("Pat Example", "Pain shoots down my left leg when I stand")
    patient.says("change my pain to 6").asks("review").replies_with("last week, 0 to 10: 6")
    reference = reference_in(patient.says("send it"))
    case = at_the_desk(stack, reference, 2.0)
    assert case["answers"]["pain"] == 6 and case["answers"]["where"] == ["low_back", "leg"]
    assert case["answers"]["main_problem"] == "Pain shoots down my left leg when I stand"
    assert case["answer_status"]["operation"] == "unknown" and case["consent"]["given"]["send"] is True
    patient.says("where is my case?").is_kind("case").replies_with("received")


def test_questions_words_and_small_talk_in_between_come_back_to_the_same_question(patient: Conversation) -> None:
    up_to(patient, "pain")
    patient.says("How much does a second opinion cost?").asks("pain").replies_with("$450")
    assert patient.custom["answered"] == "cost"
    patient.says("what is stenosis?").asks("pain").replies_with("narrow")
    patient.says("thank you").asks("pain")
    patient.says("why do you ask?").asks("pain")
    patient.says("8 out of 10").asks("operation")


def test_a_red_flag_inside_the_intake_says_its_own_words_and_the_answers_stay(patient: Conversation) -> None:
    up_to(patient, "main_problem")
    patient.says("My back hurts and I can't feel when I pee").escalates("emergency", "cauda_equina")
    patient.says("carry on").asks("main_problem").replies_with("I can't feel when I pee")
    patient.says("keep my words").asks("since")


def test_an_answer_typed_under_emergency_words_is_shown_the_way_back(patient: Conversation) -> None:
    up_to(patient, "pain")
    patient.says("I can't feel when I pee").escalates("emergency", "cauda_equina")
    patient.says("it is in my lower back").replies_with("Please get help as I said", "Your form is saved")
    patient.picks("Back to my form").asks("pain")


def test_start_over_begins_again_once_that_was_confirmed(patient: Conversation) -> None:
    up_to(patient, "pain")
    patient.says("wait, can i ask something first?").replies_with("What would you like to know?").asks("pain")
    patient.says("what does it cost").replies_with("$450").asks("pain")
    patient.says("start over").replies_with("begin again?").picks("Carry on").asks("pain")
    patient.says("can we start from the beginning").picks("Begin again").asks("consent_chatbot")


def test_a_sign_picked_at_the_safety_screen_is_talked_about_like_one_that_was_told(patient: Conversation) -> None:
    patient.says("start my case")
    for said in ("yes", "yes", "no", "Texas", "me", "yes", "none"):
        patient.says(said)
    patient.asks("safety_mood").says("yes").escalates("crisis", "crisis")
    patient.says("no I would never do that").replies_with("Thank you for telling me", "988")
    patient.says("skip").replies_with("carry on").picks("Back to my form").asks("decision")


def test_who_comes_back_and_says_hello_is_shown_the_way_to_the_form(patient: Conversation) -> None:
    patient.says("start my case").says("yes").says("stop").replies_with("kept your answers")
    patient.says("hi again").replies_with("carry on").picks("Back to my form").asks("consent_send")


def test_an_older_alarm_does_not_lend_its_words_to_a_new_one(patient: Conversation) -> None:
    up_to(patient, "safety")
    patient.says("3").escalates("urgent", "limb_weakness")
    patient.says("carry on").asks("safety_mood")
    patient.says("I can't feel when I pee").escalates("emergency", "cauda_equina")


def test_stop_and_go_on_elsewhere_with_the_code(
    patient: Conversation, another_patient: Callable[[], Conversation]
) -> None:
    up_to(patient, "pain").says("stop")
    code = re.search(r"RC-\w{4}-\w{4}", patient.text)
    assert code
    other = another_patient().says(code.group()).asks("pain")
    other.says("7").asks("operation")
    another_patient().says(code.group()).replies_with("does not work")
    patient.says("carry on").replies_with("no case waiting")


def test_delete_my_data_asks_once_and_reaches_the_desk(stack: Stack, patient: Conversation) -> None:
    up_to(patient, "offer").says("check and send")
    reference = reference_in(patient.says("send it"))
    at_the_desk(stack, reference)
    patient.says("delete my data").replies_with("cannot be undone").says("how are you?").says("yes")
    patient.does_not_say("deleted")
    at_the_desk(stack, reference)
    patient.says("delete my data").says("yes").replies_with("deleted")
    request = urllib.request.Request(
        f"{stack.casedesk}/api/cases/{reference}", headers={"Authorization": f"Bearer {stack.token}"}
    )
    for _ in range(50):
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except urllib.error.HTTPError as error:
            assert error.code == 404
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the case is still at the desk")


def test_a_case_is_only_shown_to_who_may_know(
    patient: Conversation, another_patient: Callable[[], Conversation]
) -> None:
    up_to(patient, "offer").says("check and send")
    reference = reference_in(patient.says("send it"))
    stranger = another_patient().says(f"where is my case {reference}?").does_not_say("received", "being sent")
    stranger.says("+1 202 555 0199").does_not_say("received", "being sent")
    another_patient().says(f"{reference}, my phone is +1 202 555 0143").is_kind("case")
