"""Finds in a conversation the letter that was pasted, in one message or several. Pure.

The letter is kept nowhere else: it is read again when it is needed, until the conversation itself is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from actions.report.rules import report_rules

FORM = "report_form"
ADD = "add"
"""The ``choice`` of a ``start_report`` that adds a page to the letter read before."""
UNREAD = "red_flag"
"""The intent of a letter that came with a patient's own words about an emergency: those were answered first."""
_BEGINS = re.compile(
    r"^\W*(?:dear|to|re|from|hi|hello|patient|date|name|exam\w*|mri?|ct|x-?rays?|radiology|diagnostic imaging|report|letter|"
    r"(?:the )?second opinion)\b|\b(?:clinic|hospital|cent(?:re|er)|associates|institute|report|department|trust)\W*$",
    re.I,
)
_ENDS = re.compile(r"\b(?:yours (?:sincerely|faithfully|truly)|sincerely|regards|best wishes|signed by)\b", re.I)


def pasted(events: Sequence[Mapping[str, Any]]) -> str:
    """The letter pasted last in ``events`` (Rasa's, oldest first), its pages joined; "" when none was."""
    return "\n".join(pages_of(events))


def pages_of(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The parts of the letter pasted last."""
    return (letters(events) or [[]])[-1]


def letters(events: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Every letter of a conversation as its parts: sent to the report form, or one after the other with no new beginning."""
    found: list[list[str]] = []
    loop, begins, before = "", True, ""
    for event in events:
        if event.get("event") == "active_loop":
            loop = str(event.get("name") or "")
        elif event.get("event") == "user":
            parsed, text = event.get("parse_data") or {}, str(event.get("text") or "")
            page = False
            if (parsed.get("intent") or {}).get("name") == "start_report":
                begins = chosen(parsed) != ADD
            elif loop == FORM:
                page = is_page(text)
            elif not loop and parsed.get("letter"):
                page, begins = True, not (before and _goes_on(before, text))
            if page and (begins or not found):
                found.append([text])
            elif page:
                found[-1].append(text)
            begins = begins and not page
            before = text if page else ""
    return found


def _goes_on(before: str, text: str) -> bool:
    """Whether ``text`` is more of the letter that ``before`` is part of, rather than another one."""
    first = [line for line in text.splitlines() if line.strip()][:3]
    return not any(_BEGINS.search(line) for line in first) and not _ENDS.search(before[-200:])


def put_down(events: Sequence[Mapping[str, Any]]) -> str:
    """What waits to be gone on with: the form active last in ``events``, such as "report_form"; "" when none ever was.

    A letter that could not be read because of an emergency told with it waits like a report form.
    """
    waiting = ""
    for event in events:
        if event.get("event") == "active_loop" and event.get("name"):
            waiting = str(event["name"])
        elif event.get("event") == "user":
            parsed = event.get("parse_data") or {}
            if parsed.get("letter") and (parsed.get("intent") or {}).get("name") == UNREAD:
                waiting = FORM
    return waiting


def chosen(parsed: Mapping[str, Any]) -> str:
    """The value of a pressed button's ``choice``, or ""."""
    values = [entity.get("value") for entity in parsed.get("entities") or [] if entity.get("entity") == "choice"]
    return str(values[0]) if values else ""


def is_page(text: str) -> bool:
    """Whether ``text`` is part of a letter rather than a remark or a question to the assistant."""
    words = re.findall(r"\w+", text)
    if text.startswith("/") or len(words) < report_rules().shortest_words:
        return False
    is_question = text.rstrip().endswith("?") and len(words) < 25 and "\n" not in text.strip()
    return not is_question
