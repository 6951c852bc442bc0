"""From a reading to the messages a patient sees. Pure; every word is in ``knowledge/en/explain.yml`` or quoted."""

from __future__ import annotations

from actions.base import Button, Reply
from actions.report.elements import Element
from actions.report.reader import Reading, SeenTerm, quote
from actions.report.recommendation import Recommendation
from actions.report.said import NOT_OPERATIONS
from actions.report.where import WITHOUT_LEVEL
from knowledge.explain import explain_words

TERMS_AT_ONCE = 8
WORDS_AT_ONCE = 112  # leaves room for the first line within the 120 words a message may have
ELEMENT_QUOTE_WORDS = 16


def report_replies(reading: Reading, *, emergency_number: str, phone: str) -> list[Reply]:
    """Everything said after a letter was read: what cannot wait, the advice, the words, the six elements."""
    words = explain_words()
    if reading.kind != "letter":
        button = Button(words.buttons["person"], "/human")
        return [Reply(getattr(words, reading.kind).format(phone=phone), (button,))]
    replies = []
    if reading.urgent:
        replies.append(urgent_reply(reading, emergency_number))
    opening = [words.read]
    if reading.letter.cut:
        opening.append(words.cut.format(count=len(reading.letter.text)))
    replies += [Reply("\n".join(opening)), Reply(_advice(reading))]
    replies.append(term_reply(reading, 0))
    return replies + _elements(reading)


def urgent_reply(reading: Reading, emergency_number: str) -> Reply:
    """The question about a grave finding, with the answers to it."""
    words = explain_words()
    asked = (("yes", "/affirm"), ("no", "/deny"), ("unsure", "/unsure"))
    answers = tuple(Button(words.buttons[name], payload) for name, payload in asked)
    return Reply(words.red_flag.format(evidence=reading.urgent, emergency_number=emergency_number), answers)


def term_reply(reading: Reading, start: int) -> Reply:
    """The next terms of the letter in reading order from the one at ``start``: at most eight, and a button for more."""
    words = explain_words()
    shown: list[str] = []
    length = 0
    for seen in reading.terms[start : start + TERMS_AT_ONCE]:
        line = _term(seen)
        length += len(line.split())
        if shown and length > WORDS_AT_ONCE:
            break
        shown.append(line)
    if not shown:
        return Reply(words.terms_end if start else words.terms_none)
    last = start + len(shown)
    more = (Button(words.buttons["more_words"], f'/explain_term{{"term":"letter:{last}"}}'),)
    head = words.terms_more if start else words.terms_first
    custom = {"kind": "explain", "terms": [seen.term.id for seen in reading.terms[start:last]]} if start else None
    return Reply("\n".join([head, *shown]), more if last < len(reading.terms) else (), custom)


def _term(seen: SeenTerm) -> str:
    words = explain_words()
    short = seen.said.isupper() and " " not in seen.said and seen.said != seen.term.name
    line = words.term_said if short else words.term
    text = "- " + line.format(said=seen.said, name=seen.term.name, plain=seen.term.plain)
    return f"{text} {words.term_denied}" if seen.denied else text


def _advice(reading: Reading) -> str:
    words, advice = explain_words(), reading.recommendation
    found_at = ", ".join(level.said for level in reading.found_at)
    where = [words.found_at.format(levels=found_at)] if found_at else []
    if advice.stance == "none":
        return "\n".join([words.scan_report if reading.is_scan else words.advice["none"], *where])
    key = f"{advice.stance}_reported" if advice.reported else advice.stance
    if advice.stance == "done" and advice.operations and _are_needles(advice):
        key = "done_needle"
    lines = [words.advice[key].format(quote=quote(reading.letter, advice.sentences[0]))]
    if not advice.sure:
        lines.insert(0, words.unsure)
    if advice.later:
        lines.append(words.advice["conditional"].format(quote=quote(reading.letter, advice.later)))
    if reading.is_scan:
        lines.insert(0, words.scan_report)
    names = "; ".join(f"{operation.name} ({operation.plain})" for operation in advice.operations)
    if names and _are_needles(advice):
        lines.append(words.needle.format(names=names))
    elif names:
        against = advice.stance in ("no_operation", "non_surgical") and not advice.later
        lines.append((words.operation_against if against else words.operation).format(names=names))
    elif advice.stance == "operate":
        lines.append(words.operation_unnamed)
    for text, others in ((words.operation_open, advice.perhaps), (words.operation_doubtful, advice.doubtful)):
        if others:
            lines.append(text.format(names="; ".join(f"{operation.name} ({operation.plain})" for operation in others)))
    levels = ", ".join(level.said for level in advice.levels)
    if levels:
        lines.append(words.level.format(levels=levels))
    elif advice.stance == "operate" and not _needs_no_level(advice):
        lines.append(words.level_unnamed)
    lines += where
    lines += [words.mismatch[item.kind].format(first=item.first, second=item.second) for item in reading.mismatches]
    return "\n".join(lines)


def _are_needles(advice: Recommendation) -> bool:
    return all(operation.id in NOT_OPERATIONS for operation in advice.operations)


def _needs_no_level(advice: Recommendation) -> bool:
    return bool(advice.operations) and all(operation.id in WITHOUT_LEVEL for operation in advice.operations)


def _elements(reading: Reading) -> list[Reply]:
    words = explain_words()
    found, missing = reading.found, reading.missing
    custom = {"kind": "report_check", "found": [e.id for e in found], "missing": [e.id for e in missing]}
    offers = (
        Button(words.buttons["questions"], "/ask_questions_list"),
        Button(words.buttons["keep"], '/show_plan{"choice":"keep"}'),
        Button(words.buttons["add"], '/start_report{"choice":"add"}'),
        Button(words.buttons["compare"], "/start_compare"),
    )
    if reading.is_scan:
        questions = [f"- {question}" for question in words.scan_questions]
        return [Reply("\n".join([words.scan_ask, *questions]), offers, custom)]
    head = words.six.format(found=len(found))
    heads = _parts([head, words.found] if found else [head], [_found(reading, element) for element in found])
    gone = "\n".join([words.missing, *(_missing(element) for element in missing)]) if missing else words.all_found
    return [*(Reply(text) for text in heads), Reply(gone, offers, custom)]


def _parts(head: list[str], lines: list[str]) -> list[str]:
    """``head`` and ``lines`` as texts of at most so many words, cut between lines."""
    texts = ["\n".join(head)]
    for line in lines:
        if len(f"{texts[-1]} {line}".split()) > WORDS_AT_ONCE:
            texts.append(line)
        else:
            texts[-1] += f"\n{line}"
    return texts


def _found(reading: Reading, element: Element) -> str:
    words = explain_words()
    assert element.sentence is not None
    said = quote(reading.letter, element.sentence, element.at, ELEMENT_QUOTE_WORDS)
    return "- " + words.found_item.format(label=words.elements[element.id].label, quote=said)


def _missing(element: Element) -> str:
    words = explain_words()
    label, question = words.elements[element.id].label, words.elements[element.id].question
    text = "- " + words.missing_item.format(label=label, question=question)
    return f"{text} ({words.mentioned})" if element.sentence else text
