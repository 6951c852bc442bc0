"""What a heading opens in a text of its kind: a note of surgery, the report of a scan, or a letter. Pure."""

from __future__ import annotations

import re

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
