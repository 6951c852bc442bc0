"""Finds the concepts of the lexicon in a message, and the rules' patterns among the concepts.

Concepts are found by spaCy's PhraseMatcher, which walks all phrases at once; only words of the vocabulary reach it, so
that spaCy's string store never grows with what patients type. A pattern is looked at only when every concept it needs
is there.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from safety.normalise import Message, Normaliser, Token, inflections
from safety.rules import Lexicon, Pattern, Step, phrases

Span = tuple[int, int]
"""First token and the one after the last."""
Found = tuple[Span, ...]
"""The spans of one part of a pattern, one for each step."""

BUT = frozenset({"but", "except", "however", "although", "though", "whereas", "yet"})
LINKS = BUT | {"and", "or", "so", "because", "then", "plus"}
NEAR = 14
MOST = 12
"""At most this many ways of finding one part are followed: enough for any message, and a bound for a hostile one."""

_OWN_WORDS = {
    "i": ("he", "she"),
    "am": ("is", "is"),
    "me": ("him", "her"),
    "myself": ("himself", "herself"),
    "have": ("has", "has"),
}
"""Words of the first person, and what they become when the same is told of him, or of her."""
_OF_A_YEAR = frozenset({"is", "still", "think", "thinks", "thinking"})
"""Before a year that somebody who is confused takes this one for: "he thinks it is 1987"."""
_MACRO = re.compile(r"\{([A-Z_]+)\}")
_CHOICE = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True)
class Concepts:
    """Where each concept stands in a message, and the words of it."""

    message: Message
    spans: dict[str, tuple[Span, ...]]

    def __contains__(self, name: object) -> bool:
        return name in self.spans


class Matcher:
    """Finds concepts. Built once from the lexicon and the literals the patterns use."""

    def __init__(self, lexicon: Lexicon, literals: Iterable[str] = (), year: int | None = None) -> None:
        self._year = year or date.today().year
        self.normaliser = Normaliser(lexicon)
        self._vocab = Vocab()
        self._phrases = PhraseMatcher(self._vocab)
        groups = {name: self.phrases_of(name, lexicon) for name in lexicon.concepts}
        groups.update({word: {self.normaliser.phrase(word.replace("_", " "))} for word in literals})
        self.normaliser.learn(word for group in groups.values() for phrase in group for word in phrase)
        for name, group in groups.items():
            self._phrases.add(name, [Doc(self._vocab, words=list(phrase)) for phrase in sorted(group) if phrase])

    def phrases_of(self, name: str, lexicon: Lexicon, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        """Return every phrase of the concept ``name`` as it is matched. Raises ValueError when there is no such concept."""
        if name not in lexicon.concepts or name in above:
            raise ValueError(f"the lexicon has no concept {name!r}, or it contains itself")
        found: set[tuple[str, ...]] = set()
        for entry in phrases(lexicon.concepts[name]):
            for plain in self._choices(entry, name, lexicon, above):
                found.add(self.normaliser.phrase(plain))
        found.discard(())
        if name in lexicon.of_others:
            found |= {told for phrase in found for told in _of_others(phrase)}
        return found

    def _choices(self, entry: str, name: str, lexicon: Lexicon, above: tuple[str, ...]) -> Iterator[str]:
        if macro := _MACRO.search(entry):
            for inner in sorted(self.phrases_of(macro.group(1), lexicon, (*above, name))):
                yield from self._choices(entry.replace(macro.group(), " ".join(inner), 1), name, lexicon, above)
        elif choice := _CHOICE.search(entry):
            for option in choice.group(1).split("|"):
                yield from self._choices(entry.replace(choice.group(), option, 1), name, lexicon, above)
        else:
            words = [inflections(word[:-1]) if word.endswith("+") else (word,) for word in entry.split()]
            yield from (" ".join(pick) for pick in itertools.product(*words))

    def concepts(self, text: str) -> Concepts:
        """Return the concepts of ``text``.

        Words inside an idiom (concept ``IDIOM``) stand for nothing else but a reply ("I don't want to die" answers a
        question), words inside ``X_NOT`` not for ``X``.
        """
        message = self.normaliser.message(text)
        known = self.normaliser.vocabulary
        words = [token.word if token.word in known else "_" for token in message.tokens]
        hits: dict[str, list[Span]] = defaultdict(list)
        if words:
            for key, start, end in self._phrases(Doc(self._vocab, words=words)):
                if message.tokens[start].sentence == message.tokens[end - 1].sentence:
                    hits[self._vocab.strings[key]].append((start, end))
        tokens = message.tokens
        idioms = [span for span in hits.get("IDIOM", []) if tokens[span[0]].clause == tokens[span[1] - 1].clause]
        for token, item in enumerate(message.tokens):
            if item.value is not None:
                for kind in self._kinds(item.value, tokens[token - 1].word if token else ""):
                    hits[kind].append((token - (kind == "STABLE"), token + 1))  # "since 2008"
        spans = {
            name: tuple(
                span
                for span in sorted(set(group))
                if name == "IDIOM"
                or name.startswith("REPLY_")
                or (
                    not any(_inside(span, idiom) for idiom in idioms)
                    and not any(
                        _overlap(span, other) and (span == other or not _inside(other, span))
                        for other in hits.get(f"{name}_NOT", ())
                    )
                )
            )
            for name, group in list(hits.items())
        }
        spans["FEVER"] = tuple(span for span in spans.get("FEVER", ()) if not _reads_normal(span, spans, tokens))
        return Concepts(message, {name: group for name, group in spans.items() if group})

    def _kinds(self, value: float, before: str) -> Iterator[str]:
        """Yield what a number may say: a past year is a cue, 38 to 42 or 100.4 to 107 may be a temperature.

        "He thinks it is 1987" tells of nothing past.
        """
        yield "NUMBER"
        if 1940 <= value < self._year and value.is_integer() and before not in _OF_A_YEAR:
            yield "STABLE" if before == "since" else "HISTORY"
        if 38 <= value <= 42.5 or 100.4 <= value <= 107:
            yield "NUMBER_HOT"
            if not value.is_integer():
                yield "NUMBER_TEMP"  # "it said 38.9": an age or a count is no fraction
        if (35 <= value < 38 or 95 <= value < 100.4) and not value.is_integer():
            yield "NUMBER_COOL"
        if 65 <= value <= 105 and value.is_integer():
            yield "NUMBER_OLD"
        yield "NUMBER_SMALL" if value < 8 else "NUMBER_BIG"


def _of_others(phrase: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield what one says of oneself as it is said of him and of her: "like i am drunk" is also "like he is drunk"."""
    if not {"i", "me", "myself"} & set(phrase):
        return  # nobody is named: it is the same of everyone
    for place in (0, 1):
        told = [_OWN_WORDS[word][place] if word in _OWN_WORDS else word for word in phrase]
        yield tuple(told)
        if phrase[0] not in _OWN_WORDS:  # "hurts himself", "walks like she is drunk"
            yield inflections(told[0])[1], *told[1:]
        verbs = [i + 1 for i, word in enumerate(phrase[:-1]) if word == "i" and phrase[i + 1] not in _OWN_WORDS]
        if verbs:
            yield tuple(inflections(word)[1] if i in verbs else word for i, word in enumerate(told))


def _reads_normal(fever: Span, spans: dict[str, tuple[Span, ...]], tokens: Sequence[Token]) -> bool:
    """Return whether "a temperature" is no fever: the number that follows it is normal ("a temperature of 36.8")."""
    words = [token.word for token in tokens[slice(*fever)]]
    if "temperature" not in words:
        return False
    place = fever[0] + words.index("temperature")
    return any(0 < cool[0] - place <= 3 for cool in spans.get("NUMBER_COOL", ()))


def _inside(span: Span, other: Span) -> bool:
    return other[0] <= span[0] and span[1] <= other[1]


def _overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def find(pattern: Pattern, concepts: Concepts) -> Iterator[tuple[Found, ...]]:
    """Yield each way in which every part of ``pattern`` is found."""
    parts = []
    for part in pattern.parts:
        found = list(itertools.islice(_sequence(part, concepts), MOST))
        if not found:
            return
        parts.append(found)
    for choice in itertools.islice(itertools.product(*parts), MOST * 4):
        starts = itertools.accumulate(pattern.groups, initial=0)
        groups = [choice[start : start + size] for start, size in zip(starts, pattern.groups, strict=False)]
        if all(_near(group, concepts.message) for group in groups) and not _share_words(choice):
            yield choice


def _share_words(choice: tuple[Found, ...]) -> bool:
    spans = [span for part in choice for span in part]
    return any(_overlap(a, b) for a, b in itertools.combinations(spans, 2))


def _near(choice: tuple[Found, ...], message: Message) -> bool:
    if len(choice) == 1:
        return True  # the gaps within a sequence bound it, and it never leaves its sentence
    first = min(part[0][0] for part in choice)
    last = max(part[-1][1] for part in choice) - 1
    tokens = message.tokens
    return tokens[first].sentence == tokens[last].sentence and last - first <= NEAR


def _sequence(steps: tuple[Step, ...], concepts: Concepts) -> Iterator[Found]:
    tokens = concepts.message.tokens
    closed = {i for span in concepts.spans.get("GAP_STOP", ()) for i in range(*span)}

    def spans(step: Step) -> list[Span]:
        return sorted(span for name in step.names for span in concepts.spans.get(name, ()))

    def follow(done: Found, rest: tuple[Step, ...]) -> Iterator[Found]:
        if not rest:
            yield done
            return
        step = rest[0]
        end = done[-1][1]
        for span in spans(step):
            if span[0] < end:
                continue
            if span[0] - end > step.gap or tokens[span[0]].sentence != tokens[end - 1].sentence:
                break
            between = {token.word for token in tokens[end : span[0]]}
            if between & (BUT if step.over_and else LINKS) or not closed.isdisjoint(range(end, span[0])):
                break
            yield from follow((*done, span), rest[1:])

    for span in spans(steps[0]):
        yield from follow((span,), steps[1:])
