"""The classifier as a Rasa component: intent, topics, and how well the message was understood."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from itertools import chain
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
from bot.question_splitter import Part, asks_nothing, clauses, items, questions, readings
from bot.sentence_embedding import checksums, shared_embedding
from bot.understanding import FAQ, Level, Thresholds, Understanding, understand

DECIDED_LATER = frozenset({"red_flag", "escalation_reply", "letter"})
"""Intents of the red-flag component. Their examples are there for Rasa's validation and are not learned."""
OFF_TOPIC = "off_topic"
EXPLAIN = "explain_term"
STORY_WORDS = 40
PLAINLY = 0.97
"""How probable the topic of a clause must be before a story is answered for what it tells ..."""
TOLD = 0.9
"""... and before a short message is, beside what it asks."""
LISTED = 0.8
"""How probable the topic of a listed word must be: "the price, the waiting time"."""
NEAREST = 4
NEAR = 0.02
"""A question whose topic is among so many likeliest ones, and at least so probable, was answered with it."""
FEWEST_WORDS_ALSO = 3
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
    - ``parts``: ``[{"text_span": [start, end], "topic", "confidence"}]`` when a message asks two things or more;
    - ``also_asked``: ``[{"text_span": [start, end], "intent", "topics"}]``, questions beside those answered: the intent
      of one that wants something else (a word explained), else None and the topics it may be about.

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
                "under_18",
                "recovery",
                "surgery_methods",
                "back_care",
            ],
            "left_out": ["faq/other_health", "faq/off_topic"],
            "told": [
                "diagnosis_differs",
                "feeling_rushed",
                "goals_differ",
                "money_motive",
                "mri_alone",
                "no_reason_given",
                "pseudarthrosis",
                "redo_after_failed",
                "still_in_pain",
                "surgery_type_differs",
                "told_no_surgery",
                "two_opinions_what_now",
                "where_available",
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
        # A clause is looked at as a question, as an item and as what is told; forgotten with the next message.
        self._heard: dict[str, Prediction] = {}

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
        self._heard.clear()
        prediction = self._model.predict(words, _vector(message))
        found = self._decide(prediction)
        asked = questions(text)
        parts = self._parts(text, asked)
        story = len(words.split()) >= STORY_WORDS
        worries = self._worries(text, asked, parts, PLAINLY if story else TOLD)
        if story:
            parts = [*worries[:1], *parts]
        elif (
            len(parts) > 1
            or found.topics[:1] in [(part["topic"],) for part in (*parts, *worries)]
            or (worries and parts and parts[0]["confidence"] >= TOLD)
        ):
            # What the whole message is surely about stays first: "I live in France, can I still get one?"
            parts = sorted([*parts, *worries[:2]], key=lambda part: len(parts) < 2 and part["topic"] != found.topics[0])
        elif len(parts) < 2:
            parts = self._beside(text, asked, found) or ([] if _mostly_asks(asked, text) else parts)
            parts = self._with_rest(parts, asked, found)
        if len(parts) > 1:
            topics = tuple(part["topic"] for part in parts)
            found = Understanding(Level.SURE, FAQ + topics[0], topics)
        elif parts and (
            found.level is not Level.SURE or self._is_story(words, found) or self._is_mixture(asked, found)
        ):
            found = Understanding(Level.SURE, FAQ + parts[0]["topic"], (parts[0]["topic"],))
        _write(message, prediction, found, parts if len(parts) > 1 else [], foreign=False)
        message.set("also_asked", self._also_asked(text, asked, parts, found), add_to_output=True)

    def _also_asked(
        self, text: str, asked: list[Part], answered: list[dict[str, Any]], found: Understanding
    ) -> list[dict[str, Any]]:
        """The questions of ``text`` that its answers do not touch: a wish for something else, or nobody knows what."""
        if found.label is None or not found.label.startswith(FAQ) or len(asked) < 2:
            return []
        spans = [tuple(part["text_span"]) for part in answered]
        left = [part for part in asked if not _touches(part, spans)]
        return [also for part in left if (also := self._also(part, text, found.topics))]

    def _also(self, part: Part, message: str, answered: tuple[str, ...]) -> dict[str, Any] | None:
        """What ``part`` asks beside what is ``answered``; None for the same in other words, and for small talk."""
        if len(part.text.split()) < FEWEST_WORDS_ALSO or asks_nothing(part, message):
            return None
        heard = (self._hear(readable(words)) for words in readings(part, message))
        bare = next(heard)
        label, chance = bare.ranking[0]
        also: dict[str, Any] = {"text_span": [part.start, part.end], "intent": None, "topics": []}
        if not label.startswith(FAQ):
            return {**also, "intent": label} if chance >= LISTED and "/" not in label else None
        if any(set(answered) & set(_nearest(prediction)) for prediction in chain((bare,), heard)):
            return None
        return {**also, "topics": [topic for topic in self._decide(bare).topics if topic not in self._refused]}

    def _decide(self, prediction: Prediction) -> Understanding:
        return understand(prediction.ranking, prediction.familiarity, self._thresholds, self._refused)

    def _is_story(self, words: str, found: Understanding) -> bool:
        """Whether the one plain question in a message counts for more than the story around it.

        A story about something we do not answer (another illness, a dose) keeps its own kind answer.
        """
        about_something_else = found.topics[:1] != (OFF_TOPIC,) and bool(self._refused & set(found.topics))
        return len(words.split()) >= STORY_WORDS and not about_something_else

    def _is_mixture(self, asked: list[Part], found: Understanding) -> bool:
        """Whether the whole of several questions was taken for what none of them asks, or for a word asked about beside.

        The one that is plain is answered then; the word is explained beside it.
        """
        return len(asked) > 1 and (
            found.label == EXPLAIN or not any(set(found.topics) & set(self._comes_near(part)) for part in asked)
        )

    def _parts(self, text: str, asked: list[Part]) -> list[dict[str, Any]]:
        """The questions in ``text``, or the items of its list, that are each surely about a topic; one entry a topic."""
        listed = [part for part in map(self._score, items(text)) if part and part["confidence"] >= LISTED]
        scored = [] if len(asked) < 2 and not self._aside(asked, text) else [self._score(part, text) for part in asked]
        if len({part["topic"] for part in listed}) > max(1, sum(map(bool, scored))):
            scored = [*listed, *(part for part in scored if part and not _within(part, listed))]
        found: dict[str, dict[str, Any]] = {}
        for part in scored:
            if part:
                found.setdefault(part["topic"], part)
        return list(found.values())

    def _beside(self, text: str, asked: list[Part], found: Understanding) -> list[dict[str, Any]]:
        """The topic of the whole and that of a question in it, when the words around the question tell the first alone."""
        short = [part for part in asked if len(part.text.split()) < len(text.split()) - 1]  # something is left
        scored = [part for part in (self._score(one, text) for one in short) if part and part["confidence"] >= TOLD]
        other = [part for part in scored if part["topic"] not in found.topics]
        if len(other) != 1 or not found.topics or found.topics[0] in self._refused:
            return []
        start, end = other[0]["text_span"]
        rest = self._score(Part(0, start, text[:start].strip()) if start else Part(end, len(text), text[end:].strip()))
        return [rest, other[0]] if rest and rest["topic"] == found.topics[0] else []

    def _with_rest(self, parts: list[dict[str, Any]], asked: list[Part], found: Understanding) -> list[dict[str, Any]]:
        """The one plain question of several and, before or behind it, the one that the whole message was taken for."""
        plain = len(parts) == 1 and parts[0]["confidence"] >= TOLD
        if not plain or not found.topics or found.topics[0] in (parts[0]["topic"], *self._refused):
            return parts
        rest = (part for part in asked if part.start != parts[0]["text_span"][0])
        meant = next((part for part in rest if found.topics[0] in self._comes_near(part)), None)
        if meant is None:
            return parts
        other = {"text_span": [meant.start, meant.end], "topic": found.topics[0], "confidence": TOLD}
        return sorted([*parts, other], key=lambda part: int(part["text_span"][0]))

    def _aside(self, asked: list[Part], text: str) -> bool:
        """Whether the one question in ``text`` stands beside something else that is told."""
        return bool(asked) and (not _mostly_asks(asked, text) or bool(self._worries(text, asked, [], TOLD)))

    def _worries(
        self, text: str, asked: list[Part], answered: list[dict[str, Any]], least: float
    ) -> list[dict[str, Any]]:
        """What some clause of ``text`` plainly tells and nothing asks for, the plainest first; one entry a topic."""
        known = {part["topic"] for part in answered}
        spans = [(part.start, part.end) for part in asked]
        told = [clause for clause in clauses(text) if not _touches(clause, spans)]
        if len(told) < 2 and not spans:
            return []
        found: dict[str, dict[str, Any]] = {}
        for part in sorted(filter(None, map(self._score, told)), key=lambda part: -float(part["confidence"])):
            if part["topic"] in self._told and part["topic"] not in known and part["confidence"] >= least:
                found.setdefault(part["topic"], part)
        return list(found.values())

    def _score(self, part: Part, message: str = "") -> dict[str, Any] | None:
        """The topic that ``part`` is surely about. With the ``message`` it stands in, as a question in it is read."""
        for words in readings(part, message) if message else [part.text]:
            topic, chance = self._topic(readable(words))
            if topic:
                return {"text_span": [part.start, part.end], "topic": topic, "confidence": chance}
        return None

    def _topic(self, words: str) -> tuple[str, float]:
        """The one topic that ``words`` are surely about, "" when there is none, and its probability."""
        if not has_words(words) or self._model is None:
            return "", 0.0
        prediction = self._hear(words)
        found, chance = self._decide(prediction), prediction.ranking[0][1]
        sure = found.level is Level.SURE and found.topics and chance >= self._thresholds.part
        return (found.topics[0] if sure else ""), chance

    def _comes_near(self, part: Part) -> list[str]:
        return _nearest(self._hear(readable(part.text)))

    def _hear(self, words: str) -> Prediction:
        assert self._model
        if words not in self._heard:
            self._heard[words] = self._model.predict(words)
        return self._heard[words]

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


def _mostly_asks(asked: list[Part], text: str) -> bool:
    """Whether the one question ``asked`` in ``text`` is most of it, so that the whole says best what it is about."""
    return len(asked) == 1 and len(asked[0].text) >= len(text.strip()) / 2


def _nearest(prediction: Prediction) -> list[str]:
    """The likeliest topics of a question, and other labels among them as they are."""
    return [label.removeprefix(FAQ) for label, chance in prediction.ranking[:NEAREST] if chance >= NEAR]


def _touches(part: Part, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether ``part`` shares a place of the message with one of ``spans``."""
    return any(part.start < end and start < part.end for start, end in spans)


def _within(part: dict[str, Any], others: list[dict[str, Any]]) -> bool:
    """Whether the words of ``part`` hold those of one of ``others``."""
    start, end = part["text_span"]
    return any(start <= other["text_span"][0] and other["text_span"][1] <= end for other in others)


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
    # Rounded: they are stored with every message and sent with every action, and the digits beyond say nothing.
    labels = [(label, round(chance, 6)) for label, chance in prediction.ranking] if prediction else []
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
