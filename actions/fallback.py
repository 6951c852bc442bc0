"""What to say when a message was not understood. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.answering import ask_button, menu
from actions.base import Button, Reply
from knowledge.content import content
from knowledge.dialogue import dialogue

_OFFERED = {"two": 2, "unsure": 3, "none": 0, "other_language": 0}


def fall_back(message: Mapping[str, Any], last: str | None, number: str) -> tuple[Reply, str]:
    """The reply to a message that was not understood, and the name of the wording used.

    Args:
        message: the parse; ``understanding`` says how near it came (``two`` close candidates, ``unsure``, ``none``).
        last: the wording used for the turn before, if that was a fallback, such as ``unsure:0``. Never used again now.
        number: the emergency number where the patient is, or the general line.
    """
    understanding = message.get("understanding") or {}
    level = "other_language" if understanding.get("language") == "other" else understanding.get("level", "none")
    if level not in _OFFERED:
        level = "unsure"
    known = content().answers
    topics = [topic for topic in understanding.get("topics") or [] if topic in known][: _OFFERED[level]]
    if not topics and level in ("two", "unsure"):
        level = "none"
    wordings = getattr(dialogue().fallback, level)
    used_level, _, used = (last or "").partition(":")
    place = (
        min(int(used) + 1, len(wordings) - 1) if last and used_level == level else int(bool(last and len(wordings) > 1))
    )
    name = f"{level}:{place}"
    if name == last:  # the last wording again would be the same words twice in a row
        place, name = 0, f"{level}:0"
    offered = tuple(map(ask_button, topics))
    text = wordings[place].format(phone=content().clinic.phone, emergency_number=number)
    share = () if level == "other_language" else (Button(dialogue().buttons.share, "/share_question"),)
    return Reply(text, offered + share + menu(), {"kind": "fallback", "suggestions": topics}), name
