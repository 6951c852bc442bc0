"""Sends the desk's notices to patients through the gateway: signed, repeated until taken, in the order written."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from datetime import UTC, datetime, timedelta

import aiohttp
from sqlalchemy import select
from sqlalchemy.orm import Session

from casedesk.db import Database
from casedesk.models import Notice
from casedesk.signed import sign

log = logging.getLogger(__name__)
LONGEST_WAIT = 900.0
EVERY = 1.0
TIMEOUT = aiohttp.ClientTimeout(total=8)
CAN_HEAL = {401, 403, 408, 425, 429}
CHAT_GONE = {404, 410}
"""The patient closed the chat: nothing went wrong, and asking for the status gives the same answer."""


def next_wait(tries: int) -> float:
    """Full jitter: anything up to 2 s x 2^tries, at most a quarter of an hour."""
    return random.uniform(0.5, min(LONGEST_WAIT, 2.0 * 2 ** min(tries, 12)))


class NoticeSender:
    """Takes due notices from the desk's outbox to the gateway.

    Args:
        database: the desk's.
        url: the gateway's address.
    """

    def __init__(self, *, database: Database, url: str) -> None:
        self._database = database
        self._url = f"{url}/internal/notices"

    async def run(self) -> None:
        """Send for ever. Ends when cancelled."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as client:
            while True:
                try:
                    busy = await self.send_due(client)
                except Exception:  # a database that is away for a moment must not end the sender
                    log.exception("sending notices failed")
                    busy = False
                await asyncio.sleep(0 if busy else EVERY)

    async def send_due(self, client: aiohttp.ClientSession) -> bool:
        """Send the notices that are due, and return whether there were any."""
        notices = await self._database.run(_due)
        for notice in notices:
            error, final = await self._post(client, notice)
            await self._database.run(_note, notice.id, error, final)
        return bool(notices)

    async def _post(self, client: aiohttp.ClientSession, notice: Notice) -> tuple[str | None, bool]:
        """Return what went wrong (None: nothing) and whether trying again is pointless."""
        body = json.dumps(
            {
                "id": notice.id,
                "sender_id": notice.sender_id,
                "kind": notice.kind,
                "reference": notice.reference,
                "status": notice.status,
            }
        )
        try:
            async with client.post(self._url, data=body, headers=sign("notices", notice.id, body)) as reply:
                status = reply.status
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__, False
        if 200 <= status < 300 or status in CHAT_GONE:
            return None, True
        return f"HTTP {status}", status < 500 and status not in CAN_HEAL


def _due(session: Session) -> list[Notice]:
    query = select(Notice).where(Notice.done_at.is_(None), Notice.dead_at.is_(None), Notice.due_at <= datetime.now(UTC))
    return list(session.scalars(query.order_by(Notice.created_at).limit(20)))


def _note(session: Session, notice_id: str, error: str | None, final: bool) -> None:
    notice = session.get(Notice, notice_id)
    if notice is None:  # erased in between
        return
    now = datetime.now(UTC)
    notice.tries += 1
    notice.last_error = error
    if error is None:
        notice.done_at = now
    elif final:
        notice.dead_at = now
        log.error("notice given up", extra={"kind": notice.kind, "reference": notice.reference, "reason": error})
    else:
        notice.due_at = now + timedelta(seconds=next_wait(notice.tries))
