"""Turns Rasa's replies into what the page shows, and nothing more. Pure.

Only known fields of known types get through, sizes are bounded, addresses must be https, and everything a click may
send back is written here as a ``payload``, which the store remembers as offered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

MAX_TEXT = 8_000
MAX_BUTTONS = 24
MAX_LIST = 60
MAX_VALUE = 600
MAX_DEPTH = 4


def bubbles(messages: Iterable[Any], numbers: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the bodies of the bot's bubbles for one turn's ``messages`` as any of Rasa's channels gives them.

    Rasa's REST channel sends text and ``custom`` apart; ours sends them together. A ``custom`` on its own joins the
    bubble before it. ``numbers`` are the emergency numbers known; those an escalation names can be tapped.
    """
    found: list[dict[str, Any]] = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        text = message.get("text")
        body: dict[str, Any] = {"who": "bot"}
        if isinstance(text, str) and text.strip():
            body["text"] = text.strip()[:MAX_TEXT]
        if buttons := _buttons(message.get("buttons")):
            body["buttons"] = buttons
        if image := _https(message.get("image")):
            body["link"] = image
        custom = message.get("custom")
        if "text" in body or "buttons" in body or "link" in body or not found:
            found.append(body)
        if isinstance(custom, dict) and isinstance(custom.get("kind"), str):
            _add_custom(found[-1], custom, numbers)
    return [body for body in found if len(body) > 1]


def _add_custom(body: dict[str, Any], custom: dict[str, Any], numbers: Collection[str]) -> None:
    kept = {key: _plain(value) for key, value in custom.items() if isinstance(key, str)}
    body["custom"] = kept
    if sources := _titled(custom.get("sources"), "ask_source", "source"):
        body["sources"] = sources
    if terms := _titled(custom.get("terms"), "explain_term", "term"):
        body["terms"] = terms
    if kept["kind"] == "escalation":
        body["calls"] = calls(body.get("text", ""), numbers)


def calls(text: str, numbers: Collection[str]) -> list[str]:
    """Return the ``numbers`` that ``text`` names, in its order."""
    places = {number: re.search(rf"(?<![\d-]){re.escape(number)}(?![\d-])", text) for number in numbers}
    return sorted(
        (number for number, place in places.items() if place),
        key=lambda number: place.start() if (place := places[number]) else 0,
    )


def _buttons(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list):
        return []
    buttons = []
    for button in given[:MAX_BUTTONS]:
        if not isinstance(button, dict) or not isinstance(button.get("title"), str):
            continue
        payload = button.get("payload")
        kept = {"title": button["title"][:200]}
        if isinstance(payload, str) and payload:
            kept["payload"] = payload[:512]
        buttons.append(kept)
    return buttons


def _titled(given: Any, intent: str, entity: str) -> list[dict[str, str]]:
    """Chips for ``[{id, title}]`` or ``[id]``; a click on one fires ``/intent{"entity": id}``."""
    chips = []
    for item in given[:MAX_LIST] if isinstance(given, list) else ():
        identity = item.get("id") if isinstance(item, dict) else item
        if not isinstance(identity, str) or not identity:
            continue
        title = item.get("title") if isinstance(item, dict) else None
        chips.append(
            {
                "title": title[:MAX_VALUE] if isinstance(title, str) else identity.replace("_", " "),
                "payload": f"/{intent}{json.dumps({entity: identity})}",
            }
        )
    return chips


def _https(given: Any) -> str | None:
    return given if isinstance(given, str) and len(given) <= 2_000 and urlsplit(given).scheme == "https" else None


def _plain(value: Any, depth: int = 0) -> Any:
    """``value`` as bounded plain data: texts cut, lists short, nesting shallow."""
    if isinstance(value, str):
        return value[:MAX_VALUE]
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    if depth < MAX_DEPTH and isinstance(value, list):
        return [_plain(item, depth + 1) for item in value[:MAX_LIST]]
    if depth < MAX_DEPTH and isinstance(value, dict):
        return {str(key)[:64]: _plain(item, depth + 1) for key, item in list(value.items())[:MAX_LIST]}
    return None
