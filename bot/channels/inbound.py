"""What any of our channels does to a request before Rasa sees a word of it. Pure functions, no Rasa import.

Rasa's own REST channel takes any type, any length, any ``/intent{...}`` typed by hand, and ``metadata`` and
``input_channel`` as the caller likes. These functions are the door that it lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from runtime.typed import bare, clean

MAX_BODY = 64 * 1024
MAX_SENDER = 128
NEVER_BY_HAND = frozenset({"restart", "session_start", "back"})
"""Rasa runs a default action for these whatever the rules say; they would undo or wipe a conversation."""

_COMMAND = re.compile(r"/(?P<intent>[a-z][a-z0-9_]*)(?P<entities>\{.*\})?", re.DOTALL)
_SENDER = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")


class BadRequest(ValueError):
    """The request is not taken. ``code`` names what is wrong; the text is for a developer to read."""

    def __init__(self, code: str, explanation: str, status: int = 400) -> None:
        super().__init__(explanation)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Inbound:
    """A request whose shape is right: who writes, what, and the id to trace it by in logs.

    ``again``: that it was sent before and no answer came. ``letter``: that the text is of a letter the gateway keeps for the
    time of the chat: its id, type and size. Only the gateway's own channel believes either.
    """

    sender: str
    text: str
    trace: str | None
    again: bool = False
    letter: dict[str, Any] | None = None


def read(body: bytes) -> Inbound:
    """Return the request in the JSON ``body``. Every other key is dropped.

    Raises:
        BadRequest: not JSON, not an object, ``sender`` or ``message`` missing or not a string, or too big.
    """
    if len(body) > MAX_BODY:
        raise BadRequest("too_big", f"The body may have at most {MAX_BODY} bytes.")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("not_json", "The body must be JSON.") from None
    if not isinstance(data, dict):
        raise BadRequest("not_an_object", 'The body must be a JSON object: {"sender": "...", "message": "..."}.')
    sender, text, trace = (_string(data, key) for key in ("sender", "message", "trace"))
    if sender is None or not _SENDER.fullmatch(sender) or len(sender) > MAX_SENDER:
        raise BadRequest("bad_sender", f"'sender' must be a string of 1 to {MAX_SENDER} visible characters.")
    if text is None:
        raise BadRequest("bad_message", "'message' must be a string.")
    trace = trace if trace and re.fullmatch(r"[\w-]{1,64}", trace) else None
    return Inbound(sender, text, trace, again=data.get("again") is True, letter=_letter(data))


def opened(body: bytes, agent: Any) -> tuple[Inbound, str]:
    """Return the request in ``body`` and what ``agent`` (Rasa's) may be told of its text. Raises BadRequest."""
    message = read(body)
    if agent is None or not agent.is_ready():
        raise BadRequest("not_ready", "No model is loaded yet.", 503)
    return message, disarm(clean(message.text), agent.domain.intents)


def disarm(text: str, intents: Collection[str]) -> str:
    """Return ``text`` so that Rasa takes it as words, unless it is a button's payload for one of ``intents``.

    A payload is ``/intent`` or ``/intent{"entity": value}`` and nothing else. ``/restart``, ``/session_start``,
    ``/back`` and anything that only looks like a command lose their leading slashes.
    """
    if not text.startswith("/"):
        return text
    match = _COMMAND.fullmatch(text)
    if match and match["intent"] in intents and match["intent"] not in NEVER_BY_HAND and _entities(match["entities"]):
        return text
    return bare(text)


def _string(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def _letter(data: dict[str, Any]) -> dict[str, Any] | None:
    found = data.get("letter")
    if not isinstance(found, dict):
        return None
    letter = {key: found.get(key) for key in ("id", "type", "size")}
    named = isinstance(letter["id"], str) and bool(re.fullmatch(r"[0-9a-f]{32}", letter["id"]))
    right = named and letter["type"] in ("application/pdf", "text/plain") and type(letter["size"]) is int
    return letter if right else None


def _entities(raw: str | None) -> bool:
    if raw is None:
        return True
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and all(
        isinstance(item, (str, int, float))
        for value in found.values()
        for item in (value if isinstance(value, list) else [value])
    )
