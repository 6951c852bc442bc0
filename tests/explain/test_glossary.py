"""The glossary as data obeys its rules, and its terms are found however they are written."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.explaining import explain_message
from actions.glossary import _index, asked_terms, find_terms
from knowledge.glossary import Term, not_terms, terms_by_id
from knowledge.lint import grade, words

TERMS = list(terms_by_id().values())
SHORT_FORMS = [
    *("ALIF", "TLIF", "PLIF", "XLIF", "LLIF", "OLIF", "ACDF", "ADR", "TDR", "ASD", "PJK", "EMG"),
    *("NCS", "DDD", "FBSS", "SCS", "ESI", "RFA", "MRI", "CT", "DEXA", "PT"),
]


def test_there_are_enough_terms() -> None:
    assert len(TERMS) >= 180


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.id)
def test_an_explanation_is_short_and_plain(term: Term) -> None:
    assert words(term.plain) <= 25
    assert grade(term.plain) <= 6
    assert [span.said for span in find_terms(term.plain) if not span.term.everyday and span.term.id != term.id] == []


def test_no_wording_means_two_terms() -> None:
    meant = defaultdict(set)
    for term in TERMS:
        for phrase in (term.name, *term.synonyms, *term.misspellings):
            meant[" ".join(token.norm_ for token in _index().read(phrase))].add(term.id)
        for short in term.abbreviations:
            meant[short].add(term.id)
    assert {phrase: ids for phrase, ids in meant.items() if len(ids) > 1} == {}


@pytest.mark.parametrize("short", SHORT_FORMS)
def test_the_usual_abbreviations_are_known(short: str) -> None:
    assert asked_terms(f"what does {short.lower()} mean"), short


FOUND = [
    ("MRI shows foraminal stenosis", ["mri", "foraminal_stenosis"]),
    ("bilateral neural foraminal narrowing at L4/5", ["bilateral", "foraminal_stenosis"]),
    ("facet joint arthropathies and Schmorl's nodes", ["facet_arthropathy", "schmorl"]),
    ("disc-osteophyte complexes", ["disc_osteophyte"]),
    ("marrow oedema on STIR images", ["oedema", "stir"]),
    ("bone marrow edema", ["oedema"]),
    ("grade 1 anterolisthesis", ["listhesis_grade", "anterolisthesis"]),
    ("spondylolisthesis (grade II)", ["spondylolisthesis", "listhesis_grade"]),
    ("High T2 signal in the cord", ["cord_signal_change"]),
    ("effacement of the\nthecal sac", ["effacement"]),
    ("spondylolisthisis", ["spondylolisthesis"]),
    ("lamenectomy and discectmy", ["laminectomy", "discectomy"]),
    ("c/o LBP, SLR +ve", ["complains_of", "low_back_pain", "slr", "positive_test"]),
    ("he attended PT twice", ["physiotherapy"]),
]
NOT_FOUND = [
    ("the pt was seen", "physiotherapy"),
    ("in contrast to this", "contrast"),
    ("stir the soup in a dish", "stir"),
    ("stir the soup in a dish", "dish"),
    ("grade 4 in school", "listhesis_grade"),
    ("loss of muscle mass", "tumour"),
    ("hypertension and diabetes", "tumour"),
    ("I slipped and fell", "spondylolisthesis"),
    ("the tens of thousands", "tens"),
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_terms_are_found_in_reading_order(text: str, expected: list[str]) -> None:
    assert [span.term.id for span in find_terms(text)] == expected


@pytest.mark.parametrize(("text", "term"), NOT_FOUND)
def test_lookalikes_are_left_alone(text: str, term: str) -> None:
    assert term not in [span.term.id for span in find_terms(text)]


def test_wordings_that_are_no_terms_are_never_explained() -> None:
    for phrase in not_terms():
        assert not find_terms(phrase), phrase


ASKED = [
    ("what does ALIF mean?", ["alif"]),
    ("whats pt and esi", ["physiotherapy", "epidural_injection"]),
    ("explain foramnial stenosis to me", ["foraminal_stenosis"]),
    ("what is a bulging disc", ["disc_bulge"]),
    ("disc?", ["disc"]),
    ("meaning of PJK please", ["pjk"]),
]


@pytest.mark.parametrize(("text", "expected"), ASKED)
def test_a_question_about_words_is_answered(text: str, expected: list[str]) -> None:
    (reply,) = explain_message({"text": text})
    assert reply.custom == {"kind": "explain", "terms": expected}
    for term in expected:
        assert terms_by_id()[term].plain in reply.text


def test_what_a_question_says_is_not_there_is_explained_as_not_there() -> None:
    text = "my report says no cord compression, mild bulge at L5/S1"
    lines = explain_message({"text": text})[0].text.splitlines()
    assert [line.partition(":")[0] for line in lines if "there is none" in line] == ["Cord compression"]


def test_a_contraction_without_its_mark_is_no_short_form() -> None:
    assert [term.id for term in asked_terms("explain spondylolisthesis like im five")] == ["spondylolisthesis"]


@pytest.mark.parametrize("word", ["flurbiness", "qwertology", "blorptomy"])
def test_an_unknown_word_is_not_invented(word: str) -> None:
    (reply,) = explain_message({"text": f"what does {word} mean"})
    assert reply.custom == {"kind": "explain", "terms": []}
    assert word in reply.text
    assert "don't know" in reply.text


def test_without_a_word_it_asks_which() -> None:
    (reply,) = explain_message({"text": "what does it mean"})
    assert reply.text.startswith("Which word")


@given(st.text(max_size=400))
def test_any_text_is_read_and_every_span_is_its_own(text: str) -> None:
    for span in find_terms(text):
        assert text[span.start : span.end] == span.said
