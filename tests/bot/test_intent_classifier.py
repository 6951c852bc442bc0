"""The classifier as Rasa runs it: trained on some of the real phrases, saved, loaded, and asked all sorts of things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.importers.rasa import TrainingDataImporter
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.embedding_featurizer import EmbeddingFeaturizer
from bot.intent_classifier import EXPLAIN, TopicClassifier, label_of
from bot.intent_model import IntentModel, Recipe
from bot.sentence_embedding import shared_embedding
from bot.spelling import Speller, distance
from bot.understanding import Level, Thresholds, understand

ROOT = Path(__file__).resolve().parents[2]
LABELS = frozenset(
    "faq/cost faq/how_long faq/insurance faq/what_to_bring faq/need_fusion faq/who_are_you faq/still_in_pain "
    "faq/off_topic faq/other_health faq/diagnose_me chitchat/thanks chitchat/greet affirm human explain_term red_flag".split()
)
CONTEXT = ExecutionContext(GraphSchema({}), node_name="test")
CONFIG = TopicClassifier.get_default_config()


class Understanding:
    """The two components behind one another, as in config.yml."""

    def __init__(self, classifier: TopicClassifier, featurizer: EmbeddingFeaturizer) -> None:
        self.classifier = classifier
        self.featurizer = featurizer

    def __call__(self, text: str) -> dict[str, Any]:
        messages = self.classifier.process(self.featurizer.process([Message(data={TEXT: text})]))
        return dict(messages[0].as_dict(only_output_properties=True))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalModelStorage, Resource, EmbeddingFeaturizer]:
    files = [str(path) for path in sorted((ROOT / "data" / "nlu").glob("*.yml"))]
    everything = TrainingDataImporter.load_from_dict(training_data_paths=files).get_nlu_data()
    some = [example for example in everything.intent_examples if label_of(example) in LABELS]
    storage = LocalModelStorage.create(tmp_path_factory.mktemp("model"))
    resource = Resource("classifier")
    featurizer = EmbeddingFeaturizer.create(EmbeddingFeaturizer.get_default_config(), storage, resource, CONTEXT)
    data = featurizer.process_training_data(TrainingData(some))
    TopicClassifier.create(CONFIG, storage, resource, CONTEXT).train(data)
    return storage, resource, featurizer


@pytest.fixture(scope="module")
def understood(trained: tuple[LocalModelStorage, Resource, EmbeddingFeaturizer]) -> Understanding:
    storage, resource, featurizer = trained
    return Understanding(TopicClassifier.load(CONFIG, storage, resource, CONTEXT), featurizer)


SURE = [
    ("What would I have to pay for this?", "faq/cost"),
    ("WHAT WOULD I HAVE TO PAY FOR THIS", "faq/cost"),
    ("what wuold i hvae to pay for thiss", "faq/cost"),
    ("<p>What would I have to <b>pay</b> for this?</p>", "faq/cost"),
    ("when can i expect to hear back from you", "faq/how_long"),
    ("does my health plan pick up the bill", "faq/insurance"),
    ("do i truly need them to fuse my spine", "faq/need_fusion"),
    ("am i talking to a robot", "faq/who_are_you"),
    ("what is the capital of France", "faq/off_topic"),
    ("my ear aches, what helps?", "faq/other_health"),
    ("thank you so much", "chitchat/thanks"),
    ("yes please", "affirm"),
    ("let me talk to a real person", "human"),
]


@pytest.mark.parametrize(("text", "label"), SURE)
def test_understands(understood: Understanding, text: str, label: str) -> None:
    found = understood(text)
    assert (found["label"], found["understanding"]["level"]) == (label, "sure")
    assert found["intent"]["name"] == label.split("/")[0]
    assert found["intent_ranking"][0] == found["intent"]
    if label.startswith("faq/"):
        assert found["topics"][0]["id"] == label.removeprefix("faq/") == found["understanding"]["topics"][0]


@pytest.mark.parametrize(
    "text", ["", " ", "😀😀", "?!...", "123 456", "<br>", "\x00\x01", "/faq", '/faq{"topic":"cost"}']
)
def test_what_has_no_words_is_not_understood(understood: Understanding, text: str) -> None:
    found = understood(text)
    assert found["intent"] == {"name": "nlu_fallback", "confidence": 0.0}
    assert found["understanding"] == {"level": "none", "topics": [], "language": "en"}
    assert (found["topics"], found["parts"]) == ([], [])


@pytest.mark.parametrize("text", ["¿Cuánto cuesta?", "wie viel kostet das", "сколько это стоит", "费用是多少"])
def test_another_language_is_said_to_be_one(understood: Understanding, text: str) -> None:
    assert understood(text)["understanding"] == {"level": "none", "topics": [], "language": "other"}


def test_several_questions_are_taken_apart(understood: Understanding) -> None:
    text = "Hello. What will I have to pay? And how many days until I hear from you?"
    found = understood(text)
    assert [part["topic"] for part in found["parts"]] == ["cost", "how_long"]
    assert [text[slice(*part["text_span"])] for part in found["parts"]] == [
        "What will I have to pay?",
        "And how many days until I hear from you?",
    ]
    assert found["understanding"] == {"level": "sure", "topics": ["cost", "how_long"], "language": "en"}
    assert (found["intent"]["name"], found["topics"][0]["id"]) == ("faq", "cost")


@pytest.mark.parametrize(
    "text",
    [
        "What does it cost? How much do I have to pay in total?",
        "is it expensive and what is the price",
        "Do I really need this fusion, is it really necessary?",
    ],
)
def test_one_question_asked_twice_is_answered_once(understood: Understanding, text: str) -> None:
    assert understood(text)["parts"] == []


@pytest.mark.parametrize(
    ("text", "topic", "also"),
    [
        ("how long does it take? what does the word stenosis mean?", "how_long", "what does the word stenosis mean?"),
        ("what is a TLIF and how much do you charge", "cost", "what is a TLIF"),
    ],
)
def test_a_word_asked_about_beside_a_question_is_not_dropped(
    understood: Understanding, text: str, topic: str, also: str
) -> None:
    found = understood(text)
    assert found["understanding"]["topics"] == [topic]
    assert [(text[slice(*part["text_span"])], part["intent"]) for part in found["also_asked"]] == [(also, EXPLAIN)]


@pytest.mark.parametrize(
    "text",
    [
        "can you help me? how much do you charge?",
        "how much do you charge, do you know what I mean?",
        "is it expensive and what is the price",
        "He saw a busy man, who told him that he would put in rods. What does it cost",
        "how much do you charge",
    ],
)
def test_nothing_else_is_asked(understood: Understanding, text: str) -> None:
    assert understood(text)["also_asked"] == []


def test_a_long_story_with_one_question_is_answered(understood: Understanding) -> None:
    story = (
        "I am sixty and worked on building sites. I walk the dog every day and my daughter drives me to town on "
        "Fridays. We had a nice summer by the lake and the grandchildren came to stay. My neighbour told me about you. "
    )
    found = understood(story * 3 + "How much do you charge?")
    assert found["understanding"]["topics"] == ["cost"]


def test_red_flags_are_left_to_the_red_flag_component(understood: Understanding) -> None:
    found = understood("I have lost control of my bladder")
    assert "red_flag" not in {entry["name"] for entry in found["intent_ranking"]}


@given(st.text(max_size=1100))
@settings(max_examples=60, deadline=None)
def test_anything_typed_gets_a_whole_answer(understood: Understanding, text: str) -> None:
    found = understood(text)
    assert found["understanding"]["level"] in {level.value for level in Level}
    assert 0 <= found["intent"]["confidence"] <= 1.0001
    assert (found["intent"]["name"] == "nlu_fallback") == (found["understanding"]["level"] != "sure")
    assert all(0 <= topic["confidence"] <= 1.0001 for topic in found["topics"])


def test_the_probabilities_of_all_labels_add_up(understood: Understanding) -> None:
    model = understood.classifier._model
    assert model is not None
    ranking = model.predict("how much is it").ranking
    assert sum(chance for _, chance in ranking) == pytest.approx(1.0, abs=1e-4)
    assert {label for label, _ in ranking} == LABELS - {"red_flag"}


def test_saved_and_loaded_it_says_the_same(understood: Understanding, tmp_path: Path) -> None:
    model = understood.classifier._model
    assert model is not None
    model.save(tmp_path)
    again = IntentModel.load(shared_embedding(), tmp_path)
    for text, _ in SURE:
        assert again.predict(text) == model.predict(text)


def test_a_model_trained_over_another_embedding_is_refused(understood: Understanding, tmp_path: Path) -> None:
    model = understood.classifier._model
    assert model is not None
    model.save(tmp_path)
    stored = (tmp_path / "model.json").read_text(encoding="utf-8")
    (tmp_path / "model.json").write_text(stored.replace(shared_embedding().checksum, "0" * 64), encoding="utf-8")
    with pytest.raises(ValueError, match="train again"):
        IntentModel.load(shared_embedding(), tmp_path)


def test_a_label_with_too_few_phrases_is_named() -> None:
    texts = [f"{word} of the matter" for word in "one two three four".split()]
    with pytest.raises(ValueError, match="faq/rare"):
        IntentModel.train(shared_embedding(), texts, ["a", "a", "a", "faq/rare"], Recipe(folds=3))


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(InvalidConfigException, match="treshold"):
        TopicClassifier.validate_config({"treshold": 1})


def test_the_cache_knows_the_embedding() -> None:
    assert EmbeddingFeaturizer.fingerprint_addon({}) == shared_embedding().checksum
    assert TopicClassifier.fingerprint_addon({}) == shared_embedding().checksum


REFUSED = frozenset({"off_topic"})


@pytest.mark.parametrize(
    ("ranking", "familiarity", "level", "label", "topics"),
    [
        ([("faq/a", 0.9), ("faq/b", 0.1)], 0.9, Level.SURE, "faq/a", ("a",)),
        ([("affirm", 0.9), ("faq/b", 0.1)], 0.9, Level.SURE, "affirm", ()),
        ([("faq/a", 0.9), ("faq/b", 0.1)], 0.15, Level.TWO, None, ("a", "b")),
        ([("faq/a", 0.9), ("faq/b", 0.01)], 0.15, Level.UNSURE, None, ("a",)),
        ([("faq/a", 0.9), ("faq/b", 0.1)], 0.05, Level.NONE, None, ()),
        ([("faq/off_topic", 0.9), ("faq/b", 0.1)], 0.01, Level.SURE, "faq/off_topic", ("off_topic",)),
        ([("faq/a", 0.3), ("faq/b", 0.25), ("faq/c", 0.2)], 0.9, Level.TWO, None, ("a", "b")),
        ([("faq/a", 0.2), ("faq/b", 0.15), ("faq/c", 0.1), ("faq/d", 0.09)], 0.9, Level.UNSURE, None, ("a", "b", "c")),
        ([("faq/off_topic", 0.3), ("faq/b", 0.2), ("faq/c", 0.01)], 0.9, Level.UNSURE, None, ("b",)),
        ([("human", 0.3), ("affirm", 0.2), ("faq/c", 0.01)], 0.9, Level.NONE, None, ()),
    ],
)
def test_levels(
    ranking: list[tuple[str, float]], familiarity: float, level: Level, label: str | None, topics: tuple[str, ...]
) -> None:
    found = understand(ranking, familiarity, Thresholds(), REFUSED)
    assert (found.level, found.label, found.topics) == (level, label, topics)


SPELLER = Speller(
    {"surgery": 90, "surgeon": 60, "opinion": 80, "does": 50, "cost": 40, "stenosis": 9, "laminectomy": 5, "statin": 3},
    shared_embedding().whole_words,
)


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("surgrey", "surgery"),
        ("dose the surgeon", "dose the surgeon"),  # a real word stays, whatever was meant
        ("secnd opinoin", "secnd opinion"),
        ("csot", "cost"),
        ("stennosis", "stenosis"),
        ("station", "station"),
        ("statins", "statins"),
        ("doesnt", "doesnt"),
        ("hpv", "hpv"),
        ("l4-l5", "l4-l5"),
    ],
)
def test_mends_only_what_is_no_word(typed: str, mended: str) -> None:
    assert SPELLER.mend(typed) == mended


def test_likely_slips_cost_less() -> None:
    assert distance("same", "same") == 0
    assert distance("wahts", "whats") < distance("wants", "whats") == 2
    assert distance("qell", "well") < distance("qell", "tell")
    assert np.isclose(distance("neeed", "need"), 0.75)
