"""The intake as conversations: answers, interruptions, corrections, ways back and out."""

from __future__ import annotations

import dataclasses
import re

import pytest

from actions.intake.apply import Effect
from actions.intake.decision import Kind
from knowledge.intake import questionnaire
from tests.intake.talk import SHORT_PATH, Talk, at


def test_the_short_path_asks_one_question_at_a_time_and_then_offers_more() -> None:
    talk = Talk()
    for field_id, text in SHORT_PATH:
        talk.is_asked(field_id).says(text)
    assert talk.slot == "offer"
    talk.says("check and send")
    assert talk.slot == "review"
    assert "Pat Example" in talk.asked and "Pain shoots down my left leg when I stand" in talk.asked
    assert talk.says("send it").effect is Effect.SUBMIT


def test_nothing_goes_on_without_consent() -> None:
    talk = Talk().says("yes").says("no")
    assert talk.effect is Effect.FORGET
    talk.is_told("won't save or send")
    assert Talk().says("maybe").is_told("clear yes").slot == "consent_chatbot"


def test_sharing_with_the_doctor_may_be_refused() -> None:
    assert at("consent_doctor").says("no").is_asked("country").answer("consent_doctor").value == "no"


def test_a_carer_is_asked_about_them_and_for_both_names() -> None:
    talk = at("about").says("my mother").is_asked("relation").says("daughter").is_asked("age_ok")
    assert "Are they 18 or older?" in talk.asked
    talk.says("yes", "none", "no", "x y z", "neck", "it hurts", "2020", "5", "skip", "skip", "sleep", "Mary Example")
    talk.is_asked("carer_name").says("Sam Example")
    assert talk.answer("carer_name").said_by == "carer"


def test_a_carer_is_asked_in_whole_sentences() -> None:
    field = questionnaire().field("matters")
    assert questionnaire().say(field.ask, "other").startswith("What matters most to them?")
    said = [
        questionnaire().say(text, "other")
        for field in questionnaire().fields
        for text in (field.ask, field.again, field.help, field.why)
    ]
    wrong = re.compile(r"\b(?:to|for|of|with|from|pays:|bothers|worries|affects|limits|stop|give|reaches) they\b")
    assert [text for text in said if wrong.search(text)] == []


def test_what_a_carer_said_before_it_was_known_is_theirs() -> None:
    talk = at("about").says("my husband")
    assert {answer.said_by for answer in talk.state.answers.values()} == {"carer"}
    talk.says("wife", "he is 61", "change who it is about to me")
    assert {answer.said_by for answer in talk.state.answers.values()} == {"patient"}


@pytest.mark.parametrize("text", ["no", "I'm 16", "she is 12, no"])
def test_under_18_stops_kindly_and_keeps_nothing(text: str) -> None:
    talk = at("age_ok").says(text)
    assert talk.effect is Effect.FORGET
    talk.is_told("adults", "children's")


def test_an_age_is_an_answer_to_18_or_older() -> None:
    at("age_ok").says("I'm 45").is_asked("safety")


@pytest.mark.parametrize(
    ("text", "category", "tier"),
    [
        ("1", "cauda_equina", "emergency"),
        ("numb between legs", "cauda_equina", "emergency"),
        ("2 and 4", "cauda_equina", "emergency"),
        ("a new weak leg", "limb_weakness", "urgent"),
        ("chest", "heart_stroke_artery", "emergency"),
        ("not sure", "very_unwell", "urgent"),
        ("I don't know", "very_unwell", "urgent"),
    ],
)
def test_a_warning_sign_escalates_and_the_answer_stays(text: str, category: str, tier: str) -> None:
    talk = at("safety").says(text)
    assert talk.effect is Effect.ESCALATE and talk.step.flag
    assert (talk.step.flag.category, talk.step.flag.tier) == (category, tier)
    talk.is_asked("safety_mood")
    assert talk.state.red_flags[0]["tier"] == tier


@pytest.mark.parametrize(
    "text", ["none", "no", "None of these", "no numbness, no pee trouble", "nope, all good", "no none of those"]
)
def test_no_warning_sign(text: str) -> None:
    at("safety").says(text).is_asked("safety_mood")


def test_a_bare_yes_to_the_signs_asks_which_with_the_number_to_call() -> None:
    at("safety").says("yes").is_told("which of these", "{emergency_number}").is_asked("safety")


@pytest.mark.parametrize("text", ["yes", "not sure", "maybe"])
def test_thoughts_of_ending_life_reach_the_crisis_words(text: str) -> None:
    talk = at("safety_mood").says(text)
    assert talk.effect is Effect.ESCALATE and talk.step.flag and talk.step.flag.category == "crisis"


def test_the_soft_question_may_be_left_out() -> None:
    talk = at("safety_mood").says("I'd rather not say").is_asked("decision")
    assert talk.answer("safety_mood").status == "declined"


def test_not_knowing_is_kept_apart_from_declining() -> None:
    talk = at("diagnosis").says("I don't know").says("skip")
    assert talk.answer("diagnosis").status == "unknown"
    assert talk.answer("matters").status == "declined"


@pytest.mark.parametrize(
    "text", ["I don't know what it was called", "no idea", "not sure", "can't remember the name", "nobody told me"]
)
def test_ways_of_not_knowing(text: str) -> None:
    assert at("operation").says(text).answer("operation").status == "unknown"


def test_a_required_question_cannot_be_skipped() -> None:
    at("about").says("skip").is_told("need an answer").is_asked("about")


def test_why_and_help_come_back_to_the_same_question() -> None:
    at("pain").says("why do you ask?").is_told("how much this affects you").is_asked("pain")
    at("pain").says("what do you mean?").is_told("feels closest").is_asked("pain")


def test_back_goes_one_question_back_and_the_old_answer_can_be_given_anew() -> None:
    talk = at("pain").says("back").is_asked("since").says("back").is_asked("main_problem")
    talk.says("My neck hurts").is_asked("pain")
    assert talk.answer("main_problem").text == "My neck hurts"
    assert Talk().says("back").is_told("first question").slot == "consent_chatbot"


def test_low_back_is_an_answer_and_not_a_command() -> None:
    assert at("where").says("back").answer("where").value == ["low_back"]


def test_a_question_is_answered_and_the_same_question_comes_back() -> None:
    talk = at("main_problem").says("How much does a second opinion cost?", topic="cost")
    assert talk.effect is Effect.DIGRESS and talk.step.topic == "cost"
    talk.is_asked("main_problem")
    assert "main_problem" not in talk.state.answers


@pytest.mark.parametrize(
    "text",
    ["Pain after my fusion", "I want to know what it costs me to stand all day", "My doctor says I need surgery"],
)
def test_a_statement_is_an_answer_even_when_it_sounds_like_a_topic(text: str) -> None:
    talk = at("main_problem").says(text, topic="need_fusion").is_asked("since")
    assert talk.answer("main_problem").text == text


def test_the_patients_own_question_is_the_decision() -> None:
    talk = at("decision").says("Should I have the fusion or not?", topic="need_fusion").is_asked("where")
    assert talk.answer("decision").text == "Should I have the fusion or not?"
    at("decision").says("should mum have the operation", topic="should_i_have_surgery").is_asked("where")
    assert at("decision").says("How long does it take?", topic="how_long").effect is Effect.DIGRESS


def test_small_talk_does_not_become_an_answer() -> None:
    talk = at("main_problem").says("thanks", intent="chitchat", label="chitchat/thanks")
    assert talk.effect is Effect.DIGRESS
    talk.is_asked("main_problem")


@pytest.mark.parametrize("text", ["playing with the grandchildren", "call me at home", "I am in pain"])
def test_what_hardly_is_a_name_is_asked_about(text: str) -> None:
    talk = at("name").says(text).is_asked("name")
    assert talk.state.pending and "Is that right?" in talk.asked
    assert at("name").says("Maria de la Cruz").state.value("name") == "Maria de la Cruz"


def test_two_misses_bring_other_words_and_a_way_out() -> None:
    talk = at("pain").says("quite bad").is_told("one number from 0 to 10")
    first = talk.asked
    talk.says("really really bad")
    assert talk.asked != first and "skip" in talk.asked
    talk.says("skip").is_asked("operation")


def test_an_operation_is_read_and_confirmed() -> None:
    talk = at("operation").says("they want an L4/5 fusion")
    assert "spinal fusion at L4-L5" in talk.asked
    talk.says("yes").is_asked("diagnosis")
    assert talk.answer("operation").value == "Spinal fusion at L4-L5"
    assert talk.answer("operation").text == "they want an L4/5 fusion"


def test_a_wrong_reading_is_told_again_and_then_taken_as_said() -> None:
    talk = at("operation").says("L4/5 fusion").says("no").is_told("again").is_asked("operation")
    talk.says("a kind of fusion but with a spacer").is_asked("diagnosis")
    assert talk.answer("operation").value == "a kind of fusion but with a spacer"


def test_a_correction_instead_of_yes_is_taken() -> None:
    talk = at("operation").says("L3/4 fusion").says("no, L4/5 fusion")
    assert "L4-L5" in talk.asked
    assert talk.says("yes").answer("operation").value == "Spinal fusion at L4-L5"


def test_it_was_l5_not_l4() -> None:
    talk = at("operation").says("L4 laminectomy", "yes").is_asked("diagnosis")
    talk.says("it was L5 not L4")
    assert "L5" in talk.asked
    talk.says("yes").is_asked("diagnosis")
    assert talk.answer("operation").value == "Laminectomy at L5"


def test_an_answer_is_changed_in_words_and_the_question_on_the_table_stays() -> None:
    talk = at("email").says("change my phone to 202 555 0199").is_told("changed", "phone").is_asked("email")
    assert talk.answer("phone").value == "+12025550199"
    talk.says("my pain should be 6").is_told("changed").is_asked("email")
    assert talk.answer("pain").value == 6
    talk.says("actually my name is Robin Example").is_asked("email")
    assert talk.answer("name").value == "Robin Example"


def test_what_is_said_before_it_is_asked_is_kept_and_not_asked_again() -> None:
    talk = at("about").says("my phone is 202 555 0188").is_told("noted").is_asked("about")
    assert talk.answer("phone").value == "+12025550188"
    talk.says("my phone number has changed, it's 202 555 0177").is_told("changed").is_asked("about")
    assert talk.answer("phone").value == "+12025550177"
    talk.says("My email is sam@example.org").is_told("noted").is_asked("about")
    talk.says("my phone is broken").is_asked("about")
    assert talk.answer("phone").value == "+12025550177"
    before_consent = at("consent_send").says("my phone is 202 555 0188").is_asked("consent_send")
    assert "phone" not in before_consent.state.answers


@pytest.mark.parametrize("text", ["I want to send my case to the clinic", "start my case", "carry on"])
def test_a_wish_to_begin_is_no_answer_while_it_is_under_way(text: str) -> None:
    talk = at("decision").says(text, intent="resume" if text == "carry on" else "start_intake").is_asked("decision")
    assert "decision" not in talk.state.answers


def test_a_change_without_a_value_asks_that_question_and_returns() -> None:
    talk = at("email").says("I want to change my name").is_asked("name").says("Alex Example").is_asked("email")
    assert talk.answer("name").value == "Alex Example"


def test_every_line_of_the_read_back_can_be_changed() -> None:
    talk = at("review")
    for name, value, field_id in [
        ("worst pain", "5", "pain"),
        ("Since when", "2019", "since"),
        ("phone", "202 555 0123", "phone"),
        ("Country", "Canada", "country"),
        ("Main problem", "My arm is numb in the morning", "main_problem"),
    ]:
        talk.says(f"change {name}").is_asked(field_id).says(value).is_asked("review")
    assert talk.answer("since").value == "2019"
    assert talk.says("no").is_told("what would you like to change").says("phone").slot == "phone"


def test_nothing_is_sent_without_a_way_to_reach_the_patient() -> None:
    talk = at("phone").says("skip").says("skip").says("check and send").says("send")
    talk.is_told("phone number or an e-mail").is_asked("phone").says("skip")
    assert talk.says("send").slot == "phone"
    talk.says("202 555 0143").says("send")
    assert talk.effect is Effect.SUBMIT


def test_changing_who_it_is_about_drops_the_carers_answers() -> None:
    talk = at("about").says("my wife").says("husband").is_asked("age_ok").says("change who it is about").says("me")
    assert "relation" not in talk.state.answers


def test_stop_and_code() -> None:
    assert at("pain").says("stop").effect is Effect.STOP
    assert at("pain").says("can I finish this later").effect is Effect.CODE
    talk = at("pain").says("continue RC-ABCD-EFGH")
    assert talk.effect is Effect.REDEEM and talk.step.code == "RC-ABCD-EFGH"


def test_words_of_a_red_flag_are_offered_back() -> None:
    talk = at("main_problem")
    from dataclasses import replace

    talk.state = replace(talk.state, kept="My back hurts and I can't feel when I pee")
    assert "can't feel when I pee" in talk.asked
    assert talk.says("keep my words").is_asked("since").answer("main_problem").text.endswith("when I pee")


def test_a_button_of_something_else_is_never_an_answer() -> None:
    talk = at("main_problem").says('/faq{"topic":"cost"}', topic="cost")
    assert talk.decision and talk.decision.kind is Kind.DIGRESSION
    talk.presses("/start_intake", "start_intake").is_asked("main_problem")


def test_a_country_the_clinic_does_not_serve_is_said_and_the_intake_goes_on() -> None:
    at("country").says("Germany").is_told("a nurse will tell you").is_asked("about")


def test_the_longer_part_asks_what_applies_and_ends_in_the_read_back() -> None:
    talk = at("email").says("pat@example.org").says("answer more").is_asked("birth_date")
    for _ in range(60):
        if talk.slot == "review":
            break
        talk.says("skip")
    assert talk.slot == "review"
    assert "doctor" not in talk.state.answers, "sharing was refused, so the doctor's name is not asked"


def test_a_birth_date_under_18_stops() -> None:
    assert at("birth_date").says("2 April 2012").effect is Effect.FORGET


@pytest.mark.parametrize("text", ["send it", "that's all", "check and send", "done"])
def test_the_longer_part_can_be_left_at_any_question_to_check_and_send(text: str) -> None:
    talk = Talk()
    for _, answer in SHORT_PATH:
        talk.says(answer)
    talk.says("answer more")
    assert talk.slot not in ("offer", "review")
    talk.says(text)
    assert talk.slot == "review"


@pytest.mark.parametrize(
    "words",
    [
        "start over",
        "Restart please",
        "can we start again from the beginning?",
        "I made a mess, can I start over",
        "begin again",
    ],
)
def test_starting_over_is_asked_about_and_then_done(words: str) -> None:
    talk = at("pain").says(words)
    assert "begin again?" in talk.asked
    talk.says("carry on").is_asked("pain")
    talk.says(words, "yes").is_told("begin again").is_asked("consent_chatbot")
    assert talk.state.answers == {}


def test_starting_over_keeps_what_the_safety_screen_found_and_whose_case_is_corrected() -> None:
    found = ({"category": "cauda_equina", "tier": "emergency"},)
    talk = Talk(dataclasses.replace(at("pain").state, red_flags=found, reference="PS-TEST")).says("start over", "yes")
    assert (talk.state.red_flags, talk.state.reference) == (found, "PS-TEST")


def test_something_else_said_to_starting_over_is_taken_for_what_it_is() -> None:
    talk = at("pain").says("start over", "7")
    assert talk.answer("pain").value == 7
    assert not talk.state.restarting


@pytest.mark.parametrize(
    "words",
    [
        "no wait i want to ask something first",
        "Can I ask you something first?",
        "wait",
        "hang on, let me ask a question",
        "I have a question",
    ],
)
@pytest.mark.parametrize("field", ["consent_chatbot", "consent_send", "country", "pain"])
def test_who_wants_to_ask_something_first_may_and_keeps_the_place(field: str, words: str) -> None:
    talk = at(field).says(words).is_told("What would you like to know?").is_asked(field)
    assert (talk.effect, talk.state.fails) == (Effect.ASK, 0)


@pytest.mark.parametrize("words", ["it's for my mum", "germany", "I'm in Texas", "pat@example.org"])
def test_an_answer_given_before_there_is_consent_is_asked_for_later(words: str) -> None:
    talk = at("consent_send").says(words).is_told("in a moment").is_asked("consent_send")
    assert set(talk.state.answers) == {"consent_chatbot"}


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("for me", "about", "self"),
        ("it's for my mum", "about", "other"),
        ("I live in Germany", "country", "DE"),
        ("texas", "country", "US"),
    ],
)
def test_an_answer_given_ahead_is_noted(words: str, field: str, value: str) -> None:
    talk = at("consent_doctor").says(words).is_told("Noted").is_asked("consent_doctor")
    assert talk.answer(field).value == value


@pytest.mark.parametrize("text", ["how many questions are left?", "How long will this take", "are we nearly done"])
def test_how_far_it_is_can_be_asked_at_any_question(text: str) -> None:
    at("where").says(text, topic="how_long").is_asked("where").is_told(
        "10 more short questions", "stop and go on later"
    )


@pytest.mark.parametrize("place", ["review", "offer"])
def test_where_nothing_is_left_to_ask_it_does_not_say_that_something_is(place: str) -> None:
    talk = at(place).says("are we nearly done")
    assert talk.slot == place and "more short question" not in talk.said


@pytest.mark.parametrize("text", ["can I stop and come back later?", "do I have to do it all now", "is this saved?"])
def test_that_one_may_go_on_later_is_said_with_the_code(text: str) -> None:
    talk = at("where").says(text, topic="cancel_operation").is_asked("where")
    assert talk.effect is Effect.CODE


@pytest.mark.parametrize(
    "text", ["I changed my mind, cancel it", "cancel this please", "forget it", "enough for today"]
)
def test_who_cancels_the_questions_does_not_cancel_an_operation(text: str) -> None:
    assert at("where").says(text, topic="cancel_operation").effect is Effect.STOP


def test_a_question_that_cannot_be_answered_is_left_out_at_last_and_the_words_are_kept() -> None:
    talk = at("pain").says("purple", "purple", "purple").is_asked("pain")
    talk.says("as bad as a brass band").is_told("leave it out for now")
    assert talk.answer("pain").status == "unknown" and "brass band" in talk.answer("pain").text
    assert talk.says("back").slot == "pain"


def test_what_has_to_be_answered_is_asked_again_and_again() -> None:
    at("about").says("purple", "purple", "purple", "purple", "purple").is_asked("about")


def test_an_amount_that_answers_nothing_here_asks_for_nothing() -> None:
    at("safety_mood").says("3 years ago", topic="how_long").is_told("yes or a no")
