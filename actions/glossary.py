"""Finds the terms of the glossary in what a patient typed or pasted. Pure; built once from the knowledge files.

spaCy's tokenizer and PhraseMatcher do the matching (https://spacy.io/api/phrasematcher), on a normal form of each word:
lower case, singular, one spelling for British and American English, hyphens and slashes as blanks, and a misspelt word
read as the one glossary word it is close to, unless it is an ordinary English word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import spacy
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from knowledge.glossary import Term, not_terms, terms_by_id
from runtime.settings import KNOWLEDGE

# Same length in and out, so that places found in the changed text hold in the patient's own.
_BLANKS = str.maketrans({"’": "'", "‘": "'", **dict.fromkeys("-–—/_\n=*<>|^~", " ")})
_PLUS = re.compile(r"\+(?!ve\b)")  # "FABER+", but "+ve" is a word
_SPELLINGS = (("diskect", "discect"), ("ae", "e"), ("oe", "e"), ("our", "or"), ("isation", "ization"), ("ise", "ize"))
# Other endings of the same word, tried when the glossary does not have the word as it stands.
_ENDINGS = (
    ("ally", "al"),
    ("ically", "ic"),
    ("ly", ""),
    ("oses", "osis"),
    ("eses", "esis"),
    ("e", "a"),
    ("a", "um"),
    ("i", "us"),
)
_PREFIXES = re.compile(
    r"^(hypo|hyper|para|post|pre|inter|intra|extra|trans|micro|mini|hemi|semi|pseudo|neuro|radiculo|multi|non|osteo|spondylo"
    r"|ante|retro|antero|postero|sub|supra|infra|peri|poly|fibro|arthro|lumbo|cervico|thoraco|sacro|myelo|anti|over|un|re|co"
    r"|electro|dys)[ -]?(?=[a-z]{4})(?!ion)"
)
"""Beginnings of words that letters write together, with a hyphen or apart."""
_SHORTEST_TYPO = 6
_NO_TERM = ""
_NEAR = 30  # letters between "grade 1" and the word it grades ("grade 1 degenerative spondylolisthesis")


@dataclass(frozen=True)
class TermSpan:
    """A term and where it stands; ``said`` is the text's own wording."""

    term: Term
    start: int
    end: int
    said: str


class _Index:
    def __init__(self, terms: Iterable[Term]) -> None:
        self.nlp = spacy.blank("en")
        self.by_words = PhraseMatcher(self.nlp.vocab, attr="NORM")
        self.by_letters = PhraseMatcher(self.nlp.vocab, attr="ORTH")
        self.ordinary = frozenset((KNOWLEDGE / "en" / "words.txt").read_text(encoding="utf-8").split())
        self.by_form: list[tuple[re.Pattern[str], str]] = []
        self.known: frozenset[str] = frozenset()
        self.unclear: dict[str, str | None] = {}
        known: set[str] = set()
        for term in terms:
            said = (term.name, *term.synonyms, *term.misspellings, *term.abbreviations)
            exact = [phrase for phrase in said if self.needs_capitals(phrase)]
            patterns = [self.read(phrase) for phrase in said if phrase not in exact]
            patterns += [
                self.read(other) for phrase in said if phrase not in exact for other in _apart_and_together(phrase)
            ]
            known.update(token.norm_ for doc in patterns for token in doc)
            self.by_words.add(term.id, patterns)
            exact += [f"{phrase}s" for phrase in exact]  # "ESIs"
            self.by_letters.add(term.id, [self.nlp.make_doc(phrase.translate(_BLANKS)) for phrase in exact])
            self.by_form += [(re.compile(pattern), term.id) for pattern in term.patterns]
        self.by_words.add(_NO_TERM, [self.read(phrase) for phrase in not_terms()])
        self.known = frozenset(known)
        self.targets: dict[str, list[str]] = {}
        for word in known:
            if len(word) >= _SHORTEST_TYPO and word.isalpha():
                self.targets.setdefault(word[0], []).append(word)

    def needs_capitals(self, phrase: str) -> bool:
        """ "PT" and "STIR" are abbreviations only as capitals: "pt" is a patient and "stir" a verb."""
        return phrase.isupper() and (len(phrase) <= 3 or phrase.lower() in self.ordinary)

    def read(self, text: str) -> Doc:
        """``text`` as tokens whose norm is the form that phrases are compared in."""
        doc = self.nlp.make_doc(_PLUS.sub(" ", text).translate(_BLANKS))
        for token in doc:
            token.norm_ = self.normal(token.text)
        return doc

    def forms(self, doc: Doc, text: str) -> Iterator[Span]:
        """What in ``text`` has the form of a term: the whole words that hold it."""
        for pattern, term in self.by_form:
            for match in pattern.finditer(text):
                span = doc.char_span(*match.span(), label=term, alignment_mode="expand")
                if span is not None:
                    yield span

    def normal(self, word: str) -> str:
        form = _normal(word)
        if not self.known or form in self.known or len(form) < _SHORTEST_TYPO or not form.isalpha():
            return form
        for ending, other in _ENDINGS:
            if form.endswith(ending) and form.removesuffix(ending) + other in self.known:
                return form.removesuffix(ending) + other
        if word.lower() in self.ordinary or form in self.ordinary:
            return form
        if form not in self.unclear:
            if len(self.unclear) > 50_000:  # words come from outside; memory must not grow without end
                self.unclear.clear()
            self.unclear[form] = self.nearest(form)
        return self.unclear[form] or form

    def nearest(self, form: str) -> str | None:
        """The one glossary word ``form`` is a misspelling of: one slip, or two in a word of nine letters or more."""
        slips = 1 if len(form) < 9 else 2
        near = [
            (_distance(form, word, slips), word)
            for word in self.targets.get(form[0], ())
            if abs(len(word) - len(form)) <= slips
        ]
        near = sorted(pair for pair in near if pair[0] <= slips)
        if not near or (len(near) > 1 and near[0][0] == near[1][0]):
            return None
        return near[0][1]


def _apart_and_together(phrase: str) -> Iterator[str]:
    """Other ways to write a phrase that begins with a prefix: "hypo-aesthesia", "post operative", "microdiscectomy"."""
    lower = phrase.lower()
    match = _PREFIXES.match(lower)
    if not match or phrase.isupper():
        return
    prefix, rest = match.group(1), lower[match.end() :]
    if match.group() == prefix and len(rest.split()[0]) > 5:
        yield f"{prefix} {rest}"
    elif match.group() != prefix:
        yield f"{prefix}{rest}"


def _normal(word: str) -> str:
    form = word.lower().removesuffix("'s").strip("'.")
    for british, american in _SPELLINGS:
        form = form.replace(british, american)
    if form in ("disk", "disks", "discs"):
        return "disc"
    if form.endswith("ies") and len(form) > 5:
        return form[:-3] + "y"
    if form.endswith(("xes", "ches", "shes", "sses")):
        return form[:-2]
    if form.endswith("s") and len(form) > 3 and not form.endswith(("ss", "us", "is")):
        return form[:-1]
    return form


def _distance(a: str, b: str, limit: int) -> int:
    """Edits between ``a`` and ``b``, two neighbours swapped counting as one (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
    return row[-1]


@cache
def _index() -> _Index:
    return _Index(terms_by_id().values())


def is_known(word: str) -> bool:
    """Whether ``word`` is ordinary English or a word of the glossary, in whatever form it is written."""
    index = _index()
    return word in index.ordinary or word in index.known or _normal(word) in index.known


def ordinary_words() -> frozenset[str]:
    """English words and every single word of the glossary: what a word with a capital may be without being a name."""
    return _index().ordinary | _index().known


def plain_words() -> frozenset[str]:
    """English words that most people know."""
    return _index().ordinary


def find_terms(text: str) -> tuple[TermSpan, ...]:
    """Return the terms named in ``text`` in reading order, the longest wording where two overlap; a term may recur."""
    index = _index()
    doc = index.read(text)
    spans = [*index.by_words(doc, as_spans=True), *index.by_letters(doc, as_spans=True), *index.forms(doc, text)]
    terms = terms_by_id()
    found = [
        TermSpan(terms[span.label_], span.start_char, span.end_char, text[span.start_char : span.end_char])
        for span in filter_spans(spans)
        if span.label_ != _NO_TERM
    ]
    return tuple(span for place, span in enumerate(found) if _stands(span, found[max(0, place - 2) : place + 4]))


def _stands(span: TermSpan, around: Sequence[TermSpan]) -> bool:
    """Whether ``span`` means its term here: "grade 1" is a grade of slip only close to a slip."""
    wanted = span.term.only_near
    return not wanted or any(
        other.term.id in wanted and other.start - span.end <= _NEAR and span.start - other.end <= _NEAR
        for other in around
    )


_CONTRACTED = frozenset({"im", "ive", "id", "hes", "ill"})
"""As people type "I'm", "I've" ...: no short forms of a letter."""


def asked_terms(text: str) -> tuple[Term, ...]:
    """The terms a question such as "what does pt and alif mean" asks for, each once, in order.

    A patient does not type capitals: short abbreviations count in any case here; in a letter they must be exact.
    """
    found = {span.start: span.term for span in find_terms(text)}
    taken = {place for span in find_terms(text) for place in range(span.start, span.end)}
    short = {
        a.lower(): term for term in terms_by_id().values() for a in (term.name, *term.abbreviations) if a.isupper()
    }
    for word in re.finditer(r"[A-Za-z&]{2,6}", text):
        term = short.get(word.group().lower())
        everyday = word.group().lower() in _index().ordinary or word.group().lower() in _CONTRACTED
        if term and word.start() not in taken and (not everyday or word.group().isupper()):
            found[word.start()] = term
    terms = list(dict.fromkeys(found[place] for place in sorted(found)))
    # "What does foraminal stenosis mean for my diagnosis": the hard words are meant, unless there are none.
    hard = [term for term in terms if not term.everyday]
    return tuple(hard or terms)
