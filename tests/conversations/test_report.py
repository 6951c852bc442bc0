"""A letter is read: pasted with or without being asked for, in one message or several, and whatever it turns out to be."""

from __future__ import annotations

import pytest

from tests.conversations.harness import Conversation
from tests.explain.test_letters import LETTERS

BRITISH = LETTERS["01_complete_second_opinion"]
AMERICAN = LETTERS["75_np_template"]
GRAVE = LETTERS["59_cauda"]


def test_a_letter_pasted_out_of_the_blue_is_read_at_once(patient: Conversation) -> None:
    patient.says(BRITISH.letter).is_kind("report_check").does_not_say(*BRITISH.private)
    assert patient.custom["found"] == list(BRITISH.present)
    patient.picks("Questions to ask")
    assert "1." in patient.text


def test_a_letter_is_asked_for_and_read(patient: Conversation) -> None:
    patient.says("can you explain my report to me").replies_with("paste your letter")
    patient.says(AMERICAN.letter).is_kind("report_check").replies_with("disc replacement", "C6-7")


SHORT = (
    "MRI lumbar spine. L4/5 disc bulge with mild canal stenosis. No cauda equina compression. "
    "Modic type 1 changes. Impression: degenerative change."
)


def test_a_short_report_is_read_when_it_is_announced_or_was_invited(patient: Conversation) -> None:
    patient.says(f"here is my report: {SHORT}").is_kind("report_check")
    patient.says("can you read my mri").refuses("read_my_scan").replies_with("paste the words")
    patient.says(SHORT).is_kind("report_check")


def test_a_letter_in_parts_is_read_as_one(patient: Conversation) -> None:
    half = BRITISH.letter.index("\n", len(BRITISH.letter) // 2)
    patient.says(BRITISH.letter[:half]).is_kind("report_check")
    patient.says(BRITISH.letter[half:]).is_kind("report_check").replies_with("2 parts")
    assert patient.custom["found"] == list(BRITISH.present)


def test_two_letters_one_after_the_other_stay_two(patient: Conversation) -> None:
    patient.says(BRITISH.letter).is_kind("report_check")
    patient.says(AMERICAN.letter).is_kind("report_check").does_not_say("parts you sent")
    assert set(patient.custom["found"]) == set(AMERICAN.present)


def test_a_long_letter_is_taken_whole(patient: Conversation) -> None:
    letter = "\n".join(sample.letter for name, sample in LETTERS.items() if name[:2] in ("01", "05", "31", "32"))
    assert len(letter[:7_900]) > 2_000
    patient.says(letter[:7_900]).is_kind("report_check")


def test_a_grave_finding_is_asked_about_and_not_alarmed_over(patient: Conversation) -> None:
    patient.says(GRAVE.letter).is_kind("report_check").replies_with("Is it new, or getting worse?")
    assert patient.replies[0]["text"].startswith("First, one important thing")
    patient.says("yes it is getting worse").escalates("urgent")


def test_a_grave_finding_that_is_old_is_let_be(patient: Conversation) -> None:
    patient.says(GRAVE.letter)
    patient.picks("No").does_not_escalate()
    patient.says(GRAVE.letter)
    patient.says("what does foraminal stenosis mean?").is_kind("explain")


def test_what_the_patient_says_with_the_letter_comes_first(patient: Conversation) -> None:
    patient.says(f"please explain this. I can't pee since last night.\n\n{BRITISH.letter}").escalates("emergency")
    patient.picks("I'm calling now")
    patient.says("carry on").is_kind("report_check")


def test_more_words_come_on_request(patient: Conversation) -> None:
    patient.says(LETTERS["04_radiology"].letter)
    patient.picks("More words").is_kind("explain")


@pytest.mark.parametrize(
    ("name", "words"), [("68_dutch", "English"), ("69_knee_op", "another part"), ("71_lab", "spine")]
)
def test_what_cannot_be_read_is_said(patient: Conversation, name: str, words: str) -> None:
    patient.says("explain my report")
    patient.says(LETTERS[name].letter).replies_with(words)


def test_it_can_be_left_and_taken_up_again(patient: Conversation) -> None:
    patient.says("explain my report").replies_with("paste")
    patient.says("what does stenosis mean?").replies_with("stenosis")
    patient.says("stop").replies_with("any time")
    patient.says("carry on").replies_with("paste your letter")
    patient.says(BRITISH.letter).is_kind("report_check")


def test_the_letter_is_kept_only_when_asked(patient: Conversation) -> None:
    patient.says(BRITISH.letter)
    patient.picks("Keep for my plan").replies_with("kept")
    patient.does_not_say(*BRITISH.private)


def test_a_scan_report_is_told_as_one_and_its_words_may_be_asked_about(patient: Conversation) -> None:
    patient.says(LETTERS["425_mri_thoracic_incidental"].letter).replies_with("scan report", "L4/5")
    patient.does_not_say("of the 6")
    patient.says("what about the cyst?").replies_with("cyst", "Your letter says")


def test_a_question_while_a_letter_is_waited_for_is_answered(patient: Conversation) -> None:
    patient.says("can I paste my report").says("how long do I have to wait for my records")
    patient.does_not_say("does not look like a medical letter")
    patient.says("does the report show if surgery is needed?").does_not_say("does not look like a medical letter")
