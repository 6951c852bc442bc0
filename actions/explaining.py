"""From a question about words ("what does ALIF mean?") to the reply. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from actions.base import Reply
from actions.glossary import asked_terms
from actions.report.reader import denied_terms, quote, read
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


_ABOUT = re.compile(
    r"^\W*(?:(?:so|and|but|ok|okay|well|hi|please|also|then)\W+)*"
    r"(?:(?:what|how) about|what(?:['’]?s| is| are| was)|tell me (?:more )?about|and|is|should i worry about|explain|"
    r"(?:do|should) i (?:need to )?worry about|it (?:says|mentions)|the letter (?:says|mentions)|there(?:['’]?s| is))\s+"
    r"(?P<what>(?:the|this|that|my|a|an|those|these)\s+(?:[\w/-]+\s*){1,4}?)"
    r"(?:\s+(?:in|on|at|from|of|mean|means|it|they|i|serious|bad|dangerous|then|though)\b.*)?\W*$",
    re.I,
)
"""A short question about something, as one asks it after a letter."""
_LITTLE = frozenset(
    {"the", "thi", "this", "that", "those", "these", "letter", "report", "scan", "left", "right", "and", "for"}
)
_GRADES = frozenset({"mild", "moderate", "severe"})
"""Words of how much, not of what: "no slip, mild bulge" denies the slip."""
SEVERAL = 3
"""Terms of a letter that one word may mean: "the cyst" where it names three."""


def explain_message(message: Mapping[str, Any]) -> list[Reply]:
    """The reply to a parsed message that asks for words: by a button's ``term``, else by what was typed."""
    named = [str(entity["value"]) for entity in message.get("entities") or [] if entity.get("entity") == "term"]
    known = terms_by_id()
    pressed = [known[name] for name in named if name in known]
    text = message.get("text") or ""
    typed = "" if text.startswith("/") else text
    denied = denied_terms(typed) - _GRADES if typed else frozenset()
    return [explain(pressed or asked_terms(typed or " ".join(named)), typed or " ".join(named), denied)]


def explain_last(events: Sequence[Mapping[str, Any]]) -> Reply | None:
    """The reply to "what is that?" when the message before named a medical word; None when nothing points at one."""
    said = [str(event.get("text") or "") for event in events if event.get("event") == "user"][-2:]
    if len(said) < 2 or not _THAT.search(said[1]) or said[0].startswith("/"):
        return None
    terms = [term for term in asked_terms(said[0]) if not term.everyday]
    return explain(terms, said[0]) if terms else None


def explain_in_letter(text: str, letter: str) -> Reply | None:
    """The reply to "what about the cyst?" after a letter that names one, with the letter's own words; else None."""
    about = _ABOUT.match(text)
    asked = _words(about["what"]) - _LITTLE if about and letter else set()
    if not about or not asked:
        return None
    reading, words = read(letter), explain_words()
    named = {term.id for term in asked_terms(about["what"]) if not term.everyday}
    fit = {seen: len(asked & _words(seen.said)) or seen.term.id in named for seen in reading.terms}
    best = max(fit.values(), default=0)
    meant = [seen for seen in reading.terms if fit[seen] == best][:SEVERAL] if best else []
    lines = []
    for seen in meant:
        denied = f" {words.term_denied}" if seen.denied else ""
        lines.append(words.term.format(said=_title(seen.said), plain=seen.term.plain) + denied)
        sentence = next((item for item in reading.letter.sentences if seen.said in item.text), None)
        if sentence:
            at = sentence.text.index(seen.said)
            said = quote(reading.letter, sentence, (at, at + len(seen.said)))
            lines.append(words.in_letter.format(quote=said))
    payload = {"kind": "explain", "terms": [seen.term.id for seen in meant]}
    return Reply("\n".join([*lines, words.in_letter_ask]), (), payload) if meant else None


def _words(text: str) -> set[str]:
    """The words of ``text``, several of a thing as one ("cysts")."""
    return {word.removesuffix("s") for word in re.findall(r"[a-z0-9/-]{3,}", text.lower())}


def explain(terms: Sequence[Term], asked: str, denied: Set[str] = frozenset()) -> Reply:
    """Explain ``terms``; without any, say that the word in ``asked`` is not known, and never guess.

    Args:
        denied: ids of terms that ``asked`` says are not there ("no cord compression").
    """
    words = explain_words()
    if terms:
        lines = [
            words.term.format(said=_title(term.name), plain=term.plain)
            + (f" {words.term_not_there}" if term.id in denied else "")
            for term in terms[:8]
        ]
        return Reply("\n".join(lines), (), {"kind": "explain", "terms": [term.id for term in terms[:8]]})
    found = _WORD.search(asked)
    bare = asked.strip(" ?.!\"'")
    word = found.group(1) if found else (bare if 0 < len(bare.split()) <= 3 else "")
    if word.lower() in ("it", "that", "this", "mean", "means", "words", "word", ""):
        return Reply(words.unknown_nothing, (), {"kind": "explain", "terms": []})
    return Reply(words.unknown.format(word=word[:60]), (), {"kind": "explain", "terms": []})


def _title(name: str) -> str:
    return name[0].upper() + name[1:]
