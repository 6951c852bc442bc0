"""The delivery worker: ``python -m actions.delivery``. Takes rows from the outbox to the case system, for ever.

Several may run at once; a worker that is killed loses its lease and another takes the row. What is delivered twice
that way carries the same key, and the receiver makes it once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from actions.database import StoreUnavailable, make_engine
from actions.fhir_target import FhirTarget, fhir_settings
from actions.insight import insight
from actions.outbox import Late, Outbox, Row
from actions.retention import Retention, retention
from actions.store import Store, store
from actions.targets import Delivered, Later, Refused, Target, WebhookTarget, signed_headers
from actions.watch import OUTCOMES, show, worker_app
from runtime.logs import configure
from runtime.settings import Settings, secret, settings

log = logging.getLogger("delivery")

CALL_SECONDS = 20.0
LEASE_SECONDS = 60.0
LOOK_SECONDS = 0.5
REPORT_SECONDS = 20.0
NOTICE_TRIES = 4


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the worker is told by the environment (``PLAINSPOKEN_*``)."""

    target: str
    url: str
    alarm_minutes: float
    alarm_command: str
    alarm_webhook: str
    look_seconds: float

    @staticmethod
    def read(config: Settings) -> Config:
        """Raises SystemExit naming the variable that is wrong."""
        target = os.environ.get("PLAINSPOKEN_TARGET", "desk")
        if target not in ("desk", "fhir", "webhook"):
            raise SystemExit(f"PLAINSPOKEN_TARGET must be desk, fhir or webhook, not {target!r}.")
        url = os.environ.get("PLAINSPOKEN_TARGET_URL", "")
        if target != "desk" and not url:
            raise SystemExit(f"PLAINSPOKEN_TARGET is {target}: set PLAINSPOKEN_TARGET_URL to the receiver's address.")
        return Config(
            target=target,
            url=url or f"{config.casedesk_url}/api/deliveries",
            alarm_minutes=float(os.environ.get("PLAINSPOKEN_ALARM_MINUTES", "5")),
            alarm_command=os.environ.get("PLAINSPOKEN_ALARM_COMMAND", ""),
            alarm_webhook=os.environ.get("PLAINSPOKEN_ALARM_WEBHOOK", ""),
            look_seconds=float(os.environ.get("PLAINSPOKEN_LOOK_SECONDS", LOOK_SECONDS)),
        )


def make_target(config: Config, session: aiohttp.ClientSession, queue: Outbox) -> Target:
    """Return the target that ``config`` names."""
    if config.target == "fhir":
        return FhirTarget(session, fhir_settings(config.url), queue.receipts, timeout=CALL_SECONDS)
    return WebhookTarget(session, url=config.url, secret=secret("delivery"), timeout=CALL_SECONDS)


class Worker:
    """Looks for due rows, sends them, tells the patient's page what arrived, reports what did not."""

    def __init__(
        self,
        *,
        data: Store,
        queue: Outbox,
        target: Target,
        retention: Retention,
        session: aiohttp.ClientSession,
        config: Config,
        places: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.data, self.queue, self.target, self.session = data, queue, target, session
        self.config, self.places, self.retention, self.clock = config, places, retention, clock
        self.opinions = make_engine(places.gateway_database_url)
        self.background: set[asyncio.Task[None]] = set()
        self.refused_key_alarm = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set. Nothing that fails ends it."""
        reporter = asyncio.create_task(self._every(REPORT_SECONDS, self._report, stop))
        alarms = asyncio.create_task(self._every(REPORT_SECONDS, self._look_for_late_rows, stop))
        retiring = asyncio.create_task(self._every(REPORT_SECONDS, self._retire, stop))
        while not stop.is_set():
            try:
                sent = await self.once()
            except StoreUnavailable:
                log.error("intake database unavailable", extra={"kind": "outbox"})
                sent = 0
            if not sent:
                await _pause(stop, self.config.look_seconds)
        for task in (reporter, alarms, retiring, *self.background):
            task.cancel()
        await asyncio.gather(reporter, alarms, retiring, *self.background, return_exceptions=True)

    async def once(self) -> int:
        """Claim what is due and settle it. Returns how many rows were tried."""
        rows = await asyncio.to_thread(self.queue.claim)
        await asyncio.gather(*(self._send(row) for row in rows))
        return len(rows)

    async def _send(self, row: Row) -> None:
        extra = {"kind": row.kind, "row_id": row.id, "tries": row.tries, "reference": row.body.get("reference")}
        try:
            async with asyncio.timeout(self.queue.lease_seconds * 0.75):  # a call must end before its lease does
                outcome = await self.target.deliver(row)
        except TimeoutError:
            outcome = Later(None, "TimeoutError")
        except Exception as error:
            # A row the target cannot even build (a fault of ours) must be seen, not tried for ever in silence.
            log.exception("delivery failed inside", extra=extra)
            outcome = Refused(None, f"internal {type(error).__name__}")
        if isinstance(outcome, Delivered):
            OUTCOMES.labels("delivered").inc()
            self.refused_key_alarm = 0.0
            fresh = await asyncio.to_thread(self.queue.done, row, outcome.status, outcome.receipt)
            log.info("delivered", extra={**extra, "status": outcome.status})
            if fresh and row.kind == "intake.submitted":
                self._in_background(
                    self._tell(row.body["sender_id"], "case.received", row.body["reference"], "received")
                )
        elif isinstance(outcome, Later):
            OUTCOMES.labels("later").inc()
            wait = await asyncio.to_thread(
                self.queue.retry,
                row,
                status=outcome.status,
                error=outcome.error,
                retry_after=outcome.retry_after,
            )
            log.warning("not delivered yet", extra={**extra, "status": outcome.status, "seconds": round(wait, 1)})
            if outcome.alarm and self.clock() - self.refused_key_alarm > 3600:
                self.refused_key_alarm = self.clock()
                await self._alarm("the receiver refuses our credentials", [Late(row.key, row.kind, row.created_at)])
        else:
            OUTCOMES.labels("dead").inc()
            await asyncio.to_thread(self.queue.bury, row, status=outcome.status, error=outcome.error)
            log.error("dead letter", extra={**extra, "status": outcome.status})
            await self._alarm("a delivery was refused for good", [Late(row.key, row.kind, row.created_at)])

    async def _tell(self, sender: str, kind: str, reference: str, status: str) -> None:
        """Push a notice to the patient's page. It is a courtesy: asking for the status gives the same answer."""
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}:{reference}:{status}"))
        notice = {"id": identity, "sender_id": sender, "kind": kind, "reference": reference, "status": status}
        body = json.dumps(notice)
        for attempt in range(NOTICE_TRIES):
            try:
                async with (
                    asyncio.timeout(5),
                    self.session.post(
                        f"{self.places.gateway_url}/internal/notices",
                        data=body,
                        headers=signed_headers(secret("notices"), identity, body),
                    ) as reply,
                ):
                    if reply.status < 500:
                        return
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            await asyncio.sleep(2**attempt)
        log.warning("notice not delivered", extra={"kind": kind, "reference": reference})

    def problems(self) -> list[str]:
        """What keeps this worker from delivering, in sentences."""
        if self.refused_key_alarm:
            return ["The receiver refuses our credentials (PLAINSPOKEN_SECRET_DELIVERY or those of the FHIR server)"]
        return []

    async def _look_for_late_rows(self) -> None:
        late = await asyncio.to_thread(self.queue.alarming, self.config.alarm_minutes * 60)
        if late:
            await self._alarm("urgent cases have not reached the case system", late)
            await asyncio.to_thread(self.queue.alarmed, late)

    async def _alarm(self, what: str, late: list[Late]) -> None:
        """Reach a person by a way that does not go through the outbox: a command, a webhook, and the log."""
        oldest = round(self.clock() - min(row.since for row in late))
        log.critical("alarm", extra={"reason": what, "count": len(late), "seconds": oldest})
        message = json.dumps(
            {"alarm": what, "count": len(late), "oldest_seconds": oldest, "kinds": sorted({r.kind for r in late})}
        )
        if self.config.alarm_command:
            try:
                process = await asyncio.create_subprocess_shell(
                    self.config.alarm_command, stdin=asyncio.subprocess.PIPE
                )
                await asyncio.wait_for(process.communicate(message.encode()), 20)
            except (OSError, TimeoutError):
                log.critical("the alarm command failed", extra={"reason": what})
        if self.config.alarm_webhook:
            try:
                async with asyncio.timeout(10), self.session.post(self.config.alarm_webhook, data=message) as reply:
                    if reply.status >= 300:
                        log.critical("the alarm webhook failed", extra={"status": reply.status})
            except (aiohttp.ClientError, OSError, TimeoutError):
                log.critical("the alarm webhook failed", extra={"reason": what})

    async def _report(self) -> None:
        """Tell the desk what waits and what is dead, and take its requests to send dead letters again."""
        health = await asyncio.to_thread(self.queue.health)
        show(health, self.clock())
        report = {
            "pending": health.pending,
            "oldest_seconds": round(health.oldest_seconds),
            "dead": [
                {
                    "key": row.key,
                    "kind": row.kind,
                    "error": row.error,
                    "at": datetime.fromtimestamp(row.at, UTC).isoformat(),
                }
                for row in health.dead
            ],
            "insight": await asyncio.to_thread(insight, self.data, self.opinions),
        }
        base = self.places.casedesk_url
        identity, body = str(uuid.uuid4()), json.dumps(report)
        try:
            async with asyncio.timeout(5):
                headers = signed_headers(secret("delivery"), identity, body)
                async with self.session.post(f"{base}/api/outbox-status", data=body, headers=headers) as reply:
                    await reply.read()
                headers = signed_headers(secret("delivery"), str(uuid.uuid4()), "")
                async with self.session.get(f"{base}/api/outbox-requests", headers=headers) as reply:
                    wanted: Any = await reply.json() if reply.status == 200 else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return  # the desk is down: the deliveries themselves say so, loudly
        for key in wanted.get("keys", []) if isinstance(wanted, dict) else []:
            if await asyncio.to_thread(self.queue.revive, str(key)):
                log.info("sent again on request", extra={"kind": "dead letter"})

    async def _retire(self) -> None:
        if self.retention.due():
            retired = await asyncio.to_thread(self.retention.run)
            log.info("retention", extra={"count": retired.conversations + retired.sent.total})

    async def _every(self, seconds: float, work: Callable[[], Any], stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await work()
            except StoreUnavailable:
                log.error("intake database unavailable", extra={"kind": "report"})
            except Exception:
                log.exception("housekeeping failed", extra={"kind": work.__name__})
            await _pause(stop, seconds)

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.background.add(task)  # asyncio itself keeps only a weak reference
        task.add_done_callback(self.background.discard)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def serve() -> None:
    """Run one worker until SIGINT or SIGTERM."""
    places = settings()
    config = Config.read(places)
    data = await _opened_store()
    queue = Outbox(data.engine, data.vault, clock=time.time, lease_seconds=LEASE_SECONDS)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with aiohttp.ClientSession() as session:
        target = make_target(config, session, queue)
        log.info("delivery worker started", extra={"kind": config.target})
        worker = Worker(
            data=data,
            queue=queue,
            target=target,
            retention=retention(data),
            session=session,
            config=config,
            places=places,
        )
        watching = web.AppRunner(worker_app(worker.problems), access_log=None)
        await watching.setup()
        try:
            await web.TCPSite(watching, places.delivery_host, places.delivery_port, reuse_address=True).start()
        except OSError:  # deliveries matter more than who watches them
            log.error("health port is taken: set PLAINSPOKEN_DELIVERY_PORT", extra={"port": places.delivery_port})
        await worker.run(stop)
        await watching.cleanup()


async def _opened_store() -> Store:
    """The store, waiting for a database that is not up yet."""
    while True:
        try:
            return await asyncio.to_thread(store)
        except StoreUnavailable:
            log.error("intake database unavailable", extra={"kind": "start"})
            await asyncio.sleep(5)


if __name__ == "__main__":
    configure()
    asyncio.run(serve())
