"""Is a finding denied? The half of ConText that began as NegEx; what was taken and changed: :mod:`safety.assertion`."""

from __future__ import annotations

from safety.matcher import BUT, Found, Span
from safety.surroundings import Surroundings, longer

_STOP = BUT | {"now", "until", "because", "only", "still", "then", "suddenly", "instead", "since", "apart"}
_LOSS = frozenset(
    "loss lost losing lack change changes changed problem problems trouble difficulty difficulties issue issues reduced "
    "reduction altered abnormal numb weak weakness concern concerns".split()
)
_NO = frozenset({"no", "never", "none", "nope", "not", "n"})
_LIST = frozenset({"or", "nor", "and", "neither"})
_ANSWER_MARKS = frozenset({":", "?", "=", "-", "\u2013", "\u2014", ":-"})


class Denials(Surroundings):
    """Surroundings that know what is denied in them."""

    def _negated(self, found: Found, own: set[int]) -> bool:
        pseudo = {i for span in self.spans("PSEUDO") for i in range(*span)}
        tokens = self.concepts.message.tokens
        if tokens[found[0][0]].word in ("no", "not", "never", "without", "nil") and any(
            tokens[i].word in _LOSS for i in range(found[0][1], found[-1][0])
        ):
            return True  # "no loss of bladder control" is no "no bladder control"
        beyond = {cue for cue in self.spans("NEG_STRONG") for can in self.spans("CANNOT") if longer(can, cue)}
        for cue in self.spans("NEG_STRONG"):
            if cue in beyond:
                continue  # "I don't think I can ..." is a "cannot"
            start = found[0][0]
            if cue[1] > start or tokens[cue[0]].sentence != tokens[start].sentence:
                continue  # "I don't have a fever. Red line spreading from the scar": another sentence denies nothing
            if not self._another_statement(cue, found) and self._open(cue[1], start, set(), 8):
                return True
        for cue in self.spans("NEG"):
            if own & set(range(*cue)) or set(range(*cue)) <= pseudo:
                continue
            if any(self._reaches(cue, found[place:]) for place in range(len(found))):
                return True
        last = found[-1][1]
        if any(True for _ in self._openers(tokens[last - 1].sentence)):
            return False  # "is chest pain normal?" denies nothing
        if self._answered(last, last) and tokens[last].word in _NO and self._ends_with(last):
            return True  # "fever: no"
        for cue in self.spans("NEG_AFTER"):
            if any(token.word == "and" for token in tokens[last : cue[0]]):
                continue
            if (
                0 <= cue[0] - last <= 2
                and (tokens[cue[0]].clause == tokens[last - 1].clause or self._answered(last, cue[0]))
                and not own & set(range(*cue))
            ):
                return True
        return False

    def _answered(self, last: int, cue: int) -> bool:
        """Return whether only the mark of a form stands before ``cue``: "bladder and bowel: normal", "chest pain? no"."""
        message = self.concepts.message
        if cue >= len(message.tokens):
            return False
        return message.text[message.tokens[last - 1].end : message.tokens[cue].start].strip() in _ANSWER_MARKS

    def _ends_with(self, place: int) -> bool:
        """Return whether the clause of the word at ``place`` ends with it: "bladder: no" ends, "bladder: no control" does not."""
        tokens = self.concepts.message.tokens
        return (
            place + 1 == len(tokens)
            or tokens[place + 1].clause != tokens[place].clause
            or (tokens[place + 1].sentence != tokens[place].sentence)
        )

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
