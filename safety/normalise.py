"""From what a patient typed to words that can be matched: case, apostrophes, emoji, l33t, repeated letters, typos.

A misspelling is corrected only towards the detector's own vocabulary, and only when the token is not an ordinary English
word: a general speller turns rare health terms into common other ones. The edit distance is the one behind spaCy's
FUZZY operator; it is applied once to each unknown token instead of once to every token for every pattern, which does
the same for a fraction of the time. Words of three letters or fewer are never corrected.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase

from spacy.matcher.levenshtein import levenshtein

from runtime.references import without_references
from runtime.settings import KNOWLEDGE
from safety.rules import Lexicon, phrases

SENTENCE, COMMA = 2, 1

_PIECE = re.compile(
    r"\d+(?:st|nd|rd|th)\b|\d+(?:[.,:]\d+)*|[\w@$*'’`´‘]+|\.{2,}|…|[.!?;\n]+|[,:()\[\]\"“”/\\–—|]|(?<=\s)-+(?=\s)|[^\s\w]"
)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*$")
_MIXED = re.compile(r"(\d+(?:[.,]\d+)*)([a-z]+)$")
_ORDINALS = frozenset({"st", "nd", "rd", "th"})
_LEVEL = re.compile(r"([clts])\d{1,2}$")
_TIMES = re.compile(r"x(\d+)$")
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_QUOTES = str.maketrans({"’": "'", "`": "'", "´": "'", "‘": "'"})
_REPEAT = re.compile(r"([a-z])\1{2,}")
_ABLE_NO = re.compile(
    r"(?<![\w'])(?:(?P<able>(?:(?:are|is|am|was) )?(?:(?:you|he|she|they|i) )?(?:is |are |am )?able to|can(?: you| he| she| they| i| we)?)"
    r"|(?P<has>(?:(?:bladder|bowel|bowels|urine|saddle) )?(?:control|feeling|sensation|strength|power|movement|motion|output))"
    r"|(?P<does>(?:passing|peeing|urinating|weeing)))"
    r"(?P<what>(?: [\w'/]+){0,5}) ?[:?=]+ {0,2}(?:no|not|none|nil|nope|absent|never)(?= *(?:$|[\n.,;!)]))",
    re.I | re.M,
)
"""A line of a form that says what is not possible: "able to pee: no", "feeling between legs: none"."""
_ITEM_ASKED = re.compile(
    r"(?P<item>(?:^|[.!;\n])(?!\s*(?:what|which|who|where|when|why|how|is|are|was|were|do|does|did|can|could|will|would|should|"
    r"shall|may|might|have|has|had|i|you|it|he|she|they|we|no|not|so|ok|right)\b)\s*[a-z][a-z/' -]{2,30})\?"
    r"(?!\s*(?:what|which|who|where|when|why|how|is|are|was|do|does|did|can|could|will|would|should)\b)"
    r"(?=\s*\w[^.;\n?]*(?:[.;\n]|$))",
    re.I,
)
"""A form's item that somebody put as a question and answered: "legs? weak since Monday"."""
_LOST_BEFORE = re.compile(
    r"\b(?:loss|lost|lack|lacking|chang\w+|problems?|trouble|difficult\w*|reduced|less|altered|abnormal|weak\w*|odd|strange|"
    r"new|any|poor|worse)\b[^\n.;:?]*$",
    re.I,
)
_CONTRACTED = {"'ve": "have", "'ll": "will", "'re": "are", "'d": "would"}
_PERSONS = frozenset("i you he she it we they who that there".split())
_HEDGES = frozenset({"kind", "sort"})
_OF_A_KIND = frozenset(
    "this that these those what which some any all every each same one an the no my your another".split()
)
_OWNERS = {"my": "self", "our": "self", "his": "other", "her": "other", "hers": "other", "their": "other"}


@dataclass(frozen=True)
class Token:
    """A word of the message. ``word`` is its matched form; ``owner`` whose it is ("my", "her"): self, other or ""."""

    word: str
    start: int
    end: int
    sentence: int
    clause: int
    owner: str
    value: float | None = None


@dataclass(frozen=True)
class Message:
    """A message as matched: its tokens without little words, and which sentences end in a question mark."""

    text: str
    tokens: tuple[Token, ...]
    asked: frozenset[int]


def inflections(word: str) -> tuple[str, ...]:
    """Return the regular forms of ``word`` (plural or third person, past, -ing). Made-up forms do no harm."""
    if word.endswith("e"):
        return word, word + "s", word + "d", word[:-1] + "ing"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word, word[:-1] + "ies", word[:-1] + "ied", word + "ing"
    forms = [word, word + ("es" if word.endswith(("s", "x", "ch", "sh", "z", "o")) else "s"), word + "ed", word + "ing"]
    if re.search(r"[^aeiou][aeiou][bdgklmnprt]$", word):
        forms += [word + word[-1] + "ed", word + word[-1] + "ing"]
    return tuple(forms)


class Normaliser:
    """Turns text into a :class:`Message`; built once from the lexicon and the words its phrases use."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._drop = frozenset(phrases(lexicon.drop))
        same = {old: tuple(new.split()) for new, olds in lexicon.same.items() for old in phrases(olds)}
        self._same = {old: new for old, new in same.items() if " " not in old}
        self._same_long = {tuple(old.split()): new for old, new in same.items() if " " in old}
        self._emoji = {sign: word for word, signs in lexicon.emoji.items() for sign in phrases(signs)}
        self._known = frozenset(
            line.strip()
            for name in ("words.txt", "names.txt")
            for line in (KNOWLEDGE / "en" / name).read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        )
        self.vocabulary: frozenset[str] = frozenset()
        self._by_letter: dict[str, list[str]] = {}
        self.correct = lru_cache(maxsize=20_000)(self._correct)

    def learn(self, words: Iterable[str]) -> None:
        """Set the vocabulary that misspellings are corrected towards."""
        self.vocabulary = frozenset(words)
        letters: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self.vocabulary | self._same.keys()):
            if len(word) >= 4:
                letters[word[0]].append(word)
        self._by_letter = dict(letters)
        self.correct.cache_clear()

    def message(self, text: str) -> Message:
        """Return ``text`` as words with their places in it. Never raises."""
        raw: list[tuple[str, int, int, int]] = []  # word, start, end, strength of the break before it
        pending = SENTENCE
        asked: set[int] = set()
        sentence = -1
        for piece in _PIECE.finditer(said_in_a_sentence(without_references(text))):
            chunk = piece.group()
            if chunk in self._emoji:
                raw.append((self._emoji[chunk], piece.start(), piece.end(), max(pending, COMMA)))
                pending = COMMA
                continue
            if not any(character.isalnum() for character in chunk):
                if set(chunk) & set(".!?;\n") and not chunk.startswith(".."):
                    pending = SENTENCE
                    if "?" in chunk and raw:
                        asked.add(len(raw) - 1)
                elif chunk[0] in "*'@$":
                    pass
                elif chunk[0] == "&":
                    raw.append(("and", piece.start(), piece.end(), pending))
                    pending = 0
                else:
                    pending = max(pending, COMMA)
                continue
            for word in self._words(chunk):
                raw.append((word, piece.start(), piece.end(), pending))
                pending = 0
        raw, asked = self._join(raw, asked)
        tokens: list[Token] = []
        questions: set[int] = set()
        clause, strength, owner = -1, 0, ""
        for index, (word, start, end, before) in enumerate(raw):
            strength = max(strength, before)
            if before == SENTENCE:
                sentence += 1
                owner = ""
            if index in asked:
                questions.add(sentence)
            if word in self._drop or self._hedge(raw, index) or (index and self._hedge(raw, index - 1)):
                owner = _OWNERS.get(word, owner)
                continue
            if strength:
                clause += 1
            number = _NUMBER.match(word)
            value = float(re.sub(r"[,:].*", "", word)) if number and word.count(".") < 2 else None
            tokens.append(Token("0" if number else word, start, end, sentence, clause, owner, value))
            strength, owner = 0, ""
        return Message(text, tuple(tokens), frozenset(questions))

    def _hedge(self, raw: list[tuple[str, int, int, int]], index: int) -> bool:
        """Return whether "kind of" or "sort of" begins here and means nothing: "I can't sort of walk", not "this sort of pain"."""
        said, before = raw[index][0], raw[index - 1][0] if index else ""
        following = raw[index + 1][0] if index + 1 < len(raw) else ""
        return said in _HEDGES and following == "of" and before not in _OF_A_KIND

    def phrase(self, text: str) -> tuple[str, ...]:
        """Return a phrase of the lexicon in the form messages are matched in."""
        return tuple(token.word for token in self.message(text).tokens)

    def _words(self, chunk: str) -> list[str]:
        word = unicodedata.normalize("NFKC", chunk.translate(_QUOTES)).lower().strip("'")
        if _NUMBER.match(word):
            return [word]
        if level := _LEVEL.match(word):
            return [f"{level.group(1)}0"]  # a spine level: L5, C6
        if times := _TIMES.match(word):
            return [times.group(1)]
        if mixed := _MIXED.match(word):
            if word in self._same:
                return list(self._same[word])
            unit = mixed.group(2)
            return [mixed.group(1)] if unit in _ORDINALS else [mixed.group(1), *self._plain(unit)]
        return self._plain(word)

    def _plain(self, word: str) -> list[str]:
        if word in self._same:
            return list(self._same[word])
        for ending, full in _CONTRACTED.items():
            if word.endswith(ending) and (ending != "'d" or word[:-2] in _PERSONS):
                return [*self._plain(word[: -len(ending)]), full]
        for ending in ("'s", "'"):
            if word.endswith(ending):
                word = word[: -len(ending)]
        word = word.replace("'", "")
        if word in self._same:
            return list(self._same[word])
        if word in self.vocabulary or word in self._drop:
            return [word]
        if not word.isalpha():
            leet = word.translate(_LEET).replace("*", "")
            word = leet if leet in self.vocabulary or leet.isalpha() else word
        if _REPEAT.search(word):
            two, one = _REPEAT.sub(r"\1\1", word), _REPEAT.sub(r"\1", word)
            word = next((w for w in (two, one) if w in self.vocabulary or w in self._same or w in self._drop), two)
            if word in self._same:
                return list(self._same[word])
        right = f"{word}g" if word.endswith("in") and self._is_ing(word) else self.correct(word)
        return list(self._same.get(right, (right,)))

    def _is_ing(self, word: str) -> bool:
        """Return whether ``word`` is a form in -ing without its last letter ("feelin", "goin")."""
        whole = f"{word}g"
        return word not in self._known and (whole in self.vocabulary or whole in self._same)

    def _join(
        self, raw: list[tuple[str, int, int, int]], asked: set[int]
    ) -> tuple[list[tuple[str, int, int, int]], set[int]]:
        """Replace spellings of several words ("can not", "a and e") by one."""
        if not self._same_long:
            return raw, asked
        done: list[tuple[str, int, int, int]] = []
        questions: set[int] = set()
        index = 0
        while index < len(raw):
            step = 1
            for size in (4, 3, 2):
                window = raw[index : index + size]
                new = self._same_long.get(tuple(item[0] for item in window)) if len(window) == size else None
                if new and all(item[3] < SENTENCE for item in window[1:]):
                    first, last = window[0], window[-1]
                    done += [(word, first[1], last[2], first[3] if n == 0 else 0) for n, word in enumerate(new)]
                    step = size
                    break
            else:
                done.append(raw[index])
            if any(place in asked for place in range(index, index + step)):
                questions.add(len(done) - 1)
            index += step
        return done, questions

    def _correct(self, word: str) -> str:
        if len(word) < 4 or word in self._known or not word.isalpha():
            return word
        for i, (a, b) in enumerate(pairwise(word)):
            if a == b and (once := word[:i] + word[i + 1 :]) in self._known:
                return once  # a letter typed twice is the likeliest slip: "wheere" is where, not wheeze
        allowed = 1 if len(word) < 8 else 2
        best, least = word, (allowed + 1, 0)
        for first in {word[0], word[1]}:
            for candidate in self._by_letter.get(first, ()):
                if abs(len(candidate) - len(word)) > allowed:
                    continue
                if first != word[0] and candidate[1] != word[0]:
                    continue  # another first letter only for two letters swapped
                swapped = _swapped(word, candidate)
                distance = 1 if swapped else levenshtein(word, candidate)
                # Of two candidates as near, the one that lost or swapped letters: "cest" is chest, not cast.
                found = (distance, 0 if swapped or _letters_lost(word, candidate) else 1)
                if distance <= allowed and found < least:
                    best, least = candidate, found
        if best == word or least[0] < 2:
            return best
        return next(self._one_slip_from(word), best)  # "incopetent" is one letter from incompetent

    def _one_slip_from(self, word: str) -> Iterator[str]:
        """Yield the English words that ``word`` is with one letter wrong or missing."""
        for i in range(len(word)):
            for letter in ascii_lowercase:
                for j in (i, i + 1):
                    if (near := word[:i] + letter + word[j:]) in self._known:
                        yield near


def said_in_a_sentence(text: str) -> str:
    """``text`` with "able to pee: no" as "cannot pee" and "legs? weak" as "legs: weak", of the same length.

    The places of its words stay what they are.
    """

    def cannot(line: re.Match[str]) -> str:
        if line["has"] and _LOST_BEFORE.search(text[max(0, line.start() - 40) : line.start()]):
            return line.group()  # "loss of feeling: no" denies it
        first, rest = ("cannot", "") if line["able"] else ("not", line["does"]) if line["does"] else ("no", line["has"])
        rest = f" {rest}{line['what']}" if rest else line["what"]
        return first.ljust(len(line.group()) - len(rest)) + rest

    if "?" in text:
        text = _ITEM_ASKED.sub(lambda item: f"{item['item']}:", text)
    return _ABLE_NO.sub(cannot, text) if ":" in text or "?" in text or "=" in text else text


def _letters_lost(word: str, candidate: str) -> bool:
    """Return whether ``word`` is ``candidate`` with letters left out."""
    rest = iter(candidate)
    return len(word) < len(candidate) and all(letter in rest for letter in word)


def _swapped(word: str, candidate: str) -> bool:
    """Return whether two neighbouring letters changed places."""
    if len(word) != len(candidate):
        return False
    wrong = [index for index, (a, b) in enumerate(zip(word, candidate, strict=True)) if a != b]
    return (
        len(wrong) == 2
        and wrong[1] == wrong[0] + 1
        and word[wrong[0]] == candidate[wrong[1]]
        and word[wrong[1]] == candidate[wrong[0]]
    )
