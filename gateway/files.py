"""Reports and lists of images sent from the page."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from gateway.api import OPEN_REPORT, client_id, keep_letter, take
from gateway.http import GATEWAY, Refused, authenticate, read_body, read_json
from gateway.turns import Spoken
from gateway.uploads import TYPES, UnreadableFile, kind, read_report
from knowledge.chat import chat_words
from runtime.typed import bare, clean

MOST_IMAGES = 60

routes = web.RouteTableDef()


@routes.post("/api/files")
async def report(request: web.Request) -> web.Response:
    """Take a report as PDF or text: the body is the file, ``X-File-Name`` and ``X-Message-Id`` go with it."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    limits = gateway.config.limits
    identity = client_id(request.headers.get("X-Message-Id"))
    if not gateway.session_messages.allow(claim.session, time.monotonic()):
        raise Refused(429, "too_fast")
    await gateway.store.language(claim.session)
    name = file_name(unquote(request.headers.get("X-File-Name", ""), errors="replace"))
    if (request.content_length or 0) > limits.file_bytes:
        raise _unreadable("too_big", 413)
    try:
        raw = await read_body(request, limits.file_bytes, limits.file_seconds)
        found = await read_report(raw, limits.report_characters)
    except UnreadableFile as error:
        raise _unreadable(error.code, 422) from None
    note = chat_words().files.cut if found.cut else None
    steps = [OPEN_REPORT, found.text]
    if gateway.emergency.alarming(name):  # what a file is called is the patient's words too
        steps.append(name)
    letter = await keep_letter(gateway, claim.session, identity, raw, TYPES[kind(raw)])
    return await take(gateway, claim.session, Spoken(identity, name, tuple(steps), quiet=1, note=note, letter=letter))


@routes.post("/api/images")
async def images(request: web.Request) -> web.Response:
    """Take the names, kinds and sizes of image files. The pictures themselves stay with the patient."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    data = await read_json(request)
    identity, files = client_id(data.get("id")), data.get("files")
    if not gateway.session_messages.allow(claim.session, time.monotonic()):
        raise Refused(429, "too_fast")
    if not isinstance(files, list) or not 1 <= len(files) <= MOST_IMAGES or not all(map(_is_entry, files)):
        raise Refused(422, "bad_request")
    listed = [f"{file_name(entry['name'])} ({_size(entry['size'])})" for entry in files]
    text = chat_words().files.images_note.format(list=", ".join(listed))
    text = bare(clean(text))[: gateway.config.limits.message_characters]
    return await take(gateway, claim.session, Spoken(identity, text, (text,)))


def file_name(given: str) -> str:
    """Return a file's name without any path, short enough to show."""
    name = clean(re.split(r"[\\/]", given)[-1]).replace("\n", " ")
    return bare(name)[:120] or "report"


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and type(entry.get("size")) is int
        and 0 <= entry["size"] < 1e13
    )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{max(1, round(count / 1000))} KB"


def _unreadable(code: str, status: int) -> Refused:
    return Refused(status, f"file_{code}", getattr(chat_words().files, code))
