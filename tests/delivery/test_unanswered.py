"""Questions that patients let staff read: kept sealed, turned into training phrases, deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from actions.store import DAY, Store
from actions.unanswered import MOST_OF_ONE
from scripts import review_questions
from scripts.review_questions import Refused, learn, phrases


def test_a_shared_question_waits_for_staff_and_goes_when_they_are_done(data: Store) -> None:
    assert data.share_question("patient-1", "does the quince surgeon mind?")
    (question,) = data.shared_questions()
    assert question.text == "does the quince surgeon mind?"
    assert data.settle_question(question.id) and not data.settle_question(question.id)
    assert data.shared_questions() == []


def test_deleting_my_data_takes_shared_questions_along_and_nobody_elses(data: Store) -> None:
    data.share_question("patient-1", "mine")
    data.share_question("patient-2", "not mine")
    assert data.erase("patient-1").questions == 1
    assert [question.text for question in data.shared_questions()] == ["not mine"]


def test_a_question_past_its_time_is_deleted(data: Store) -> None:
    data.share_question("patient-1", "old")
    assert data.purge(drafts_older_than=-1, sent_older_than=90 * DAY).questions == 1
    assert data.shared_questions() == []


def test_a_vandal_fills_no_disk(data: Store) -> None:
    assert all(data.share_question("vandal", str(number)) for number in range(MOST_OF_ONE))
    assert not data.share_question("vandal", "one more")


def test_no_word_of_it_stands_in_the_files(tmp_path: Path, data: Store) -> None:
    data.share_question("patient-1", "persimmon question")
    assert not any(b"persimmon" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_phrase_is_learned_as_rasa_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "reviewed.yml"
    learn("cost", "what's the [damage] then", path)
    learn("cost", "how dear: is it?", path)
    learn("referral", "do I need a slip", path)
    assert phrases(path) == {"cost": ["what's the damage then", "how dear: is it?"], "referral": ["do I need a slip"]}
    groups = yaml.safe_load(path.read_text())["nlu"]
    assert groups[0] == {
        "intent": "faq",
        "metadata": {"topic": "cost"},
        "examples": "- what's the damage then\n- how dear: is it?\n",
    }


@pytest.mark.parametrize(
    ("topic", "words", "why"),
    [
        ("no_such_topic", "how much", "no topic"),
        ("cost", "call me on 555 0142 about the price", "who wrote it"),
        ("cost", "my name is Pat Example, what does it cost", "who wrote it"),
        ("cost", "write to pat@example.org", "who wrote it"),
        ("cost", "???", "has words"),
        ("cost", "word " * 100, "at most"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_the_reason(tmp_path: Path, topic: str, words: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        learn(topic, words, tmp_path / "reviewed.yml")
    assert not (tmp_path / "reviewed.yml").exists()


def test_staff_read_learn_and_drop(
    data: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(review_questions, "store", lambda: data)
    monkeypatch.setattr(review_questions, "REVIEWED", tmp_path / "reviewed.yml")
    data.share_question("patient-1", "wots the damage")
    data.share_question("patient-1", "my number is 555 0142")
    review_questions.main([])
    assert "1  " in capsys.readouterr().out
    review_questions.main(["learn", "1", "cost"])
    with pytest.raises(SystemExit, match="who wrote it"):
        review_questions.main(["learn", "1", "cost"])
    review_questions.main(["drop", "1"])
    with pytest.raises(SystemExit, match="no question 1"):
        review_questions.main(["drop", "1"])
    assert data.shared_questions() == [] and phrases(tmp_path / "reviewed.yml") == {"cost": ["wots the damage"]}
