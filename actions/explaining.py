"""From a question about words ("what does ALIF mean?") to the reply. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions.base import Reply
from actions.glossary import asked_terms
from knowledge.explain import explain_words
from knowledge.glossary import Term, terms_by_id

_WORD = re.compile(
    r"(?:what (?:does|do|is|are|was)|what's|whats|meaning of|mean by|define|explain|understand|what about)\s+"
    r"(?:the (?:word|term|letters)\s+|a\s+|an\s+|the\s+)?[\"'“]?([A-Za-z][\w\-/&]*(?:\s+[\w\-/&]+){0,3}?)[\"'”]?"
    r"(?=\s+(?:mean|means|stand|stands|please|in|to me|for me)\b|\s*[?.!,]|\s*$)",
    re.I,
)

_THAT = re.compile(
    r"\bwhat(?:['’]?s| is| are) (?:that|this|it|those|they|these)\W*(?:please|then|exactly|again)?\W*$"
    r"|\bwhat (?:that|this|it) (?:is|involves)\b",
    re.I,
)
"""Words that point at a word said before: "what is that?"."""


def explain_message(message: Mapping[str, Any]) -> list[Reply]:
    """The reply to a parsed message that asks for words: by a button's ``term``, else by what was typed."""
    named = [str(entity["value"]) for entity in message.get("entities") or [] if entity.get("entity") == "term"]
    known = terms_by_id()
    pressed = [known[name] for name in named if name in known]
    text = message.get("text") or ""
    typed = "" if text.startswith("/") else text
    return [explain(pressed or asked_terms(typed or " ".join(named)), typed or " ".join(named))]


def explain_last(events: Sequence[Mapping[str, Any]]) -> Reply | None:
    """The reply to "what is that?" when the message before named a medical word; None when nothing points at one."""
    said = [str(event.get("text") or "") for event in events if event.get("event") == "user"][-2:]
    if len(said) < 2 or not _THAT.search(said[1]) or said[0].startswith("/"):
        return None
    terms = [term for term in asked_terms(said[0]) if not term.everyday]
    return explain(terms, said[0]) if terms else None


def explain(terms: Sequence[Term], asked: str) -> Reply:
    """Explain ``terms``; without any, say that the word in ``asked`` is not known, and never guess."""
    words = explain_words()
    if terms:
        lines = [words.term.format(said=_title(term.name), plain=term.plain) for term in terms[:8]]
        return Reply("\n".join(lines), (), {"kind": "explain", "terms": [term.id for term in terms[:8]]})
    found = _WORD.search(asked)
    bare = asked.strip(" ?.!\"'")
    word = found.group(1) if found else (bare if 0 < len(bare.split()) <= 3 else "")
    if word.lower() in ("it", "that", "this", "mean", "means", "words", "word", ""):
        return Reply(words.unknown_nothing, (), {"kind": "explain", "terms": []})
    return Reply(words.unknown.format(word=word[:60]), (), {"kind": "explain", "terms": []})


def _title(name: str) -> str:
    return name[0].upper() + name[1:]
