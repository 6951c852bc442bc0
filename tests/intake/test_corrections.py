"""What people say while they check or correct: nothing is sent, stored or agreed to that they did not say."""

from __future__ import annotations

from typing import Any

import pytest

from actions.intake.apply import Effect
from actions.intake.decision import Kind
from knowledge.intake import words
from tests.intake.talk import at


@pytest.mark.parametrize(
    "text",
    [
        "yes but change my phone first",
        "send it but my phone is wrong",
        "looks good but the phone is wrong",
        "all right except my phone",
        "only the phone number is wrong",
    ],
)
def test_a_yes_with_a_but_sends_nothing(text: str) -> None:
    talk = at("review").says(text).is_asked("phone")
    assert talk.effect is Effect.ASK


@pytest.mark.parametrize("text", ["yes but wait", "yes, one thing is wrong", "yeah but not yet"])
def test_a_yes_that_is_none_asks_what_to_change(text: str) -> None:
    assert at("review").says(text).is_told(words().say["change_which"]).effect is Effect.ASK


@pytest.mark.parametrize(
    "text", ["yes", "yes, send it please", "That's all correct, send it!", "yes everything is right"]
)
def test_a_plain_yes_sends(text: str) -> None:
    assert at("review").says(text).effect is Effect.SUBMIT


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("the pain is more like 6", "pain", 6),
        ("pain is 6", "pain", 6),
        ("pain: 6", "pain", 6),
        ("make the pain 6", "pain", 6),
        ("can you put my pain to 6", "pain", 6),
        ("phone +1 202 555 0199", "phone", "+12025550199"),
        ("my name is spelled Patt Example", "name", "Patt Example"),
        ("yes but my email should be robin@example.org", "email", "robin@example.org"),
    ],
)
def test_an_answer_is_changed_in_words_at_the_read_back(text: str, field: str, value: Any) -> None:
    assert at("review").says(text).is_asked("review").answer(field).value == value


@pytest.mark.parametrize(
    ("where", "text", "field", "value"),
    [
        ("operation", "actually make the pain a 7", "pain", 7),
        ("offer", "no my pain is 6", "pain", 6),
        ("offer", "pain 6", "pain", 6),
        ("matters", "sorry, my pain is 6", "pain", 6),
        ("review", "actually it's 202 555 0199", "phone", "+12025550199"),
        ("review", "robin@example.org", "email", "robin@example.org"),
        ("review", "my name is Patt", "name", "Patt Example"),
        ("review", "my name is Robin", "name", "Robin"),
    ],
)
def test_a_correction_is_taken_wherever_it_is_made(where: str, text: str, field: str, value: Any) -> None:
    assert at(where).says(text).is_asked(where).answer(field).value == value


@pytest.mark.parametrize("text", ["hmm no", "um, no", "well no"])
def test_a_no_after_a_sigh_is_a_no(text: str) -> None:
    assert at("consent_send").says(text).effect is Effect.FORGET


@pytest.mark.parametrize(("where", "text"), [("consent_send", "ok yes i agree"), ("offer", "ok check")])
def test_what_is_said_before_the_words_that_count_is_not_in_the_way(where: str, text: str) -> None:
    at(where).says(text).is_asked({"consent_send": "consent_doctor", "offer": "review"}[where])


@pytest.mark.parametrize("field", ["decision", "main_problem", "matters"])
@pytest.mark.parametrize("text", ["yes", "ok", "sure"])
def test_a_bare_yes_is_no_story(field: str, text: str) -> None:
    at(field).says(text).is_asked(field).is_told(words().say["invalid_text"])


def test_what_cannot_be_read_at_the_read_back_is_asked_about() -> None:
    at("review").says("the first thing is odd").is_asked("review").is_told(words().say["review_again"])


@pytest.mark.parametrize("text", ["can you remove my email", "delete my e-mail address", "leave out the email please"])
def test_an_answer_is_taken_out_again(text: str) -> None:
    answer = at("review").says(text).is_told("E-mail is left out").answer("email")
    assert (answer.status, answer.value) == ("declined", None)


def test_what_has_to_be_answered_is_asked_anew_instead_of_taken_out() -> None:
    at("review").says("remove the warning signs").is_asked("safety")


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (("L4/5 fusion", "no, it's L5.", "yes"), "Spinal fusion at L5"),
        (("L4/5 fusion", "yes but at L3/4", "yes"), "Spinal fusion at L3-L4"),
        (("L4/5 fusion", "it was L5/S1, not L4/5", "yes"), "Spinal fusion at L5-S1"),
        (("L4/5 fusion", "yes", "it's L5/S1, not L4/5", "yes"), "Spinal fusion at L5-S1"),
        (("L4/5 fusion", "yes", "it was L5 not L4", "it's L5/S1, not L5", "yes"), "Spinal fusion at L5-S1"),
    ],
)
def test_a_level_is_corrected_and_the_operation_stays(texts: tuple[str, ...], value: str) -> None:
    talk = at("operation").says(*texts).is_asked("diagnosis")
    assert talk.answer("operation").value == value


def test_another_answer_changed_while_one_waits_for_its_yes_is_no_answer_to_it() -> None:
    talk = at("operation").says("L4/5 fusion", "change my pain to 3").is_asked("operation")
    assert talk.answer("pain").value == 3 and "operation" not in talk.state.answers


@pytest.mark.parametrize(
    "text", ["nearly 18", "I turn 18 next month", "under 18", "not quite 18", "18 in 2 months", "17"]
)
def test_who_is_nearly_18_is_not_18(text: str) -> None:
    assert at("age_ok").says(text).effect is Effect.FORGET


@pytest.mark.parametrize("text", ["I'm 45", "nearly 45", "18", "over 18", "I'm 18 years old"])
def test_who_is_18_may_go_on(text: str) -> None:
    at("age_ok").says(text).is_asked("safety")


@pytest.mark.parametrize("text", ["yes but don't tell anyone", "yes, if it is free", "ok but only my name"])
@pytest.mark.parametrize("field", ["consent_send", "consent_doctor"])
def test_a_yes_with_a_condition_is_no_consent(field: str, text: str) -> None:
    assert field not in at(field).says(text).is_asked(field).state.answers


@pytest.mark.parametrize(
    ("field", "text"),
    [("phone", "I don't have one"), ("phone", "no phone"), ("email", "I don't have an email"), ("email", "none")],
)
def test_who_has_no_phone_or_email_says_so_once(field: str, text: str) -> None:
    answer = at(field).says(text).is_told(words().say["skipped"]).answer(field)
    assert (answer.status, answer.text) == ("declined", text)


def test_a_number_given_after_all_is_taken() -> None:
    talk = at("phone").says("I don't have a mobile, my landline is +1 202 555 0143")
    assert talk.answer("phone").value == "+12025550143"


@pytest.mark.parametrize(
    ("text", "country"),
    [("I live in Spain but I'm in Texas now", "US"), ("Texas, but I am in Spain at the moment", "ES")],
)
def test_of_two_countries_the_one_meant_is_asked(text: str, country: str) -> None:
    assert at("country").says(text).says("yes").answer("country").value == country


def test_a_place_within_the_name_of_another_is_no_second_country() -> None:
    assert at("country").says("I'm over in New Mexico").is_asked("about").answer("country").value == "US"


@pytest.mark.parametrize(
    ("field", "text"), [("course", "it is not getting worse"), ("course", "not better"), ("onset", "it wasn't sudden")]
)
def test_what_is_denied_is_not_the_answer(field: str, text: str) -> None:
    assert field not in at(field).says(text).is_asked(field).state.answers


def test_a_place_denied_is_left_out_and_the_next_is_taken() -> None:
    assert at("where").says("not my neck, my lower back").answer("where").value == ["low_back"]


@pytest.mark.parametrize("text", ["I could not pee today", "not able to pee", "I cannot poo"])
def test_at_the_safety_screen_not_being_able_to_is_a_sign_and_no_denial(text: str) -> None:
    assert at("safety").says(text).effect is Effect.ESCALATE


def test_at_the_safety_screen_a_number_with_a_no_is_asked_again() -> None:
    assert "safety" not in at("safety").says("2 no").is_asked("safety").state.answers


@pytest.mark.parametrize(("text", "kind"), [("why do you need it", Kind.WHY), ("why do you want my name?", Kind.WHY)])
def test_why_is_no_name(text: str, kind: Kind) -> None:
    decision = at("name").says(text).is_asked("name").decision
    assert decision and decision.kind is kind


def test_skip_the_rest_ends_the_longer_part_and_skips_one_question_of_the_short() -> None:
    at("birth_date").says("skip the rest").is_asked("review")
    at("birth_date").says("that's enough, send it").is_asked("review")
    assert at("main_problem").says("skip to the end").is_asked("since").answer("main_problem").status == "declined"


def test_a_time_of_life_is_kept_as_it_was_said() -> None:
    answer = at("since").says("when I was 20").is_asked("pain").answer("since")
    assert (answer.value, answer.text) == (None, "when I was 20")


def test_a_child_of_some_age_is_someone_else() -> None:
    at("about").says("my 12 year old son").is_asked("relation")


@pytest.mark.parametrize(
    ("asked", "text", "field", "value"),
    [
        ("country", "its for my mum she is 71", "about", "other"),
        ("country", "I'm writing on behalf of my husband", "about", "other"),
        ("age_ok", "you can write to pat@example.org", "email", "pat@example.org"),
        ("about", "+1 202 555 0143", "phone", "+12025550143"),
        ("where", "7 out of 10 on a bad day", "pain", 7),
        ("name", "+1 202 555 0143", "phone", "+12025550143"),
    ],
)
def test_an_answer_that_comes_before_its_question_is_kept(asked: str, text: str, field: str, value: object) -> None:
    talk = at(asked).says(text).is_asked(asked)
    assert talk.answer(field).value == value
    talk.is_told("Noted")


def test_nothing_is_kept_before_there_is_consent() -> None:
    talk = at("consent_send").says("its for my mum, pat@example.org")
    assert set(talk.state.answers) == {"consent_chatbot"}


def test_what_is_neither_yes_nor_a_correction_is_not_taken_for_one() -> None:
    talk = at("operation").says("L4 to S1 decompression and fusion").says("disc and slip").is_asked("operation")
    talk.is_told("yes or a no").says("yes").is_asked("diagnosis")
    assert "decompression" in talk.answer("operation").text
    at("operation").says("L4 fusion").says("it was L5").says("yes").is_asked("diagnosis")


@pytest.mark.parametrize("asked", ["phone", "where", "decision"])
def test_sending_before_the_short_part_is_done_says_how_much_is_left(asked: str) -> None:
    at(asked).says("that's all, send it").is_asked(asked).is_told("I can send it after", "more short question")


@pytest.mark.parametrize("text", ["change where: neck", "change where it hurts: neck", "change where = neck"])
def test_a_colon_says_what_to_change_to(text: str) -> None:
    talk = at("operation").says(text).is_asked("operation").is_told("Where it hurts is now Neck")
    assert talk.state.value("where") == ["neck"]
