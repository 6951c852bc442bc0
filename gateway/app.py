"""The gateway as one aiohttp application: its parts, its routes, and what every request passes through."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway import api, files, health, letters, notices, pages, plan, proxy
from gateway.bus import Bus
from gateway.config import Config
from gateway.emergency import emergency
from gateway.http import GATEWAY, TOKEN_HEADER, Gateway, Refused, address
from gateway.janitor import Janitor
from gateway.limits import Window
from gateway.metrics import Metrics
from gateway.rasa import Rasa
from gateway.store import Gone, Store
from gateway.turns import Turns
from knowledge.chat import chat_words
from knowledge.content import Clinic
from knowledge.loader import load
from runtime.settings import KNOWLEDGE
from runtime.vault import open_vault
from safety.detect import detector

log = logging.getLogger(__name__)

LONGEST_SHUTDOWN = 10.0


def make_app(config: Config, janitor: Janitor) -> web.Application:
    """Return the application; its parts are made when it starts and closed when it stops."""
    app = web.Application(middlewares=[janitor.watch, record, refuse, guard], client_max_size=0)
    for part in (api, files, plan, notices, letters, proxy, health, pages):
        app.add_routes(part.routes)
    clinic = load(KNOWLEDGE / "clinic.yml", Clinic)
    app[pages.PAGES] = pages.build(" / ".join(emergency(chat_words(), clinic).shown))

    async def run(app: web.Application) -> AsyncIterator[None]:
        async with _gateway(config) as gateway:
            app[GATEWAY] = gateway
            yield

    app.cleanup_ctx.append(run)
    app.on_shutdown.append(_close_streams)
    return app


@contextlib.asynccontextmanager
async def _gateway(config: Config) -> AsyncIterator[Gateway]:
    shared, limits = config.shared, config.limits
    words, clinic = chat_words(), load(KNOWLEDGE / "clinic.yml", Clinic)
    store = Store(shared.gateway_database_url, open_vault())
    await store.open()
    await asyncio.to_thread(detector)  # so that the first message of an outage does not wait for the rules to load
    bus = Bus(store, shared.redis_url)
    await bus.open()
    rasa = Rasa(shared.rasa_url, config.web_secret, give_up_after=limits.give_up_after)
    lines, metrics = emergency(words, clinic), Metrics()
    turns = Turns(limits, store, bus, rasa, lines, metrics)
    sweeper = asyncio.create_task(turns.sweep())
    try:
        yield Gateway(
            config=config,
            store=store,
            bus=bus,
            rasa=rasa,
            turns=turns,
            emergency=lines,
            metrics=metrics,
            address_requests=Window(limits.address_requests_a_minute, 60),
            address_sessions=Window(limits.address_sessions_a_minute, 60),
            session_messages=Window(limits.burst, limits.burst_seconds),
            streams={},
        )
    finally:
        await turns.finish(LONGEST_SHUTDOWN)
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)
        await rasa.close()
        await bus.close()
        await store.close()


async def _close_streams(app: web.Application) -> None:
    for streams in list(app[GATEWAY].streams.values()):
        for stream in streams:
            stream.close()


@web.middleware
async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write one line per request: the route as declared, never the address typed, which may hold anything."""
    started, status = time.monotonic(), 500
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        resource = request.match_info.route.resource
        log.info(
            "request",
            extra={
                "method": request.method,
                "path": resource.canonical if resource else "unknown",
                "code": status,
                "seconds": round(time.monotonic() - started, 3),
                "session": request.get("session"),
            },
        )


@web.middleware
async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal and failure into the same JSON: a code, and words a patient can read."""
    try:
        response = await handler(request)
    except Refused as error:
        response = _refusal(request, error)
    except Gone:
        response = _refusal(request, Refused(401, "session_gone"))
    except web.HTTPException as error:
        response = _refusal(request, Refused(error.status, "bad_request"))
        response.headers.update({name: error.headers[name] for name in ("Allow",) if name in error.headers})
    except Exception:
        log.exception("request failed", extra={"session": request.get("session")})
        response = _refusal(request, Refused(500, "silent"))
    if not response.prepared:
        if "Server" not in response.headers:  # pages bring headers of their own
            response.headers.update(pages.HEADERS)
            response.headers["Cache-Control"] = "no-store"
            response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        if token := request.get("fresh_token"):
            response.headers[TOKEN_HEADER] = token
    return response


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through only what comes from our own page, and not too much of it from one address."""
    gateway = request.app[GATEWAY]
    if not gateway.address_requests.allow(address(request), time.monotonic()):
        raise Refused(429, "busy")
    if request.path.startswith("/api/") and not _own_page(request, gateway.config):
        raise Refused(403, "foreign")
    return await handler(request)


def _own_page(request: web.Request, config: Config) -> bool:
    """A browser says where a request comes from; it must be our own origin. Programs say nothing and hold a token."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc in {request.host, config.public_host}


def _refusal(request: web.Request, error: Refused) -> web.Response:
    request.app[GATEWAY].metrics.refusals.labels(error.code).inc()
    return web.json_response({"error": error.code, "message": error.message}, status=error.status)
