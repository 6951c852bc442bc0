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


def pasted(events: Sequence[Mapping[str, Any]]) -> str:
    """The letter pasted last in ``events`` (Rasa's, oldest first), its pages joined; "" when none was."""
    pages: list[str] = []
    listening = False
    for event in events:
        if event.get("event") == "active_loop":
            listening = event.get("name") == FORM
        elif event.get("event") == "user":
            parsed = event.get("parse_data") or {}
            if (parsed.get("intent") or {}).get("name") == "start_report" and (event.get("text") or "").startswith("/"):
                pages = pages if chosen(parsed) == ADD else []
            elif listening and is_page(event.get("text") or ""):
                pages.append(event["text"])
    return "\n".join(pages)


def put_down(events: Sequence[Mapping[str, Any]]) -> str:
    """The form that was active last in ``events``, such as "report_form"; "" when none ever was."""
    names = [str(event["name"]) for event in events if event.get("event") == "active_loop" and event.get("name")]
    return names[-1] if names else ""


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
