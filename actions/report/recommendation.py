"""What a letter recommends: to operate or not, which operation, at which level, in its own words. Pure.

Every operation named is judged in its own sentence: advised, advised against, only an option, advised by somebody else,
or already done. What the writer advises beats what the writer reports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from actions.report.advice_signal import chances_of_advice
from actions.report.care import care_in, needles_in
from actions.report.letter import Letter, Sentence, is_operation_note, is_scan_report
from actions.report.levels import NamedLevel, beside, discs_in, elsewhere, next_to, without_inner
from actions.report.rules import report_rules
from actions.report.said import Kind, Said, judge, needle_treatments_in, operations_in
from actions.report.settled import says, settle
from actions.report.where import WITHOUT_LEVEL, levels_of
from actions.spine_terms import Procedure, broader_than

Stance = Literal["operate", "no_operation", "non_surgical", "conditional", "done", "none"]


@dataclass(frozen=True)
class Recommendation:
    """What is advised. With ``no_operation``, ``operations`` are those advised against; ``reported`` if by another.

    ``against`` are sentences that speak against what is advised, ``later`` one that names a possible later operation.
    """

    stance: Stance
    operations: tuple[Procedure, ...] = ()
    levels: tuple[NamedLevel, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    reported: bool = False
    against: tuple[Sentence, ...] = ()
    later: Sentence | None = None
    at: tuple[int, int] = (0, 0)
    """Where in the first of ``sentences`` an operation is named."""
    perhaps: tuple[Procedure, ...] = ()
    """Operations that the same sentences leave open ("decompression +/- fusion")."""
    doubtful: tuple[Procedure, ...] = ()
    """Operations that the rules take for advised, too, and the learned reader does not."""
    sure: bool = True
    """Whether the learned reader finds the advice that the rules found."""


NOTHING = Recommendation("none")
_THE_OPERATION = r"\b(?:the|this|that|his|her|your|my) (?:operation|surgery|procedure)\b"


def find_recommendation(letter: Letter) -> Recommendation:
    """Return what ``letter`` recommends; ``stance`` is "none" when it recommends nothing that could be read.

    The rules decide, and a reader that learned from letters is asked if it finds the same (see ``advice_signal``).
    """
    rules = report_rules().recommendation
    said, chosen_care = settle([list(judge(sentence)) for sentence in letter.sentences], letter)
    if is_operation_note(letter.text.lower()):
        said = _as_done(said)

    def of(*kinds: Kind) -> list[Said]:
        return [item for item in said if item.kind in kinds]

    refused = of(Kind.REFUSED)
    advised = [item for item in of(Kind.ADVISED) if not _only_told_of(item, refused)]
    even = next((items for items in map(_even, letter.sentences) if items), None)
    if even:
        return _result("conditional", even, letter)
    named = [item for item in advised if item.operation]
    ways = [item for item in of(Kind.ADVISED, Kind.LATER, Kind.REPORTED) if item.operation]
    if len(_kinds(ways)) > 1 and any(says(rules.divided, sentence) for sentence in letter.sentences):
        return _result("conditional", ways, letter)
    by_name = [item.sentence for item in named if not item.plainly]
    named = [item for item in named if not item.plainly or item.sentence in by_name] or named
    if not named and not refused and any(says(_THE_OPERATION, item.sentence) for item in advised):
        only = [item for item in of(Kind.NAMED, Kind.LATER) if item.operation and _is_a_way(item)]
        if len(_kinds(only)) == 1:  # "An ALIF and the gym were weighed. ... He has made up his mind for the operation."
            return replace(_result("operate", only, letter, shown=advised), sure=_is_sure(advised, letter))
    if named or (advised and not refused):
        named, doubtful = _firm(named, letter)
        family = _family(named)
        against = tuple(item.sentence for item in refused if _contradicts(item, named))
        plan = _result("operate", named or advised, letter, against=against)
        maybe = {item.operation.id: item.operation for item in of(Kind.LATER) if item.operation}
        beside_it = {item.operation.id for item in of(Kind.LATER) if item.operation and item.sentence in plan.sentences}
        perhaps = tuple(maybe[name] for name in maybe if name in beside_it - family)
        return replace(plan, perhaps=perhaps, doubtful=doubtful, sure=_is_sure(named or advised, letter))
    open_ways = [item for item in of(Kind.LATER, Kind.NAMED) if item.operation and _is_a_way(item)]
    if open_ways and any(says(rules.left_open, sentence) for sentence in letter.sentences):
        return _result("conditional", open_ways, letter)
    others = [item for item in of(Kind.REPORTED) if item.operation]
    if (
        not refused
        and len(_kinds(others)) > 1
        and any(says(rules.undecided, sentence) for sentence in letter.sentences)
    ):
        return _result("conditional", others, letter)
    care, later = (*chosen_care, *care_in(letter)), of(Kind.LATER)
    reported_no = [item for item in of(Kind.REPORTED_REFUSED) if item.operation]
    if care and reported_no and not (refused or later or of(Kind.REPORTED)):
        # "the doctor said no to it, and she is to wear the brace"
        return _result("no_operation", reported_no, letter, reported=True)
    if refused:
        named = [item for item in refused if item.operation]
        # "I would not advise the fusion. If this fails, a disc replacement could be considered."
        there = [item.sentence for item in named]  # "not entitled to a laminectomy with possible fusion" refuses both
        instead = [
            item
            for item in later
            if item.operation and item.sentence not in there and not _family([item]) & _family(named)
        ]
        mentioned = [item for item in of(Kind.NAMED) if item.operation and _is_proposed(item.sentence)]
        told = (
            named
            or of(Kind.REPORTED, Kind.ASKED)
            or needles_in(letter)
            or next(
                (some for some in (mentioned, _beside(refused, of(Kind.NAMED), letter)) if len(_kinds(some)) == 1), []
            )
        )
        items = instead or _narrowed([*refused, *told], said)
        advice = _result("no_operation", items, letter, shown=refused, later=later)
        return replace(advice, sure=_is_sure(refused, letter))
    if not care and any(
        says(rules.seeks, sentence) for sentence in letter.sentences
    ):  # a referral, or a patient who asks
        open_to_it = [item for item in of(Kind.LATER, Kind.REPORTED, Kind.ASKED) if item.operation]
        if open_to_it:
            return _result("conditional", open_to_it, letter)
    performed = [item for item in of(Kind.DONE) if item.sentence.section in PERFORMED]
    likely = [item for item in of(Kind.NAMED) if item.operation and _is_likely(item, letter)]
    if care and not (performed and not of(Kind.AVOIDED, Kind.LATER)):
        kinds = (Kind.LATER, Kind.REPORTED, Kind.AVOIDED)
        named_later = next(filter(None, ([i for i in of(kind) if i.operation] for kind in kinds)), needles_in(letter))
        quoted = [Said(Kind.ADVISED, None, sentence) for sentence in care]
        advice = _result("non_surgical", named_later, letter, shown=quoted, later=later)
        return replace(advice, sure=not likely or bool(later))
    theirs = [Said(Kind.REPORTED, None, sentence) for sentence in care_in(letter, of_others=True)]
    in_form = [item for item in of(Kind.NAMED) if item.operation and item.sentence.section == "other"]
    if in_form:  # "Op: L4/5 decompression" on a sheet that has no other plan
        return _result("operate", in_form, letter)
    for kind, stance in FALLBACKS:
        unnamed = kind is Kind.LATER and others and not any(item.operation for item in of(kind))
        if of(kind) and not unnamed:  # "if surgery can wait" says less than "he insisted on a fusion"
            reported = kind in (Kind.REPORTED, Kind.REPORTED_REFUSED)
            items = of(kind)
            if kind is Kind.LATER and theirs:  # "The doctor thinks he needs exercises first; if not, a laminectomy."
                return _result("non_surgical", items, letter, shown=theirs, reported=True, later=items)
            if kind is Kind.LATER and not any(item.operation for item in items):
                items = [*items, *of(Kind.ASKED)]  # a referral: "she asks if a laminectomy would be right"
            if kind is Kind.DONE:  # the list of what was done, rather than each step of it
                listed = next(filter(None, ([i for i in items if i.sentence.section == name] for name in LISTED)), None)
                items = listed or _narrowed(items, said)
            return replace(_result(stance, items, letter, reported=reported), sure=_is_sure(items, letter))
    given = [
        Said(Kind.DONE, item.procedure, sentence, at=(item.start, item.end))
        for sentence in letter.sentences
        if sentence.section == "done"
        for item in needle_treatments_in(sentence)
    ]
    if given:  # the note of an injection
        return _result("done", given, letter)
    shown = [item for item in of(Kind.NAMED) if item.operation and not says(rules.planned, item.sentence)]
    if is_scan_report(letter.text):
        return _result("done", shown, letter) if shown else NOTHING
    if likely:
        return replace(_result("operate", likely, letter), sure=False)
    return _result("non_surgical", needles_in(letter), letter, shown=theirs, reported=True) if theirs else NOTHING


PERFORMED = ("done", "course", "account")
LISTED = PERFORMED[:2]
"""Where a note tells what was done; the first two list it rather than tell each step."""


SURE = {Kind.ADVISED: 0.3, Kind.REFUSED: 0.2, Kind.AVOIDED: 0.2, Kind.DONE: 0.3}
"""From which chance on the learned reader backs what the rules took a sentence to say. Chosen, like the next, on sets that
were left out of its training: of 119 letters rightly taken to advise an operation 5 are doubted."""
LIKELY = 0.5
"""From here on an operation that is but named is told as perhaps advised, where the rules find no advice at all."""
UNLIKELY = ("history", "imaging", "examination", "diagnosis", "request", "account")


def _chance(item: Said, letter: Letter) -> float:
    """How likely the learned reader takes the sentence to say what the rules did; of what is but named, that it is advised."""
    if item.at is None or item.quoted:  # what other words say of it plainly, its own sentence need not
        return 1.0
    place = letter.sentences.index(item.sentence)
    chances = chances_of_advice(item.sentence, letter.sentences[place - 1] if place else None, *item.at)
    kind = {Kind.NAMED: Kind.ADVISED, Kind.AVOIDED: Kind.REFUSED}.get(item.kind, item.kind)
    return chances.get(kind.name, 1.0)


SHORT = 4
_A_WORD = re.compile(r"\b(?!(?:left|right|bilateral|lt|rt|an|the|at|of|on|and|level|levels)\b)[a-z][a-z']+")


def _is_short(item: Said) -> bool:
    """Whether the sentence tells hardly more than the operation and where: the rules have heard every word of it."""
    if item.at is None:
        return False
    around = item.sentence.plain[: item.at[0]] + " " + item.sentence.plain[item.at[1] :]
    return len(_A_WORD.findall(around)) <= SHORT


def _is_likely(item: Said, letter: Letter) -> bool:
    asked = item.sentence.plain.endswith("?")
    return item.sentence.section not in UNLIKELY and not asked and _chance(item, letter) >= LIKELY


def _is_sure(items: list[Said], letter: Letter) -> bool:
    return any(
        (item.kind is Kind.ADVISED and _is_short(item)) or _chance(item, letter) >= SURE.get(item.kind, 0.0)
        for item in items
    )


def _firm(named: list[Said], letter: Letter) -> tuple[list[Said], tuple[Procedure, ...]]:
    """``named`` without the operations that the learned reader doubts beside others, and those."""
    firm = {item.operation.id for item in named if item.operation and _chance(item, letter) >= SURE[Kind.ADVISED]}
    doubted = {item.operation.id: item.operation for item in named if item.operation and item.operation.id not in firm}
    if not firm:
        return named, ()
    return [item for item in named if item.operation and item.operation.id in firm], tuple(doubted.values())


def _is_a_way(item: Said) -> bool:
    """Whether an operation that is but named may be one to choose, and not a figure ("re-operation in about 5%")."""
    told = report_rules().compiled(report_rules().recommendation.after_told)
    return item.sentence.section != "other" and not (item.at and told.search(item.sentence.plain[item.at[1] :]))


def _only_told_of(item: Said, refused: list[Said]) -> bool:
    """Whether a sentence of the plan that advises nothing in words tells of what is advised against elsewhere.

    "I do not recommend the fusion. Fusion for this has poor results, and a second operation is often needed."
    """
    if not item.by_place or item.plainly or _is_short(item):
        return False
    theirs = [other for other in refused if other.operation and other.sentence != item.sentence]
    return bool(theirs) and (not item.operation or bool(_family([item]) & _family(theirs)))


def _contradicts(refused: Said, named: list[Said]) -> bool:
    """Whether one of ``named`` is what is advised against elsewhere, and not another operation that has its name."""
    rules, at = report_rules(), refused.at
    if not refused.operation or not at or says(rules.recommendation.listed, refused.sentence):
        return False
    ids = {item.operation.id for item in named if item.operation}
    ids |= {
        item.operation.kind_of
        for item in named
        if item.operation and item.operation.kind_of and item.operation.id not in WITHOUT_LEVEL
    }
    plain, words = refused.sentence.plain, rules.recommendation
    another = rules.compiled(words.another_before).search(plain[: at[0]])
    return refused.operation.id in ids and not (another or rules.compiled(words.another_after).match(plain[at[1] :]))


_OF_A_PLAN = ("recommendation", "aftercare", "other")


def _as_done(said: list[Said]) -> list[Said]:
    """What an operation note or discharge letter says: what it but names was done, and plain "surgery" is what was done.

    Where it lists what was done, what it says before its plan of why and how is no advice.
    """
    if any(item.kind is Kind.DONE and item.operation and item.sentence.section == "done" for item in said):
        said = [item for item in said if item.kind is Kind.DONE or item.sentence.section in _OF_A_PLAN]
    done = any(item.operation and item.kind in (Kind.DONE, Kind.NAMED) and not _is_earlier(item) for item in said)
    kept = [item for item in said if item.operation or not done or item.kind is not Kind.ADVISED]
    return [replace(item, kind=Kind.DONE) if item.operation and item.kind is Kind.NAMED else item for item in kept]


def _is_earlier(item: Said) -> bool:
    """Whether the letter tells of ``item`` as of an operation of before."""
    return item.kind is Kind.DONE and item.sentence.section not in ("done", "account", "course")


def _beside(refused: list[Said], named: list[Said], letter: Letter) -> list[Said]:
    """Those of ``named`` next to a sentence that advises against "surgery": "No surgery. The risks of a fusion are too big."."""
    places = {letter.sentences.index(item.sentence) for item in refused}
    near = {place + step for place in places for step in (-1, 1)}
    return [item for item in named if item.operation and letter.sentences.index(item.sentence) in near]


def _even(sentence: Sentence) -> list[Said]:
    """The operations of a sentence that has no preference among them."""
    items = list(judge(sentence)) if says(report_rules().recommendation.even, sentence) else []
    ways = len(_kinds(items)) + bool(says(r"\b{care}", sentence))
    return items if _kinds(items) and ways > 1 else []


def _family(items: list[Said]) -> set[str]:
    """The operations of ``items``, and what they are kinds of."""
    named = [item.operation for item in items if item.operation]
    kinds = {operation.kind_of for operation in named if operation.kind_of and operation.id not in WITHOUT_LEVEL}
    return {operation.id for operation in named} | kinds  # joining the SI joint is no fusion of the spine


def _kinds(items: list[Said]) -> set[str]:
    return {item.operation.id for item in items if item.operation}


def _is_proposed(sentence: Sentence) -> bool:
    proposed = says(report_rules().recommendation.proposer, sentence)
    return bool(proposed) and sentence.section != "diagnosis"


FALLBACKS: tuple[tuple[Kind, Stance], ...] = (
    (Kind.LATER, "conditional"),
    (Kind.REPORTED, "operate"),
    (Kind.REPORTED_REFUSED, "no_operation"),
    (Kind.AVOIDED, "no_operation"),
    (Kind.DONE, "done"),
)
"""What a letter without the writer's own clear advice is taken to say, the first that there is."""


def _narrowed(items: list[Said], said: list[Said]) -> list[Said]:
    """``items``, where "I would not advise a fusion" means the kind of fusion that the letter names as the other's plan."""
    found = []
    for item in items:
        narrower = {
            other.operation.id: other.operation
            for other in said
            if item.operation
            and other.operation
            and other.kind is not Kind.DONE
            and other.operation.kind_of == item.operation.id
        }
        only = next(iter(narrower.values())) if len(narrower) == 1 else item.operation
        found.append(replace(item, operation=only))
    return found


def _result(
    stance: Stance,
    items: list[Said],
    letter: Letter,
    *,
    shown: list[Said] | None = None,
    against: tuple[Sentence, ...] = (),
    reported: bool = False,
    later: list[Said] | None = None,
) -> Recommendation:
    """``items`` give operations and levels; ``shown`` (by default the same) the sentences quoted."""
    operations = {item.operation.id: item.operation for item in items if item.operation}
    broader = {name for operation in operations.values() for name in broader_than(operation)}
    if stance == "done":  # "1. Anterior discectomy. 2. Interbody fusion." of the neck is an ACDF
        broader |= {name for operation in operations.values() if operation.neck for name in operation.parts}
    kept = tuple(operation for operation in operations.values() if operation.id not in broader)
    naming = [item for item in items if item.operation] or items
    sentences = tuple(dict.fromkeys(item.sentence for item in naming))
    quoted = tuple(dict.fromkeys(item.quoted or item.sentence for item in shown or items))
    afterwards = next((item.sentence for item in later or [] if item.sentence not in quoted[:1]), None)
    named_at = next(((item.start, item.end) for item in operations_in(quoted[0])), (0, 0))
    levels = levels_of(sentences, kept, letter, advised=stance == "operate")
    if len(levels) > 1:
        named = [(s, item) for s in sentences for item in operations_in(s) if item.procedure in kept]
        near = {
            s: [level for other, item in named if other is s for level in beside(s, item.start, item.end)]
            for s in sentences
        }
        if any(near.values()):  # a sentence whose levels all stand away from its operations means them all the same
            levels = without_inner(tuple(level for s in sentences for level in near[s] or discs_in(s)))
    if levels:
        against = tuple(sentence for sentence in against if not elsewhere(sentence, levels))
        levels = (*levels, *next_to(levels, sentences, letter.sentences))
    return Recommendation(stance, kept, levels, quoted[:2], reported, against, afterwards, named_at)
