"""What a letter advises without an operation: care, waiting, a treatment with a needle. Pure."""

from __future__ import annotations

import re

from actions.report.letter import Letter, Sentence
from actions.report.rules import report_rules
from actions.report.said import OF_NO_ADVICE, Kind, Said, heard, needle_treatments_in
from actions.report.settled import says


def care_in(letter: Letter, *, of_others: bool = False) -> tuple[Sentence, ...]:
    """The sentences that advise treatment without an operation, or say that no operation is needed.

    With ``of_others`` also what the writer tells of another's advice: "the doctor recommends an injection".
    """
    rules = report_rules()
    found = []
    for sentence in letter.sentences:
        if sentence.section in (*OF_NO_ADVICE, "history", "examination"):
            continue
        plain = sentence.plain
        cued = sentence.section == "recommendation" or rules.compiled(rules.recommendation.care_cue).search(plain)
        waits = rules.compiled(rules.recommendation.wait).search(plain)
        if rules.compiled(rules.recommendation.care_failed).search(plain) or _asks(sentence):
            continue  # "only if the injections fail"
        told = says(rules.recommendation.reported, sentence) or says(rules.recommendation.said_by_others, sentence)
        if (
            told
            and not of_others
            and sentence.section != "recommendation"
            and not says(rules.recommendation.own, sentence)
        ):
            continue  # "Dr Roe suggested that he try injections"
        if cued and (waits or rules.compiled(r"\b{care}").search(plain)):
            found.append(sentence)
    return tuple(found)


_ASKED_IF = re.compile(r"\basked\b[^.;,]{0,25}\b(?:if|whether)\b")


def _asks(sentence: Sentence) -> bool:
    """Whether the sentence asks the reader for advice: "whether surgery or an injection is the next step"."""
    words = report_rules().recommendation
    return bool(says(words.wants_advice, sentence) or _ASKED_IF.search(sentence.plain)) or (
        "whether" in sentence.plain
        and not says(words.own, sentence)
        and bool(says(r"\b(?:your|you|advise)\b", sentence))
    )


def needles_in(letter: Letter) -> list[Said]:
    """The treatments with a needle that are advised, for a letter that names no operation in its plan."""
    words, compiled = report_rules().recommendation, report_rules().compiled
    found = []
    for sentence in letter.sentences:
        if sentence.section in (*OF_NO_ADVICE, "history", "examination", "imaging", "done", "match"):
            continue
        plain = heard(sentence)
        told = sentence.section == "recommendation" or compiled(words.needle_advised).search(plain)
        if not told or compiled(words.conditional).search(plain) or _asks(sentence):
            continue
        for item in needle_treatments_in(sentence):
            before = plain[: item.start]
            if not (compiled(words.needle_tried).search(before) or compiled(words.refused_before).search(before)):
                found.append(Said(Kind.ADVISED, item.procedure, sentence, at=(item.start, item.end)))
    return found
