"""The training phrasings: enough of them for every topic, none under two labels, none that a held-out set measures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HELD_OUT = ROOT / "tests" / "understanding" / "heldout"
DEVELOPMENT = ROOT / "tests" / "understanding" / "development"
LEAST_PER_TOPIC = 25
LEAST_PER_ACT = 20
TOPIC_FILES = {"second_opinion", "disagreement", "evidence", "decision", "after_surgery", "assistant", "out_of_scope"}

# The 77 topics that are answered and the ten that are kindly refused.
TOPICS = {
    "second_opinion": """what_is_second_opinion why_get_one when_useful when_not_to_wait first_doctor_wrong
        records_only_enough independence offend_surgeon good_second_opinion who_reviews formats who_starts_it how_long
        cost insurance where_available referral what_to_bring get_records questions_to_ask report_content share_report
        reviewer_operates choose_surgeon uneasy_with_surgeon""",
    "disagreement": """how_often_differ why_differ two_opinions_what_now third_opinion second_always_right
        diagnosis_differs surgery_type_differs fewer_operations shared_decision told_no_surgery""",
    "evidence": """does_it_reduce_surgery are_outcomes_better does_it_save_money evidence_quality who_seeks
        regional_variation fusion_evidence too_much_surgery""",
    "decision": """told_surgery need_fusion key_question mri_alone try_without_surgery can_it_wait feeling_rushed no_reason_given
        goals_differ money_motive redo_after_failed surgery_risks urgent_surgery cancel_operation
        big_operation will_it_help waiting_for_surgery""",
    "after_surgery": """had_surgery still_in_pain reherniation hardware_failed adjacent_segment pseudarthrosis flatback
        which_scan""",
    "assistant": "who_are_you privacy how_it_works for_someone_else scans_kept ask_the_clinic reach_surgeon trust_you calls",
    "out_of_scope": """
        diagnose_me should_i_have_surgery read_my_scan medicine_dose other_health off_topic under_18 recovery
        surgery_methods back_care
    """,
}
SMALL_TALK = {
    "greet",
    "goodbye",
    "thanks",
    "frustrated",
    "scared",
    "how_are_you",
    "compliment",
    "insult",
    "test",
    "low",
    "unheard",
    "grief",
    "apology",
    "language",
}
ACTS = set(
    """affirm deny unsure about_me tell_more ask_source ask_why repeat simpler menu human stop go_back skip resume start_intake
    start_compare start_report explain_term ask_questions_list edit_questions show_plan case_status delete_data
    already_seen mistake share_question""".split()
)
# What Rasa would read as an entity or a template, and what never stands in a patient's message.
FORBIDDEN = re.compile(
    r"[\[\]{}<>|]|https?://|www\.|/(work|tmp|home|root|usr)\b|@\w|\b\d{3}-\d{3}-\d{4}\b", re.IGNORECASE
)


def plain(text: str) -> str:
    """The text as two phrasings are compared: lower case letters, digits and single spaces."""
    return " ".join(re.sub(r"[^a-z0-9 ]", "", re.sub(r"['’]", "", text.lower())).split())


def label_of(entry: dict[str, Any]) -> str:
    topic = entry.get("metadata", {}).get("topic")
    return f"{entry['intent']}/{topic}" if topic else str(entry["intent"])


def read_training() -> dict[str, list[str]]:
    """Label -> phrasings, over every file of data/nlu."""
    phrasings: dict[str, list[str]] = {}
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in entry["examples"].splitlines():
                assert line.startswith("- "), f"{path.name}: {line!r} is not an example"
                phrasings.setdefault(label_of(entry), []).append(line[2:])
    return phrasings


def read_held_out() -> list[str]:
    """Every message that something is measured on: the held-out files, and those that thresholds are chosen with."""
    texts: list[str] = []
    for folder in (HELD_OUT, DEVELOPMENT):
        for path in sorted(folder.glob("*.yml")):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            if isinstance(content, dict):
                rows = [text for messages in content.values() for text in messages]
            else:
                rows = [row["text"] for row in content]
            assert all(isinstance(text, str) for text in rows), f"{path.name}: a message is not text"
            texts += rows
    return texts


TRAINING = read_training()


@pytest.mark.parametrize("topic", [topic for topics in TOPICS.values() for topic in topics.split()])
def test_every_topic_has_enough_phrasings(topic: str) -> None:
    assert len({plain(text) for text in TRAINING.get(f"faq/{topic}", [])}) >= LEAST_PER_TOPIC


@pytest.mark.parametrize("label", sorted(ACTS | {f"chitchat/{name}" for name in SMALL_TALK} | {"red_flag"}))
def test_every_act_and_small_talk_has_enough_phrasings(label: str) -> None:
    assert len(TRAINING.get(label, [])) >= LEAST_PER_ACT


def test_every_topic_stands_in_the_file_of_its_group() -> None:
    for group, topics in TOPICS.items():
        entries = yaml.safe_load((ROOT / "data" / "nlu" / f"{group}.yml").read_text(encoding="utf-8"))["nlu"]
        assert [label_of(entry) for entry in entries] == [f"faq/{topic}" for topic in topics.split()]


def test_no_label_is_unknown() -> None:
    known = {f"faq/{topic}" for topics in TOPICS.values() for topic in topics.split()}
    known |= {f"chitchat/{name}" for name in SMALL_TALK} | ACTS | {"red_flag", "escalation_reply", "letter"}
    assert set(TRAINING) == known


def test_no_phrasing_is_there_twice() -> None:
    where: dict[str, list[str]] = {}
    for label, texts in TRAINING.items():
        for text in texts:
            where.setdefault(plain(text), []).append(label)
    assert {text: labels for text, labels in where.items() if len(labels) > 1} == {}


def test_no_phrasing_holds_what_rasa_or_a_reader_would_trip_over() -> None:
    assert [
        text for texts in TRAINING.values() for text in texts if FORBIDDEN.search(text) or not text[0].isalnum()
    ] == []


def test_every_topic_sounds_like_more_than_one_kind_of_person() -> None:
    """Questions and statements, short and long, with and without capitals: not one template filled in many times."""
    for label, texts in TRAINING.items():
        if label.startswith("faq/") and not label.endswith("off_topic"):
            openings = Counter(" ".join(plain(text).split()[:4]) for text in texts)
            assert openings.most_common(1)[0][1] <= max(4, len(texts) // 6), (label, openings.most_common(3))
            lengths = [len(text.split()) for text in texts]
            assert min(lengths) <= 5 and max(lengths) >= 12, (label, min(lengths), max(lengths))
            assert any(text == text.lower() for text in texts) and any(text[0].isupper() for text in texts), label


def test_nothing_held_out_is_trained_on() -> None:
    trained = {plain(text) for texts in TRAINING.values() for text in texts}
    assert [text for text in read_held_out() if plain(text) in trained] == []


@pytest.mark.parametrize("folder", [HELD_OUT, DEVELOPMENT], ids=lambda folder: folder.name)
def test_measuring_questions_cover_every_topic(folder: Path) -> None:
    questions = yaml.safe_load((folder / "questions.yml").read_text(encoding="utf-8"))
    answered = [topic for group, topics in TOPICS.items() if group != "out_of_scope" for topic in topics.split()]
    assert list(questions) == answered
    assert {topic: len(messages) for topic, messages in questions.items() if len(messages) < 8} == {}
    refused = yaml.safe_load((folder / "offtopic.yml").read_text(encoding="utf-8"))
    assert set(refused) == set(TOPICS["out_of_scope"].split()) and sum(map(len, refused.values())) >= 80


def test_held_out_acts_cover_every_act_and_small_talk() -> None:
    acts = yaml.safe_load((HELD_OUT / "acts.yml").read_text(encoding="utf-8"))
    assert set(acts) == ACTS | {f"chitchat/{name}" for name in SMALL_TALK}


def test_nothing_held_out_was_looked_at_before() -> None:
    looked_at = yaml.safe_load((DEVELOPMENT / "questions.yml").read_text(encoding="utf-8"))
    measured = yaml.safe_load((HELD_OUT / "questions.yml").read_text(encoding="utf-8"))
    both = {plain(t) for ts in looked_at.values() for t in ts} & {plain(t) for ts in measured.values() for t in ts}
    assert both == set()


def test_held_out_messages_with_several_questions_name_known_topics() -> None:
    known = {topic for topics in TOPICS.values() for topic in topics.split()}
    rows = yaml.safe_load((HELD_OUT / "multi.yml").read_text(encoding="utf-8"))
    assert len(rows) >= 25
    assert all(len(row["topics"]) >= 2 and set(row["topics"]) <= known for row in rows)
