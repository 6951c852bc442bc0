"""The intake's questions and phrases as data: ``intake.yml`` and ``intake_words.yml``, loaded and checked.

The chat, the read-back, the case desk and the FHIR Questionnaire all read them here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, Literal, Optional, Tuple

from knowledge.loader import load
from runtime.settings import KNOWLEDGE

Kind = Literal["text", "choice", "yes_no", "date", "number", "phone", "email", "multi", "name", "country"]
Path = Literal["consent", "short", "long"]
Person = Literal["self", "other"]

CONTRACT_TYPES = {"name": "text", "country": "text"}
"""What the reply contract calls our finer types."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class FlagRule:
    """The red flag that a choice or a yes stands for."""

    category: str
    tier: str


@dataclass(frozen=True)
class Choice:
    """One thing to pick: what is stored, what is shown, and other ways people say it."""

    value: str
    label: str
    said: Tuple[str, ...] = ()
    flag: Optional[FlagRule] = None


@dataclass(frozen=True)
class Section:
    id: str
    title: str


@dataclass(frozen=True)
class Field:
    """One question. ``intake.yml`` explains the keys."""

    id: str
    section: str
    type: Kind
    path: Path
    label: str
    ask: str
    again: str
    help: str
    why: str
    link: str
    choices: Tuple[Choice, ...] = ()
    required: bool = False
    records: bool = False
    only_if: Optional[Dict[str, Tuple[str, ...]]] = None
    none: Optional[str] = None
    none_is_answer: bool = False
    takes_questions: Optional[Literal["all", "mine"]] = None
    recognise: Optional[Literal["operation"]] = None
    needs: Optional[Literal["letters"]] = None
    when: Optional[Literal["past", "future", "birth"]] = None
    min: Optional[int] = None
    max: Optional[int] = None
    flag: Optional[FlagRule] = None
    unsure_flag: Optional[FlagRule] = None

    def __post_init__(self) -> None:
        if self.type in ("choice", "multi") and len(self.choices) < 2:
            raise ValueError(f"the field {self.id!r} is a {self.type} and needs choices")
        if self.type == "date" and self.when is None:
            raise ValueError(f"the field {self.id!r} is a date: say when (past, future or birth)")

    @property
    def contract_type(self) -> str:
        """The type as the reply contract names it."""
        return CONTRACT_TYPES.get(self.type, self.type)

    def choice(self, value: Any) -> Choice | None:
        return next((choice for choice in self.choices if choice.value == value), None)


@dataclass(frozen=True)
class Questionnaire:
    """The file ``intake.yml``."""

    version: str
    policy_version: str
    questionnaire_url: str
    sections: Tuple[Section, ...]
    pronouns: Dict[str, Dict[str, str]]
    fields: Tuple[Field, ...]

    def __post_init__(self) -> None:
        ids = [field.id for field in self.fields]
        for field in self.fields:
            if field.section not in {section.id for section in self.sections}:
                raise ValueError(f"the field {field.id!r} names the unknown section {field.section!r}")
            for other in field.only_if or {}:
                if other not in ids[: ids.index(field.id)]:
                    raise ValueError(f"the field {field.id!r} depends on {other!r}, which is not asked before it")
            for text in (field.ask, field.again, field.help, field.why):
                for name in _PLACEHOLDER.findall(text):
                    if name.lower() not in self.pronouns["self"] or name.lower() not in self.pronouns["other"]:
                        raise ValueError(f"the field {field.id!r} uses the unknown placeholder {{{name}}}")
        for kind, values in (("id", ids), ("link", [field.link for field in self.fields])):
            twice = {value for value in values if values.count(value) > 1}
            if twice:
                raise ValueError(f"the {kind} {', '.join(sorted(twice))} stands twice")

    def field(self, field_id: str) -> Field:
        """Return a field. Raises KeyError."""
        return self._by_id()[field_id]

    def has(self, field_id: str) -> bool:
        return field_id in self._by_id()

    def say(self, text: str, person: str) -> str:
        """Return ``text`` with its pronouns filled in for ``self`` or ``other``."""
        words = self.pronouns[person]

        def put(match: re.Match[str]) -> str:
            name = match.group(1)
            word = words[name.lower()]
            return word[0].upper() + word[1:] if name[0].isupper() else word

        return _PLACEHOLDER.sub(put, text)

    def _by_id(self) -> dict[str, Field]:
        return _fields_by_id()


@dataclass(frozen=True)
class IntakeWords:
    """The file ``intake_words.yml``: fixed phrases, and how people say yes, no, skip and the like."""

    say: Dict[str, str]
    buttons: Dict[str, str]
    heard: Dict[str, Tuple[str, ...]]
    fillers: Tuple[str, ...]
    """Words said before the ones that count: "hmm, no", "ok yes I agree"."""
    field_names: Dict[str, Tuple[str, ...]]
    ahead: Dict[str, str]
    """Field id to a pattern for a message that plainly gives this answer before its question; ``value`` is the answer."""
    statuses: Dict[str, str]
    countries: Dict[str, Tuple[str, ...]]


@lru_cache(maxsize=1)
def questionnaire() -> Questionnaire:
    """Every question. Raises KnowledgeError with file and line when the file is wrong."""
    return load(KNOWLEDGE / "en" / "intake.yml", Questionnaire)


@lru_cache(maxsize=1)
def words() -> IntakeWords:
    """Every fixed phrase. Raises KnowledgeError with file and line when the file is wrong."""
    return load(KNOWLEDGE / "en" / "intake_words.yml", IntakeWords)


@lru_cache(maxsize=1)
def _fields_by_id() -> dict[str, Field]:
    return {field.id: field for field in questionnaire().fields}
