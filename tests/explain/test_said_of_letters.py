"""What is said about a letter besides the six elements: scan reports, treatments with a needle, questions about its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.explaining import explain_in_letter
from actions.report.reader import read
from actions.report.replies import report_replies
from knowledge.explain import explain_words
from scripts.evaluate_letters import samples

HERE = Path(__file__).parent
SCAN = samples(HERE / "letters_sixteenth")["425_mri_thoracic_incidental"].letter
AFTER_FUSION = samples(HERE / "letters_fifteenth")["408_mri_after_fusion"].letter
NEEDLE = samples(HERE / "letters_fifteenth")["410_pain_rfa_two_facets"].letter


def replies(text: str) -> list[str]:
    return [reply.text for reply in report_replies(read(text), emergency_number="911", phone="")]


@pytest.mark.parametrize("letter", [SCAN, AFTER_FUSION])
def test_a_scan_report_is_not_measured_as_an_opinion(letter: str) -> None:
    said = "\n".join(replies(letter))
    assert explain_words().scan_report in said
    assert "of the 6" not in said
    assert all(question in said for question in explain_words().scan_questions)


def test_a_scan_report_tells_where_the_problem_is_and_what_was_done_before() -> None:
    assert "Where it finds a problem: L4/5." in "\n".join(replies(SCAN))
    past = "\n".join(replies(AFTER_FUSION))
    assert "tells of an operation that was done" in past
    assert "recommends" not in past


def test_a_treatment_with_a_needle_is_no_operation() -> None:
    said = "\n".join(replies(NEEDLE))
    assert "radiofrequency ablation" in said
    assert "It is not an operation." in said
    assert "The level: L4-5, L5-S1." in said


@pytest.mark.parametrize("asked", ["what about the cyst", "What about that cyst?", "and the synovial cyst?"])
def test_a_word_of_the_letter_is_explained_in_its_own_sentence(asked: str) -> None:
    reply = explain_in_letter(asked, SCAN)
    assert reply is not None
    assert "A small bag of fluid next to a joint of the spine" in reply.text
    assert "7 mm synovial cyst" in reply.text


@pytest.mark.parametrize(
    "asked", ["what about my dog", "what about the weather?", "I want to send my case", "the cyst"]
)
def test_what_the_letter_does_not_name_is_left_to_others(asked: str) -> None:
    assert explain_in_letter(asked, SCAN) is None


def test_without_a_letter_nothing_is_explained_from_it() -> None:
    assert explain_in_letter("what about the cyst?", "") is None


def test_what_a_plan_leaves_open_is_told_beside_it() -> None:
    said = "\n".join(replies("Your lumbar spine was seen on MRI and we talked. Plan: L4/5 decompression +/- fusion."))
    assert "The operation: decompression" in said
    assert "It leaves open: spinal fusion" in said


def test_a_plan_that_is_sure_leaves_nothing_open() -> None:
    said = "\n".join(replies("Your lumbar spine was seen on MRI and we talked. Plan: L4/5 decompression and fusion."))
    assert "leaves open" not in said


def test_an_operation_note_is_no_scan_report() -> None:
    note = samples(HERE / "letters_twentysecond")["523_uk_operation_note"].letter
    assert not read(note).is_scan
    assert explain_words().scan_report not in "\n".join(replies(note))


def test_no_level_is_missed_where_an_operation_has_none() -> None:
    said = "\n".join(
        replies("Your lumbar spine was seen on MRI. I recommend a spinal cord stimulator for your leg pain.")
    )
    assert "stimulator" in said
    assert explain_words().level_unnamed not in said


REPORT = """{title}

Clinical details: back pain.

Findings: L4/5 disc bulge with mild stenosis. No fracture.

Impression: L4/5 disc bulge."""


@pytest.mark.parametrize(
    "title",
    ["MRI LUMBAR SPINE", "MR1 LUMBAR SP1NE", "M.R.I. L-spine", "MRl Iumbar spine", "C.T. lumbar spine", "EOS SPINE"],
)
def test_a_scan_report_is_known_by_its_title_even_when_garbled(title: str) -> None:
    assert read(REPORT.format(title=title)).is_scan


def test_a_letter_that_tells_of_a_scan_is_no_scan_report() -> None:
    letter = REPORT.format(title="Dear Ms Roe, I saw you with your MRI of the lumbar spine.")
    assert not read(letter).is_scan
