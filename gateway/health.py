"""Whether the gateway lives, whether it can do its work, and the figures for Prometheus."""

from __future__ import annotations

import asyncio
import hmac
import logging

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from gateway.http import GATEWAY, Gateway, Refused

log = logging.getLogger(__name__)

routes = web.RouteTableDef()


@routes.get("/health")
async def health(request: web.Request) -> web.Response:
    """The process lives."""
    return web.json_response({"status": "ok"})


@routes.get("/ready")
async def ready(request: web.Request) -> web.Response:
    """200 when messages can be taken and answered; else 503 and, in plain words, what is wrong."""
    gateway = request.app[GATEWAY]
    asked = await asyncio.gather(_store(gateway), gateway.bus.problem(), gateway.rasa.ready())
    problems = [problem for problem in asked if problem]
    return web.json_response({"ready": not problems, "problems": problems}, status=503 if problems else 200)


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Prometheus figures, for this machine itself or with the bearer token ``PLAINSPOKEN_SECRET_METRICS``."""
    given = request.headers.get("Authorization", "").encode()
    wanted = f"Bearer {request.app[GATEWAY].config.metrics_secret}".encode()
    # A proxy on this machine also comes from 127.0.0.1, but says for whom.
    local = request.remote in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers
    if not local and not hmac.compare_digest(given, wanted):
        raise Refused(401, "foreign")
    body = generate_latest(request.app[GATEWAY].metrics.registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _store(gateway: Gateway) -> str | None:
    try:
        async with asyncio.timeout(2):
            await gateway.store.ping()
    except (SQLAlchemyError, OSError, TimeoutError):
        log.warning("store not reached", exc_info=True)
        return "The chat store (PLAINSPOKEN_GATEWAY_DATABASE_URL) does not answer"
    return None
