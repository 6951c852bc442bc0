"""The fixed words of the chat: greeting, labels, and what to say when something is wrong. Read by both runtimes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from knowledge.loader import load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class Starter:
    """A choice that is always there: the words shown, and the intent it fires. Without one the words are sent."""

    title: str
    payload: str | None = None


@dataclass(frozen=True)
class Problems:
    """What the patient is told when a message cannot be taken or answered. Keys are the codes the API gives."""

    empty: str
    unreadable: str
    too_long: str
    too_fast: str
    waiting: str
    session_gone: str
    not_offered: str
    slow: str
    down: str
    silent: str
    interrupted: str
    bad_request: str
    foreign: str
    too_big: str
    busy: str
    no_plan: str


@dataclass(frozen=True)
class FileProblems:
    """Why a file was not read, each with what to do instead."""

    empty: str
    too_big: str
    too_slow: str
    markup: str
    archive: str
    sheet: str
    image: str
    program: str
    unsafe: str
    locked: str
    damaged: str
    no_text: str
    unknown: str
    cut: str
    images_note: str


@dataclass(frozen=True)
class ChatWords:
    """Everything in ``knowledge/<language>/chat.yml``."""

    language: str
    direction: str
    greeting: str
    starters: tuple[Starter, ...]
    menu: tuple[Starter, ...]
    emergency: str
    emergency_help: str
    clinic_phone: str
    problems: Problems
    files: FileProblems
    notices: dict[str, str]
    statuses: dict[str, str]
    page: dict[str, str]


@cache
def chat_words(language: str = "en") -> ChatWords:
    """Return the words in ``language``. Raises KnowledgeError with file and line when the file is wrong."""
    return load(KNOWLEDGE / language / "chat.yml", ChatWords)


@cache
def chat_languages() -> tuple[str, ...]:
    """Return the languages that have a ``chat.yml``, English first."""
    found = {path.parent.name for path in KNOWLEDGE.glob("*/chat.yml")}
    return tuple(sorted(found, key=lambda language: (language != "en", language)))
