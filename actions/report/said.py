"""What each sentence of a letter says of every operation it names: advised, refused, an option, reported, done. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from actions.glossary import ordinary_words
from actions.report.letter import Sentence
from actions.report.rules import report_rules
from actions.spine_terms import Found, Procedure, find_procedures

NOT_OPERATIONS = frozenset({"epidural", "nerve_root_block", "joint_injection", "ablation"})
"""Treatments with a needle, which ``find_procedures`` knows, too."""
OF_NO_ADVICE = ("header", "past", "tried", "risks", "benefit", "aftercare", "criteria")
"""Sections in which nothing is advised."""


class Kind(Enum):
    """What a sentence says of an operation it names."""

    ADVISED = auto()
    REFUSED = auto()
    AVOIDED = auto()
    LATER = auto()
    REPORTED = auto()
    REPORTED_REFUSED = auto()
    DONE = auto()
    NAMED = auto()
    ASKED = auto()
    """The letter asks whether it is needed; what follows may answer."""


@dataclass(frozen=True)
class Said:
    kind: Kind
    operation: Procedure | None
    sentence: Sentence
    quoted: Sentence | None = None
    """The sentence that says so, when it is another than the one that names the operation."""
    plainly: bool = False
    """Told only by what it is for."""
    at: tuple[int, int] | None = None
    """Where the sentence names the operation, or plain "surgery"; None where it names neither."""
    by_place: bool = False
    """Advised only by standing in the plan or the opinion: no word of the sentence says so."""


def judge(sentence: Sentence) -> Iterable[Said]:
    """Every operation, or plain "surgery", of one sentence with what is said of it."""
    rules = report_rules()
    words, plain = rules.recommendation, heard(sentence)
    if sentence.section in OF_NO_ADVICE and not (
        sentence.section == "aftercare" and rules.compiled(words.to_come).search(plain)
    ):
        return
    bare = sentence.section != "recommendation" or not _PLANNED.match(plain)
    if plain.endswith("?") and sentence.section != "request" and (len(plain) > 60 or _QUESTION.match(plain) or bare):
        yield from _asked(sentence)
        return
    if rules.compiled(words.asked_if).search(plain) and not rules.compiled(words.own).search(plain):
        asked = list(_asked(sentence))
        yield from asked
        if asked:
            return
    if rules.compiled(words.slogan).search(plain):  # "No hospital stay, no fusion!"
        return
    named = list(operations_in(sentence))
    box = _BOX.match(plain)
    if box:  # "[x] decompression", "[ ] decompression with fusion": one way of a form is ticked
        kind = Kind.ADVISED if box["tick"].strip() else Kind.NAMED
        yield from (Said(kind, item.procedure, sentence, at=(item.start, item.end)) for item in named)
        return
    generic = rules.compiled(words.generic).search(plain)
    plain_surgery = generic.span() if generic else None
    if not named and rules.compiled(words.refused).search(plain):
        yield Said(Kind.REFUSED, None, sentence, at=plain_surgery)
        return
    left_open = [_left_open(plain, item, named[place - 1].end if place else 0) for place, item in enumerate(named)]
    kinds: list[Kind] = []
    for place, item in enumerate(named):
        until = named[place + 1].start if place + 1 < len(named) else len(plain)
        turn = _TURN.search(plain, item.end, until)
        ends = [begins for begins in left_open[place + 1 :] if begins is not None][:1] + (
            [turn.start()] if turn else []
        )
        joined = place + 1 < len(named) and _in_one_breath(plain[item.end : named[place + 1].start])
        kind = _kind(sentence, item.start, item.end, min(ends, default=None), None if joined else until)
        even = len(named) > 1 and rules.compiled(words.even).search(plain)
        if (even or left_open[place] is not None) and kind in (
            Kind.ADVISED,
            Kind.AVOIDED,
            *_IF_SEVERAL[: len(named) - 1],
        ):
            kind = Kind.LATER
        weighed = len(named) > 1 and rules.compiled(words.weighed).search(plain[: named[0].start])
        turned = place and _HOWEVER.search(plain, named[0].end, item.start)  # "We weighed a fusion but chose a ..."
        if weighed and not turned and kind is Kind.ADVISED and not rules.compiled(words.cue).search(plain[item.end :]):
            kind = Kind.LATER  # "We reviewed ACDF, disc arthroplasty and foraminotomy."
        between = plain[named[place - 1].end : item.start] if place else ""
        if place and _in_one_breath(between):
            kind = _CARRIED.get((kinds[-1], kind), kind)
        kinds.append(kind)
    for place in range(1, len(named)):
        if _is_choice(plain, named[place - 1], named[place]):  # "an ACDF or a disc replacement"
            kinds[place - 1 : place + 1] = [
                Kind.LATER if kind is Kind.ADVISED else kind for kind in kinds[place - 1 : place + 1]
            ]
    for item, kind in zip(named, kinds, strict=True):
        by_place = kind is Kind.ADVISED and not _is_cued(sentence, item.start)
        yield Said(kind, item.procedure, sentence, plainly=item.plainly, at=(item.start, item.end), by_place=by_place)
    if not named and plain_surgery:
        kind = _kind(sentence, *plain_surgery)
        if kind is Kind.ADVISED and rules.compiled(words.perhaps_before).search(plain[: plain_surgery[0]]):
            kind = Kind.LATER  # "see the surgeon for possible surgery"
        by_place = kind is Kind.ADVISED and not _is_cued(sentence, plain_surgery[0])
        yield Said(kind, None, sentence, at=plain_surgery, by_place=by_place)


def _is_cued(sentence: Sentence, start: int) -> bool:
    """Whether words of the sentence advise what it names at ``start``, wherever in the letter it stands."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    plain = heard(sentence)
    unsaid = compiled(words.some_need).sub("", plain)  # "one in six will need ..." tells nothing of the rest
    return bool(compiled(words.cue).search(unsaid) or compiled(words.own_plan).search(_clause_before(plain, start)))


def _asked(question: Sentence) -> Iterable[Said]:
    """The operations, or plain "surgery", of a question: asked about where it asks the need of them, else but named."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    named = list(operations_in(question))
    short = len(question.plain) <= 60 and not _QUESTION.match(question.plain)  # "Add a fusion?"
    if not short and not compiled(words.asks_need).search(question.plain):
        yield from (Said(Kind.NAMED, item.procedure, question, at=(item.start, item.end)) for item in named)
        return
    yield from (Said(Kind.ASKED, item.procedure, question, at=(item.start, item.end)) for item in named)
    if not named and compiled(words.generic).search(question.plain):
        yield Said(Kind.ASKED, None, question)


_BOX = re.compile(r"[\W\d]{0,4}(?:\[(?P<tick> ?[xv✓✔]? ?)\]|☐(?P<empty>))")
_HOWEVER = re.compile(r"\b(?:but|then|finally|eventually|in the end)\b")
_RULED = re.compile(r"^[^.;,]{0,40}\b(?:approved|authori[sz]ed|certified|allowed|denied|granted|covered)\b")
_OVERTURNED = re.compile(r"^[^.;]{0,30}\b(?:overturned|reversed|set aside|lifted|withdrawn|revoked)\b")
"""A refusal that is taken back: "the denial of the fusion is overturned"."""
_WITHOUT = re.compile(r"\bwithout\s+(?:[\w/-]+\s+){0,3}$")
_FUSED = re.compile(r"fused\b")
_EVEN_IF = re.compile(r"\beven if\b")
_IS_TOO = re.compile(r"^[^.;,]{0,25}\b(?:is|are|does|would)\W*$")
_IS = re.compile(r"\b(?:is|are|was|were|not|partly|solidly|already)\s+$")
_NEVER = re.compile(
    r"(?:\b(?:no|not|never|without|nil|denies(?: any)?|n't)\b\W*(?:had |any |have |been )*)$|(?:no|not|never|without|nil)\b"
)
"""Before words of the past: there was none."""
_TURNED_DOWN = re.compile(r"\bturn\w* (?:\w+ ){1,3}down\b|\b(?:turned down|rejected|passed over|not accepted)\b")
_AN_OPTION = re.compile(
    r"[^.;,]{0,15}\b(?:is|are|would be) (?:an?|one|another) (?:\w+ )?(?:alternatives?|options?|possibilit\w+)\b,? (?:but|though|however|yet)\b"
)
_NEXT_PART = re.compile(r",? and,? (?:then )?(?:(?:the|an?) [^,;.]{3,40} )?(?:if|once|only if|provided)\b")


def _own_part(after: str) -> int:
    """How far what follows an operation is about it: "a trial lead first, and the full implant if it helps"."""
    turn = _NEXT_PART.search(after)
    return turn.start() if turn else len(after)


_NUMBER = re.compile(r"\bno\.(?= ?\d)")
_PLANNED = re.compile(r"(?:\W*\d{1,2}[.)]\W*)?(?:plan|for|consider|list)?\b|\W*\?")
_QUESTION = re.compile(r"(?:what|why|how|when|which|who|will|would|can|could|should|is|are|do|does)\b")


_CARRIED = {
    (Kind.ADVISED, Kind.NAMED): Kind.ADVISED,
    (Kind.DONE, Kind.NAMED): Kind.DONE,
    (Kind.DONE, Kind.ADVISED): Kind.DONE,
}
"""What is said of an operation holds for one named in the same breath: "underwent a laminectomy and foraminotomy"."""


_IF_SEVERAL = (Kind.NAMED,)


def _in_one_breath(between: str) -> bool:
    """Whether ``between`` joins two operations into one thing said, and says nothing new of the second."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    return bool(compiled(words.in_one_breath).search(between)) and not (
        compiled(words.cue).search(between) or compiled(words.own).search(between)
    )


def _is_choice(plain: str, one: Found, other: Found) -> bool:
    """Whether two operations of one sentence are ways to choose from, and not two names of one."""
    family = {one.procedure.id, one.procedure.kind_of} & {other.procedure.id, other.procedure.kind_of} - {None}
    between = plain[one.end : other.start]
    return not family and bool(report_rules().compiled(report_rules().recommendation.or_else).search(between))


_TURN = re.compile(
    r"(?:,|;)? \b(?:and|or|while|whereas|but)\b (?=(?:an?|the|any|not|no)\b (?:[\w/-]+ ){0,3}$"
    r"|(?:(?:i|we|then|later|perhaps) )*(?:would|will|could|can|may|might|shall|keep|leave|hold|reserve|save|consider)\b"
    r"(?: [\w/'-]+){0,5} $)"
)
"""Where a sentence with several operations turns to the next: "do a decompression and keep a fusion in reserve"."""


def _kind(sentence: Sentence, start: int, end: int, until: int | None = None, following: int | None = None) -> Kind:
    """What the sentence, up to ``until``, says of the operation named from ``start`` to ``end``.

    From ``following`` on, its words of a choice ("... is what I would recommend") are about another operation.
    """
    rules = report_rules()
    words, plain = rules.recommendation, heard(sentence)[:until]
    before, after = _clause_before(plain, start), plain[end:]

    def says(pattern: str, where: str) -> bool:
        return bool(rules.compiled(pattern).search(where))

    if _FUSED.match(plain[start:end]) and _IS.search(plain[:start]):  # "the joints are not fused" tells of a scan
        return Kind.NAMED
    of_course = sentence.section == "course" and not says(words.cue, before)
    if sentence.section in ("done", "account") or of_course or _is_past(before) or says(words.past_after, after):
        return Kind.DONE
    if says(words.done_by_care, before):
        return Kind.NAMED
    if _once_advised(before) and not says(words.refused_alone, after):
        return Kind.NAMED
    if sentence.section == "request" and not _RULED.search(after):
        return Kind.LATER if says(words.wants_advice, plain[:start]) else Kind.REPORTED
    own = says(words.own, plain[:start]) or says(words.own_after, plain[end:following])
    others = not own and sentence.section != "recommendation"
    turned = len(before) < start and says(words.differs, plain[: start - len(before)])  # "I differ from him: a ..."
    told_by_others = others and not turned and says(words.said_by_others, plain)
    reported = told_by_others or says(words.theirs, plain) or (others and not turned and says(words.reported, plain))
    if says(words.added_to, before):
        return Kind.ADVISED
    if not own and says(words.overruled, after):
        return Kind.ADVISED
    if says(words.called_off, plain) and says(words.rebooked, plain) and not says(words.conditional, plain):
        return Kind.ADVISED
    if says(words.postponed, after) or says(words.postponed_label, plain[:start]):
        return Kind.LATER
    refused = says(words.refused_before, before) or says(words.nothing_for, before) or says(words.refused_after, after)
    if refused and says(words.no_hurry, plain):
        return Kind.NAMED
    if says(words.refused_before, before) and _OVERTURNED.search(after):
        return Kind.ADVISED
    if refused:
        if says(words.conditional, plain[:start]) and not _EVEN_IF.search(plain[:start]):
            return Kind.LATER  # "if stable, no fusion"
        by_others = reported or (not own and _TURNED_DOWN.search(before))
        return Kind.REPORTED_REFUSED if by_others else Kind.REFUSED
    if _IS_TOO.search(after) and says(r"\b{nt}\b", plain[:start]):  # "a fusion is not needed but a decompression is"
        return Kind.ADVISED
    if says(words.refused_alone, after):  # "told that he needs a fusion, I see no reason for that"
        return Kind.REFUSED
    reported = reported or (others and says(words.proposed, plain)) or says(words.asked, before)
    if says(words.wants_advice, plain[:start]):
        return Kind.LATER
    if not others and says(words.put_off_before, before):
        return Kind.REFUSED
    if others and says(words.some_need, plain[:start]):  # "one in six will need a fusion later"
        return Kind.NAMED
    if says(words.expects, plain) or (others and says(words.evidence, plain)):
        return Kind.NAMED
    governed = says(words.told, plain[:start]) or not says(words.in_risks, plain[:start])
    if (
        not reported and governed and _is_decided(after)
    ):  # "discussed the risks of a laminectomy and he would like to proceed"
        return Kind.LATER if says(words.conditional, plain) else Kind.ADVISED
    if says(words.told, plain[:start]) or says(words.after_told, after) or says(words.in_risks, plain[:start]):
        return Kind.NAMED
    if _WITHOUT.search(before) and says(words.else_harm, after):  # "without a decompression she will lose the foot"
        return Kind.ADVISED
    if says(words.avoided_before, before):
        return Kind.AVOIDED
    told = sentence.section in ("recommendation", "opinion") and not says(
        r"{share}", plain
    )  # "half of them walk further" is no plan
    unsaid = rules.compiled(words.some_need).sub("", plain)
    cued = told or told_by_others or says(words.cue, unsaid) or says(words.own_plan, before)
    if reported and says(words.endorsed, after) and not says(words.asked, before):
        return Kind.LATER if says(words.conditional, plain) else Kind.ADVISED
    if reported:
        unsure = says(words.may_need, before)
        return Kind.LATER if unsure else Kind.REPORTED if cued else Kind.NAMED
    if says(words.best_of, after):
        return Kind.ADVISED
    if _AN_OPTION.match(after) or says(words.option, before) or "?" in before[-12:]:
        return Kind.LATER
    if says(words.conditional, plain[: end + _own_part(after)]):
        return Kind.LATER
    if cued and (care_comes_first(after) or says(words.care_chosen, after)):
        return Kind.LATER
    return Kind.ADVISED if cued else Kind.NAMED


def _is_decided(after: str) -> bool:
    """Whether the words after an operation tell that the patient or the writer has decided for it."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    decided = compiled(words.decided).search(after)
    return decided is not None and not compiled(r"\b(?:{nt}|no|not)\b").search(after[: decided.start()])


def heard(sentence: Sentence) -> str:
    """The sentence in lower case; every place stays.

    Two negatives that back a thing are read as "support", a condition that says no ("if that does not help") as "unless",
    care that brought nothing ("since therapy has not helped") as "ended": none of them refuses an operation.
    """
    words, compiled = report_rules().recommendation, report_rules().compiled
    backed = compiled(words.backing).sub(lambda match: "support".ljust(len(match.group())), sentence.plain)
    numbered = _NUMBER.sub("nr.", backed)  # "surgery no. 4" refuses nothing
    hoped = compiled(words.unless_better).sub(lambda match: "unless".ljust(len(match.group())), numbered)
    return compiled(words.no_help).sub(lambda match: "ended".ljust(len(match.group())), hoped)


def _left_open(plain: str, item: Found, earliest: int) -> int | None:
    """Where the words begin that leave an operation open ("+/- fusion", "fusion if unstable"), or None."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    before = compiled(words.perhaps_before).search(plain[: item.start])
    if before:
        return before.start()
    if compiled(words.perhaps_after).search(plain[item.end :]):
        return max(
            (plain.rfind(mark, earliest, item.start) for mark in (",", ";", " and ", " with ", " plus ")), default=0
        )
    return None


def care_comes_first(plain: str) -> bool:
    """Whether ``plain``, which follows an operation that was named, puts care before it."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    return bool(
        compiled(words.contrast).search(plain)
        and compiled(words.care_goes_first).search(plain)
        and not compiled(words.care_not_first).search(plain)
    )


def _once_advised(before: str) -> bool:
    """Whether the words before an operation tell of advice of another day, not of an operation."""
    return bool(report_rules().compiled(report_rules().recommendation.once_advised).search(before))


def _is_past(before: str) -> bool:
    """Whether the words before an operation tell of an earlier one, and not of one that is taken up again."""
    rules = report_rules()
    past = rules.compiled(rules.recommendation.past_before).search(before)
    if not past or _once_advised(before):
        return False
    if _NEVER.search(before[: past.start()]) or _NEVER.match(past.group()):
        return False
    return not rules.compiled(rules.recommendation.renewed).search(before)


def operations_in(sentence: Sentence) -> Iterable[Found]:
    """The operations a sentence names. A guess at a misspelling counts only for a word not otherwise known.

    What is said plainly ("to take the pressure off the nerve") counts where an operation or the writer does it.
    """
    surgical = report_rules().recommendation.surgical
    found = find_procedures(sentence.text)
    alone = all(item.plainly for item in found)
    for item in found:
        if item.procedure.id in NOT_OPERATIONS:
            continue
        if not item.exact and sentence.plain[item.start : item.end] in ordinary_words():
            continue
        if item.plainly and alone and not report_rules().compiled(surgical).search(sentence.plain):
            continue
        yield item


def needle_treatments_in(sentence: Sentence) -> Iterable[Found]:
    """The treatments with a needle that a sentence names."""
    return (item for item in find_procedures(sentence.text) if item.procedure.id in NOT_OPERATIONS)


def _clause_before(plain: str, start: int) -> str:
    """What stands before ``start`` in the same clause."""
    before = plain[:start]
    cuts = [
        before.rfind(mark) + len(mark)
        for mark in (";", ":", " but ", " however ", " so ", " therefore ", " hence ")
        if mark in before
    ]
    return before[max(cuts, default=0) :]
