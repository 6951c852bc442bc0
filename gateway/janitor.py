"""Closes connections that never finish asking. aiohttp waits for ever for the end of a request's headers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

log = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0


class Janitor:
    """Knows which connections are in a request, and closes the others when they idle too long or are too many."""

    def __init__(self, header_seconds: float, keepalive_seconds: float, most_idle: int) -> None:
        self._header_seconds = header_seconds
        self._keepalive_seconds = keepalive_seconds
        self._most_idle = most_idle
        self._busy: Counter[Any] = Counter()
        self._served: set[Any] = set()
        self._idle_since: dict[Any, float] = {}

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note that the connection of ``request`` is at work. Goes before every other middleware."""
        connection = request.protocol
        self._busy[connection] += 1
        try:
            return await handler(request)
        finally:
            self._busy[connection] -= 1
            if not self._busy[connection]:
                del self._busy[connection]
            self._served.add(connection)

    async def run(self, server: web.Server) -> None:
        """For ever: close what idles."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(server.connections, time.monotonic())

    def sweep(self, connections: list[Any], now: float) -> int:
        """Close connections that have sent no full request head in time, the oldest first when one address has many."""
        idle = [connection for connection in connections if connection not in self._busy]
        self._idle_since = {connection: self._idle_since.get(connection, now) for connection in idle}
        self._served &= set(connections)
        by_address: Counter[str] = Counter()
        closed = 0
        for connection in sorted(idle, key=lambda each: -self._idle_since[each]):
            name = connection.peername[0] if connection.peername else ""
            by_address[name] += 1
            most = self._keepalive_seconds if connection in self._served else self._header_seconds
            if now - self._idle_since[connection] > most or by_address[name] > self._most_idle:
                connection.force_close()
                if connection.transport:
                    connection.transport.abort()
                closed += 1
        if closed:
            log.info("idle connections closed", extra={"count": closed})
        return closed
