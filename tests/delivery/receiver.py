"""A receiver of deliveries that fails on purpose: refuses, drops its reply, is slow, answers late. Real HTTP, loopback.

It checks signatures and makes each key once, as a receiver has to.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook


@dataclass
class Receiver:
    """``plan`` says what to do with the next request: a status, ``"ok"``, or ``"lose"`` the reply."""

    secret: str
    plan: Callable[[int], Any] = lambda number: "ok"
    headers: dict[str, str] = field(default_factory=dict)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    conflicts: list[str] = field(default_factory=list)
    number: int = 0
    size: int = 10**7
    url: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> Receiver:
        app = web.Application(client_max_size=self.size)
        app.router.add_post("/deliver", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        assert self._runner.addresses
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/deliver"
        return self

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        Webhook(base64.b64encode(bytes.fromhex(self.secret)).decode()).verify(body, dict(request.headers))
        key = request.headers["idempotency-key"]
        self.calls[key] += 1
        self.number += 1
        todo = self.plan(self.number)
        if isinstance(todo, int):
            return web.json_response({"error": "planned"}, status=todo, headers=self.headers)
        content = json.loads(body)
        if key in self.taken and self.taken[key] != content:
            self.conflicts.append(key)
        if key not in self.taken:
            self.taken[key] = content
            self.order.append(key)
        if todo == "lose":
            assert request.transport
            request.transport.close()
        return web.json_response({"case": content["data"].get("reference"), "status": "new"}, status=201)


def faulty(seed: int, *, refuse: float = 0.2, lose: float = 0.15) -> Callable[[int], Any]:
    """A plan with the given shares of refused requests and lost replies."""
    dice = random.Random(seed)

    def plan(_number: int) -> Any:
        throw = dice.random()
        return 503 if throw < refuse else "lose" if throw < refuse + lose else "ok"

    return plan


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for ``condition``; fail after ``seconds``."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)
