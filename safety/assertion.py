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
- Questions: "what are the signs of ..." excuses a finding only when nobody in particular has it ("my", "I have"), and
  "is it normal ...?" none that is said to have begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from safety.matcher import BUT, NEAR, Found, Span
from safety.negation import Denials
from safety.rules import Status
from safety.surroundings import JOINS, longer

_LEADS_IN = frozenset({"well", "so", "and", "now", "yes", "guess", "what", "sadly"})
_IT_IS_SO = frozenset(
    {("i", "have"), ("i", "am"), ("i", "do"), ("it", "has"), ("it", "is"), ("he", "has"), ("she", "has")}
)
_IT_HAS_BEEN = frozenset(
    {"it", "this", "that", "they", "has", "have", "been", "is", "was", "like", "so", "way", "same", "all"}
)
_SUBORDINATES = frozenset("when after since because as while before from that which where and until if than".split())
_ENTRY = frozenset({"week", "weeks", "month", "months"})
"""What a diary counts by; what was so a day ago may be so still."""
_OWNS = frozenset({"have", "has", "had", "got", "own"})
_TELLS_OF = frozenset({"about", "where", "who", "whose", "which", "of", "on"})


class Reader(Denials):
    """Answers questions about the surroundings of a finding in one message."""

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
            if (
                self._hypothetical(found)
                and not self._beside("MAY_IT_WAIT", found)
                and not self._asks_for_another(found)
            ):
                yield "normal" if self._asks_what_to_do(found) else "hypothetical"
            if self._asked(found):
                yield "normal" if self._asks_if_normal(found) else "question"
        past = self._past(found, parts)
        if past:
            yield past

    # Not now, not real

    def _since_long(self, cue: Span, whole: Span) -> bool:
        """Return whether ``cue`` ("for years") is said of ``whole``, and not of what an "and" before it told.

        Who writes without a full stop has waited for ages and now cannot feel their legs.
        """
        apart = self._over_before(cue, whole) or self._somebody_after(JOINS, cue[1], whole[0])
        return self._same_thought(cue, whole) and not apart and not self._new_statement(whole, cue)

    def _new_statement(self, whole: Span, cue: Span) -> bool:
        """Return whether ``cue`` tells of something else after ``whole``: "I can't feel my legs (I had a stroke in 2012)"."""
        tokens = self.concepts.message.tokens
        starts = {span[0] for span in self.spans("SELF")}
        had = {span[0] for span in self.spans("HAD")}
        return any(
            i in starts
            and tokens[i - 1].word not in _SUBORDINATES
            and any(j in had for j in range(i + 1, min(i + 4, cue[0])))
            for i in range(whole[1], cue[0])
        )

    def _past(self, found: Found, parts: Iterable[Found] = ()) -> Status | None:
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
            if self._their_past(whole) and not self._theirs_now(found, parts):
                return "family"
            if self._compared(whole):
                return "normal"
            if self._since_then(whole):
                return "stable"
            if self._earlier_entry(whole):
                return "historical"
        if any(
            a.word in ("he", "she", "they") and b.word == "died" and a.sentence == sentence
            for a, b in zip(tokens[whole[1] :], tokens[whole[1] + 1 :])
        ):
            return "family"
        if not now and not self._recent(found, "ONSET"):
            for cue in self.spans("STABLE"):
                if self._since_long(cue, whole):
                    return "stable"
        if not now and any(self._points_back(whole, cue) for cue in self.spans("STABLE", "HISTORY")):
            return "stable"
        told = not now and self._told_as_past(whole) and not self._recent(found, "PRESENT", "STILL")
        for cue in self.spans("RESOLVED", *(("AFTERMATH",) if told else ())):
            gap = tokens[cue[0]].sentence - sentence
            over = cue[0] >= whole[1] and 0 <= gap <= (2 if told else 1) and not self._has_own_subject(whole, cue)
            if over and gap == 0 and not told and not self._same_thought(cue, whole):
                continue  # "my foot won't lift, the scan was clear": something else is fine
            # "It cleared up. It came back on Sunday": but a foot that "came back" is well.
            again = (0 <= back[0] - cue[1] <= NEAR or longer(back, cue) for back in self.spans("RECURRED"))
            if over and not any(again):
                return "resolved"
        # "I had a fusion last year. Been to the loo four times and can't ...": one part of it is told as it is now.
        still = any(self._recent(part, "PRESENT", "ONSET", "STILL") for part in (found, *parts))
        if not now and not still and self._told_as_past(whole, lasting=True):
            for cue in self.spans("HISTORY"):
                told = cue[1] <= whole[0] and sentence - tokens[cue[0]].sentence <= 2
                if told and not self._is_anothers_past(cue, whole):
                    return "resolved"  # told after it, not of it: of an emergency, worth one question
        return None

    def _told_as_past(self, whole: Span, *, lasting: bool = False) -> bool:
        """Return whether a verb of ``whole`` is in the past: not the "had" of "had surgery 3 years ago and my foot won't lift".

        With ``lasting``, "lost" is no such verb: what was lost may be lost still, whatever was told before it. Nor is "if I
        didn't have the kids" told of the past.
        """
        tokens = self.concepts.message.tokens
        closed = max((cue[1] for cue in self.spans("HISTORY") if self._closed_by_and(cue, whole)), default=0)
        return any(
            cue[0] >= closed
            and self._same_thought(cue, whole)
            and not ((closed or lasting) and self._lasts(cue))
            and all(token.word != "if" for token in tokens[max(0, cue[0] - 3) : cue[0]])
            for cue in self.spans("PAST")
        )

    def _is_anothers_past(self, cue: Span, whole: Span) -> bool:
        """Return whether ``cue`` was said of somebody else ("my dad had it in 2009 but I've got ...")."""
        tokens = self.concepts.message.tokens
        first = next(i for i, token in enumerate(tokens) if token.sentence == tokens[cue[0]].sentence)
        others = any(first <= span[0] < cue[0] and tokens[span[0]].owner != "other" for span in self.spans("OTHER"))
        return others and any(cue[1] <= span[0] <= whole[1] for span in self.spans("SELF"))

    def _since_then(self, whole: Span) -> bool:
        """Return whether this goes back to something told before it, years ago ("a stroke in 2018 and ... since then")."""
        tokens = self.concepts.message.tokens
        sentence = tokens[whole[0]].sentence
        return any(
            tokens[then[0]].sentence == sentence
            and any(cue[0] < whole[0] and sentence - tokens[cue[0]].sentence <= 1 for cue in self.spans("HISTORY"))
            for then in self.spans("SINCE_THEN")
        )

    def _earlier_entry(self, whole: Span) -> bool:
        """Return whether this stands in a diary before a later entry ("Week 1: I fainted. Week 6: back at work")."""
        tokens = self.concepts.message.tokens
        entries = [
            (i, a.word, b.value)
            for i, (a, b) in enumerate(pairwise(tokens))
            if a.word in _ENTRY and b.value is not None and (i == 0 or a.clause != tokens[i - 1].clause)
        ]
        own = [entry for entry in entries if entry[0] < whole[0]][-1:]
        return any(
            at >= whole[1] and unit == own[0][1] and value > (own[0][2] or 0)
            for at, unit, value in entries
            if own and value is not None
        )

    def _points_back(self, whole: Span, cue: Span) -> bool:
        """Return whether ``cue`` is all that is said next: "Same for years.", "... but it's been that way for years"."""
        tokens = self.concepts.message.tokens
        sentence = tokens[cue[0]].sentence
        between = [token.word for token in tokens[whole[1] : cue[0]]]
        if sentence == tokens[whole[0]].sentence and BUT & set(between):
            rest = between[max(i for i, word in enumerate(between) if word in BUT) + 1 :]
            return rest[:1] == ["it"] and len(rest) <= 3
        apart = sentence - tokens[whole[1] - 1].sentence
        if apart not in (1, 2):
            return False
        place = next(i for i, token in enumerate(tokens) if token.sentence == sentence)
        named = any(tokens[i].sentence == sentence for span in self.spans("BODY") for i in range(*span))
        before = [token.word for token in tokens[place : cue[0]]]
        if cue in self.concepts.spans.get("HISTORY", ()):  # "It's been so since my youngest was born in 2009."
            told = before[: before.index("since")] if "since" in before else before if self._told_as_past(whole) else []
            return bool(told) and set(told) <= _IT_HAS_BEEN
        return (set(before) <= _IT_HAS_BEEN or (apart == 1 and cue[0] - place <= 1)) and not named

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

    def _theirs_now(self, found: Found, parts: Iterable[Found]) -> bool:
        """Return whether what was found with it is the same person's, and now: "he had cancer and now his spine hurts"."""
        tokens = self.concepts.message.tokens
        others = [i for part in parts if part != found for span in part for i in range(*span)]
        return any(tokens[i].owner == "other" for i in others) and any(
            tokens[cue[0]].sentence == tokens[i].sentence for i in others for cue in self.spans("RECENT", "ONSET")
        )

    def _compared(self, whole: Span) -> bool:
        """Return whether a relative's trouble is told to ask whether it is usual ("my sister couldn't pee ... is that usual?")."""
        tokens = self.concepts.message.tokens
        sentence = tokens[whole[0]].sentence
        theirs = any(other[1] <= whole[0] and self._same_thought(other, whole) for other in self.spans("OTHER"))
        asked = [cue[0] for cue in self.spans("COMMON_QUESTION") if 0 <= tokens[cue[0]].sentence - sentence <= 1]
        if any(0 < tokens[cue[0]].sentence - sentence <= 1 for cue in self.spans("AGAIN_Q")):
            theirs, asked = True, asked or [len(tokens)]  # one's own, told to ask whether it will happen again
        if not (theirs and asked and self._told_as_past(whole)) or self._recent((whole,), "RECENT", "ONSET", "STILL"):
            return False
        return not any(tokens[cue[0]].sentence == sentence and cue[0] < asked[0] for cue in self.spans("PRESENT"))

    def _has_own_subject(self, whole: Span, cue: Span) -> bool:
        """Return whether "fine now" is said of something or somebody else ("my back is fine now", "my friend got better")."""
        tokens = self.concepts.message.tokens
        sentences = {tokens[whole[0]].sentence, tokens[whole[1] - 1].sentence}
        others = {i for span in self.spans("OTHER") for i in range(*span)}
        named = {i for span in self.spans("BODY") for i in range(*span) if not self._is_ago(i)}
        if not any(tokens[i].sentence in sentences for i in others):
            named |= others
        return any(i in named and tokens[i].sentence == tokens[cue[0]].sentence for i in range(whole[1], cue[0]))

    def _is_ago(self, place: int) -> bool:
        """Return whether the "back" at ``place`` is one of time: "back in 2012", "back then"."""
        tokens = self.concepts.message.tokens
        after = tokens[place + 1].word if place + 1 < len(tokens) else ""
        return tokens[place].word == "back" and after in ("in", "then") and tokens[place].owner == ""

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
            if cue[1] <= whole[0] and self._same_thought(cue, whole) and not self._closed_by_and(cue, whole):
                return True
        if any(cue[0] < whole[0] < cue[1] for cue in self.spans("FEARED")):
            return True  # "worried about losing control": the loss is the finding, and the fear
        for cue in self.spans("HYPO_AFTER"):
            if cue[0] >= whole[1] and self._same_thought(cue, whole):
                return True
        return False

    def _beside(self, concept: str, found: Found) -> bool:
        """Return whether ``concept`` is said before ``found`` in the same thought."""
        whole = self._whole(found)
        return any(cue[0] < whole[0] and self._same_thought(cue, whole) for cue in self.spans(concept))

    def _asks_what_to_do(self, found: Found) -> bool:
        """Return whether "what should I do if I can't pee?" is asked, which may be so now: but not "... after my surgery"."""
        return self._beside("WHAT_TO_DO", found) and "AFTERWARDS" not in self.concepts

    def _asks_for_another(self, found: Found) -> bool:
        """Return whether "what do I do if he can't breathe?" is asked of somebody who is looked after: it may be so now."""
        someone = self.person((found,)) == "other" and not self._beside("MIGHT_COME", found)
        return someone and self._asks_what_to_do(found)

    def _asked(self, found: Found) -> bool:
        whole = self._whole(found)
        tokens = self.concepts.message.tokens
        for cue in self._openers(tokens[whole[0]].sentence):
            if cue[1] > whole[0] or not self._same_thought(cue, whole):
                continue
            if tokens[cue[0]].word == "why" and self._recent(found, "RECENT", "ONSET"):
                continue  # "why would sex suddenly feel like nothing?" tells that it does
            people = {i for span in self.spans("SELF", "OTHER") for i in range(*span)}
            extent = range(cue[1], whole[1])
            if any(self._same_thought(whole, span) for span in self.spans("IMPROVE")):
                return True  # "will my weak leg get better?"
            if not any(i in people or tokens[i].owner for i in extent if i < len(tokens)):
                return not self._has_it(found)
        return False

    def _has_it(self, found: Found) -> bool:
        """Return whether "is it normal ...?" is asked of what one has: it says since when ("a droopy foot since Monday")."""
        return self._asks_if_normal(found) and self._recent(found, "RECENT", "ONSET", "STILL")

    def _asks_if_normal(self, found: Found) -> bool:
        return any(self._same_thought(span, self._whole(found)) for span in self.spans("NORMAL_Q"))

    def _quoted(self, found: Found) -> bool:
        """Return whether the finding was read or heard somewhere, or is an animal's."""
        whole = self._whole(found)
        tokens = self.concepts.message.tokens
        people = {i for span in self.spans("SELF", "OTHER") for i in range(*span)}
        if self._tale(whole, people) or self._beside("DREAMT", found):
            return True
        for pet in self.spans("PET"):
            if pet[1] <= whole[0] and tokens[pet[0]].sentence == tokens[whole[0]].sentence and not self._aside(pet):
                between = range(pet[1], whole[0])
                did = {i for span in self.spans("PET_DID") for i in range(*span)}
                # "My dog can't walk, his legs ..." is the dog's; "the dog pulled her over, her legs ..." is not, and
                # neither is "tripped over the dog, onto my fusion".
                done_to = any(span[1] == pet[0] for span in self.spans("PET_DONE_TO"))  # "bent to lift the cat and ..."
                if (
                    pet[0] - 1 not in did
                    and not done_to
                    and not any(i in people or i in did or tokens[i].owner == "self" for i in between)
                ):
                    return True
        for cue in self.spans("LEARNING"):
            # "I read that my leg ...", "I'm numb where the leaflet says": told of oneself, wherever the leaflet is named.
            sentence = tokens[whole[0]].sentence
            start = next(i for i, token in enumerate(tokens) if token.sentence == sentence)
            told = cue[0] >= whole[1] and not any(self._openers(sentence))
            own_case = any((start if told else cue[1]) <= i < whole[0] for i in people)
            own_case = own_case or self._closed_by_and(cue, whole) or self._turned_from(cue, whole)
            if not own_case and self._same_thought(cue, whole) and not self._recent(found, "RECENT"):
                return True
        return False

    def _turned_from(self, cue: Span, whole: Span) -> bool:
        """Return whether what was read ends with "this": "I read about this and my foot ..." goes on with oneself."""
        words = [token.word for token in self.concepts.message.tokens[cue[1] : cue[1] + 2]]
        return cue[1] + 1 < whole[0] and words[:1] in (["this"], ["that"], ["it"]) and words[1] in JOINS

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
