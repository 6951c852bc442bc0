"""Where the headings of a text are, and what each opens: in a note of surgery, the report of a scan, or a letter. Pure."""

from __future__ import annotations

import re
from functools import cache

from actions.report.rules import report_rules
from actions.spine_terms import find_procedures

UNKNOWN_LABEL = "?"
ENDED_BY_A_LABEL = frozenset({"risks", "benefit", "recommendation", "tried", "done", "request"})
"""Sections that end where a label in capitals begins something else ("COMPLICATIONS: None. SPECIMENS: ...")."""
_TOLD = re.compile(
    r"\s*(?:The patient (?:was|is|had|has)|(?:He|She|Patient|The pt) was|After|Under|Following|With (?:the|a)|Once)\b"
)


def meant_here(text: str, start: int, end: int, opened: str, *, surgery: bool, scan: bool) -> str:
    """The section that a heading opens in a text of this kind: a note of surgery, the report of a scan, or a letter."""
    if surgery and opened == "other":
        opened = "done"
    if surgery and (
        (opened == "done" and _TOLD.match(text, end))
        or (opened == "imaging" and "technique" in text[start:end].lower())
    ):
        return "account"  # how it was done, step by step
    if scan:
        opened = {"examination": "imaging", "opinion": "diagnosis"}.get(opened, opened)
    return opened


@cache
def _heading() -> re.Pattern[str]:
    names = sorted(report_rules().section_of, key=len, reverse=True)
    words = "|".join(re.escape(name).replace(r"\ ", r"[ \t]+") for name in names)
    # At the start of a line a heading may also end with a full stop or with the line; inside a line only a colon tells.
    return re.compile(
        rf"(?:(?m:^)[ \t]*(?:[-*•#]+[ \t]*|\(?\d{{1,2}}[.)][ \t]*)?\**(?P<line>{words})\**[ \t]*"
        rf"(?:\([^)\n]{{0,40}}\)[ \t]*)?"
        rf"(?:[:：]|[-–—](?=\s)|\.(?=\s)|(?=\n|\Z))|(?<=[.;!?)]\s)[ \t]*(?P<inside>{words})[ \t]*:)\**",
        re.I,
    )


_LABEL = re.compile(
    r"(?m)(?:^|(?<=[.;!?)] ))[ \t]*(?:[-*•#|]+[ \t]*|\(?\d{1,2}[.)][ \t]*)?\**"
    r"(?P<label>[A-Za-z][A-Za-z/&' \-]{1,44}?)\**[ \t]*(?:[:：|\t=]|[ ]=[ ]|[ ]{3,}|[ ]-[ ])[ \t|]*"
)
"""A short label before a colon, a bar or a gap, as tables and forms have them ("Treatment taken | ...")."""
_LONGEST_HEADING = 70
_LINE = re.compile(r"(?m)^[ \t]*(?:question[ \t]*)?(?:\(?\d{1,2}[.):][ \t]*)?([^\n]{4,130}?[?:]?)[ \t]*$", re.I)
_TITLE = re.compile(r"[A-Z][a-z']+(?: [a-z'A-Z]+){1,5}")
"""A few words alone on a line ("What has to happen next"): a heading, although no list has it."""


def headings_in(text: str) -> list[tuple[int, int, str]]:
    """Where each heading begins and ends, and the section it opens: known headings, labels, lines that ask or say one."""
    rules = report_rules()
    found = [
        (match.start(), match.end(), rules.section_of[re.sub(r"\s+", " ", (match["line"] or match["inside"]).lower())])
        for match in _heading().finditer(text)
    ]
    for match in _LABEL.finditer(text):
        label = match["label"].lower()
        if len(label.split()) > 5 or any(start < match.end() and match.start() < end for start, end, _ in found):
            continue
        opened = next((name for name, words in rules.labels.items() if re.search(words, label)), None)
        if opened:
            found.append((match.start(), match.end(), opened))
        elif match["label"].isupper() and len(label) > 7 and match.group().rstrip().endswith(":"):
            found.append((match.start(), match.end(), UNKNOWN_LABEL))
    found += [(match.start(), match.end(), "criteria") for match in re.finditer(rules.criteria, text.lower())]
    taken = [(start, end) for start, end, _ in found]
    for match in _LINE.finditer(text):
        line = match.group(1)
        first = match.start() == 0 or text[: match.start()].endswith("\n\n")
        alone = line.endswith(("?", ":")) or (first and line[-1] not in ".,;")
        if not alone or any(start < match.end() and match.start() < end for start, end in taken):
            continue
        titled = first and match.start() > 0 and _is_title(line, text[match.end() :])
        opened = _opened_by(line, titled=titled)
        if opened is not None:
            found.append((match.start(), match.end() if opened or not titled else match.start(), opened))
    return sorted(found)


def _opened_by(line: str, *, titled: bool) -> str | None:
    """The section that a line of its own opens, "" where it only ends what stood before, None where it is no heading."""
    rules, plain, short = report_rules(), line.lower(), len(line) <= _LONGEST_HEADING
    opened = None
    if short or line.endswith("?"):
        opened = next((name for name, words in rules.line_headings.items() if re.search(words, plain)), None)
    if not opened and titled:
        opened = next((name for name, words in rules.labels.items() if re.search(words, plain)), None)
    if not opened and (line.endswith("?") or titled or (line.isupper() and short)):
        opened = ""  # another question, another heading: what stood before has ended
    return opened


def _is_title(line: str, after: str) -> bool:
    """Whether a line that begins a paragraph is a title: a few plain words, and the text goes on in the next line."""
    goes_on = bool(re.match(r"[ \t]*\n[ \t]*[^\s]", after))
    return bool(_TITLE.fullmatch(line)) and goes_on and not any(find_procedures(line))
