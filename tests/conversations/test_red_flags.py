"""Red flags in the middle of everything else. What is detected is tested in tests/safety; this is the conversation."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import pytest

from tests.conftest import Stack
from tests.conversations.harness import Conversation


def warnings_at_the_desk(stack: Stack, words: str, seconds: float = 5.0) -> dict[str, Any]:
    """The warning at the desk whose evidence is ``words``; fails when it is not there in time."""
    request = urllib.request.Request(
        f"{stack.casedesk}/api/escalations?limit=200", headers={"Authorization": f"Bearer {stack.token}"}
    )
    end = time.monotonic() + seconds
    while True:
        with urllib.request.urlopen(request, timeout=5) as reply:
            listed = json.load(reply)
        rows: list[dict[str, Any]] = listed if isinstance(listed, list) else next(iter(listed.values()))
        found = [row for row in rows if words in json.dumps(row)]
        if found:
            return found[0]
        assert time.monotonic() < end, f"no warning of {words!r} at the desk in {seconds} s"
        time.sleep(0.1)


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


@pytest.mark.parametrize(
    ("said", "tier", "category", "words"),
    [
        ("my mum can't feel her legs since this morning", "emergency", "cauda_equina", "for them now"),
        ("im 15 and i want to die", "crisis", "crisis", "tell an adult you trust"),
        ("I took 20 paracetamol", "emergency", "overdose", "even if you feel fine"),
        ("I'm in Australia and I can't pee", "emergency", "cauda_equina", "Call 000 now"),
        ("we live in the UK, my dad's face is drooping", "emergency", "heart_stroke_artery", "999"),
    ],
)
def test_the_words_fit_who_and_where_they_are(
    patient: Conversation, said: str, tier: str, category: str, words: str
) -> None:
    patient.says(said).escalates(tier, category).replies_with(words)


def test_someone_already_in_hospital_is_not_sent_there(patient: Conversation) -> None:
    patient.says("I'm in A&E now waiting for a scan and I can't feel between my legs")
    patient.replies_with("Tell the nurse or doctor with you", "You are in the right place")


def test_the_crisis_words_ask_directly_and_give_a_person(patient: Conversation) -> None:
    patient.says("I don't want to live any more").escalates("crisis", "crisis")
    patient.replies_with("988", "Are you thinking about ending your life?", "I'm really glad you told me")


def test_the_country_once_named_holds_for_ordinary_answers_too(patient: Conversation) -> None:
    patient.says("I live in New Zealand")
    patient.says("when should I not wait?").answers("when_not_to_wait").replies_with("Call 111 now")
    patient.says("my legs have gone numb, both of them").escalates("emergency", "cauda_equina").replies_with("Call 111")


def test_another_subject_instead_of_an_answer_goes_up_a_tier(patient: Conversation) -> None:
    patient.says("i have bladder problems").clarifies("cauda_equina")
    patient.says("how much does a review cost?").escalates("emergency", "cauda_equina")


def test_a_clear_no_stands_down(patient: Conversation) -> None:
    patient.says("i have bladder problems").clarifies("cauda_equina")
    patient.says("no").does_not_escalate().replies_with("Thank you, that helps")


def test_a_form_goes_on_by_itself_once_a_vague_sign_was_cleared_up(patient: Conversation) -> None:
    patient.says("one says operate, one says wait").replies_with("Who gave you the first opinion?")
    patient.says("my legs go numb when i walk but its fine when i sit down").clarifies("cauda_equina")
    patient.says("no").does_not_escalate().replies_with("Thank you, that helps", "Who gave you the first opinion?")
    patient.says("a surgeon").replies_with("Did they examine you")


def test_an_answer_to_a_form_that_emergency_words_stopped_leads_back_to_it(patient: Conversation) -> None:
    patient.says("one says operate, one says wait").says("a surgeon")
    patient.says("my foot keeps slapping and won't lift any more").escalates("urgent")
    patient.says("I have told my doctor").says("blorp zindle quax").replies_with("carry on")
    patient.picks("Back to my form").replies_with("Did they examine you")


@pytest.mark.parametrize("typed", ["skip", "go back"])
def test_skip_and_back_after_emergency_words_lead_back_to_the_form(patient: Conversation, typed: str) -> None:
    patient.says("I want to send my case to the clinic").says("yes")
    patient.says("my foot keeps slapping and won't lift any more").escalates("urgent")
    patient.says("I have told my doctor").says(typed).replies_with("Your form is saved")
    patient.picks("Back to my form").is_kind("intake")


def test_skip_without_a_form_is_told_so(patient: Conversation) -> None:
    patient.says("skip").replies_with("no question open")


def test_only_new_or_worse_signs_are_said_in_full_again(patient: Conversation) -> None:
    patient.says("I can't pee").escalates("emergency", "cauda_equina")
    full = patient.replies[0]["text"]
    patient.says("I still can't pee").does_not_say(full).replies_with("as I said")
    patient.says("now I'm numb between my legs too").escalates("emergency", "cauda_equina").replies_with(full)


def test_a_vague_word_more_of_what_was_told_is_not_asked_about_again(patient: Conversation) -> None:
    patient.says("some nights I think it would be easier if I didn't wake up").escalates("crisis", "crisis")
    full = patient.replies[0]["text"]
    patient.says("no im safe, i just want it to stop").does_not_say(full, "Are you thinking about ending your life?")
    patient.says("i dont have a plan").does_not_say(full)


def test_yes_after_the_crisis_words_is_taken_for_the_graver_answer(patient: Conversation) -> None:
    patient.says("I don't want to live any more").escalates("crisis", "crisis")
    patient.says("yes").escalates("emergency", "crisis")


def test_no_after_emergency_words_is_met_with_care(patient: Conversation) -> None:
    patient.says("i want to die").escalates("crisis", "crisis")
    patient.says("no").replies_with("talk to a real person", "988")
    patient.says("my chest feels like an elephant is sitting on it").escalates("emergency", "heart_stroke_artery")
    patient.says("no").replies_with("ask someone to call for you")


def test_both_legs_are_the_patients_own_and_someone_with_them_is_no_new_sign(patient: Conversation) -> None:
    patient.says("my legs are numb since this morning both of them").escalates("emergency", "cauda_equina")
    patient.does_not_say("for them now").says("someone is with me").replies_with("I'm glad someone is with you")


def test_who_says_where_they_are_gets_the_number_of_that_country(patient: Conversation) -> None:
    patient.says("mum fell yesterday, she is 82 on steroids and her back is agony").escalates("urgent", "fracture")
    patient.says("yes she is with me").replies_with("I'm glad someone is with you")
    patient.says("her legs have gone numb, both of them").escalates("emergency")
    patient.says("we are in Ireland").replies_with("112").does_not_say("911")


def test_not_going_is_asked_about_once_and_then_let_be(patient: Conversation) -> None:
    patient.says("I can't pee").escalates("emergency", "cauda_equina")
    patient.picks("I'm not going").replies_with("What makes it hard")
    patient.picks("The cost").replies_with("money can be sorted out later").does_not_say("What makes it hard")
    patient.says("How much does it cost?").answers("cost").does_not_say("What makes it hard")


def test_after_a_fallback_and_inside_a_button(patient: Conversation) -> None:
    patient.says("qwrtz plmk vbnm")
    patient.says("i cant feel my legs").escalates("emergency", "cauda_equina")
    patient.says('/intake_answer{"intake_answer":"chest pain and my left arm hurts"}')
    patient.escalates("emergency", "heart_stroke_artery")


def test_the_desk_has_the_patients_words_and_what_they_will_do(stack: Stack, patient: Conversation) -> None:
    said = "I can't pee since the ferry trip on Tuesday"
    patient.says(said).escalates("emergency", "cauda_equina")
    row = warnings_at_the_desk(stack, said)
    assert "emergency" in json.dumps(row) and "cauda_equina" in json.dumps(row)


def test_the_country_told_late_still_brings_its_number_once(patient: Conversation) -> None:
    patient.says("she fell yesterday and since then mum cant get up out of the chair at all").escalates("emergency")
    patient.says("is that serious").replies_with("as I said")
    patient.says("how much is a review").answers("cost")
    patient.says("we are in the UK").replies_with("999").does_not_say("911")
    patient.says("ok the ambulance is coming").does_not_escalate().replies_with("999")
    patient.says("what will they do there").replies_with("examine")


def test_a_warning_that_is_quoted_alarms_nobody(patient: Conversation) -> None:
    patient.says("surgeon said ill be dead from the waist down if i dont have it").answers("feeling_rushed")
    patient.says("he also said i could lose control of my bladder if i wait").does_not_escalate()


def test_an_extra_dose_by_mistake_is_for_the_poison_line_today(patient: Conversation) -> None:
    patient.says("took 3 extra tramadol by mistake, feel ok").escalates("urgent", "overdose")
    patient.says("should i wait").does_not_say("can most often wait").replies_with("as I said")


def test_signs_told_one_after_the_other_are_read_together(patient: Conversation) -> None:
    patient.says("had my l5 s1 fusion 8 weeks ago").does_not_escalate()
    patient.says("how long does a second opinion take").answers("how_long")
    patient.says("my calf is a bit sore").clarifies("blood_clot")
    patient.says("it's swollen yes just the left").escalates("urgent", "blood_clot")


def test_a_dog_is_no_patient(patient: Conversation) -> None:
    patient.says("my dog cant walk, his back legs are paralysed").does_not_escalate()


def test_no_wish_to_die_is_met_with_care_and_means_are_taken_seriously(patient: Conversation) -> None:
    patient.says("if this op fails im done").escalates("crisis", "crisis")
    patient.says("no i dont want to die i just want the pain to stop").does_not_escalate().replies_with("988")
    patient.says("i have a load of morphine at home").escalates("emergency", "crisis")
    patient.says("my brother is here").replies_with("I'm glad someone is with you")


def test_who_cannot_phone_and_who_is_driven_are_understood(patient: Conversation) -> None:
    patient.says("my chest feels tight since lunch").escalates("emergency", "heart_stroke_artery")
    patient.says("I'm deaf, I can't call").replies_with("ask someone to call for you")
    patient.says("texas").replies_with("911").does_not_say("999")
    patient.says("my daughter is driving me").replies_with("what you told me")


def test_no_after_a_doctor_today_is_no_reason_for_an_ambulance(patient: Conversation) -> None:
    patient.says("3 weeks after my laminectomy, my scar is red and hot").escalates("urgent", "infection")
    patient.says("no its not leaking").does_not_say("ask someone to call for you")


def test_what_would_happen_if_is_answered(patient: Conversation) -> None:
    patient.says("what would happen if i got cauda equina while waiting").does_not_escalate()
    patient.says("how would i know").does_not_escalate()
