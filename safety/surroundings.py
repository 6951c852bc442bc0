"""What stands around a finding: whose it is, what belongs to one thought, what is said to be new, what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from safety.matcher import BUT, Concepts, Found, Span

Person = Literal["self", "other"]

_NEW_THOUGHT = frozenset({"now", "since", "today", "then", "i", "cannot", "he", "she"})
_BEFORE_QUESTION = frozenset("so and but ok okay doctor question quick then now sorry thanks hiya".split())
_PERSONS = frozenset({"i", "he", "she", "we", "they"})
_MORE_VERBS = frozenset({"used", "says", "said", "shows", "showed", "read"})
_POINTS = frozenset({"it", "this", "that"})
_GOES_ON = frozenset(
    "it this that these those they them which who whose what where how when if because and or nor but so since for as like while "
    "until after before unless not no never none always been has have had having is was were are be did does do doing can could "
    "cannot would will may might should now then still just only all both same fine better worse ok gone came got went getting "
    "with without in on at from to of by than about some any one two something nothing everything anything there here lasted lasting lasts took started began stopped settled cleared resolved improved eased".split()
)
"""Words with which a clause goes on about what was told before it: "I couldn't pee, it was years ago"."""
_AUX = frozenset("do does did will can could should would is are was may must to".split())
JOINS = frozenset({"and", "so", "because", "plus", "then", "while"})
"""Words that join what is told to what was told before."""
_TIMES = frozenset({"LONG_AGO", "TOO_MANY_YEARS"})
_OTHER_CAUSE = "OTHER_CAUSE"
_REASON = frozenset({"because"})
_LASTING = frozenset({"lost"})


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of findings in one message."""

    concepts: Concepts

    def spans(self, *names: str) -> Iterable[Span]:
        for name in names:
            yield from self.concepts.spans.get(name, ())

    def person(self, parts: Iterable[Found]) -> Person:
        """Return whose finding it is: the nearest person named before it, or inside it, or after it."""
        spans = [span for part in parts for span in part]
        start, end = min(span[0] for span in spans), max(span[1] for span in spans)
        tokens = self.concepts.message.tokens
        others = {i for span in self.spans("OTHER") for i in range(*span)}
        selves = {i for span in self.spans("SELF") for i in range(*span)}
        owned = {i: token.owner for i, token in enumerate(tokens) if token.owner}
        if any(i in others for i in range(start, end)):
            return "other"
        if any(owned.get(i) == "self" for i in range(start, end)) and not any(
            i in others and tokens[i].word != "they" for i in range(start)
        ):
            return "self"  # "prostate trouble they treated, a belt round my ribs": doctors, whom nobody has named
        for i in [*range(start - 1, -1, -1)]:
            if i in others:
                return "other"
            if i in selves or (owned.get(i) == "self"):
                return "self"
            if owned.get(i) == "other":
                return "other"
        inside = [owned[i] for i in range(start, end) if i in owned]
        if inside:
            return "other" if inside[0] == "other" else "self"
        after = [i for i in sorted(others | selves) if i >= end]
        return "other" if after and after[0] in others and not selves else "self"

    def is_anothers(self, part: Found, rest: Iterable[Found]) -> bool:
        """Return whether ``part`` is said, in its own sentence, of somebody else than the rest."""
        tokens = self.concepts.message.tokens
        sentence = tokens[part[0][0]].sentence
        # "They cut a melanoma off me": doctors, whom nobody has named.
        named = any(tokens[i].sentence == sentence and tokens[i].word != "they" for i, _ in self.spans("OTHER"))
        return named and self.person([part]) == "other" and any(self.person([other]) == "self" for other in rest)

    def first_person(self, sentence: int) -> bool:
        """Return whether ``sentence`` speaks of the writer ("I", "my")."""
        tokens = self.concepts.message.tokens
        return any(tokens[span[0]].sentence == sentence for span in self.spans("SELF")) or any(
            token.owner == "self" for token in tokens if token.sentence == sentence
        )

    def _of_its_own(self, start: int, end: int) -> bool:
        """Return whether the clause from ``start`` tells, as far as ``end``, of something that was not told of before."""
        words = [token.word for token in self.concepts.message.tokens[start : end + 1]]
        return words[0] not in _GOES_ON and not _POINTS.intersection(words)

    def _same_thought(self, a: Span, b: Span) -> bool:
        """Return whether ``a`` and ``b`` stand in one sentence with no "but" or "and now" between."""
        tokens = self.concepts.message.tokens
        first, second = sorted((a, b))
        if tokens[first[0]].sentence != tokens[second[0]].sentence:
            return False
        between = [token.word for token in tokens[first[1] : second[0]]]
        if set(between) & BUT:
            return False
        following = [token.word for token in tokens[first[1] + 1 : second[0] + 1]]
        if any(a in ("and", "so") and b in _NEW_THOUGHT for a, b in zip(between, following, strict=True)):
            return False
        if self._somebody_after(_REASON, first[1], second[0]):
            return False
        # "We lost her a year ago, I have ...": a clause with a verb of its own, then another that starts with a person, or
        # with something else of which it tells ("..., my last operation was years ago").
        verbs = {tokens[i].clause for span in self.spans("VERB", "NOT_DO") for i in range(*span)}
        verbs |= {token.clause for token in tokens if token.word in _MORE_VERBS}
        return not (
            tokens[first[0]].clause in verbs
            and any(
                tokens[i].clause != tokens[i - 1].clause
                and (tokens[i].word in _PERSONS or (tokens[i].clause in verbs and self._of_its_own(i, second[0])))
                for i in range(first[1], second[0] + 1)
            )
        )

    def excused_by(self, names: Iterable[str], parts: Iterable[Found]) -> bool:
        """Return whether one of the concepts ``names``, in the same sentence, says that what was found is something else.

        An explanation may follow in a clause of its own ("but they scanned it and it was clear"). What was said before
        excuses nothing in the next thought ("I had surgery 3 years ago and now I came off my horse").
        """
        wholes = [self._whole(part) for part in parts]
        return any(self._explains(name, span, whole) for name in names for span in self.spans(name) for whole in wholes)

    def _explains(self, name: str, span: Span, whole: Span) -> bool:
        tokens = self.concepts.message.tokens
        if name == "NUMBER_COOL":  # the thermometer is read in a sentence of its own
            return "TEMP_WORD" in self.concepts and "NUMBER_HOT" not in self.concepts
        if tokens[span[0]].sentence != tokens[whole[0]].sentence:
            return False
        if name == _OTHER_CAUSE and self._recent((whole,), "RECENT"):
            return False  # "they say it's the cartilage": an old opinion, which does not explain what is new
        if span[1] > whole[0]:
            return True
        over = name in _TIMES and self._over_before(span, whole)
        return self._same_thought(span, whole) and not over

    def _closed_by_and(self, cue: Span, whole: Span) -> bool:
        """Return whether ``cue`` ends a statement, and ``whole`` is in the next ("surgery 3 years ago and numb down there")."""
        return cue[1] < whole[0] and self.concepts.message.tokens[cue[1]].word in JOINS

    def _over_before(self, cue: Span, whole: Span) -> bool:
        """Return whether what ``cue`` tells is over when ``whole`` begins: "in 2009 and couldn't feel my legs" goes on."""
        past = any(span[0] == cue[1] + 1 and not self._lasts(span) for span in self.spans("PAST"))
        return self._closed_by_and(cue, whole) and not (past and not self._recent((whole,), "RECENT"))

    def _lasts(self, verb: Span) -> bool:
        """Return whether what a verb of the past tells may be so still: what was "lost" is gone until it comes back."""
        return self.concepts.message.tokens[verb[0]].word in _LASTING

    def _somebody_after(self, joins: frozenset[str], start: int, end: int) -> bool:
        """Return whether one of ``joins`` between ``start`` and ``end`` opens a clause about a person ("because my leg ...")."""
        tokens = self.concepts.message.tokens
        people = {span[0] for span in self.spans("SELF", "OTHER")}
        return any(tokens[i - 1].word in joins and (i in people or tokens[i].owner) for i in range(start + 1, end + 1))

    def _whole(self, found: Found) -> Span:
        return found[0][0], found[-1][1]

    def _recent(self, found: Found, *names: str) -> bool:
        """Return whether the finding is said to be new, worse or happening now."""
        whole = self._whole(found)
        tokens = self.concepts.message.tokens
        # "I was fine, now I can't walk" is no "fine now".
        other = [
            span for span in self.spans("RESOLVED", "STABLE") if tokens[span[0]].clause == tokens[span[1] - 1].clause
        ]
        for cue in self.spans(*names):
            if any(span[0] <= cue[0] < span[1] for span in other):
                continue  # the "now" of "fine now", the "since" of "since birth"
            if self._same_thought(cue, whole) or self._turns_to(cue, whole):
                return True
        return False

    def _turns_to(self, cue: Span, whole: Span) -> bool:
        """Return whether ``cue`` opens a sentence that turns to what is new: "Since Sunday though I've been ..."."""
        tokens = self.concepts.message.tokens
        opens = cue[0] == 0 or tokens[cue[0] - 1].sentence != tokens[cue[0]].sentence
        turned = cue[1] < whole[0] and tokens[cue[1]].word in BUT
        return opens and turned and self._same_thought((cue[1], cue[1] + 1), whole)

    def _openers(self, sentence: int) -> Iterator[Span]:
        """Yield the cues that make ``sentence`` a question: "is", "can", "what", ... at its beginning."""
        tokens = self.concepts.message.tokens
        place = next(i for i, token in enumerate(tokens) if token.sentence == sentence)
        while (
            place + 1 < len(tokens)
            and tokens[place].word in _BEFORE_QUESTION
            and tokens[place + 1].sentence == sentence
        ):
            place += 1
        pseudo = {i for span in self.spans("PSEUDO") for i in range(*span)}
        for cue in self.spans("QUESTION"):
            after = tokens[cue[1]].word if cue[1] < len(tokens) else ""
            if tokens[cue[0]].word == "when" and after not in _AUX:
                continue  # "when I wipe it feels numb"
            if cue[0] == place and place not in pseudo and after != "not":
                yield cue


def longer(span: Span, other: Span) -> bool:
    return span[0] <= other[0] and other[1] < span[1]
