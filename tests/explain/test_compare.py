"""Two opinions: what the conversation takes in, and what it says about agreement, difference and reasons."""

from __future__ import annotations

import pytest

from actions.action_ask_compare_form_compare_answer import opening
from actions.compare.compare import compare
from actions.compare.conversation import (
    CONFIRM,
    TEACH_BACK,
    UNKNOWN,
    State,
    all_asked,
    ask,
    begin,
    is_answer,
    missed,
    take,
    understand,
)
from actions.compare.replies import comparison_replies
from actions.compare.told import tell
from actions.report.reader import read
from knowledge.content import load_content
from knowledge.explain import compare_words
from tests.explain.test_letters import LETTERS

QUESTIONS = {item.id: item for item in compare_words().questions}
LETTER = (
    "Diagnosis: spinal stenosis at L4/5. Mrs Bellweather has leg pain on walking. She is neurologically intact. "
    "She tried physiotherapy for three months without benefit. I recommend a decompression at L4/5. "
    "The risks include infection and a dural tear. Surgery is likely to improve walking distance but not back pain."
)


def talk(state: State, *said: str) -> list[str]:
    """Answer the questions one after the other; returns what the assistant said, questions included."""
    heard = []
    for text in said:
        heard.append(ask(state).text)
        reading = read(text) if len(text) > 300 else None
        step = take(state, text, "", reading, emergency_number="911")
        heard += [reply.text for reply in step.replies]
    return heard


UNDERSTOOD = [
    ("need", "he says operate", "yes"),
    ("need", "she said no surgery", "no"),
    ("need", "she said I don't need surgery", "no"),
    ("need", "wait and see", "wait"),
    ("need", "to hold off for now", "wait"),
    ("need", "only if it gets worse", "maybe"),
    ("need", "2", "no"),
    ("need", "purple", None),
    ("basis", "he examined me", "examined"),
    ("basis", "only looked at my MRI scans", "records"),
    ("basis", "never met me", "records"),
    ("basis", "he looked at my scan only", "records"),
    ("basis", "by zoom", "video"),
    ("basis", "yes", "examined"),
    ("basis", "yes he did", "examined"),
    ("basis", "no", "records"),
    ("who", "a neurosurgeon", "neurosurgeon"),
    ("who", "my GP", "family_doctor"),
    ("who", "the physical therapist", "physio"),
    ("who", "my insurance company", "insurer"),
    ("timing", "in the next few weeks", "weeks"),
    ("timing", "no rush", "no_hurry"),
    ("timing", "right away", "now"),
    ("diagnosis", "worn disc at L5", "worn disc at L5"),
    ("diagnosis", "...", None),
]


@pytest.mark.parametrize(("question", "text", "value"), UNDERSTOOD)
def test_answers_are_understood(question: str, text: str, value: str | None) -> None:
    assert understand(QUESTIONS[question], text) == value


def test_a_question_that_is_missed_three_times_is_left_out() -> None:
    state = State()
    begin(state, "/start_compare")
    ask(state)
    assert [missed(state).text, missed(state).text] == [compare_words().again] * 2
    assert missed(state).text == compare_words().left_out
    assert state.answers == {"first_who": UNKNOWN} and state.misses == 0
    assert ask(state).text == QUESTIONS["basis"].ask


TOLD = [  # what is said, while the first opinion is spoken of
    ("one says operate, one says wait", {"first_need": "yes", "second_need": "wait"}),
    ("one surgeon wants surgery but the other says no surgery", {"first_need": "yes", "second_need": "no"}),
    ("my physio says no surgery but the surgeon says yes", {"first_who": "physio", "first_need": "no", "second_who": "spine_surgeon", "second_need": "yes"}),
    ("Dr B says physio and injections", {"second_need": "wait"}),
    ("help me compare two opinions", {}),
    ("who is right?", {}),
    ("I'm scared", {}),
    ("she is the surgeon at the city hospital, she saw me and examined me", {"first_who": "spine_surgeon", "first_basis": "examined"}),
    ("he never examined me", {"first_basis": "records"}),
    ("the second one only looked at my mri by video", {"second_basis": "records"}),
    ("my insurance company said it isn't needed", {"first_who": "insurer", "first_need": "no"}),
    ("he doesn't think I need surgery", {"first_need": "no"}),
    ("no operation, physio first", {"first_need": "no"}),
    ("she told me it's a pinched nerve from a slipped disc", {"first_diagnosis": "a pinched nerve from a slipped disc"}),
    ("he said there is no instability", {"first_reasons": "no instability"}),
    ("she said it will only get worse", {"first_reasons": "it will only get worse"}),
    ("I've had physio for six weeks and two injections", {"tried": "I've had physio for six weeks and two injections"}),
    ("I want to walk my dog again", {"matters": "I want to walk my dog again"}),
    ("I want to know who is right", {}),
    ("the second one said 3 months", {"second_timing": "months"}),
    ("the second did not examine me, only scans", {"second_basis": "records"}),
    ("the orthopod I saw reckons I need two levels fusing", {"first_who": "orthopaedic", "first_operation": "spinal fusion", "first_need": "yes"}),
    ("he did all the reflexes", {"first_basis": "examined"}),
    ("he didn't even look at me, just the computer", {"first_basis": "records"}),
    ("not to have surgery unless my leg gets weaker", {"first_need": "maybe"}),
    ("they said it's up to me", {"first_need": "maybe"}),
    ("he said surgery has a 50/50 chance", {"first_reasons": "surgery has a 50/50 chance"}),
    ("my husband thinks I should wait", {}),
    ("I don't want an operation if I can help it", {"matters": "I don't want an operation if I can help it"}),
    ("I've done pilates, two epidurals, gabapentin", {"tried": "I've done pilates, two epidurals, gabapentin"}),
    ("dr a says acdf c5-c7, dr b says disc replacement", {"first_operation": "ACDF at c5-c7", "first_need": "yes", "second_operation": "disc replacement", "second_need": "yes"}),
    (
        "both think its the disc at L5 but one wants to cut and the other wants injections",
        {"first_diagnosis": "the disc at L5", "second_diagnosis": "the disc at L5", "first_need": "yes", "second_need": "wait"},
    ),
    (
        "the surgeon wants to do a microdiscectomy at L5/S1 next month, my gp says give it time",
        {
            "first_who": "spine_surgeon", "first_operation": "microdiscectomy at L5/S1", "first_need": "yes",
            "first_timing": "weeks", "second_who": "family_doctor", "second_need": "wait",
        },
    ),
    (
        "my neurosurgeon examined me and wants to fuse L4/5 in the next few weeks because the disc is gone, "
        "but the second doctor only looked at my scans and says try physio first",
        {
            "first_who": "neurosurgeon", "first_basis": "examined", "first_operation": "spinal fusion at L4/5",
            "first_need": "yes", "first_timing": "weeks", "first_reasons": "the disc is gone",
            "second_basis": "records", "second_need": "wait",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("said", "told"), TOLD)
def test_what_is_told_by_the_way_is_heard(said: str, told: dict[str, str]) -> None:
    assert tell(said, "first") == told


OUT_OF_STEP = [  # the question on the table, what is said, what is known after it
    ("first_basis", "stenosis at L4/5 and a slipped bone", {"first_diagnosis": "stenosis at L4/5 and a slipped bone"}),
    ("first_diagnosis", "within 2 months", {"first_timing": "months"}),
    (
        "first_diagnosis",
        "wear and tear, she wants to operate",
        {"first_diagnosis": "wear and tear", "first_need": "yes"},
    ),
    ("first_operation", "she said it will only get worse", {"first_reasons": "it will only get worse"}),
    ("first_timing", "the second one only looked at my mri", {"second_basis": "records"}),
    ("first_reasons", "the second one wants to wait", {"second_need": "wait"}),
    ("first_reasons", "he said her nerves are squashed", None),
    ("first_reasons", "stenosis", None),
    ("first_reasons", "he says the discs are worn and it won't get better by itself", None),
    ("second_basis", "I want to go on walking with my family", {"matters": "I want to go on walking with my family"}),
    ("tried", "what matters most is no pain at night", {"matters": "what matters most is no pain at night"}),
    ("tried", "six months of rest", None),
    ("first_timing", "a fusion at L4/5", {"first_operation": "spinal fusion at L4/5", "first_need": "yes"}),
    ("first_operation", "operate", {}),
]


@pytest.mark.parametrize(("asking", "said", "known"), OUT_OF_STEP)
def test_an_answer_to_another_question_goes_where_it_belongs(
    asking: str, said: str, known: dict[str, str] | None
) -> None:
    state = State(asking=asking)
    step = take(state, said, "faq", None, emergency_number="911")
    assert not step.digression or not known
    assert state.answers == (known if known is not None else {asking: said})
    others = [key for key in state.answers if key != asking]
    assert any("I noted this" in reply.text for reply in step.replies) == bool(others)


def test_what_was_noted_can_be_put_right_by_saying_it_again() -> None:
    state = State(asking="first_reasons", answers={"first_timing": "weeks"})
    take(state, "he said next month because of my leg", "faq", None, emergency_number="911")
    assert state.answers["first_timing"] == "weeks"
    step = take(state, "the first one said no hurry", "faq", None, emergency_number="911")
    assert state.answers["first_timing"] == "no_hurry" and "no hurry" in step.replies[0].text


def test_a_question_in_between_is_answered_and_what_was_told_with_it_is_kept() -> None:
    state = State(asking="second_who")
    step = take(state, "the second one only looked at my scans. Is that enough?", "faq", None, emergency_number="911")
    assert step.digression and state.answers == {"second_basis": "records"}


@pytest.mark.parametrize(
    ("asking", "said"),
    [
        ("first_diagnosis", "what's the difference"),
        ("first_reasons", "should i get a third"),
        ("second_diagnosis", "does the second opinion count more"),
        ("first_diagnosis", "no thank you"),
        ("matters", "ok"),
    ],
)
def test_a_question_or_a_bare_word_is_never_kept_as_an_answer(asking: str, said: str) -> None:
    state = State(asking=asking)
    take(state, said, "faq", None, emergency_number="911")
    assert state.answers == {}


def test_the_same_as_the_first_is_what_the_first_said() -> None:
    state = State(asking="second_diagnosis", answers={"first_diagnosis": "slipped disc L5/S1"})
    take(state, "the same", "", None, emergency_number="911")
    assert state.answers["second_diagnosis"] == "slipped disc L5/S1"


def test_another_kind_of_doctor_is_the_second_one() -> None:
    state = State(asking="first_basis", answers={"first_who": "physio"})
    take(state, "the surgeon wants to operate", "faq", None, emergency_number="911")
    assert state.answers == {"first_who": "physio", "second_who": "spine_surgeon", "second_need": "yes"}


def test_yes_to_what_was_noted_is_heard() -> None:
    step = take(State(asking="first_who"), "yes", "affirm", None, emergency_number="911")
    assert step.replies[0].text == compare_words().go_on


def test_a_whole_conversation_ends_in_a_comparison_that_takes_no_side() -> None:
    state = State()
    begin(state, "one says operate, the other says wait")
    talk(
        state, "neurosurgeon", "he examined me", "spinal stenosis", "fusion at L4/5", "next month",
        "the scan looks bad", "physio", "only looked at the scans", "worn facet joints", "3 months",
        "it may settle", "nothing yet", "walk the dog",
    )  # fmt: skip
    assert all_asked(state)
    said = comparison_replies(compare(state.answers), emergency_number="911")
    text = "\n".join(reply.text for reply in said)
    assert said[0].custom == {"kind": "comparison", "differences": ["diagnosis", "need", "timing"]}
    assert text.index("can't wait") < text.index("Where they differ")
    for part in ("did not examine you", "0% to 83%", "53%", "walk the dog", "I take no side"):
        assert part in text
    assert "unnecessary" not in text
    assert ask(state).text == compare_words().teach_back.ask


def test_skip_back_why_and_stop() -> None:
    state = State()
    begin(state, "compare")
    ask(state)
    assert "ways" in take(state, "why do you ask", "ask_why", None, emergency_number="").replies[0].text
    talk(state, "neurosurgeon")
    ask(state)
    take(state, "back", "go_back", None, emergency_number="")
    assert ask(state).text.startswith("Who gave you the first")
    take(state, "I don't know", "", None, emergency_number="")
    assert state.answers == {"first_who": UNKNOWN}
    ask(state)
    step = take(state, "stop", "stop", None, emergency_number="")
    assert step.over and step.stopped and not state.done
    assert begin(state, "compare")[0].text == compare_words().resumed


def test_a_pasted_letter_fills_in_what_it_can_and_is_confirmed() -> None:
    state = State()
    begin(state, "compare")
    talk(state, "spine surgeon", "examined me", LETTER)
    question = ask(state)
    assert state.asking == CONFIRM
    assert "decompression at L4/5" in question.text
    assert "Bellweather" not in question.text
    take(state, "yes", "affirm", None, emergency_number="")
    assert state.answers["first_need"] == "yes"
    assert state.answers["first_operation"] == "decompression at L4/5"


def test_a_letter_that_is_not_confirmed_is_forgotten() -> None:
    state = State()
    begin(state, "compare")
    talk(state, "spine surgeon", "examined me", LETTER, "no that is wrong")
    assert "first_need" not in state.answers
    assert ask(state).text == QUESTIONS["diagnosis"].ask.format(which="first")


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("I'd call an ambulance", compare_words().teach_back.good),
        ("go to A&E", compare_words().teach_back.good),
        ("lie down and rest", compare_words().teach_back.again.format(emergency_number="911")),
    ],
)
def test_teach_back_says_it_once_more_when_the_key_act_is_missing(said: str, reply: str) -> None:
    state = State(asking=TEACH_BACK)
    step = take(state, said, "", None, emergency_number="911")
    assert [item.text for item in step.replies] == [reply]
    assert step.over


def test_a_teach_back_left_out_ends_with_words_and_not_in_silence() -> None:
    step = take(State(asking=TEACH_BACK), "/skip", "skip", None, emergency_number="911")
    assert [item.text for item in step.replies] == [compare_words().teach_back.again.format(emergency_number="911")]
    assert step.over


COMPARED = [
    ({"first_need": "yes", "second_need": "yes"}, []),
    ({"first_need": "yes", "second_need": "no"}, ["need"]),
    ({"first_diagnosis": "slipped disc L4/5", "second_diagnosis": "disc herniation"}, []),
    ({"first_diagnosis": "slipped disc", "second_diagnosis": "spinal stenosis"}, ["diagnosis"]),
    ({"first_diagnosis": "bad back", "second_diagnosis": "spinal stenosis"}, []),
    ({"first_diagnosis": "one bone slid forward", "second_diagnosis": "the slip is stable"}, []),
    ({"first_diagnosis": "stenosis, no instability", "second_diagnosis": "instability"}, ["diagnosis"]),
    ({"first_diagnosis": "the canal is too tight", "second_diagnosis": "it comes from my hip"}, ["diagnosis"]),
    ({"first_diagnosis": "a pinched nerve", "second_diagnosis": "slipped disc L4/5"}, []),
    ({"first_operation": "fusion L4/5", "second_operation": "decompression L4/5"}, ["type"]),
    ({"first_operation": "fusion L4/5", "second_operation": "fusion L4-L5"}, []),
    ({"first_operation": "fusion L4/5", "second_operation": "fusion L3-S1"}, ["type"]),
    ({"first_timing": "now", "second_timing": "no_hurry"}, ["timing"]),
    ({"first_timing": "now", "second_timing": "not_said"}, []),
    ({"first_need": "unknown", "second_need": "no"}, []),
]


@pytest.mark.parametrize(("answers", "differences"), COMPARED)
def test_differences(answers: dict[str, str], differences: list[str]) -> None:
    assert list(compare(answers).differences) == differences


FACTS = [
    ({"first_basis": "records", "second_basis": "examined"}, "one_records"),
    ({"first_basis": "records", "second_basis": "records"}, "both_records"),
    ({"first_who": "neurosurgeon", "second_who": "physio"}, "different_fields"),
    ({"first_who": "insurer"}, "insurer"),
    ({"first_operation": "TLIF L4/5", "second_operation": "laminectomy"}, "one_fusion"),
    ({"first_reasons": "the MRI looks terrible"}, "reason_scan"),
    ({"tried": "nothing"}, "tried_little"),
    ({"tried": "physio, two injections and gabapentin"}, "tried_much"),
]


@pytest.mark.parametrize(("answers", "fact"), FACTS)
def test_facts_behind_the_reasons(answers: dict[str, str], fact: str) -> None:
    assert fact in compare(answers).facts


def test_same_field_is_no_reason() -> None:
    assert "different_fields" not in compare({"first_who": "neurosurgeon", "second_who": "orthopaedic"}).facts


def test_every_remark_can_come_true() -> None:
    known = {fact for _, fact in FACTS} | {
        "differ_any", "differ_need", "differ_diagnosis", "differ_type", "differ_timing", "any_records", "need_yes",
        "need_no", "one_now", "reason_nerve", "matters_known",
    }  # fmt: skip
    words = compare_words()
    for remark in (*words.reasons, *words.evidence, *words.settle, *words.ask):
        assert set(remark.when) <= known, remark.text


def test_the_evidence_it_names_is_registered() -> None:
    registry = load_content().evidence
    assert {name for remark in compare_words().evidence for name in remark.evidence} <= set(registry)


@pytest.mark.parametrize(
    ("asking", "text", "intent"),
    [
        ("first_basis", "Examined me", "already_seen"),
        ("first_basis", "examined", "mistake"),
        ("first_who", "GP", "human"),
    ],
)
def test_a_choice_is_an_answer_whatever_the_classifier_thinks(asking: str, text: str, intent: str) -> None:
    state = State(asking=asking)
    assert is_answer(state, text)
    take(state, text, intent, None, emergency_number="")
    assert asking in state.answers


def test_calling_someone_answers_the_teach_back_and_does_not_leave() -> None:
    assert is_answer(State(asking=TEACH_BACK), "I would call the clinic")
    assert not is_answer(State(asking=TEACH_BACK), "/human")


@pytest.mark.parametrize("intent", ["show_plan", "ask_questions_list"])
def test_looking_at_the_plan_is_no_answer(intent: str) -> None:
    state = State(asking="first_diagnosis")
    assert take(state, "show my plan", intent, None, emergency_number="").digression
    assert state.answers == {}


def test_two_letters_read_before_fill_in_both_opinions_and_are_confirmed_as_such() -> None:
    state = State()
    readings = [read(LETTERS[name].letter) for name in ("05_surgeon_fusion", "06_no_surgery")]
    begin(state, "compare my two letters", readings)
    asked = ask(state).text
    assert (
        asked.index("First opinion:")
        < asked.index("ALIF")
        < asked.index("Second opinion:")
        < asked.index("Non-specific")
    )
    take(state, "yes", "affirm", None, emergency_number="911")
    assert state.answers["first_need"] == "yes" and state.answers["second_need"] == "no"


def test_a_second_letter_is_the_second_opinion() -> None:
    state = State()
    begin(state, "/start_compare")
    ask(state)
    take(state, "letter", "letter", read(LETTERS["05_surgeon_fusion"].letter), emergency_number="911")
    ask(state)
    take(state, "yes", "affirm", None, emergency_number="911")
    ask(state)
    take(state, "letter", "letter", read(LETTERS["06_no_surgery"].letter), emergency_number="911")
    assert set(state.letter) == {"second_diagnosis", "second_need"}


def test_a_statement_that_is_no_answer_is_not_taken_for_a_question() -> None:
    state = State()
    begin(state, "/start_compare")
    ask(state)
    step = take(state, "my cousin had one", "faq", None, emergency_number="911")
    assert step.replies[0].text == compare_words().again


@pytest.mark.parametrize("words", ["start over", "can we start again from the beginning?", "restart please"])
def test_starting_over_asks_from_the_first_question(words: str) -> None:
    state = State({"first_who": "spine_surgeon", "first_basis": "examined"}, "first_diagnosis")
    step = take(state, words, "menu", None, emergency_number="911")
    assert "begin again" in step.replies[0].text
    assert state.answers == {} and ask(state).text == QUESTIONS["who"].ask.format(which="first")


def test_who_wants_to_ask_something_first_keeps_the_place() -> None:
    state = State({"first_who": "spine_surgeon"}, "first_diagnosis")
    step = take(state, "wait, can I ask something first?", "menu", None, emergency_number="911")
    assert "What would you like to know?" in step.replies[0].text
    assert (state.asking, state.answers) == ("first_diagnosis", {"first_who": "spine_surgeon"})


def test_after_the_second_letter_it_says_that_the_next_question_is_about_the_first_opinion() -> None:
    state = State()
    begin(state, "compare")
    state.answers |= {"first_who": "spine_surgeon", "first_diagnosis": "stenosis", "first_need": "no"}
    ask(state)
    take(state, LETTER, "faq", read(LETTER), emergency_number="")
    ask(state)
    (said,) = take(state, "yes", "affirm", None, emergency_number="").replies
    assert "back to the first opinion" in said.text
    assert "examine you" in ask(state).text
    assert state.asking == "first_basis"


def said(*texts: str) -> list[dict[str, str]]:
    return [{"event": "user", "text": text} for text in texts]


TOLD = "one says fuse L4 to S1, one says just a laminectomy at L4/5"


@pytest.mark.parametrize(
    ("events", "taken"),
    [
        (said(TOLD, "/start_compare"), TOLD),
        (said(TOLD, "who is right then", "help me compare"), TOLD),
        (said("my surgeon wants a fusion", "compare them"), "compare them"),
        (said(TOLD, "hi", "thanks", "compare"), "compare"),
        (
            said(TOLD, "the surgeon wants to operate and my GP says wait"),
            "the surgeon wants to operate and my GP says wait",
        ),
        ([], ""),
    ],
)
def test_two_opinions_told_just_before_are_not_asked_for_again(events: list[dict[str, str]], taken: str) -> None:
    assert opening(events) == taken
