"""The six elements are heard in words no rule foresaw; mentions, plans and warnings are not taken for them."""

from __future__ import annotations

import pytest

from actions.report.elements import find_elements
from actions.report.letter import take_apart
from actions.report.rules import report_rules
from actions.report.signal import signal

# What is said, and the elements it tells, in their fixed order. None of them stands in letter_sentences.yml.
TOLD = [
    ("He has what I take to be a facet joint syndrome.", "diagnosis"),
    ("The scan abnormality lies at the very level from which his leg pain would stem.", "imaging_match"),
    ("Nothing on the films would make the left arm tingle.", "imaging_match"),
    ("Both ankle reflexes could be obtained and the toes were strong.", "neurology"),
    ("He can feel a light touch all over both feet.", "neurology"),
    ("Eight visits to the physiotherapist left her no better.", "conservative_care"),
    ("The epidural in March gave a fortnight of comfort.", "conservative_care"),
    ("Three patients in four tell us that they can walk further.", "expected_benefit"),
    ("I doubt that the back ache would change much with surgery.", "expected_benefit"),
    ("A wound infection occurs in roughly two people per hundred.", "risks"),
    ("Screws may break and a second procedure may be called for.", "risks"),
    ("Kind regards to your wife.", ""),
    ("A further scan of the spine has been booked for June.", ""),
    ("Come back at once if your leg gets weak.", ""),
    ("We will arrange physiotherapy near your home.", ""),
    ("The scan should be seen together with the clinical picture.", ""),
    ("The risks were gone through.", ""),
    ("The vertebral heights are kept.", ""),
    ("She teaches at a school in the city.", ""),
    ("Past surgery: hernia, gall bladder.", ""),
    ("He rates his spine pain as seven of ten.", ""),
    ("A spur of bone is trapping the C7 nerve on the right.", "diagnosis"),
    ("The thick ligament squeezes the nerves at L4/5.", "diagnosis"),
    ("What you have is coccydynia.", "diagnosis"),
    ("The worn joint is catching the L5 nerve as it leaves.", "diagnosis"),
    ("At L3/4 the disc has been pushed against the left nerve root.", "diagnosis"),
    ("No disc is pressing on any nerve.", ""),
    ("He put it down to myofascial pain.", "diagnosis"),
    ("She thinks that my trouble is fibromyalgia.", "diagnosis"),
    ("On the scan the slipped disc sits exactly where my pain is.", "diagnosis imaging_match"),
    ("Age-related changes of the discs, with low back pain.", "diagnosis"),
    ("Since the physio has not fixed it he suggests another way.", "conservative_care"),
    (
        "As neither tablets nor exercise gave more than a little ease, we talked about what comes next.",
        "conservative_care",
    ),
    ("Please do not have your neck manipulated.", ""),
    ("She should wear the brace six more weeks.", "conservative_care"),
    ("Chiropractic treatment is off limits.", ""),
    ("Pt fit and keen to go home.", ""),
    ("Pt to be told by phone.", ""),
    ("About 8 in 10 of my patients are glad they had the operation.", "expected_benefit"),
    ("Most of my patients would have the surgery again.", "expected_benefit"),
    ("Seven of ten people are pleased with the result of surgery at a year.", "expected_benefit"),
    ("You had one injection with about 40% relief.", "conservative_care"),
    ("In case of pain that stays we would operate.", ""),
    ("His pain is already half of what it was.", ""),
    ("Infection is thought unlikely.", ""),
    ("A blood clot was ruled out.", ""),
    (
        "The policy may approve surgery when all of the following are met:\n1. pain for six months\n2. a straight leg raise that brings on the pain\n3. six months of physical therapy without relief",
        "",
    ),
    ("When to call us\nNew weakness in a leg or numbness between the legs.", ""),
]


@pytest.mark.parametrize(("sentence", "elements"), TOLD)
def test_what_a_sentence_tells(sentence: str, elements: str) -> None:
    letter = take_apart(f"MRI of the spine.\n\n{sentence}")
    assert [found.id for found in find_elements(letter) if found.found] == elements.split()


def test_the_clearest_sentence_is_quoted() -> None:
    letter = take_apart(
        "It was good to see you in the scoliosis clinic. Your legs were strong.\n\n"
        "Examination: power, reflexes and sensation were normal in both legs.\n\n"
        "The diagnosis is lumbar spinal stenosis."
    )
    quoted = {found.id: found.sentence.text for found in find_elements(letter) if found.sentence}
    assert quoted["diagnosis"] == "The diagnosis is lumbar spinal stenosis."
    assert quoted["neurology"] == "power, reflexes and sensation were normal in both legs."


def test_the_learned_weights_belong_to_these_elements() -> None:
    learned = signal()
    assert learned.elements == tuple(rules.id for rules in report_rules().elements)
    assert all(len(row) == len(learned.elements) for row in learned.weights.values())
