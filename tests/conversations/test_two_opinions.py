"""Two opinions, talked through by a person: guided, filled in from letters, interrupted, taken up again."""

from __future__ import annotations

from tests.conversations.harness import Conversation
from tests.explain.test_letters import LETTERS

FOR, AGAINST = LETTERS["05_surgeon_fusion"], LETTERS["06_no_surgery"]
FIRST = [
    "an orthopaedic surgeon",
    "examined me",
    "slipped disc L5/S1",
    "yes",
    "fusion L5/S1",
    "in some months",
    "the scan",
]
SECOND = ["neurosurgeon", "only from scans", "worn disc", "no", "physio can do it"]


def told(patient: Conversation, answers: list[str]) -> Conversation:
    for answer in answers:
        patient.says(answer)
    return patient


def test_a_frightened_patient_is_led_through_both(patient: Conversation) -> None:
    patient.says("one says operate, one says wait").replies_with("I take no side", "Who gave you the first opinion?")
    told(patient, ["a spine surgeon", "he saw me", "spinal stenosis", "decompression L4/5", "right away", "my legs"])
    patient.replies_with("Who gave you the second opinion?")
    told(patient, ["physio", "she examined me", "spinal stenosis", "no hurry", "skip"])
    told(patient, ["exercises for two weeks"])
    patient.says("walking my dog").is_kind("comparison")
    assert patient.custom["differences"] == ["need", "timing"]
    patient.replies_with(
        "First: if a doctor says you can't wait", "They agree", "walking my dog", "What will you do if"
    )
    patient.does_not_say("you should have surgery", "you do not need surgery")
    patient.says("call 911").replies_with("")
    patient.says("show my plan").is_kind("plan").replies_with("Where they differ:", "walking my dog")


def test_every_question_can_be_answered_in_words(patient: Conversation) -> None:
    patient.says("compare my two opinions")
    told(patient, FIRST).replies_with("Who gave you the second opinion?")
    told(patient, SECOND).replies_with("What have you tried")
    told(patient, ["nothing yet"]).replies_with("What matters most to you?")
    patient.says("less pain").is_kind("comparison").replies_with("did not examine you", "What studies say")


def test_two_letters_are_compared_and_confirmed(patient: Conversation) -> None:
    patient.says(FOR.letter).is_kind("report_check")
    patient.says(AGAINST.letter).is_kind("report_check")
    patient.says("compare my two letters").replies_with("First opinion:", "Second opinion:", "Is that right?")
    patient.does_not_say(*FOR.private, *AGAINST.private)
    patient.picks("Yes, that's right").replies_with("Who gave you the first opinion?")
    told(patient, ["surgeon", "scans only", "soon", "skip", "surgeon", "examined me", "skip", "tablets"])
    patient.says("lifting my grandson").is_kind("comparison")
    assert "need" in patient.custom["differences"]


def test_a_letter_read_wrong_is_put_aside(patient: Conversation) -> None:
    patient.says("compare my two opinions")
    patient.says(FOR.letter).replies_with("Is that right?")
    patient.picks("No").replies_with("I'll ask you instead", "Who gave you the first opinion?")


def test_questions_in_between_do_not_lose_the_thread(patient: Conversation) -> None:
    patient.says("compare my two opinions")
    patient.says("why do you ask?").replies_with("I ask because", "Who gave you the first opinion?")
    patient.says("what does fusion mean?").replies_with("joined", "Who gave you the first opinion?")
    patient.says("How much does it cost?").replies_with("Who gave you the first opinion?")
    told(patient, ["a surgeon", "examined me"]).replies_with("What did they say is wrong?")
    patient.says("go back").replies_with("Did they examine you")


def test_stopping_and_carrying_on(patient: Conversation) -> None:
    patient.says("compare my two opinions")
    told(patient, ["a surgeon", "examined me"])
    patient.says("stop").replies_with("kept your answers")
    patient.says("what is a second opinion?").answers("what_is_second_opinion")
    patient.says("carry on").replies_with("carry on where we were", "What did they say is wrong?")


def test_an_emergency_comes_first_and_the_thread_is_kept(patient: Conversation) -> None:
    patient.says("compare my two opinions")
    patient.says("a surgeon")
    patient.says("I can't pee since this morning and I'm numb between my legs").escalates("emergency")
    patient.picks("Someone is helping")
    patient.says("carry on").replies_with("Did they examine you")


def test_a_story_is_heard_in_whatever_order_it_is_told(patient: Conversation) -> None:
    patient.says("one says operate, one says wait").replies_with("I noted this", "yes, operate", "wait and see")
    patient.says("the first is the surgeon at the city hospital, she saw me and examined me")
    patient.replies_with("What did they say is wrong?")
    patient.says("stenosis at L4/5 and a slipped bone").replies_with("Which operation")
    patient.says("she wants to fuse L4/5 within 2 months").replies_with("In some months", "What reasons did they give?")
    patient.says("she said it will only get worse").replies_with("Who gave you the second opinion?")
    patient.says("the second one only looked at my mri").replies_with(
        "scans and papers only", "Who gave you the second"
    )
    patient.does_not_say("can't look at scan pictures")
    patient.says("a neurosurgeon").replies_with("What did they say is wrong?")
    patient.says("no hurry").replies_with("I noted this", "What did they say is wrong?")
    patient.says("he says the slip is stable").replies_with("What reasons did they give?")
    patient.says("I want to go on walking with my family").replies_with("I noted this", "What reasons")
    patient.says("what should i ask them?").replies_with("What reasons did they give?")
    patient.says("he said I can still walk a mile").replies_with("What have you tried")
    patient.says("physio for 6 weeks and tablets").is_kind("comparison")
    assert patient.custom["differences"] == ["need", "timing"]
    patient.replies_with("did not examine you", "walking with my family")
