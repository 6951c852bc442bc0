"""The classifier as a Rasa component: intent, topics, and how well the message was understood."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME, INTENT_MESSAGE_PREFIX
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.embedding_featurizer import EmbeddingFeaturizer
from bot.intent_model import IntentModel, Prediction, Recipe
from bot.plain_text import has_words, is_foreign, readable
from bot.question_splitter import Part, clauses, questions
from bot.sentence_embedding import checksums, shared_embedding
from bot.understanding import FAQ, Level, Thresholds, Understanding, understand

DECIDED_LATER = frozenset({"red_flag", "escalation_reply", "letter"})
"""Intents of the red-flag component. Their examples are there for Rasa's validation and are not learned."""
OFF_TOPIC = "off_topic"
STORY_WORDS = 40
PLAINLY = 0.97
"""How probable the topic of a clause must be before a story is answered for what it tells."""
TOPICS_LISTED = 5
RANKING_LISTED = 10
_RECIPE = {field.name for field in fields(Recipe)} - {"left_out"}
_THRESHOLDS = {field.name for field in fields(Thresholds)}


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(IntentClassifier, GraphComponent):
    """Needs the EmbeddingFeaturizer before it. Adds to every message:

    - ``intent`` (base name, the confidence of its best label) and ``intent_ranking``; ``nlu_fallback`` when not sure;
    - ``label``: the full label, such as ``faq/cost`` or ``chitchat/thanks``; None when not sure;
    - ``topics``: the five most probable topics, ``[{"id", "confidence"}]``;
    - ``understanding``: ``{"level": sure|two|unsure|none, "topics": [ids], "language": "en"|"other"}``;
    - ``parts``: ``[{"text_span": [start, end], "topic", "confidence"}]`` when a message asks two things or more.

    Phrases of ``red_flag`` and ``escalation_reply`` are not learned: the red-flag component decides on those, after this one.

    Method: ``bot/intent_model.py``. Configuration: the thresholds of ``bot/understanding.py``, the numbers of
    ``bot/intent_model.py``'s Recipe, ``out_of_scope`` (topic ids), ``told`` (topics that people tell rather than ask)
    and ``left_out`` (labels familiarity is fitted on).
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Rasa refuses a pipeline without these in front."""
        return [EmbeddingFeaturizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What config.yml may change."""
        recipe, thresholds = Recipe(), Thresholds()
        return {
            **{name: getattr(recipe, name) for name in sorted(_RECIPE)},
            **{name: getattr(thresholds, name) for name in sorted(_THRESHOLDS)},
            "out_of_scope": [
                "diagnose_me",
                "should_i_have_surgery",
                "read_my_scan",
                "medicine_dose",
                "other_health",
                "off_topic",
            ],
            "left_out": ["faq/other_health", "faq/off_topic"],
            "told": [
                "diagnosis_differs",
                "feeling_rushed",
                "goals_differ",
                "money_motive",
                "no_reason_given",
                "redo_after_failed",
                "surgery_type_differs",
                "told_no_surgery",
                "two_opinions_what_now",
            ],
        }

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, model: IntentModel | None = None
    ) -> None:
        self._recipe = Recipe(**{name: config[name] for name in _RECIPE}, left_out=tuple(config["left_out"]))
        self._thresholds = Thresholds(**{name: config[name] for name in _THRESHOLDS})
        self._refused = frozenset(config["out_of_scope"])
        self._told = frozenset(config["told"])
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TopicClassifier:
        """Rasa's constructor before training; see :class:`GraphComponent`."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn every label from the training phrases and keep the model in Rasa's storage."""
        examples = [
            example
            for example in training_data.intent_examples
            if example.get(TEXT) and example.get(INTENT) not in DECIDED_LATER
        ]
        texts = [readable(example.get(TEXT)) for example in examples]
        vectors = {text: _vector(example) for text, example in zip(texts, examples, strict=True)}
        embedding = shared_embedding()

        def encode(text: str) -> np.ndarray:
            known = vectors.get(text)
            return embedding.features(text) if known is None else known

        labels = [label_of(example) for example in examples]
        self._model = IntentModel.train(embedding, texts, labels, self._recipe, encode)
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TopicClassifier:
        """Read the trained model. Raises ValueError when it was not trained, or over another embedding."""
        with model_storage.read_from(resource) as folder:
            model = IntentModel.load(shared_embedding(), folder)
        return cls(config, model_storage, resource, model)

    def process(self, messages: list[Message]) -> list[Message]:
        """Understand each message; see the class."""
        for message in messages:
            self._understand(message)
        return messages

    def _understand(self, message: Message) -> None:
        text = message.get(TEXT) or ""
        words = "" if text.startswith(INTENT_MESSAGE_PREFIX) else readable(text)
        foreign = is_foreign(words)
        if foreign or not has_words(words) or self._model is None:
            _write(message, None, Understanding(Level.NONE, None, ()), [], foreign=foreign)
            return
        prediction = self._model.predict(words, _vector(message))
        found = self._decide(prediction)
        parts = self._parts(text)
        if len(words.split()) >= STORY_WORDS:
            parts = [*self._worry(text, {part["topic"] for part in parts}), *parts]
        if len(parts) > 1:
            topics = tuple(part["topic"] for part in parts)
            found = Understanding(Level.SURE, FAQ + topics[0], topics)
        elif parts and (found.level is not Level.SURE or self._is_story(words, found)):
            found = Understanding(Level.SURE, FAQ + parts[0]["topic"], (parts[0]["topic"],))
        _write(message, prediction, found, parts if len(parts) > 1 else [], foreign=False)

    def _decide(self, prediction: Prediction) -> Understanding:
        return understand(prediction.ranking, prediction.familiarity, self._thresholds, self._refused)

    def _is_story(self, words: str, found: Understanding) -> bool:
        """Whether the one plain question in a message counts for more than the story around it.

        A story about something we do not answer (another illness, a dose) keeps its own kind answer.
        """
        about_something_else = found.topics[:1] != (OFF_TOPIC,) and bool(self._refused & set(found.topics))
        return len(words.split()) >= STORY_WORDS and not about_something_else

    def _parts(self, text: str) -> list[dict[str, Any]]:
        """The questions in ``text`` that are each surely about a topic, one entry a topic, in order."""
        asked = questions(text)
        if len(asked) < 2 and not (asked and len(asked[0].text) < len(text.strip()) / 2):
            return []
        scored = [self._score(part) for part in asked]
        found: dict[str, dict[str, Any]] = {}
        for part in scored:
            if part:
                found.setdefault(part["topic"], part)
        return list(found.values())

    def _worry(self, text: str, asked: set[str]) -> list[dict[str, Any]]:
        """What troubles the teller of a story most, if some clause of it says so plainly and nothing asks for it."""
        scored = [self._score(clause) for clause in clauses(text)]
        worries = [part for part in scored if part and part["topic"] in self._told and part["confidence"] >= PLAINLY]
        best = max(worries, key=lambda part: float(part["confidence"]), default=None)
        return [best] if best and best["topic"] not in asked else []

    def _score(self, part: Part) -> dict[str, Any] | None:
        words = readable(part.text)
        if not has_words(words) or self._model is None:
            return None
        prediction = self._model.predict(words)
        found, chance = self._decide(prediction), prediction.ranking[0][1]
        if found.level is not Level.SURE or not found.topics or chance < self._thresholds.part:
            return None
        return {"text_span": [part.start, part.end], "topic": found.topics[0], "confidence": chance}

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """A classifier trained over another embedding must not come from Rasa's cache."""
        return checksums()["model.onnx"]

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises InvalidConfigException for a key that is not known, rather than ignoring a misspelt threshold."""
        unknown = set(config) - set(cls.get_default_config()) - {"name"}
        if unknown:
            raise InvalidConfigException(f"TopicClassifier does not know {', '.join(sorted(unknown))}")


def label_of(example: Message) -> str:
    """The label of a training example: its intent and, where data/nlu gives one, the topic (``faq/cost``).

    The topic is metadata of the intent and not a retrieval intent of Rasa's: those need responses of their own.
    """
    topic = ((example.get("metadata") or {}).get("intent") or {}).get("topic")
    return f"{example.get(INTENT)}/{topic}" if topic else str(example.get(INTENT))


def _vector(message: Message) -> np.ndarray | None:
    """The embedding that the featurizer put on the message."""
    features = message.get_dense_features(TEXT)[1]
    return features.features[0] if features else None


def _write(
    message: Message, prediction: Prediction | None, found: Understanding, parts: list[dict[str, Any]], *, foreign: bool
) -> None:
    """Put what was understood on the message, in the form the dialogue reads."""
    labels = prediction.ranking if prediction else ()
    topics = [
        {"id": label.removeprefix(FAQ), "confidence": chance} for label, chance in labels if label.startswith(FAQ)
    ]
    if found.topics and found.level is Level.SURE:  # what is answered stands first, also when only a part was sure
        topics.sort(key=lambda topic: topic["id"] != found.topics[0])
    bases: dict[str, float] = {}
    for label, chance in labels:
        bases.setdefault(label.partition("/")[0], chance)
    ranking = [{INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: chance} for name, chance in bases.items()]
    if found.label is None:
        best = ranking[0][PREDICTED_CONFIDENCE_KEY] if ranking else 0.0
        ranking.insert(0, {INTENT_NAME_KEY: DEFAULT_NLU_FALLBACK_INTENT_NAME, PREDICTED_CONFIDENCE_KEY: best})
    else:
        name = found.label.partition("/")[0]
        ranking.sort(key=lambda entry: entry[INTENT_NAME_KEY] != name)
    message.set(INTENT, ranking[0], add_to_output=True)
    message.set(INTENT_RANKING_KEY, ranking[:RANKING_LISTED], add_to_output=True)
    message.set("label", found.label, add_to_output=True)
    message.set("topics", topics[:TOPICS_LISTED], add_to_output=True)
    message.set(
        "understanding",
        {"level": found.level.value, "topics": list(found.topics), "language": "other" if foreign else "en"},
        add_to_output=True,
    )
    message.set("parts", parts, add_to_output=True)
