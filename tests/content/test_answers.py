"""The words patients read: complete, plain, and free of any figure that the evidence registry does not carry."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import yaml

from actions.answering import buttons, without_delay
from actions.base import Button
from knowledge.content import HERE, Answer, Content, load_content
from knowledge.dialogue import dialogue
from knowledge.glossary import terms_by_id
from knowledge.lint import (
    PlainWord,
    PlainWords,
    answer_faults,
    evidence_faults,
    grade,
    jargon_faults,
    load_plain_words,
    longest_sentence,
    stray_figures,
    words,
)

TOPICS = {
    "second_opinion": """
        what_is_second_opinion why_get_one when_useful when_not_to_wait first_doctor_wrong records_only_enough
        independence offend_surgeon good_second_opinion who_reviews formats who_starts_it how_long cost
        insurance where_available referral what_to_bring get_records questions_to_ask report_content
        share_report reviewer_operates choose_surgeon uneasy_with_surgeon
    """,
    "disagreement": """
        how_often_differ why_differ two_opinions_what_now third_opinion second_always_right diagnosis_differs
        surgery_type_differs fewer_operations shared_decision told_no_surgery
    """,
    "evidence": """
        does_it_reduce_surgery are_outcomes_better does_it_save_money evidence_quality who_seeks
        regional_variation fusion_evidence too_much_surgery
    """,
    "decision": """
        told_surgery need_fusion key_question mri_alone try_without_surgery can_it_wait feeling_rushed no_reason_given
        goals_differ money_motive redo_after_failed surgery_risks urgent_surgery cancel_operation big_operation
        will_it_help waiting_for_surgery
    """,
    "after_surgery": """
        had_surgery still_in_pain reherniation hardware_failed adjacent_segment pseudarthrosis flatback which_scan
    """,
    "assistant": "who_are_you privacy how_it_works for_someone_else scans_kept ask_the_clinic reach_surgeon trust_you calls",
    "out_of_scope": """
        diagnose_me should_i_have_surgery read_my_scan medicine_dose other_health off_topic under_18 recovery
        surgery_methods back_care
    """,
}
ALL = [topic for group in TOPICS.values() for topic in group.split()]
ABOUT_SYMPTOMS = """
    still_in_pain reherniation hardware_failed adjacent_segment pseudarthrosis flatback which_scan when_useful
    when_not_to_wait two_opinions_what_now need_fusion mri_alone try_without_surgery can_it_wait
    feeling_rushed goals_differ redo_after_failed diagnose_me should_i_have_surgery read_my_scan
    told_surgery cancel_operation big_operation had_surgery reach_surgeon will_it_help waiting_for_surgery
"""
MOST_WORDS = {"short": 60, "more": 120, "why": 60, "for_me": 60}

CONTENT = load_content()
PLAIN = load_plain_words(HERE / "en" / "plain_words.yml")


def answer(topic: str) -> Answer:
    return CONTENT.answer(topic)


@pytest.mark.parametrize("group", TOPICS)
def test_every_topic_of_a_group_is_in_its_file(group: str) -> None:
    text = (HERE / "en" / "answers" / f"{group}.yml").read_text(encoding="utf-8")
    written = [line.split()[-1] for line in text.splitlines() if line.startswith("  - id: ")]
    assert written == TOPICS[group].split()


def test_there_is_no_answer_to_an_unknown_topic() -> None:
    assert sorted(CONTENT.answers) == sorted(ALL)


def test_exactly_the_out_of_scope_topics_are_refusals() -> None:
    refused = [topic for topic in ALL if CONTENT.answers[topic].kind == "out_of_scope"]
    assert refused == TOPICS["out_of_scope"].split()


@pytest.mark.parametrize("topic", ALL)
def test_an_answer_is_complete(topic: str) -> None:
    found = answer(topic)
    assert found.ask.endswith("?") or found.ask.endswith(".")
    assert 0 < len(found.label) <= 20
    assert found.short and found.more and found.why
    assert found.sources, "nothing says where it is from"
    assert 2 <= len(found.related) <= 3
    assert topic not in found.related and len(set(found.related)) == len(found.related)
    assert found.reviewed.isoformat() >= "2026-11-21"
    assert [term for term in found.terms if term not in terms_by_id()] == []


@pytest.mark.parametrize("topic", ALL)
def test_an_answer_can_stand_after_something_told_as_well_as_after_a_question(topic: str) -> None:
    """ "My mum needs help with this" asks for no yes, and to "do I have to have it?" a "you do" would be a harm."""
    assert not re.match(r"(?:yes|no|maybe|often not|not \w+|you do)[,.]", answer(topic).short, re.IGNORECASE)


def test_no_two_topics_share_a_label_or_a_question() -> None:
    assert len({found.label for found in CONTENT.answers.values()}) == len(ALL)
    assert len({found.ask for found in CONTENT.answers.values()}) == len(ALL)


@pytest.mark.parametrize("topic", ALL)
def test_an_answer_is_short_enough_and_plain_enough(topic: str) -> None:
    for field, text in answer(topic).texts().items():
        assert words(text) <= MOST_WORDS[field], f"{field} has {words(text)} words"
        assert words(longest_sentence(text)) <= 20, longest_sentence(text)
        assert grade(text) <= 8, f"{field} is grade {grade(text):.1f}"


def test_the_answers_are_grade_six_or_lower_on_average() -> None:
    texts = [text for topic in ALL for field, text in answer(topic).texts().items() if field in ("short", "more")]
    assert mean(grade(text) for text in texts) <= 6


@pytest.mark.parametrize("topic", ALL)
def test_an_answer_breaks_no_rule_of_words_or_figures(topic: str) -> None:
    assert answer_faults(CONTENT.answers[topic], CONTENT, PLAIN) == []


@pytest.mark.parametrize("topic", ABOUT_SYMPTOMS.split())
def test_an_answer_about_symptoms_says_when_to_get_help(topic: str) -> None:
    found = answer(topic)
    said = f"{found.short} {found.more}".lower()
    assert "emergency care now" in said or "call 911" in said


@pytest.mark.parametrize("topic", ALL)
def test_no_answer_tells_a_patient_what_to_do_about_surgery(topic: str) -> None:
    forbidden = (
        "probably unnecessary",
        "is unnecessary",
        "you should have the operation",
        "you should have surgery",
        "you should not have surgery",
        "you do not need surgery",
        "you don't need surgery",
        "you need surgery.",
        "nothing to worry about",
        "probably nothing",
        " mg",
    )
    said = " ".join(answer(topic).texts().values()).lower()
    assert [phrase for phrase in forbidden if phrase in said] == []


@pytest.mark.parametrize(
    ("topic", "unsafe"),
    [
        ("diagnosis_differs", "24%"),  # the review's table prints 4 of 13 as 24%
        ("does_it_reduce_surgery", "9.2%"),
        ("evidence_quality", "6341"),  # the review gives two counts of the records it screened
        ("evidence_quality", "6330"),
    ],
)
def test_a_figure_the_source_contradicts_itself_on_is_left_out(topic: str, unsafe: str) -> None:
    assert unsafe not in " ".join(answer(topic).texts().values())


def test_a_rise_the_source_prints_in_two_ways_is_given_in_both() -> None:
    said = answer("does_it_reduce_surgery").more
    assert "8% in a table and 9% in its text" in said


# --- the lint itself must be able to fail


def changed(topic: str, old: str, new: str) -> list[str]:
    """The faults of an answer after one change to its words."""
    found = CONTENT.answers[topic]
    texts: dict[str, Any] = {name: text.replace(old, new) for name, text in found.texts().items()}
    assert texts != found.texts(), f"{old!r} is not in {topic}"
    return answer_faults(dataclasses.replace(found, **texts), CONTENT, PLAIN)


@pytest.mark.parametrize(
    ("topic", "old", "new"),
    [
        ("cost", "$493", "$439"),
        ("cost", "$1,300", "$1,500"),
        ("how_often_differ", "10% to 62%", "10% to 65%"),
        ("formats", "29 (97%)", "29 (96%)"),
        ("who_seeks", "1 in 5", "1 in 4"),
        ("who_seeks", "1 in 5", "one in five"),
        ("who_seeks", "1 in 5", "half of the"),
        ("regional_variation", "7 times", "seventy times"),
        ("surgery_type_differs", "66 of 425", "66 of 452"),
        ("need_fusion", "12 studies", "twelve dozen studies"),
        ("how_long", "4 business days", "5 business days"),
        ("still_in_pain", "In many cases", "In 70 percent of cases"),
    ],
)
def test_an_altered_figure_is_caught(topic: str, old: str, new: str) -> None:
    assert changed(topic, old, new)


def test_a_figure_its_source_sentence_lacks_is_caught() -> None:
    item = CONTENT.evidence["price_survey"]
    assert evidence_faults(item) == []
    assert evidence_faults(dataclasses.replace(item, figures=("$494",), as_said={}))
    assert evidence_faults(dataclasses.replace(item, quote=item.quote.replace("$493", "$943")))


def test_a_plain_rendering_that_says_another_number_is_caught() -> None:
    item = CONTENT.evidence["any_illness_change"]
    assert evidence_faults(dataclasses.replace(item, as_said={"10% to 26%": "10 to 62 percent"}))
    assert evidence_faults(dataclasses.replace(item, as_said={"10% to 62%": "10-62%"}))


@pytest.mark.parametrize("item", CONTENT.evidence.values(), ids=lambda item: item.id)
def test_every_registered_figure_stands_in_its_source_sentence_and_is_used(item) -> None:  # type: ignore[no-untyped-def]
    assert evidence_faults(item) == []
    assert any(item.id in found.figures for found in CONTENT.answers.values()), "no answer uses it"
    assert item.whose and item.limits and item.locator


def test_a_figure_is_not_found_inside_a_longer_number() -> None:
    items = [CONTENT.evidence["visit_formats"]]
    assert stray_figures("30 centers", items, ()) == []
    assert stray_figures("30% of centers", items, ()) == ["30%"]
    assert stray_figures("1,302 centers", items, ()) == ["1302"]


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("You have a fever.", True),
        ("You have a high temperature (fever).", False),
        ("You have a high temperature.", False),
        ("It is a stenosis of the lumbar spine.", True),
        ("The space for your nerves is narrow (stenosis).", False),
        ("A fusion may not help.", True),
        ("Joining spine bones together (fusion) may not help. Ask what a fusion would do.", False),
        ("A fusion (an operation that joins spine bones together) may not help.", False),
        ("You may urinate more (urine).", True),
    ],
)
def test_medical_words_stand_only_behind_plain_ones(text: str, caught: bool) -> None:
    assert bool(jargon_faults(text, PLAIN)) is caught


def test_a_word_explained_in_the_short_answer_is_free_in_the_rest() -> None:
    plain = PlainWords(
        words=(PlainWord("fusion", "joining bones", "explain"), PlainWord("lumbar", "low back")), counted=()
    )
    assert jargon_faults("A fusion of the lumbar spine.", plain, already="joining bones (fusion)") == [
        "'lumbar': say 'low back'"
    ]


def test_long_sentences_and_long_answers_would_be_caught() -> None:
    long = "This is a sentence that goes on and on and never seems to want to come to any kind of end at all, ever."
    assert words(longest_sentence(f"Short one. {long} Short again.")) == 24
    assert words("- one\n- two three.") == 3
    assert grade("Multidisciplinary assessment necessitates comprehensive neurological examination documentation.") > 8


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the content files that a test may spoil."""
    for path in [*HERE.glob("*.yml"), *(HERE / "en" / "answers").glob("*.yml")]:
        target = tmp_path / path.relative_to(HERE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def spoil(root: Path, file: str, old: str, new: str) -> Content:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_content(root)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("en/answers/assistant.yml", "    ask: Are", "    asks: Are", r"assistant\.yml:4: unknown key 'asks'"),
        ("en/answers/assistant.yml", "kind: answer", "kind: guess", r"assistant\.yml:3: kind must be one of"),
        ("en/answers/assistant.yml", "related: [privacy,", "related: [secrecy,", "related topic 'secrecy'"),
        ("en/answers/after_surgery.yml", "how_often: flatback", "how_often: flatbed", "how_often topic 'flatbed'"),
        ("en/answers/assistant.yml", "{source: clinic,", "{source: rumor,", "the source 'rumor'"),
        ("en/answers/assistant.yml", "{clinic.phone}", "{clinic.fone}", "no such placeholder among: .*clinic.fone"),
        ("en/answers/assistant.yml", "id: privacy", "id: who_are_you", "stands twice"),
        ("en/answers/decision.yml", "figures: [twelve_studies]", "figures: [thirteen]", "the figure 'thirteen'"),
        ("evidence.yml", "    whose: the review's own count\n", "", r"evidence\.yml:\d+: .* lacks the key 'whose'"),
        ("evidence.yml", "source: scoping_review", "source: hearsay", "the source 'hearsay'"),
        ("clinic.yml", "phone:", "telephone:", r"clinic\.yml:\d+: unknown key 'telephone'"),
    ],
)
def test_the_loader_refuses_what_it_does_not_know(copy: Path, file: str, old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spoil(copy, file, old, new)


def test_the_clinics_facts_come_from_its_profile(copy: Path) -> None:
    assert "$450" in answer("cost").short
    assert "$390" in spoil(copy, "clinic.yml", "$450", "$390").answer("cost").short


def test_the_profile_and_the_intake_desk_agree_on_hours_and_periods() -> None:
    calendar = yaml.safe_load((HERE / "clinic_calendar.yml").read_text(encoding="utf-8"))
    desk = {day: (times["opens"], times["closes"]) for day, times in calendar["hours"].items()}
    assert desk == dict.fromkeys(["monday", "tuesday", "wednesday", "thursday"], ("08:00", "18:00")) | {
        "friday": ("08:00", "17:00")
    }
    assert CONTENT.clinic.hours == "Monday to Thursday, 8 am to 6 pm, and Friday, 8 am to 5 pm, US Eastern time"
    assert CONTENT.clinic.request_months == calendar["keep_closed_months"]
    longest_day = 10 * 60
    assert CONTENT.clinic.turnaround == f"{calendar['deadlines']['routine']['report'] // longest_day} business days"


def test_the_emergency_number_of_the_patients_country_can_be_filled_in() -> None:
    assert "Call 000 now" in CONTENT.answer("when_not_to_wait", emergency="000").short
    assert "911" in CONTENT.answer("when_not_to_wait").short


@pytest.mark.parametrize("topic", ALL)
def test_where_it_is_from_names_title_publisher_year_kind_and_strength(topic: str) -> None:
    found = answer(topic)
    said = CONTENT.where_from(found)
    for source in CONTENT.cited(found):
        assert source.title in said and source.kind in said and source.strength in said and source.year in said
    assert "{" not in said
    for line in said.splitlines():
        assert all(words(longest_sentence(part)) <= 20 for part in line.split('", ', 1)[1:])


def test_what_an_answer_offers_has_a_title_and_a_rule_that_takes_it() -> None:
    offered = {one.offer for one in CONTENT.answers.values()} - {""}
    assert offered == dialogue().offers.keys()
    rules = (HERE.parent / "data" / "rules" / "explain.yml").read_text(encoding="utf-8")
    assert [intent for intent in offered if f"- intent: {intent}\n" not in rules] == []


def test_who_has_two_opinions_is_offered_to_compare_them() -> None:
    for topic in ("two_opinions_what_now", "surgery_type_differs", "diagnosis_differs", "why_differ"):
        assert Button("Compare 2 opinions", "/start_compare") in buttons(answer(topic))


@pytest.mark.parametrize("topic", ALL)
@pytest.mark.parametrize("tier", ["emergency", "urgent"])
def test_whoever_told_a_sign_is_not_told_that_there_is_time(topic: str, tier: str) -> None:
    """Words of "time" for another opinion are for planned operations only."""
    gives_time = any(
        words in answer(topic).short
        for words in ("time for a second opinion", "time to hear", "can most often wait", "later date")
    )
    assert (without_delay([topic], tier) == ["when_not_to_wait"]) or not gives_time
    assert without_delay([topic], "") == [topic]
