"""``python -m gateway``: serve the chat page and its API."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import uvloop
from aiohttp import web

from gateway.app import make_app
from gateway.config import config
from gateway.janitor import Janitor
from runtime.logs import configure

KEEPALIVE_SECONDS = 75.0


async def serve() -> None:
    settings = config()
    settings.shared.var.mkdir(parents=True, exist_ok=True)
    limits = settings.limits
    janitor = Janitor(limits.header_seconds, KEEPALIVE_SECONDS, limits.address_connections)
    runner = web.AppRunner(
        make_app(settings, janitor),
        access_log=None,
        auto_decompress=False,  # a small body must not become a big one
        keepalive_timeout=KEEPALIVE_SECONDS,
    )
    await runner.setup()
    assert runner.server
    sweeping = asyncio.create_task(janitor.run(runner.server))
    host, port = settings.shared.gateway_host, settings.shared.gateway_port
    try:
        await web.TCPSite(runner, host, port, reuse_address=True).start()
    except OSError as error:
        await runner.cleanup()
        raise SystemExit(f"Port {port} is not free ({error.strerror}). Set PLAINSPOKEN_GATEWAY_PORT.") from None
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    sweeping.cancel()
    await runner.cleanup()


if __name__ == "__main__":
    configure()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve())
