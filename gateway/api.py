"""The chat API: a session, a message, what happened since, an opinion on an answer, the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from gateway.http import GATEWAY, Gateway, Refused, StreamPlace, address, authenticate, read_json
from gateway.store import Gone, Letter
from gateway.tokens import issue, new_session
from gateway.turns import Spoken, TooManyWaiting
from knowledge.channels import in_words
from knowledge.chat import Starter, chat_languages, chat_words
from runtime.typed import bare, clean
from safety.letters import is_letter

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
OPEN_REPORT = "/start_report"
"""What Rasa is told before a whole report, so that its report reader listens."""
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_EVENT_ID = re.compile(r"\d{1,9}")

routes = web.RouteTableDef()


@routes.post("/api/session")
async def begin(request: web.Request) -> web.Response:
    """Make a session with its greeting and hand out its token."""
    data = await read_json(request)
    asked = data.get("language")
    language = asked if isinstance(asked, str) and asked in chat_languages() else "en"
    gateway = request.app[GATEWAY]
    if not gateway.address_sessions.allow(address(request), time.monotonic()):
        raise Refused(429, "busy")
    session = await new_chat(gateway, language)
    return web.json_response(token_of(gateway, session), status=201)


@routes.post("/api/say")
async def say(request: web.Request) -> web.Response:
    """Take one message. 202: it is stored, and the answer will come as events."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    data = await read_json(request)
    if not gateway.session_messages.allow(claim.session, time.monotonic()):
        raise Refused(429, "too_fast")
    spoken = await _spoken(gateway, claim.session, data)
    return await take(gateway, claim.session, spoken)


@routes.get("/api/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Stream the session's events as server-sent events, beginning after ``Last-Event-ID``."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    last = request.headers.get("Last-Event-ID", "0")
    if not _EVENT_ID.fullmatch(last):
        raise Refused(400, "bad_request")
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    gateway.metrics.streams.inc()
    try:
        await _stream(request, stream, gateway, claim.session, int(last))
    except Gone:
        if not stream.prepared:
            raise
        await stream.write(_control("gone", {}))
    except ConnectionError:
        pass  # the page went away; it will be back with Last-Event-ID
    finally:
        gateway.metrics.streams.dec()
    return stream


@routes.get("/api/history")
async def history(request: web.Request) -> web.Response:
    """Return the whole conversation."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    found = await gateway.store.events(claim.session)
    return web.json_response({"events": [event.public() for event in found]})


@routes.post("/api/feedback")
async def rate(request: web.Request) -> web.Response:
    """Keep whether an answer helped. Topic and content version are read from the answer, not from the caller."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    data = await read_json(request)
    number, helped = data.get("event"), data.get("helped")
    if type(number) is not int or not isinstance(helped, bool):
        raise Refused(400, "bad_request")
    found = [event for event in await gateway.store.events(claim.session, number - 1) if event.number == number]
    custom = found[0].body.get("custom", {}) if found else {}
    if not isinstance(custom.get("topic"), str):
        raise Refused(404, "not_offered")
    version = str(custom.get("version") or custom.get("reviewed") or "unknown")
    await gateway.store.rate(claim.session, number, custom["topic"][:64], version[:64], helped, time.time())
    return web.Response(status=204)


@routes.post("/api/restart")
async def restart(request: web.Request) -> web.Response:
    """Close this chat, delete its words here, and begin a new one."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    language = await gateway.store.language(claim.session)
    await gateway.store.erase(claim.session)
    await gateway.bus.wake(claim.session)
    session = await new_chat(gateway, language)
    request.pop("fresh_token", None)
    return web.json_response(token_of(gateway, session), status=201)


@routes.post("/api/end")
async def end(request: web.Request) -> web.Response:
    """End the chat: have all stored copies erased, then delete its words here."""
    claim = await authenticate(request)
    gateway = request.app[GATEWAY]
    await gateway.store.language(claim.session)
    erased = await gateway.turns.have_erased(claim.session)
    await gateway.store.erase(claim.session)
    await gateway.bus.wake(claim.session)
    request.pop("fresh_token", None)
    return web.json_response({"erased": erased})


async def new_chat(gateway: Gateway, language: str) -> str:
    """Make a session that begins with the greeting; return its id."""
    words, session, now = chat_words(language), new_session(), time.time()
    await gateway.store.create(session, language, now)
    greeting = {
        "who": "bot",
        "text": words.greeting,
        "buttons": [_choice(starter) for starter in words.starters],
        "menu": [_choice(starter) for starter in words.menu],
    }
    await gateway.store.append(session, [greeting], now)
    gateway.metrics.sessions.inc()
    return session


async def take(gateway: Gateway, session: str, spoken: Spoken) -> web.Response:
    """Hand a message to its turn. Raises Refused when too many wait already."""
    try:
        new = await gateway.turns.take(session, spoken)
    except TooManyWaiting:
        raise Refused(429, "waiting") from None
    if new:
        gateway.metrics.messages.inc()
    return web.json_response({"id": spoken.client_id, "new": new}, status=202)


async def keep_letter(gateway: Gateway, session: str, turn: str, content: bytes, kind: str) -> Letter | None:
    """Keep a letter for the time of the chat, if there is room."""
    room = gateway.config.limits.letters_bytes
    letter = await gateway.store.keep_letter(session, turn, content, kind, time.time(), room=room)
    if letter is None:
        log.warning("no room for letters", extra={"session": session})
    return letter


def token_of(gateway: Gateway, session: str) -> dict[str, Any]:
    limits = gateway.config.limits
    return {
        "token": issue(session, gateway.config.token_secret, time.time()),
        "expires_in": limits.token_minutes * 60,
        "message_characters": limits.message_characters,
        "report_characters": limits.report_characters,
    }


def _choice(starter: Starter) -> dict[str, str]:
    return {"title": starter.title, **({"payload": starter.payload} if starter.payload else {})}


def client_id(given: Any) -> str:
    """Return the id the page gave its message. Raises Refused."""
    if not isinstance(given, str) or not _CLIENT_ID.fullmatch(given):
        raise Refused(400, "bad_request")
    return given


async def _spoken(gateway: Gateway, session: str, data: dict[str, Any]) -> Spoken:
    """Return what the request says. Only ``id``, ``text``, ``payload``, ``title`` and ``report`` are looked at."""
    identity, payload, typed = client_id(data.get("id")), data.get("payload"), data.get("text")
    limits = gateway.config.limits
    if payload is not None:
        title = data.get("title")
        if not isinstance(payload, str) or not isinstance(title, str) or not clean(title):
            raise Refused(400, "bad_request")
        if len(payload) > 512 or not await gateway.store.offered(session, payload):
            raise Refused(409, "not_offered")
        return Spoken(identity, clean(title)[:200], (payload,))
    if not isinstance(typed, str):
        raise Refused(400, "bad_request")
    text = bare(clean(typed))
    if not text:
        raise Refused(422, "unreadable" if typed.strip() else "empty")
    report = data.get("report") is True
    if len(text) > (limits.report_characters if report else limits.message_characters):
        raise Refused(413, "too_long")
    letter = None
    if is_letter(text, expected=report):
        letter = await keep_letter(gateway, session, identity, text.encode(), "text/plain")
    if report:
        return Spoken(identity, text, (OPEN_REPORT, text), quiet=1, letter=letter)
    return Spoken(identity, text, (in_words(text),), letter=letter)


async def _stream(request: web.Request, stream: web.StreamResponse, gateway: Gateway, session: str, last: int) -> None:
    """Write what is new until the page goes away, the session ends, or newer streams take this one's place."""
    token_made = time.monotonic()
    with gateway.bus.waiting(session, last) as listener, _place(gateway, session, listener.news) as place:
        ready = False
        while not place.closed:
            fresh = listener.take(last)
            if fresh is None:
                fresh = await gateway.store.events(session, last)
            if not stream.prepared:
                await stream.prepare(request)
            for event in fresh:
                await stream.write(f"id: {event.number}\ndata: {json.dumps(event.public())}\n\n".encode())
                last = event.number
            if not ready:
                await stream.write(_control("ready", {"last": last}))
                ready = True
            if time.monotonic() - token_made > gateway.config.limits.rotate_minutes * 60:
                token_made = time.monotonic()
                await stream.write(_control("token", token_of(gateway, session)))
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await listener.news.wait()
            except TimeoutError:
                await stream.write(b": still here\n\n")


@contextlib.contextmanager
def _place(gateway: Gateway, session: str, news: asyncio.Event) -> Iterator[StreamPlace]:
    """Register a stream; when the session has too many, the oldest is told to close."""
    place = StreamPlace(news)
    streams = gateway.streams.setdefault(session, [])
    streams.append(place)
    for oldest in streams[: -gateway.config.limits.streams_per_session]:
        oldest.close()
    try:
        yield place
    finally:
        streams.remove(place)
        if not streams:
            gateway.streams.pop(session, None)


def _control(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
