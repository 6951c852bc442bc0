"""Letters in many styles are read as a careful person reads them; nothing is invented, nothing private repeated."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.report.reader import kind_of, read
from actions.report.replies import report_replies, term_reply
from knowledge.explain import explain_words
from scripts.evaluate_letters import Sample, invented, samples, score

HERE = Path(__file__).parent
LETTERS: dict[str, Sample] = {
    name: sample for folder in sorted(HERE.glob("letters*")) for name, sample in samples(folder).items()
}


def replies(text: str) -> list[str]:
    return [reply.text for reply in report_replies(read(text), emergency_number="911", phone="555 0100")]


def test_there_are_enough_letters() -> None:
    assert len(LETTERS) >= 36


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_is_read_right(name: str) -> None:
    assert score(name, LETTERS[name]).faults == ()


@pytest.mark.parametrize("name", LETTERS)
def test_nothing_private_is_ever_repeated(name: str) -> None:
    said = "\n".join(replies(LETTERS[name].letter))
    for private in LETTERS[name].private:
        assert private.lower() not in said.lower()


@pytest.mark.parametrize("name", LETTERS)
def test_every_quote_and_level_is_the_letters_own(name: str) -> None:
    sample = LETTERS[name]
    own = " ".join(sample.letter.replace('"', "'").split())
    for text in replies(sample.letter):
        for quoted in re.findall(r'"([^"]+)"', text):
            for part in quoted.split("..."):
                assert part.strip() in own


@pytest.mark.parametrize("name", LETTERS)
def test_messages_are_short_and_at_most_one_has_a_payload(name: str) -> None:
    said = report_replies(read(LETTERS[name].letter), emergency_number="911", phone="555 0100")
    for reply in said:
        assert len(reply.text.split()) <= 120, reply.text
        for button in reply.buttons:
            assert len(button.payload.encode()) <= 64
            assert len(button.title) <= 20
    assert sum(reply.custom is not None for reply in said) <= 1


@pytest.mark.parametrize("name", [name for name, sample in LETTERS.items() if sample.kind == "letter"])
def test_the_payload_tells_all_six_elements(name: str) -> None:
    (custom,) = [
        r.custom for r in report_replies(read(LETTERS[name].letter), emergency_number="911", phone="") if r.custom
    ]
    assert custom["kind"] == "report_check"
    told = custom["found"] + custom["missing"]
    assert sorted(told) == sorted(explain_words().elements) or (read(LETTERS[name].letter).is_scan and told)


def test_all_words_of_a_long_report_come_eight_at_a_time() -> None:
    reading = read(LETTERS["04_radiology"].letter)
    place, seen = 0, []
    while place < len(reading.terms):
        reply = term_reply(reading, place)
        shown = [line for line in reply.text.splitlines() if line.startswith("- ")]
        assert 1 <= len(shown) <= 8
        seen += shown
        place += len(shown)
        assert bool(reply.buttons) == (place < len(reading.terms))
    assert len(seen) == len(reading.terms)
    assert term_reply(reading, place).text == explain_words().terms_end


def test_eight_thousand_characters_are_read_in_time() -> None:
    read("The lumbar spine was seen on MRI and it looked normal.")
    text = "\n\n".join(sample.letter for sample in LETTERS.values() if sample.kind == "letter")[:8000]
    started = time.process_time()
    reading = read(text)
    assert time.process_time() - started <= 1.5
    assert reading.kind == "letter"


def test_more_than_it_reads_is_said() -> None:
    text = LETTERS["31_registrar"].letter * 8
    assert read(text).letter.cut
    assert "first 8000 characters" in "\n".join(replies(text))


BAD = [
    ("", "too_short"),
    ("asdf", "too_short"),
    ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", "not_medical"),
    (
        "Take two eggs and 200 g of flour, stir well, bake in a dish for half an hour and serve with cream.",
        "not_medical",
    ),
    ("name;date;price\napple;2026-01-01;3\npear;2026-01-02;4\nplum;2026-01-03;5\nfig;2026-01-04;6", "not_medical"),
    (
        "Dear customer, your phone bill for March is 40 dollars. Please pay by the end of the month. Thank you.",
        "not_medical",
    ),
    (
        "Le patient souffre de douleurs lombaires avec une hernie discale. Nous proposons une opération pour lui.",
        "other_language",
    ),
    (
        "El paciente tiene dolor de espalda y no puede caminar bien. Se recomienda una operación de columna.",
        "other_language",
    ),
    ("Пациент жалуется на боли в пояснице. На МРТ грыжа диска L5-S1. Рекомендована операция.", "other_language"),
    (
        "MRI of the left knee: complex tear of the medial meniscus. ACL intact. Small joint effusion in the knee.",
        "other_part",
    ),
    (
        "Thank you for referring this patient. Her thyroid blood tests are normal and I have stopped the tablets.",
        "other_part",
    ),
]


@pytest.mark.parametrize(("text", "kind"), BAD)
def test_what_is_no_letter_about_a_spine_gets_clear_words(text: str, kind: str) -> None:
    assert kind_of(text) == kind
    (said,) = replies(text)
    assert said == getattr(explain_words(), kind).format(phone="555 0100")


def test_a_letter_in_quotation_marks_is_read_without_what_leads_to_it() -> None:
    letter = "Impression: L5-S1 degenerative disc disease. No instability. Plan: continue conservative care, see in 3 months."
    assert read(f'ok here goes: "{letter}"').letter.text == read(letter).letter.text


def test_markup_is_taken_out_before_reading() -> None:
    words = "MRI of the lumbar spine shows an L4/5 disc prolapse."
    text = f"<html><head><script>alert(1)</script></head><body><p>{words}</p></body></html>"
    reading = read(text)
    assert reading.kind == "letter"
    assert "alert" not in reading.letter.text
    assert "<" not in "".join(replies(text))


PRIVATE = """
Re: Jonathan Featherstonehaugh, DOB: 04/07/1958, NHS number 943 476 5919
12 Gasworks Lane, Tel 01632 960 123, j.feather@example.org
Dear Dr Smith,
Jonathan came with his wife. Mr Featherstonehaugh has spinal stenosis at L4/5. JONATHAN tried physio without relief.
I told Jonathan Featherstonehaugh that I recommend a decompression at L4/5. Call 01632 960 123 with questions.
"""


def test_somebody_elses_name_and_number_are_left_out() -> None:
    said = "\n".join(replies(PRIVATE))
    for secret in ("Jonathan", "Feather", "Smith", "1958", "5919", "Gasworks", "960", "example.org"):
        assert secret.lower() not in said.lower(), secret
    assert "decompression at L4/5" in said


URGENT = [
    ("He has been unable to pass urine since yesterday and has saddle numbness.", True),
    ("There is a left foot drop which came on two weeks ago.", True),
    ("There is severe cord compression at C5/6.", True),
    ("The scan suggests metastatic disease.", True),
    ("She denies numbness in the saddle area and has no bladder problems.", False),
    ("No evidence of cord compression. MRI shows no discitis.", False),
    ("Risks include paralysis, foot drop, blood clot and infection.", False),
    ("If you develop saddle numbness go to A&E at once.", False),
    ("The cauda equina nerve roots appear normal.", False),
    ("She knows that if weakness or numbness should develop she must be seen again.", False),
    ("Weakness of the foot, a clot, an infection, or bones that do not knit.", False),
    ("There is a slip of 3 mm that does not move on bending films.", False),
    ("Spurling's test is positive on the left and tandem gait is steady.", False),
    ("She has weakness of the foot, numbness and a wound infection since the operation.", True),
]


@pytest.mark.parametrize(("sentence", "asked"), URGENT)
def test_grave_findings_are_asked_about_first_and_denied_ones_are_not(sentence: str, asked: bool) -> None:
    said = replies(f"MRI of the lumbar spine was reviewed in clinic today. {sentence}")
    first = explain_words().red_flag.split("{")[0]
    assert said[0].startswith(first) == asked
    assert not asked or "911" in said[0]


pieces = st.sampled_from(
    [sentence for sample in LETTERS.values() for sentence in re.split(r"(?<=[.!?])\s+", sample.letter) if sentence]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=12).map(" ".join))
def test_however_letters_are_mixed_nothing_is_invented(text: str) -> None:
    reading = read(text)
    assert invented(reading, Sample("mixed", text, "letter")) == []
    for level in reading.recommendation.levels:
        assert level.said in text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=600))
def test_any_text_is_answered(text: str) -> None:
    assert replies(text)
