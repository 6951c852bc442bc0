"""The words of spine care in plain language, as data: ``knowledge/<language>/glossary/*.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from knowledge.loader import KnowledgeError, load
from runtime.settings import KNOWLEDGE


@dataclass(frozen=True)
class Term:
    """One term. The keys are explained at the head of ``parts.yml``."""

    id: str
    name: str
    plain: str
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    misspellings: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    everyday: bool = False
    only_near: tuple[str, ...] = ()


@dataclass(frozen=True)
class GlossaryFile:
    """``not_terms``: wordings that hold a term's word and mean something else ("in contrast")."""

    terms: tuple[Term, ...]
    not_terms: tuple[str, ...] = ()


@cache
def terms_by_id(language: str = "en") -> dict[str, Term]:
    """Every term by its id. Raises KnowledgeError when a file is malformed or an id stands twice."""
    found: dict[str, Term] = {}
    for path in sorted((KNOWLEDGE / language / "glossary").glob("*.yml")):
        for term in load(path, GlossaryFile).terms:
            if term.id in found:
                raise KnowledgeError(f"{path}:1: the id {term.id!r} stands twice")
            found[term.id] = term
    return found


@cache
def not_terms(language: str = "en") -> tuple[str, ...]:
    """Every wording that looks like a term and is none. Raises KnowledgeError."""
    paths = sorted((KNOWLEDGE / language / "glossary").glob("*.yml"))
    return tuple(phrase for path in paths for phrase in load(path, GlossaryFile).not_terms)
