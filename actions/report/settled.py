"""What later words of a letter say of operations named before: "I favour the latter", "she is keen", "physio first". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from actions.report.letter import Letter, Sentence
from actions.report.rules import report_rules
from actions.report.said import OF_NO_ADVICE, Kind, Said, care_comes_first, operations_in
from actions.spine_terms import find_procedures


def settle(said: list[list[Said]], letter: Letter) -> tuple[list[Said], tuple[Sentence, ...]]:
    """What all sentences say in the end, from what each says alone; and the words that choose care without an operation."""
    _add_what_it_is(said, letter)
    chosen_care = (*_picked(said, letter), *_pointed_out(said, letter))
    _put_off(said, letter)
    _identify(said, letter)
    decided = _decided(said, letter)
    return _rebooked(decided, letter), chosen_care


def says(pattern: str, sentence: Sentence) -> re.Match[str] | None:
    """Where ``sentence`` meets a pattern of the rules, or None."""
    return report_rules().compiled(pattern).search(sentence.plain)


_ANSWERS = (("answer_no", Kind.REFUSED), ("answer_yes", Kind.ADVISED))
_SAME = {"one": "1", "two": "2", "three": "3", "four": "4", "first": "1", "second": "2", "third": "3", "fourth": "4"}
_OF_OTHERS = (Kind.NAMED, Kind.REPORTED, Kind.ASKED, Kind.REPORTED_REFUSED)
_FAR = 6
"""So many sentences back "it" may stand for what the letter found."""


def _picked(said: list[list[Said]], letter: Letter) -> tuple[Sentence, ...]:
    """Make what stands under the label of a list the advised where the letter says "I recommend option C".

    Give the sentences under that label where it is care, not an operation; the operations of the list are not it.
    """
    rules, care = report_rules().recommendation, []
    for until, sentence in enumerate(letter.sentences):
        picked = says(rules.picked, sentence) or says(rules.picked_place, sentence)
        if not picked or sentence.section in OF_NO_ADVICE:
            continue
        under = _labels(letter.sentences[:until])
        wanted = _SAME.get(picked["label"], picked["label"])
        places = [place for place, label in enumerate(under) if label == wanted]
        if any(item.operation for place in places for item in said[place]):
            heads = [place for place in places if _names_under_its_label(said[place], letter.sentences[place])]
            for place in heads or places:
                said[place] = _as(Kind.ADVISED, said[place])
            for place, label in enumerate(under):
                if (
                    heads and label and place not in heads
                ):  # how it would be done: "I would remove the disc from the side"
                    said[place] = [
                        replace(item, kind=Kind.NAMED) if item.kind is Kind.ADVISED else item for item in said[place]
                    ]
        else:
            care += [letter.sentences[place] for place in places if says(r"\b{care}", letter.sentences[place])]
            for place, label in enumerate(under):
                said[place] = _as(Kind.AVOIDED, said[place]) if label and care else said[place]
    return tuple(care)


def _names_under_its_label(items: list[Said], sentence: Sentence) -> bool:
    """Whether the sentence has the label of a way itself and names an operation."""
    return bool(says(report_rules().recommendation.listed, sentence)) and any(item.operation for item in items)


def _add_what_it_is(said: list[list[Said]], letter: Letter) -> None:
    """Add the operation that "I propose to remove it" means, by what was named last that can be removed."""
    rules = report_rules()
    for place, sentence in enumerate(letter.sentences):
        pointed = says(rules.recommendation.remove_it, sentence)
        if said[place] or not pointed or sentence.section in OF_NO_ADVICE:
            continue
        before = " ".join(earlier.plain for earlier in letter.sentences[max(0, place - _FAR) : place])
        things = rules.compiled(rules.recommendation.removable).findall(before)
        found = next(iter(find_procedures(f"removal of the {things[-1]}")), None) if things else None
        if found:
            said[place] = [Said(_kind_of_it(sentence, *pointed.span()), found.procedure, sentence)]


def _kind_of_it(sentence: Sentence, start: int, end: int) -> Kind:
    """What a sentence says of the operation that it names only by "remove it"."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    if compiled(words.refused_before).search(sentence.plain[:start]) or compiled(r"\b{nt}\b").search(
        sentence.plain[:start]
    ):
        return Kind.REFUSED
    if compiled(words.conditional).search(sentence.plain):
        return Kind.LATER
    own = compiled(words.own_plan).search(sentence.plain[:start])
    return Kind.ADVISED if own or compiled(words.cue).search(sentence.plain) else Kind.NAMED


def _labels(sentences: Sequence[Sentence]) -> list[str]:
    """The label of the list item that each sentence stands under, "" before the first."""
    found: list[str] = []
    for sentence in sentences:
        label = says(report_rules().recommendation.listed, sentence)
        found.append(_SAME.get(label["label"], label["label"]) if label else found[-1] if found else "")
    return found


def _as(kind: Kind, items: list[Said]) -> list[Said]:
    """``items`` with the operations that are but named, for later or done made ``kind``."""
    changed = (Kind.NAMED, Kind.LATER, Kind.DONE)
    return [replace(item, kind=kind) if item.operation and item.kind in changed else item for item in items]


def _pointed_out(said: list[list[Said]], letter: Letter) -> tuple[Sentence, ...]:
    """Make what "I favour the latter" points to the advised; give the words that do so where it is care, not an operation."""
    rules, care = report_rules(), []
    for place, sentence in enumerate(letter.sentences):
        pointed = says(rules.recommendation.former, sentence)
        if not pointed or sentence.section in OF_NO_ADVICE:
            continue
        if not (says(rules.recommendation.cue, sentence) or _BETTER.search(sentence.plain)):
            continue
        for earlier in range(place, max(-1, place - 3), -1):
            listed = letter.sentences[earlier]
            text = listed.plain[: pointed.start()] if earlier == place else listed.plain
            groups = _groups(text)
            if len(groups) < 2:
                continue
            which = 0 if pointed["which"].startswith(("former", "first")) else 1 if "second" in pointed["which"] else -1
            meant = {item.procedure.id for item in operations_in(Sentence(groups[which], 0, ""))}
            refused = rules.compiled(r"\b{nt}\b").search(sentence.plain[: pointed.start()])
            whole = Sentence(letter.text[listed.start : sentence.end], listed.start, sentence.section)
            for_meant, for_others = (Kind.REFUSED, Kind.NAMED) if refused else (Kind.ADVISED, Kind.AVOIDED)
            said[earlier] = [
                replace(
                    item, kind=for_meant if item.operation and item.operation.id in meant else for_others, quoted=whole
                )
                for item in said[earlier]
            ]
            if not meant and not refused:
                care.append(whole)
            break
    return tuple(care)


_BETTER = re.compile(r"\b(?:better|best|right|safer|wiser|preferable|more suitable|suits?|settled|went|going|go)\b")


def _groups(text: str) -> list[str]:
    """The ways that ``text`` sets against each other, each with an operation or with care."""
    rules = report_rules()
    for between in (rules.recommendation.set_against, r" and |,"):
        groups = [part for part in rules.compiled(between).split(text) if _is_a_way(part)]
        if len(groups) > 1:
            return groups
    return []


def _is_a_way(text: str) -> bool:
    return any(operations_in(Sentence(text, 0, ""))) or bool(report_rules().compiled(r"\b{care}").search(text))


_THIS = re.compile(
    r"\W*(?:this|that|such(?: an?)?|the(?: proposed| requested)?) (?:\w+ )?(?:surgery|operation|procedure)\b"
)


def _identify(said: list[list[Said]], letter: Letter) -> None:
    """Say of an operation that is but named what was said of plain "surgery" before: "I advise surgery. It is a TLIF"."""
    for place, sentence in enumerate(letter.sentences):
        items = [item for item in said[place] if item.operation and item.kind in (Kind.NAMED, Kind.LATER)]
        if not place or not items or not says(report_rules().recommendation.identified, sentence):
            continue
        before = [item.kind for item in said[place - 1] if not item.operation]
        if before and before[-1] in (Kind.ADVISED, Kind.REFUSED):
            said[place] = [replace(item, kind=before[-1]) if item in items else item for item in said[place]]
    for place, sentence in enumerate(letter.sentences):  # "Left L5-S1 microdiscectomy. This surgery is not indicated."
        if place and _THIS.match(sentence.plain) and [item.kind for item in said[place]] == [Kind.REFUSED]:
            said[place - 1] = [
                replace(item, kind=Kind.REFUSED, quoted=sentence)
                if _is_meant(item, (Kind.NAMED, Kind.REPORTED))
                else item
                for item in said[place - 1]
            ]


def _rebooked(said: list[Said], letter: Letter) -> list[Said]:
    """``said``, where what was called off is advised after all because the letter gives it a new date."""
    rules = report_rules().recommendation
    dated = [
        at
        for at, sentence in enumerate(letter.sentences)
        if says(rules.rebooked, sentence) and not says(rules.conditional, sentence)
    ]
    if not dated:
        return said
    off = {sentence for sentence in letter.sentences[: dated[-1]] if says(rules.called_off, sentence)}
    again = (Kind.REFUSED, Kind.LATER, Kind.NAMED)
    return [replace(item, kind=Kind.ADVISED) if item.sentence in off and item.kind in again else item for item in said]


def _put_off(said: list[list[Said]], letter: Letter) -> None:
    """Make what was advised stand over for later where the letter puts it off ("Surgery deferred. A fusion was planned")."""
    rules = report_rules().recommendation
    for place, sentence in enumerate(letter.sentences):
        if sentence.section in OF_NO_ADVICE or not says(rules.put_off, sentence):
            continue
        named = {item.operation.id for item in said[place] if item.operation}
        for other, items in enumerate(said):
            if other > place and not says(rules.was_planned, letter.sentences[other]):
                continue
            said[other] = [
                replace(item, kind=Kind.LATER) if _is_put_off(item, named, other == place) else item for item in items
            ]


def _is_put_off(item: Said, named: set[str], here: bool) -> bool:
    """Whether what puts off the operations ``named``, or without a name all, puts off ``item``."""
    meant = not named or (item.operation is not None and bool(named & {item.operation.id, item.operation.kind_of}))
    return meant and item.kind in (Kind.ADVISED, Kind.NAMED, Kind.DONE, *((Kind.REFUSED,) if here else ()))


def _decided(said: list[list[Said]], letter: Letter) -> list[Said]:
    """What each sentence says, with what a later sentence without an operation of its own says of it.

    "She is keen to proceed" makes the operation named shortly before the advised one, "I see no need for that" the
    one advised against.
    """
    rules = report_rules()
    for place, sentence in enumerate(letter.sentences):
        if sentence.section in OF_NO_ADVICE:
            continue
        if not any(item.kind is Kind.ADVISED for item in said[place]) and care_comes_first(sentence.plain):
            _settle(said, range(place - 1, max(-1, place - 3), -1), Kind.LATER, (Kind.ADVISED,), sentence)
            continue
        if place and _is_question(said[place - 1]):
            answer = next(
                (kind for pattern, kind in _ANSWERS if says(getattr(rules.recommendation, pattern), sentence)), None
            )
            if answer:
                _settle(said, range(place - 1, place - 2, -1), answer, (Kind.ASKED, Kind.REPORTED), sentence)
        if said[place]:
            # "I offered her a discectomy or more physiotherapy. She opted for surgery."
            plain = all(item.kind in (Kind.ADVISED, Kind.NAMED) and not item.operation for item in said[place])
            if plain and rules.compiled(rules.recommendation.chosen).search(sentence.plain):
                _settle(
                    said, range(place - 1, max(-1, place - 4), -1), Kind.ADVISED, (Kind.NAMED, Kind.LATER), sentence
                )
            continue
        if says(rules.recommendation.sided, sentence) and not rules.compiled(r"\b(?:if|whether)\b").search(
            sentence.plain
        ):
            _settle(said, range(place - 1, -1, -1), Kind.REFUSED, (Kind.REPORTED_REFUSED,), sentence)
        for pattern, kind in (
            (rules.recommendation.plan_refused, Kind.REFUSED),
            (rules.recommendation.plan_backed, Kind.ADVISED),
        ):
            told = says(pattern, sentence)
            if told and not rules.compiled(r"\b(?:{nt}|if|whether)\b").search(sentence.plain[: told.start()]):
                _settle(said, range(place - 1, -1, -1), kind, (Kind.REPORTED,), sentence)
                break
        for pattern, kind, changed in (
            (rules.recommendation.declined_alone, Kind.REFUSED, (Kind.ADVISED, Kind.NAMED, Kind.LATER, Kind.REPORTED)),
            (rules.recommendation.care_chosen, Kind.LATER, (Kind.ADVISED,)),
            (rules.recommendation.care_preferred, Kind.AVOIDED, (Kind.NAMED,)),
            (rules.recommendation.decided, Kind.ADVISED, (Kind.NAMED, Kind.LATER)),
            (rules.recommendation.agreed_alone, Kind.ADVISED, _OF_OTHERS),
            (rules.recommendation.refused_alone, Kind.REFUSED, (Kind.NAMED, Kind.REPORTED, Kind.AVOIDED, Kind.ASKED)),
        ):
            for_care = kind is Kind.ADVISED and rules.compiled(r"\b{care}").search(sentence.plain)
            told_so = not for_care and rules.compiled(pattern).search(sentence.plain)
            if told_so and _settle(said, range(place - 1, max(-1, place - 4), -1), kind, changed, sentence):
                break
    return [item for items in said for item in items]


def _settle(said: list[list[Said]], before: range, kind: Kind, changed: tuple[Kind, ...], sentence: Sentence) -> bool:
    """Make the operation named last ``kind``, if there is one. One advised against is quoted with the words that do so."""
    for earlier in before:
        if any(_is_meant(item, changed) for item in said[earlier]):
            told = sentence if kind is Kind.REFUSED else None
            said[earlier] = [
                replace(item, kind=kind, quoted=told) if _is_meant(item, changed) else item for item in said[earlier]
            ]
            return True
    return False


def _is_question(items: list[Said]) -> bool:
    """Whether a sentence asks the need of its operations, or puts the question that a report answers."""
    put = any(item.sentence.section == "request" and item.sentence.plain.endswith("?") for item in items)
    return put or any(item.kind is Kind.ASKED for item in items)


def _is_meant(item: Said, changed: tuple[Kind, ...]) -> bool:
    """Whether later words may mean ``item``: an operation by its name, or plain "surgery" where it is asked about."""
    return item.kind in changed and (item.operation is not None or item.kind is Kind.ASKED)
