"""What the action server and the delivery worker tell those who watch them: alive, ready or what is wrong, figures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import sanic
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from sanic import response
from sqlalchemy import select

from actions import counts
from actions.database import StoreUnavailable, transaction
from actions.outbox import Health
from actions.store import store

TEXT = "text/plain; version=0.0.4"

REGISTRY = CollectorRegistry()
WAITING = Gauge("plainspoken_undelivered_rows", "Deliveries that wait", ["kind"], registry=REGISTRY)
OLDEST = Gauge("plainspoken_undelivered_oldest_seconds", "Age of the oldest of them", ["kind"], registry=REGISTRY)
DEAD = Gauge("plainspoken_dead_letters", "Deliveries refused for good", registry=REGISTRY)
OUTCOMES = Counter("plainspoken_deliveries", "Tries of the worker", ["outcome"], registry=REGISTRY)
LOOKED = Gauge("plainspoken_outbox_read_timestamp_seconds", "When the outbox could last be read", registry=REGISTRY)


def store_problem() -> str | None:
    """What is wrong with the intake store, in a sentence; None when it answers."""
    try:
        with transaction(store().engine) as connection:
            connection.execute(select(1))
    except StoreUnavailable as error:
        return f"The intake store (PLAINSPOKEN_DATABASE_URL) does not work: {error}"
    return None


def watched(app: sanic.Sanic) -> None:
    """Add ``/ready`` and ``/metrics`` to the action server, and have it save its figures."""

    async def ready(request: sanic.Request) -> sanic.HTTPResponse:
        problem = await asyncio.to_thread(store_problem)
        body = {"ready": not problem, "problems": [problem] if problem else []}
        return response.json(body, status=503 if problem else 200)

    async def metrics(request: sanic.Request) -> sanic.HTTPResponse:
        return response.raw(generate_latest(counts.REGISTRY), content_type=TEXT)

    async def save(app: sanic.Sanic) -> None:
        app.add_task(counts.keep_saving(lambda figures: store().add_counts(figures)))

    async def save_rest(app: sanic.Sanic) -> None:
        if figures := counts.take_unsaved():
            await asyncio.to_thread(store().add_counts, figures)

    app.add_route(ready, "/ready")
    app.add_route(metrics, "/metrics")
    app.register_listener(save, "after_server_start")
    app.register_listener(save_rest, "before_server_stop")


def show(health: Health, now: float) -> None:
    """Put what the outbox holds into the figures."""
    LOOKED.set(now)
    DEAD.set(len(health.dead))
    for kind in ("escalation", "intake", "erasure"):
        WAITING.labels(kind).set(health.waiting.get(kind, (0, 0.0))[0])
        OLDEST.labels(kind).set(health.waiting.get(kind, (0, 0.0))[1])


def worker_app(problems: Callable[[], list[str]]) -> web.Application:
    """The delivery worker's own small server: ``/health``, ``/ready``, ``/metrics``."""

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(request: web.Request) -> web.Response:
        wrong = [problem for problem in [await asyncio.to_thread(store_problem), *problems()] if problem]
        return web.json_response({"ready": not wrong, "problems": wrong}, status=503 if wrong else 200)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": TEXT})

    app = web.Application()
    app.add_routes([web.get("/health", health), web.get("/ready", ready), web.get("/metrics", metrics)])
    return app
