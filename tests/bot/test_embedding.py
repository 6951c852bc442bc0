"""The real embedding: what it says of patients' sentences, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.plain_text import has_words, is_foreign, readable
from bot.sentence_embedding import FOLDER, SIZE, EmbeddingRefused, SentenceEmbedding, shared_embedding


def cosine(left: str, right: str) -> float:
    embedding = shared_embedding()
    return float(embedding.embed(readable(left)) @ embedding.embed(readable(right)))


@pytest.mark.parametrize(
    ("asked", "like", "unlike"),
    [
        ("How much does it cost?", "What is the price of this?", "Who reads my scans?"),
        ("My screws came loose", "The hardware in my spine has failed", "Will my insurer pay?"),
        ("I feel pushed to decide", "I am being rushed into a decision", "What is a disc?"),
    ],
)
def test_says_what_is_meant_and_not_which_words_are_used(asked: str, like: str, unlike: str) -> None:
    assert cosine(asked, like) > cosine(asked, unlike) + 0.1


def test_capitals_and_markup_change_nothing() -> None:
    assert cosine("do i need a fusion", "<p>DO I <b>NEED</b> A FUSION</p>") == pytest.approx(1.0, abs=1e-5)


def test_the_end_of_a_thousand_characters_still_counts() -> None:
    story = "I have had pain in my back for years and saw many people about it. " * 14
    assert len(story) < 1000
    with_question = story + "How much does it cost?"
    assert cosine(with_question, story) < 0.999


@given(st.text(max_size=1200))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_vector_of_unit_length(text: str) -> None:
    vectors = shared_embedding().features(readable(text))
    assert vectors.shape == (2 * SIZE,)
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors[:SIZE]) == pytest.approx(1.0, abs=1e-3)


def test_a_lone_surrogate_is_no_trouble() -> None:
    assert shared_embedding().embed("cut off \ud83d").shape == (SIZE,)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "embedding")
    return tmp_path / "embedding"


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_refuses_a_file_with_one_changed_byte(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(EmbeddingRefused, match=name):
        SentenceEmbedding(copy)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "SHA256SUMS"])
def test_refuses_a_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(EmbeddingRefused, match=name):
        SentenceEmbedding(copy)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("HOW MUCH??", "how much??"),
        ("<div>Will <b>it</b> hurt?</div><script>x()</script>", "will it hurt?"),
        ("pain < 3 and > 2", "pain < 3 and > 2"),
        ("it’s &quot;fine&quot;", 'it\'s "fine"'),
        ("see https://example.org/a?b=c please", "see please"),
        ("😀 ok 👍", "ok"),
        ("a\x00b\x07c", "a b c"),
        ("😀😀😀", ""),
        ("<p></p>", ""),
    ],
)
def test_what_the_features_see(typed: str, read: str) -> None:
    assert readable(typed) == read


@pytest.mark.parametrize("text", ["", "123", "?!", "- -", "x"])
def test_these_have_no_words(text: str) -> None:
    assert not has_words(text)


@pytest.mark.parametrize("text", ["y", "ok", "no", "what about l4"])
def test_these_have_words(text: str) -> None:
    assert has_words(text)


FOREIGN = [
    "¿cuánto cuesta una segunda opinión?",
    "me duele la espalda",
    "hola",
    "bonjour, j'ai mal au dos",
    "wie viel kostet das?",
    "quanto custa uma segunda opinião",
    "ik heb pijn in mijn rug",
    "сколько это стоит",
    "背痛怎么办",
    "كم التكلفة",
]
ENGLISH = [
    "how much",
    "cost?",
    "y",
    "no",
    "die pain is bad",
    "l5 s1 fusion",
    "laminectomy",
    "my son says le mans was great",
    "ok",
    "i need a second opinion on my mri",
    "dos and donts",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_another_language_is_noticed(text: str) -> None:
    assert is_foreign(text)


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_not_taken_for_another_language(text: str) -> None:
    assert not is_foreign(text)
