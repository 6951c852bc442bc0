"""Two opinions: what the conversation takes in, and what it says about agreement, difference and reasons."""

from __future__ import annotations

import pytest

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
    prefill,
    take,
    understand,
)
from actions.compare.replies import comparison_replies
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


OPENINGS = [
    ("one says operate, one says wait", {"first_need": "yes", "second_need": "wait"}),
    ("one surgeon wants surgery but the other says no surgery", {"first_need": "yes", "second_need": "no"}),
    ("help me compare two opinions", {}),
    ("/start_compare", {}),
]


@pytest.mark.parametrize(("opening", "told"), OPENINGS)
def test_an_opening_that_tells_something_is_not_asked_again(opening: str, told: dict[str, str]) -> None:
    assert prefill(opening) == told


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


COMPARED = [
    ({"first_need": "yes", "second_need": "yes"}, []),
    ({"first_need": "yes", "second_need": "no"}, ["need"]),
    ({"first_diagnosis": "slipped disc L4/5", "second_diagnosis": "disc herniation"}, []),
    ({"first_diagnosis": "slipped disc", "second_diagnosis": "spinal stenosis"}, ["diagnosis"]),
    ({"first_diagnosis": "bad back", "second_diagnosis": "spinal stenosis"}, []),
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
    step = take(state, "degenerative disc disease", "faq", None, emergency_number="911")
    assert step.replies[0].text == compare_words().again
