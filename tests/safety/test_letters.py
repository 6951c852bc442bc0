"""A pasted letter is told from a patient's own story: what a letter finds must never hide what a patient feels."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from safety.letters import is_letter, own_words

FILES = sorted((Path(__file__).parents[1] / "explain").glob("letters*/*.yml"))
LETTERS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES}

STORIES = [
    "I had an L4/5 fusion in March and the surgeon was happy with the MRI. Since Tuesday my legs feel like jelly and I "
    "cannot feel it when I wipe. My GP said the reflexes were normal and gave me gabapentin 300 mg. I don't know if this "
    "is normal after surgery or if I should go to A&E. My wife is really worried about me and wants to call someone.",
    "Two opinions: Dr A, a neurosurgeon, says decompression at L4/5 for stenosis, Dr B says TLIF because of the "
    "spondylolisthesis. I am 61 and I still walk a mile. My pain is mostly in my left leg. I had physio for three months and "
    "two injections. On examination he said my ankle reflex was gone. What should I do? Should I have the bigger operation?",
    "My mum is 78 and was told she has a compression fracture. She is in a lot of pain and the consultant says kyphoplasty. "
    "I'm scared because she has been confused since last night and can't pass water. Her MRI report says L1 fracture with no "
    "retropulsion. Can you tell me whether she should go to hospital? She takes morphine 10 mg. I don't know what to do.",
    "i've been off work for 8 months with my back, tried physio, chiro, pregabalin 150mg, facet injections. the mri says "
    "degenerative disc disease L5/S1 and a bulge. surgeon wants to do a fusion but my mate had one and he is worse now. "
    "i can't sleep, i can't sit, i just want my life back. how do i know if it will work? what does degenerative mean?",
    "Hi, mother-in-law (74) has been told she needs a L3-S1 fusion with decompression. She has a pacemaker so how do we get "
    "the scans to you, and does she have to travel? Also how much is it and how long does it take, she sees the surgeon on "
    "the 9th of next month, and the hospital has only an old MRI. Is it better to ask for a new one? She takes warfarin 5 mg.",
]


@pytest.mark.parametrize("story", STORIES)
def test_a_patients_story_is_no_letter(story: str) -> None:
    assert len(story) > 300
    assert not is_letter(story)
    assert not is_letter(story, expected=True)


LONG = {
    name: sample["letter"]
    for name, sample in LETTERS.items()
    if sample["kind"] == "letter" and len(sample["letter"]) >= 300
}


def test_long_letters_are_told_without_being_asked_for() -> None:
    missed = [name for name, letter in LONG.items() if not is_letter(letter)]
    assert len(missed) <= 0.06 * len(LONG), missed


REPORT = "L4/5 disc bulge with mild canal stenosis. No nerve compression. Impression: degenerative change."


@pytest.mark.parametrize(
    "announced",
    [
        "here is my report:", "Here's what my MRI says:", "here are the results:", "My MRI report:", "the report says:",
        "this is what the letter said:", "Scan results:", "MRI lumbar spine report:",
    ],
)  # fmt: skip
def test_what_is_announced_as_a_report_may_be_short(announced: str) -> None:
    assert is_letter(f"{announced} {REPORT}")
    assert not is_letter(f"{announced} I can't feel my legs and I wet myself, what do I do about my L4/5 disc?")


def test_a_remark_around_a_letter_is_kept_apart() -> None:
    letter = LETTERS["01_complete_second_opinion"]["letter"]
    text = f"Can you explain this to me please? I can't feel my legs since yesterday.\n\n{letter}"
    assert is_letter(text)
    assert own_words(text).startswith("Can you explain this to me please? I can't feel my legs since yesterday.")
    assert len(own_words(text)) < 150
