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


def explain_message(message: Mapping[str, Any]) -> list[Reply]:
    """The reply to a parsed message that asks for words: by a button's ``term``, else by what was typed."""
    named = [str(entity["value"]) for entity in message.get("entities") or [] if entity.get("entity") == "term"]
    known = terms_by_id()
    pressed = [known[name] for name in named if name in known]
    text = message.get("text") or ""
    typed = "" if text.startswith("/") else text
    return [explain(pressed or asked_terms(typed or " ".join(named)), typed or " ".join(named))]


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
