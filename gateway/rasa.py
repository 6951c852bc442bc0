"""One turn of the conversation over loopback HTTP, with the ways it can fail told apart."""

from __future__ import annotations

import asyncio
import json
from enum import Enum
from typing import Any

import aiohttp

from gateway.store import Letter

REPLY_BYTES = 512 * 1024
AGAIN_AFTER = (0.2, 0.8)
"""Seconds before a turn that met no Rasa, or lost the one it was sent to, is sent again."""


class Trouble(Enum):
    """How a turn can fail."""

    DOWN = "down"
    SLOW = "slow"
    FAILED = "failed"


class RasaError(Exception):
    """No usable answer came back. Carries no words of the patient."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Rasa:
    """Speaks to the ``web`` channel of the Rasa server at ``url``."""

    def __init__(self, url: str, web_secret: str, *, give_up_after: float) -> None:
        self.url = url
        self._headers = {"X-Plainspoken-Secret": web_secret}
        self._timeout = aiohttp.ClientTimeout(total=give_up_after, sock_connect=3.0)
        self._give_up_after = give_up_after
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200))

    async def close(self) -> None:
        await self.http.close()

    async def turn(self, sender: str, text: str, trace: str, letter: Letter | None = None) -> list[Any]:
        """Return Rasa's messages for ``text``, which are the words of ``letter`` when there is one. Raises RasaError.

        ``trace`` is of this turn alone. A Rasa that is replaced may drop a turn that it has taken; the turn is then sent
        again, as one that may have been begun before: Rasa knows by its ``trace`` whether it was.
        """
        body: dict[str, Any] = {
            "sender": sender,
            "message": text,
            "trace": trace,
            **({"letter": vars(letter)} if letter else {}),
        }
        try:
            async with asyncio.timeout(self._give_up_after):
                for pause in AGAIN_AFTER:
                    try:
                        return await self._send(body)
                    except RasaError as error:
                        if error.trouble is not Trouble.DOWN:
                            raise
                    await asyncio.sleep(pause)
                    body["again"] = True
                return await self._send(body)
        except TimeoutError:
            raise RasaError(Trouble.SLOW) from None

    async def _send(self, body: dict[str, Any]) -> list[Any]:
        try:
            async with self.http.post(
                f"{self.url}/webhooks/web/webhook", json=body, headers=self._headers, timeout=self._timeout
            ) as response:
                raw = await response.content.read(REPLY_BYTES + 1)
                while len(raw) <= REPLY_BYTES and (more := await response.content.read(REPLY_BYTES)):
                    raw += more
                status = response.status
        except TimeoutError:
            raise RasaError(Trouble.SLOW) from None
        except (aiohttp.ClientError, OSError):
            raise RasaError(Trouble.DOWN) from None
        if status in (502, 503, 504):
            raise RasaError(Trouble.DOWN)
        try:
            messages = json.loads(raw) if status == 200 and len(raw) <= REPLY_BYTES else None
        except ValueError:
            messages = None
        if not isinstance(messages, list):
            raise RasaError(Trouble.FAILED)
        return messages

    async def notice(self, channel: str, notice: dict[str, str]) -> int:
        """Hand news for a person on a messaging channel to its connector: 202 taken, 404 nobody there, 503 not now."""
        url = f"{self.url}/webhooks/{channel}/notice"
        try:
            async with self.http.post(url, json=notice, headers=self._headers, timeout=self._timeout) as response:
                if response.status == 404:  # Rasa without the channel says so too, in another way
                    return 404 if (await response.json(content_type=None)).get("error") == "gone" else 503
                return 202 if response.status == 202 else 503
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError):
            return 503

    async def ready(self) -> str | None:
        """Return what is wrong with Rasa, or None when it can answer."""
        timeout = aiohttp.ClientTimeout(total=3)
        try:
            async with self.http.get(f"{self.url}/webhooks/web/ready", timeout=timeout) as response:
                if response.status == 200:
                    return None
                told = (await response.json(content_type=None)).get("problems", [])
                return f"Rasa at {self.url}: {'; '.join(told) or response.status}"
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError):
            return f"Rasa does not answer at {self.url}"
