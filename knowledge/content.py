"""The words patients read: answers, the figures in them, where they come from, and the clinic's own profile.

Everything here is read from YAML under ``knowledge/``, checked as a whole by :func:`load_content`, and never changed
while the program runs. Pure: no network, no clock, no database. Both runtimes may import it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

from knowledge.loader import KnowledgeError, load

HERE = Path(__file__).resolve().parent
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

TEXTS = ("short", "more", "why", "for_me")
"""The fields of an answer that a patient reads, each as a message of its own."""


@dataclass(frozen=True)
class Source:
    """A page or paper an answer rests on. ``kind`` and ``strength`` are full sentences in plain words."""

    id: str
    title: str
    publisher: str
    year: str
    kind: str
    strength: str
    url: str = ""


@dataclass(frozen=True)
class Evidence:
    """One figure, exactly as its source prints it.

    ``quote`` is the sentence of the source that carries every string of ``figures``. ``as_said`` maps a plain rendering
    used in answers ("10% to 62%") to the printed figure it stands for ("10 to 62 percent").
    """

    id: str
    source: str
    locator: str
    quote: str
    figures: tuple[str, ...]
    whose: str
    limits: str
    as_said: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Citation:
    """Where in a source an answer's claims stand."""

    source: str
    locator: str


@dataclass(frozen=True)
class Answer:
    """What the assistant says to one topic.

    ``short`` comes first and answers the question; ``more`` follows "Tell me more"; ``why`` and ``for_me`` answer the
    follow-ups "why?" and "what about for me?", and may be empty. ``label`` is ``ask`` in at most 20 characters, for the
    buttons of messaging channels. ``figures`` names entries of the evidence registry; ``offer`` is an intent
    that a button under the answer leads to (its title is in ``dialogue.yml``). ``how_often`` is the topic that tells how
    common this is; its own id where ``more`` does.
    """

    id: str
    kind: Literal["answer", "out_of_scope"]
    ask: str
    label: str
    short: str
    sources: tuple[Citation, ...]
    related: tuple[str, ...]
    reviewed: date
    more: str = ""
    why: str = ""
    for_me: str = ""
    figures: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    offer: Literal["", "ask_questions_list", "start_compare", "start_report"] = ""
    how_often: str = ""

    def texts(self) -> dict[str, str]:
        """The texts that are not empty, by field name."""
        return {name: getattr(self, name) for name in TEXTS if getattr(self, name)}


@dataclass(frozen=True)
class Clinic:
    """What only the clinic can say about itself. Every text reads on inside a sentence."""

    name: str
    phone: str
    hours: str
    email: str
    emergency: str
    crisis: str
    price: str
    price_includes: str
    insurance: str
    turnaround: str
    formats: str
    countries: str
    referral: str
    reviewers: str
    reviewers_operate: str
    who_sees: str
    chat_days: int
    request_months: int
    steps: tuple[str, ...]

    @property
    def steps_list(self) -> str:
        """The steps of the service as numbered lines."""
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))


@dataclass(frozen=True)
class Content:
    """All content, cross-checked: whatever one record names exists in another."""

    answers: dict[str, Answer]
    evidence: dict[str, Evidence]
    sources: dict[str, Source]
    clinic: Clinic

    def answer(self, topic: str, emergency: str = "") -> Answer:
        """The answer to ``topic`` with the clinic's facts filled in.

        Args:
            topic: an id of the answers. Raises KeyError when there is none.
            emergency: the emergency number where the patient is; without it the text names several.
        """
        clinic = dataclasses.replace(self.clinic, emergency=emergency) if emergency else self.clinic
        found = self.answers[topic]
        return dataclasses.replace(
            found,
            short=fill(found.short, clinic),
            more=fill(found.more, clinic),
            why=fill(found.why, clinic),
            for_me=fill(found.for_me, clinic),
        )

    def cited(self, answer: Answer) -> tuple[Source, ...]:
        """The sources of ``answer``, each once, in the order cited."""
        return tuple(self.sources[name] for name in dict.fromkeys(citation.source for citation in answer.sources))

    def where_from(self, answer: Answer) -> str:
        """What "Where is this from?" says: title, publisher, year, what kind of source it is and how strong."""
        parts = [f'"{s.title}", {s.publisher}, {s.year}. {s.kind} {s.strength}' for s in self.cited(answer)]
        return fill("\n".join(parts), self.clinic)


def fill(text: str, clinic: Clinic) -> str:
    """``text`` with its ``{clinic.<field>}`` placeholders replaced. Raises AttributeError or KeyError for others."""
    return text.format(clinic=clinic)


@dataclass(frozen=True)
class AnswerFile:
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class EvidenceFile:
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class SourceFile:
    sources: tuple[Source, ...]


Record = TypeVar("Record", Answer, Evidence, Source)


def load_content(root: Path = HERE, language: str = "en") -> Content:
    """Read all content under ``root`` and check that its parts fit together.

    Raises:
        KnowledgeError: a file is malformed, an id stands twice, or a record names a source, figure, topic or
            placeholder that does not exist. The text begins with the file.
    """
    sources_path, evidence_path = root / "sources.yml", root / "evidence.yml"
    sources = _by_id(sources_path, load(sources_path, SourceFile).sources)
    evidence = _by_id(evidence_path, load(evidence_path, EvidenceFile).evidence)
    clinic = load(root / "clinic.yml", Clinic)
    for item in evidence.values():
        _known(evidence_path, item.id, "source", [item.source], sources)
    answers: dict[str, Answer] = {}
    found: list[tuple[Path, Answer]] = []
    for path in sorted((root / language / "answers").glob("*.yml")):
        found += [(path, answer) for answer in load(path, AnswerFile).answers]
    for path, answer in found:
        if answer.id in answers:
            raise KnowledgeError(f"{path}:1: the id {answer.id!r} stands twice")
        answers[answer.id] = answer
    for path, answer in found:
        _known(path, answer.id, "source", [citation.source for citation in answer.sources], sources)
        _known(path, answer.id, "figure", answer.figures, evidence)
        _known(path, answer.id, "related topic", answer.related, answers)
        _known(path, answer.id, "how_often topic", filter(None, [answer.how_often]), answers)
        for text in answer.texts().values():
            try:
                fill(text, clinic)
            except (AttributeError, KeyError, IndexError, ValueError):
                names = ", ".join(PLACEHOLDER.findall(text)) or "a brace"
                raise KnowledgeError(f"{path}:1: {answer.id}: no such placeholder among: {names}") from None
    return Content(answers, evidence, sources, clinic)


def _by_id(path: Path, records: Iterable[Record]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in records:
        if record.id in found:
            raise KnowledgeError(f"{path}:1: the id {record.id!r} stands twice")
        found[record.id] = record
    return found


def _known(path: Path, where: str, what: str, names: Iterable[str], known: dict[str, Record]) -> None:
    for name in names:
        if name not in known:
            raise KnowledgeError(f"{path}:1: {where} names the {what} {name!r}, which does not exist")


@cache
def content() -> Content:
    """The content of this installation, read once. Raises KnowledgeError as :func:`load_content`."""
    return load_content()
