"""Questions and what follows them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml

from tests.conftest import ROOT, Stack
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


def test_a_message_that_was_not_understood_is_shared_only_when_the_patient_says_so(
    stack: Stack, patient: Conversation
) -> None:
    listing = [sys.executable, "-m", "scripts.review_questions"]
    said = "they put the thing there and then it was that"
    patient.says(said).falls_back()
    assert said not in subprocess.check_output(listing, env=stack.environment, text=True)
    patient.picks("Let staff read this").replies_with("staff may now read this one message")
    assert said in subprocess.check_output(listing, env=stack.environment, text=True)
    patient.says("/share_question").replies_with("no message to pass on")
    patient.says("delete my data").says("yes").replies_with("deleted")
    assert said not in subprocess.check_output(listing, env=stack.environment, text=True)


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
        ("I'm 16, can I use this", "under_18"),
        ("how long is the recovery", "recovery"),
        ("does laser surgery work", "surgery_methods"),
        ("is robot surgery better?", "surgery_methods"),
        ("what exercises are good for my back", "back_care"),
    ],
)
def test_what_it_does_not_do_is_refused_kindly(patient: Conversation, asked: str, topic: str) -> None:
    patient.says(asked).refuses(topic)


@pytest.mark.parametrize(
    ("asked", "topic", "said"),
    [
        ("can i do it for him", "for_someone_else", "a person you care for"),
        ("what will happen to his scans", "scans_kept", "I don't know how long the clinic keeps the pictures"),
        ("can I get a refund", "ask_the_clinic", "care@example.org"),
        ("are you open on saturday", "ask_the_clinic", "Hours: Monday to Thursday"),
        ("why should i trust you", "trust_you", "a clinic that sells second opinions"),
    ],
)
def test_who_we_are_and_what_only_the_clinic_knows(patient: Conversation, asked: str, topic: str, said: str) -> None:
    patient.says(asked).answers(topic).replies_with(said)


@pytest.mark.parametrize(
    ("told", "topic", "said"),
    [
        ("i was told i need surgery", "told_surgery", "there is most often time for a second opinion"),
        ("ive been told i need a fusion", "told_surgery", "Where shall we start?"),
        ("my mum has to have an operation on her neck", "told_surgery", "Unless it is an emergency"),
        ("i dont want it", "cancel_operation", "You can say no"),
        ("i want to cancel it", "cancel_operation", "Call your surgeon's office"),
        ("my pre-op is at 7 tomorrow and i just want to cancel it", "cancel_operation", "I can't cancel it for you"),
        ("is it a major operation", "big_operation", "Surgery on the spine is a big step"),
        ("what are my chances", "will_it_help", "I can't tell how it would go for you"),
        ("can't reach my surgeon", "reach_surgeon", "the doctor on call"),
        ("no one calls me back", "reach_surgeon", "don't wait for them"),
        ("they cancelled my op again", "waiting_for_surgery", "who to call if you get worse"),
        ("had my fusion 5 weeks ago", "had_surgery", "call the team that operated"),
        ("i don't trust my surgeon", "uneasy_with_surgeon", "a good reason for a second opinion"),
        ("who made you", "who_are_you", "I am a computer program"),
    ],
)
def test_what_is_told_without_a_question_gets_an_answer_of_its_own(
    patient: Conversation, told: str, topic: str, said: str
) -> None:
    patient.says(told).answers(topic).replies_with(said)


def test_the_name_of_an_operation_and_its_level_is_explained(patient: Conversation) -> None:
    patient.says("fusion l4 l5").is_kind("explain").replies_with("fusion")
    patient.says("l5 s1 disc replacement").is_kind("explain").replies_with("disc replacement")


def test_talk_of_surgery_leads_on_to_what_else_there_is(patient: Conversation) -> None:
    patient.says("my doctor says i need an operation").answers("told_surgery")
    patient.says("what else can i do").answers("try_without_surgery")
    patient.says("is that a big op").answers("big_operation")
    patient.says("make me a list of questions").replies_with("Questions you could ask")


def test_stop_with_nothing_open_asks_if_the_operation_is_meant(patient: Conversation) -> None:
    patient.says("stop").picks("Cancel my operation").answers("cancel_operation")


def test_who_is_fed_up_or_not_heard_gets_a_kind_word_and_a_way_to_a_person(patient: Conversation) -> None:
    patient.says("im fed up").replies_with("I'm sorry", "talk to a person")
    patient.says("nobody listens").replies_with("Your pain is real", "talk to a person")


def test_who_asks_in_fear_is_heard_before_the_answer_and_only_once(patient: Conversation) -> None:
    patient.says("I'm so scared, do I really need a fusion?").answers("need_fusion").replies_with("It makes sense")
    patient.says("I'm still scared, how much does it cost?").answers("cost").does_not_say("It makes sense")


def test_what_an_answer_means_for_someone_else(patient: Conversation) -> None:
    patient.says("Do I really need a fusion?").answers("need_fusion")
    patient.says("and for my mum?").answers("need_fusion").replies_with("someone you care for")


def test_what_is_asked_again_and_has_no_answer_gets_the_questions_to_ask(patient: Conversation) -> None:
    patient.says("is laser better").refuses("surgery_methods")
    patient.says("is a robot better?").refuses("surgery_methods").replies_with("How many of these have you done?")


def test_a_long_story_gets_its_three_questions_answered(patient: Conversation) -> None:
    stories = ROOT / "tests" / "understanding" / "heldout" / "multi_second.yml"
    story = yaml.safe_load(stories.read_text(encoding="utf-8"))[-1]
    assert len(story["text"]) > 1000
    patient.says(story["text"]).replies_with(
        "one by one", "A good surgeon will not mind", "Our price is", "sort this out"
    )


def test_the_same_fallback_never_comes_twice_in_a_row(patient: Conversation) -> None:
    said = [patient.says(text).text for text in ("blorp zindle quax", "frindle mop", "zazz kerplunk wibble")]
    assert said[0] != said[1] != said[2]


def test_small_talk(patient: Conversation) -> None:
    patient.says("hi there").replies_with("not a doctor")
    patient.says("thanks!").replies_with("welcome")
    patient.says("are you a real person?").answers("who_are_you")


def test_what_was_offered_is_taken_by_its_place(patient: Conversation) -> None:
    patient.says("menu").says("the second one").replies_with("paste your letter or report")


def test_what_is_that_means_the_word_just_said(patient: Conversation) -> None:
    patient.says("i have been told i need an acdf")
    patient.says("what is that").is_kind("explain").replies_with("ACDF")
    patient.says("is that bad").replies_with("I can't say what is right for you")


def test_the_same_words_are_not_said_twice_in_a_row(patient: Conversation) -> None:
    patient.says("Do I really need a fusion?").answers("need_fusion")
    patient.says("why")
    why = patient.replies[0]["text"]
    patient.says("but why").does_not_say(why)


def test_what_is_told_beside_a_question_is_answered_too(patient: Conversation) -> None:
    patient.says("I don't want an operation but my surgeon keeps insisting. What else can I try?")
    patient.replies_with("one by one", "Ask about care without surgery", "your body and your decision")


def test_a_list_of_wishes_is_answered_in_full(patient: Conversation) -> None:
    patient.says("hello, i want to know 1) the cost 2) how long it takes 3) what i have to bring")
    patient.replies_with("one by one", "Our price", "business days", "Bring the scan")


def test_writing_down_the_questions_adds_none(patient: Conversation) -> None:
    patient.says("can you write down my questions").replies_with("Questions you could ask").does_not_say("added it")


def test_questions_after_a_word_are_about_that_word(patient: Conversation) -> None:
    patient.says("what is spondylolisthesis").replies_with("slipped forward")
    patient.says("and stenosis").is_kind("explain").replies_with("narrow")
    patient.says("can it get better on its own").replies_with("can't examine you")


def test_ok_after_an_answer_is_no_wish_for_more_and_yes_is(patient: Conversation) -> None:
    patient.says("Do I need a referral?").answers("referral")
    patient.says("ok").replies_with("What would you like to know next?")
    patient.says("yes").replies_with("What would you like to know next?")
    patient.says("Do I need a referral?").says("yes please").answers("referral")


def test_who_asks_again_for_a_dose_hears_of_the_pharmacist_each_time(patient: Conversation) -> None:
    for asked in ("how much ibuprofen can i take", "can i take 2 tramadol", "and how many naproxen can i take a day"):
        patient.says(asked).refuses("medicine_dose").replies_with("pharmacist")
    patient.says("ok I'll ask the pharmacist").replies_with("welcome")


def test_who_is_in_hospital_is_not_told_that_surgery_can_wait(patient: Conversation) -> None:
    patient.says("I'm in hospital").replies_with("glad you have been seen")
    patient.says("they are doing an MRI now").replies_with("Ask them what they found")
    patient.says("they want to operate tonight").answers("urgent_surgery").replies_with("do not wait")


@pytest.mark.parametrize(
    ("asked", "topic"),
    [
        ("how long does the video call take", "calls"),
        ("can my husband join the video visit", "calls"),
        ("do surgeons operate too much", "too_much_surgery"),
    ],
)
def test_what_comes_up_again_and_again_has_its_answer(patient: Conversation, asked: str, topic: str) -> None:
    patient.says(asked).answers(topic)


def test_the_dead_are_mourned_before_anything_is_explained(patient: Conversation) -> None:
    patient.says("my brother died after his back operation").replies_with("sorry for your loss")


def test_a_question_added_to_the_list_is_not_answered_but_kept(patient: Conversation) -> None:
    patient.says("make me a list of questions").says("add: can I swim afterwards").replies_with("can I swim afterwards")


def test_a_number_that_is_no_reference_is_told_so(patient: Conversation) -> None:
    patient.says("where is my case").says("PS-12345").replies_with("check the number")


def test_a_word_beside_a_question_is_explained_and_the_question_answered(patient: Conversation) -> None:
    patient.says("what is a TLIF and how much does a second opinion cost?").answers("cost").replies_with("TLIF:")


def test_a_question_nobody_understands_beside_another_is_owned_up_to(patient: Conversation) -> None:
    patient.says("what happens if the two opinions differ, is a mediator brought in, who decides")
    patient.answers("two_opinions_what_now").replies_with('"is a mediator brought in" I\'m not sure what you mean')
    assert patient.buttons and patient.replies[-1].get("buttons"), "the buttons stand under the last reply"


def test_a_wish_beside_a_question_is_offered(patient: Conversation) -> None:
    patient.says("can i send you my letter and how much does it cost").answers("cost")
    patient.picks("Send my case").asks("consent_chatbot")
