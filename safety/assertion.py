"""Does a finding count? Whether it is denied, past, imagined, asked about, quoted or someone else's.

The method is ConText (Harkema, Dowling, Thornblade, Chapman: J Biomed Inform 2009;42:839, after Chapman's NegEx): cue
phrases open a scope forward or backward, terminating words close it, and pseudo-cues that only look like negation open
none. medspaCy is the implementation read alongside; it is not used, because its lexicon is written for clinicians'
notes and misses "dont", "my mum had" or "fine now", and its splitter logs every word it reads.

Taken: cue, scope, terminator, pseudo-cue; the properties negated, historical, hypothetical, other person.
Changed, and why:

- The cues are patients' English (``lexicon_assertion.yml``), because patients write these messages.
- "Can't feel", "no control", "not able to" are findings. They never open a scope, and an ordinary negation before
  them does not reach over them: "no fever, can't pee".
- A negation crosses a comma only inside a list ("no numbness, weakness or fever"): patients join clauses by commas.
- Being someone else's is no reason to drop a finding: another person who is ill now is escalated, in other words.
- "Worse", "again", "new", "since yesterday" turn past or long-standing into now. ConText has no such cue; here a
  finding missed costs more than one too many.
- Questions: "what are the signs of ..." excuses a finding only when nobody in particular has it ("my", "I have").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from safety.matcher import BUT, NEAR, Concepts, Found, Span
from safety.rules import Status

Person = Literal["self", "other"]

_STOP = BUT | {"now", "until", "because", "only", "still", "then", "suddenly", "instead", "since", "apart"}
_NEW_THOUGHT = frozenset({"now", "since", "today", "then", "i", "cannot", "he", "she"})
_BEFORE_QUESTION = frozenset("so and but ok okay doctor question quick then now sorry thanks hiya".split())
_PERSONS = frozenset({"i", "he", "she", "we", "they"})
_LOSS = frozenset(
    "loss lost losing lack change changes changed problem problems trouble difficulty difficulties issue issues reduced "
    "reduction altered abnormal numb weak weakness concern concerns".split()
)
_AUX = frozenset("do does did will can could should would is are was may must to".split())
_LEADS_IN = frozenset({"well", "so", "and", "now", "yes", "guess", "what", "sadly"})
_IT_IS_SO = frozenset(
    {("i", "have"), ("i", "am"), ("i", "do"), ("it", "has"), ("it", "is"), ("he", "has"), ("she", "has")}
)
_LIST = frozenset({"or", "nor", "and", "neither"})
_REASON = frozenset({"because"})
_JOINS = frozenset({"and", "so", "because", "plus", "then", "while"})
_OWNS = frozenset({"have", "has", "had", "got", "own"})
_TELLS_OF = frozenset({"about", "where", "who", "whose", "which", "of", "on"})


@dataclass(frozen=True)
class Reader:
    """Answers questions about the surroundings of a finding in one message."""

    concepts: Concepts

    def spans(self, *names: str) -> Iterable[Span]:
        for name in names:
            yield from self.concepts.spans.get(name, ())

    def statuses(self, found: Found, parts: Iterable[Found] = ()) -> Iterator[Status]:
        """Yield every reason why ``found`` may not count; ``parts``: all that was found with it.

        A "not" that belongs to one part ("not managed a wee") denies no other ("since last night").
        """
        own = {i for part in (found, *parts) for span in part for i in range(*span)}
        if self._negated(found, own) and not self._taken_back(found):
            yield "negated"
        if not self._has_come_true(found):
            if self._quoted(found):
                yield "quoted"
            if self._hypothetical(found):
                yield "hypothetical"
            if self._asked(found):
                yield (
                    "normal"
                    if any(self._same_thought(span, self._whole(found)) for span in self.spans("NORMAL_Q"))
                    else "question"
                )
        past = self._past(found)
        if past:
            yield past

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

    # Negation

    def _negated(self, found: Found, own: set[int]) -> bool:
        pseudo = {i for span in self.spans("PSEUDO") for i in range(*span)}
        tokens = self.concepts.message.tokens
        if tokens[found[0][0]].word in ("no", "not", "never", "without", "nil") and any(
            tokens[i].word in _LOSS for i in range(found[0][1], found[-1][0])
        ):
            return True  # "no loss of bladder control" is no "no bladder control"
        beyond = {cue for cue in self.spans("NEG_STRONG") for can in self.spans("CANNOT") if _longer(can, cue)}
        for cue in self.spans("NEG_STRONG"):
            if cue in beyond:
                continue  # "I don't think I can ..." is a "cannot"
            apart = self._another_statement(cue, found)
            if cue[1] <= found[0][0] and not apart and self._open(cue[1], found[0][0], set(), 8):
                return True
        for cue in self.spans("NEG"):
            if own & set(range(*cue)) or set(range(*cue)) <= pseudo:
                continue
            if any(self._reaches(cue, found[place:]) for place in range(len(found))):
                return True
        last = found[-1][1]
        if any(True for _ in self._openers(tokens[last - 1].sentence)):
            return False  # "is chest pain normal?" denies nothing
        for cue in self.spans("NEG_AFTER"):
            if any(token.word == "and" for token in tokens[last : cue[0]]):
                continue
            if (
                0 <= cue[0] - last <= 2
                and tokens[cue[0]].clause == tokens[last - 1].clause
                and not own & set(range(*cue))
            ):
                return True
        return False

    def _another_statement(self, cue: Span, found: Found) -> bool:
        """Return whether ``found`` stands in a later clause that has its own verb ("I wouldn't say weak, it just gives")."""
        tokens = self.concepts.message.tokens
        clause = tokens[found[0][0]].clause
        verb = any(tokens[i].clause == clause for span in self.spans("VERB", "NOT_DO") for i in range(*span))
        between = {token.word for token in tokens[cue[1] : found[0][0]]}
        return tokens[cue[1] - 1].clause != clause and verb and not between & _LIST

    def _reaches(self, cue: Span, found: Found) -> bool:
        tokens = self.concepts.message.tokens
        start = found[0][0]
        if cue[1] > start or tokens[cue[0]].sentence != tokens[start].sentence:
            return False
        # A finding that is itself a "cannot" or "no feeling" is not reached, nor is what stands behind one.
        # But "no loss of feeling" denies it.
        if any(
            cue[1] <= span[0] < found[-1][1] and not (span[0] == cue[1] and tokens[cue[1]].word in _LOSS)
            for span in self.spans("CANNOT", "NO_FEELING")
        ):
            return False
        clauses = {token.clause for token in tokens[cue[1] - 1 : start + 1]}
        if len(clauses) == 1:
            return self._open(cue[1], start, set(), 7)
        listed = any(
            token.word in _LIST for token in tokens[cue[1] : found[-1][1] + 6] if token.clause <= max(clauses) + 1
        )
        noun = any(s[0] < found[-1][1] and start < s[1] for s in self.spans("SIGN_NOUN"))
        return (listed or noun) and self._open(cue[1], start, {i for s in self.spans("VERB") for i in range(*s)}, 14)

    def _open(self, start: int, end: int, blocked: set[int], most: int) -> bool:
        """Return whether no word between closes the scope."""
        tokens = self.concepts.message.tokens
        if end - start > most:
            return False
        selves = {i for span in self.spans("SELF", "OTHER") for i in range(*span)}
        for i in range(start, end):
            word = tokens[i].word
            if word in _STOP or i in blocked or i in selves:
                return False
        for i in range(start + 1, min(end + 1, len(tokens))):
            if tokens[i].owner and tokens[i - 1].word == "and":
                return False  # "no fever and my leg ..."
            if tokens[i].owner and tokens[i].clause != tokens[i - 1].clause:
                return False  # "no fever, my leg ..."
        return True

    def _taken_back(self, found: Found) -> bool:
        """Return whether a denial is called untrue right after it ("I ticked no to that. It wasn't true.")."""
        tokens = self.concepts.message.tokens
        end = found[-1][1]
        return any(
            cue[0] >= end and tokens[cue[0]].sentence - tokens[end - 1].sentence <= 1 for cue in self.spans("UNTRUE")
        )

    # Not now, not real

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
        # "We lost her a year ago, I have ...": a clause with a verb of its own, then another that starts with a person.
        verbs = {tokens[i].clause for span in self.spans("VERB") for i in range(*span)}
        return not (
            tokens[first[0]].clause in verbs
            and any(
                tokens[i].clause != tokens[i - 1].clause and tokens[i].word in _PERSONS
                for i in range(first[1], second[0] + 1)
            )
        )

    def _somebody_after(self, joins: frozenset[str], start: int, end: int) -> bool:
        """Return whether one of ``joins`` between ``start`` and ``end`` opens a clause about a person ("because my leg ...")."""
        tokens = self.concepts.message.tokens
        people = {span[0] for span in self.spans("SELF", "OTHER")}
        return any(tokens[i - 1].word in joins and (i in people or tokens[i].owner) for i in range(start + 1, end + 1))

    def _since_long(self, cue: Span, whole: Span) -> bool:
        """Return whether ``cue`` ("for years") is said of ``whole``, and not of what an "and" before it told.

        Who writes without a full stop has waited for ages and now cannot feel their legs.
        """
        return self._same_thought(cue, whole) and not self._somebody_after(_JOINS, cue[1], whole[0])

    def _whole(self, found: Found) -> Span:
        return found[0][0], found[-1][1]

    def _recent(self, found: Found, *names: str) -> bool:
        """Return whether the finding is said to be new, worse or happening now."""
        whole = self._whole(found)
        other = [*self.spans("RESOLVED", "STABLE")]
        for cue in self.spans(*names):
            if any(span[0] <= cue[0] < span[1] for span in other):
                continue  # the "now" of "fine now", the "since" of "since birth"
            if self._same_thought(cue, whole):
                return True
        return False

    def _past(self, found: Found) -> Status | None:
        whole = self._whole(found)
        tokens = self.concepts.message.tokens
        sentence = tokens[whole[0]].sentence
        now = self._recent(found, "RECENT") or any(
            cue[0] >= whole[1] and tokens[cue[0]].sentence - sentence <= 1 for cue in self.spans("RECURRED")
        )
        if not now:
            months = () if self._recent(found, "ONSET") else ("HISTORY_MONTHS",)
            for cue in self.spans("HISTORY", *months):
                if self._since_long(cue, whole):
                    return "stable" if self._recent(found, "STILL") else "historical"
            if self._their_past(whole):
                return "family"
            if self._since_then(whole):
                return "stable"
        if any(
            a.word in ("he", "she", "they") and b.word == "died" and a.sentence == sentence
            for a, b in zip(tokens[whole[1] :], tokens[whole[1] + 1 :])
        ):
            return "family"
        if not now and not self._recent(found, "ONSET"):
            for cue in self.spans("STABLE"):
                if self._since_long(cue, whole):
                    return "stable"
        if not now and any(self._points_back(whole, cue) for cue in self.spans("STABLE")):
            return "stable"
        for cue in self.spans("RESOLVED"):
            gap = tokens[cue[0]].sentence - sentence
            over = cue[0] >= whole[1] and gap in (0, 1) and not self._has_own_subject(whole, cue)
            # "It cleared up. It came back on Sunday": but a foot that "came back" is well.
            again = (0 <= back[0] - cue[1] <= NEAR or _longer(back, cue) for back in self.spans("RECURRED"))
            if over and not any(again):
                return "resolved"
        if not now and self._recent(found, "PAST") and not self._recent(found, "PRESENT", "ONSET", "STILL"):
            for cue in self.spans("HISTORY"):
                if cue[1] <= whole[0] and sentence - tokens[cue[0]].sentence <= 2:
                    return "historical"
        return None

    def _since_then(self, whole: Span) -> bool:
        """Return whether this goes back to something told before it, years ago ("a stroke in 2018 and ... since then")."""
        tokens = self.concepts.message.tokens
        sentence = tokens[whole[0]].sentence
        return any(
            tokens[then[0]].sentence == sentence
            and any(cue[0] < whole[0] and sentence - tokens[cue[0]].sentence <= 1 for cue in self.spans("HISTORY"))
            for then in self.spans("SINCE_THEN")
        )

    def _points_back(self, whole: Span, cue: Span) -> bool:
        """Return whether the sentence after ``whole`` opens with ``cue`` and names nothing itself ("Same for years.")."""
        tokens = self.concepts.message.tokens
        sentence = tokens[cue[0]].sentence
        if sentence != tokens[whole[1] - 1].sentence + 1:
            return False
        place = next(i for i, token in enumerate(tokens) if token.sentence == sentence)
        named = any(tokens[i].sentence == sentence for span in self.spans("BODY") for i in range(*span))
        return cue[0] - place <= 1 and not named

    def _their_past(self, whole: Span) -> bool:
        """Return whether this is a condition somebody else "had" or died of: family history."""
        tokens = self.concepts.message.tokens
        for cue in self.spans("FAMILY_HISTORY"):
            if {tokens[cue[0]].clause, tokens[cue[1] - 1].clause} & {
                tokens[whole[0]].clause,
                tokens[whole[1] - 1].clause,
            }:
                return True
        if any(self._same_thought(cue, whole) for cue in self.spans("ACQUAINTANCE")):
            clause = tokens[whole[0]].clause
            goes_on = any(tokens[cue[0]].clause == clause for cue in self.spans("PRESENT", "RECENT", "ONSET", "STILL"))
            if "COMMON_QUESTION" in self.concepts and not goes_on:
                return True
            # "A lady at church lost the use of her legs after that operation": a story told because of what is planned.
            if "SUCH_SURGERY" in self.concepts and self._recent((whole,), "PAST"):
                return not self._recent((whole,), "PRESENT", "RECENT", "ONSET", "STILL")
        if not any(span[0] < whole[1] and whole[0] < span[1] for span in self.spans("CONDITION")):
            return False
        for other in self.spans("OTHER"):
            for had in self.spans("HAD"):
                if other[1] <= had[0] < whole[1] and had[0] - other[1] <= 2 and self._same_thought(other, whole):
                    return not self._recent((whole,), "ONSET", "MAYBE", "RECENT")
        return False

    def _has_own_subject(self, whole: Span, cue: Span) -> bool:
        """Return whether "fine now" is said of something or somebody else ("my back is fine now", "my friend got better")."""
        tokens = self.concepts.message.tokens
        sentences = {tokens[whole[0]].sentence, tokens[whole[1] - 1].sentence}
        others = {i for span in self.spans("OTHER") for i in range(*span)}
        named = {i for span in self.spans("BODY") for i in range(*span)}
        if not any(tokens[i].sentence in sentences for i in others):
            named |= others
        return any(i in named and tokens[i].sentence == tokens[cue[0]].sentence for i in range(whole[1], cue[0]))

    def _has_come_true(self, found: Found) -> bool:
        """Return whether what was read, feared or asked about is said to be there ("... and now I can't")."""
        tokens = self.concepts.message.tokens
        end = found[-1][1]
        sentence = tokens[end - 1].sentence
        clauses: dict[int, list[str]] = {}
        for token in tokens[end:]:
            if token.sentence - sentence <= 1 and token.clause > tokens[end - 1].clause and token.word not in _LEADS_IN:
                clauses.setdefault(token.clause, []).append(token.word)
        return any(tuple(words) in _IT_IS_SO for words in clauses.values()) or any(
            cue[0] >= end and tokens[cue[0]].sentence - sentence <= 1 for cue in self.spans("NOW_IT")
        )

    def _hypothetical(self, found: Found) -> bool:
        whole = self._whole(found)
        pseudo = {i for span in self.spans("PSEUDO_IF") for i in range(*span)}
        own = {i for span in found for i in range(*span)}
        if self._recent(found, "RECENT"):
            return False
        for cue in self.spans("HYPO"):
            inside = set(range(*cue))
            if inside & own or inside <= pseudo:
                continue
            if cue[1] <= whole[0] and self._same_thought(cue, whole):
                return True
        if any(cue[0] < whole[0] < cue[1] for cue in self.spans("FEARED")):
            return True  # "worried about losing control": the loss is the finding, and the fear
        for cue in self.spans("HYPO_AFTER"):
            if cue[0] >= whole[1] and self._same_thought(cue, whole):
                return True
        return False

    def _asked(self, found: Found) -> bool:
        whole = self._whole(found)
        tokens = self.concepts.message.tokens
        for cue in self._openers(tokens[whole[0]].sentence):
            if cue[1] > whole[0] or not self._same_thought(cue, whole):
                continue
            people = {i for span in self.spans("SELF", "OTHER") for i in range(*span)}
            extent = range(cue[1], whole[1])
            if any(self._same_thought(whole, span) for span in self.spans("IMPROVE")):
                return True  # "will my weak leg get better?"
            if not any(i in people or tokens[i].owner for i in extent if i < len(tokens)):
                return True
        return False

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

    def _quoted(self, found: Found) -> bool:
        """Return whether the finding was read or heard somewhere, or is an animal's."""
        whole = self._whole(found)
        tokens = self.concepts.message.tokens
        people = {i for span in self.spans("SELF", "OTHER") for i in range(*span)}
        if self._tale(whole, people):
            return True
        for pet in self.spans("PET"):
            if pet[1] <= whole[0] and tokens[pet[0]].sentence == tokens[whole[0]].sentence and not self._aside(pet):
                between = range(pet[1], whole[0])
                did = {i for span in self.spans("PET_DID") for i in range(*span)}
                # "My dog can't walk, his legs ..." is the dog's; "the dog pulled her over, her legs ..." is not, and
                # neither is "tripped over the dog, onto my fusion".
                if pet[0] - 1 not in did and not any(
                    i in people or i in did or tokens[i].owner == "self" for i in between
                ):
                    return True
        for cue in self.spans("LEARNING"):
            # "I read that my leg ...", "I'm numb where the leaflet says": told of oneself, wherever the leaflet is named.
            sentence = tokens[whole[0]].sentence
            start = next(i for i, token in enumerate(tokens) if token.sentence == sentence)
            told = cue[0] >= whole[1] and not any(self._openers(sentence))
            own_case = any((start if told else cue[1]) <= i < whole[0] for i in people)
            if not own_case and self._same_thought(cue, whole) and not self._recent(found, "RECENT"):
                return True
        return False

    def _aside(self, pet: Span) -> bool:
        """Return whether an animal is only mentioned by a person who does something ("I bent to pick up the cat's dish")."""
        tokens = self.concepts.message.tokens
        clause = [i for i in range(pet[0]) if tokens[i].clause == tokens[pet[0]].clause]
        selves = {i for span in self.spans("SELF") for i in range(*span)}
        return any(i in selves for i in clause) and not any(tokens[i].word in _OWNS for i in clause)

    def _tale(self, whole: Span, people: set[int]) -> bool:
        """Return whether this happened to somebody unnamed on a screen or in a book ("a programme about a man who ...")."""
        tokens = self.concepts.message.tokens
        for cue in self.spans("MEDIA"):
            if cue[1] > whole[0] or tokens[cue[0]].sentence != tokens[whole[0]].sentence:
                continue
            between = range(cue[1], whole[0])
            unnamed = {i for span in self.spans("SOMEBODY") for i in range(*span)}
            # "Watching a film and my husband collapsed": he is named, and did it here.
            named = any((i in people and i not in unnamed) or tokens[i].owner for i in between)
            if not named and any(tokens[i].word in _TELLS_OF for i in range(cue[0], whole[0])):
                return True
        return False


def _longer(span: Span, other: Span) -> bool:
    return span[0] <= other[0] and other[1] < span[1]
