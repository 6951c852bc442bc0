"""One turn at a time per session: the patient's words go to Rasa, its answer, or an honest word, into the store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.bus import Bus
from gateway.config import Limits
from gateway.emergency import Emergency
from gateway.metrics import Metrics
from gateway.rasa import Rasa, RasaError, Trouble
from gateway.replies import bubbles
from gateway.store import Event, Gone, Letter, Store
from knowledge.chat import chat_words

log = logging.getLogger(__name__)

CLAIM_SECONDS = 0.05
SWEEP_SECONDS = 5.0
LEASE_SECONDS = 15.0
"""How long a turn is believed to be alive after its process last said so."""
ERASURE = ("/stop", "/delete_data", "/affirm")
"""What Rasa is told at the end of a chat: leave a form that is open, ask for the erasure, answer its question."""


@dataclass(frozen=True)
class Spoken:
    """What one message is: the id the page gave it, what the page shows, and what Rasa is told, step by step.

    The replies to the first ``quiet`` steps are not shown: they only prepare the others (open the report reader, say).
    ``note`` is said before the replies. ``letter`` was kept for the time of the chat; Rasa is told of it with the first
    step that is shown.
    """

    client_id: str
    shown: str
    steps: tuple[str, ...]
    quiet: int = 0
    note: str | None = None
    letter: Letter | None = None

    @property
    def words(self) -> str:
        """The patient's own words in it, for the red-flag rules."""
        return "\n".join(step for step in self.steps if not step.startswith("/"))


def _erased(replies: Iterable[Any]) -> bool:
    """Whether the assistant says that it has deleted the conversation; the lines kept here go with it."""
    customs = [reply.get("custom") for reply in replies if isinstance(reply, dict)]
    return any(isinstance(custom, dict) and custom.get("kind") == "erased" for custom in customs)


class TooManyWaiting(Exception):
    """The session has as many unanswered messages as it may have."""


class Turns:
    """Takes messages, answers them in the background in order, and cleans up after processes that died."""

    def __init__(
        self, limits: Limits, store: Store, bus: Bus, rasa: Rasa, emergency: Emergency, metrics: Metrics
    ) -> None:
        self._limits = limits
        self._store = store
        self._bus = bus
        self._rasa = rasa
        self._emergency = emergency
        self._metrics = metrics
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, session: str, spoken: Spoken) -> bool:
        """Store the message and answer it in the background. False: it was here before and is being dealt with.

        Raises Gone, TooManyWaiting.
        """
        if self._waiting.get(session, 0) >= self._limits.queue:
            raise TooManyWaiting
        self._waiting[session] = self._waiting.get(session, 0) + 1
        try:
            said = {"who": "user", "text": spoken.shown, "turn": spoken.client_id}
            now = time.time()
            opened = await self._store.open_turn(session, said, now, turn=spoken.client_id, until=now + LEASE_SECONDS)
            if opened is None:
                self._left(session)
                return False
        except BaseException:
            self._left(session)
            raise
        event, taken = opened
        await self._bus.wake(session, [event])
        task = asyncio.create_task(self._answer(session, spoken, taken))
        self._running.add(task)  # asyncio keeps only a weak reference to a task
        task.add_done_callback(self._running.discard)
        return True

    async def push(
        self, session: str, bodies: Sequence[dict[str, Any]], *, ends: str | None = None, notice: str | None = None
    ) -> list[Event] | None:
        """Add lines and wake the pages. None: the turn has ended already, or the notice was shown. Raises Gone."""
        added = await self._store.append(session, bodies, time.time(), ends=ends, notice=notice)
        await self._bus.wake(session, added or ())
        return added

    async def have_erased(self, session: str) -> bool:
        """Have everything kept about this conversation erased. False: it could not be confirmed just now."""
        trace = secrets.token_hex(8)
        try:
            for index, step in enumerate(ERASURE):
                replies = await self._rasa.turn(session, step, f"{trace}-{index}")
            confirmed = _erased(replies)
        except RasaError:
            confirmed = False
        if not confirmed:
            log.warning("erasure not confirmed", extra={"session": session, "trace": trace})
        return confirmed

    async def finish(self, seconds: float) -> None:
        """Let running turns end before the process does."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def sweep(self) -> None:
        """For ever: tell sessions whose turn died with another process, and delete those past their time."""
        while True:
            try:
                for session, turn in await self._store.interrupted(time.time()):
                    log.warning("turn interrupted", extra={"session": session})
                    with contextlib.suppress(Gone):  # erased meanwhile, and its turns with it
                        await self.push(session, [self._problem("interrupted", turn)], ends=turn)
                await self._store.expire(time.time() - self._limits.keep_hours * 3600)
            except Exception:
                log.exception("sweep failed")
            await asyncio.sleep(SWEEP_SECONDS)

    def _left(self, session: str) -> None:
        self._waiting[session] -= 1
        if not self._waiting[session]:
            del self._waiting[session]
            self._locks.pop(session, None)

    async def _answer(self, session: str, spoken: Spoken, taken: bool) -> None:
        trace, started = secrets.token_hex(8), time.monotonic()
        holding = asyncio.create_task(self._hold(session, spoken.client_id))
        try:
            async with self._locks.setdefault(session, asyncio.Lock()):
                if not taken:
                    await self._claim(session, spoken.client_id)
                bodies = await self._ask(session, spoken, trace)
                bodies = [{**body, "turn": spoken.client_id} for body in bodies]
                bodies[-1]["last"] = True
                added = await self.push(session, bodies, ends=spoken.client_id)
                if added is None:
                    log.warning("answer came after its turn was given up", extra={"session": session, "trace": trace})
                elif _erased(bodies):
                    await self._store.forget(session, added[0].number)
            seconds = time.monotonic() - started
            self._metrics.turn_seconds.observe(seconds)
            log.info("turn", extra={"session": session, "trace": trace, "seconds": round(seconds, 3)})
        except Gone:
            log.info("session ended during its turn", extra={"session": session, "trace": trace})
        except Exception:
            log.exception("turn lost", extra={"session": session, "trace": trace})
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            self._left(session)

    async def _claim(self, session: str, turn: str) -> None:
        """Wait until no other turn of this session is under way, on this replica or another."""
        while not await self._store.take_turn(session, turn):  # noqa: ASYNC110
            await asyncio.sleep(CLAIM_SECONDS)  # another process holds it: there is no event to wait for

    async def _hold(self, session: str, turn: str) -> None:
        """Until cancelled: say that this process lives and the turn waits or goes on."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await self._store.hold_turn(session, turn, time.time() + LEASE_SECONDS)
            except Exception:  # a store that is down for a moment; the turn itself will meet it
                log.warning("turn not renewed", exc_info=True, extra={"session": session})

    async def _ask(self, session: str, spoken: Spoken, trace: str) -> list[dict[str, Any]]:
        """Return what to show for ``spoken``: Rasa's replies, or what is said when there are none."""
        found = [{"who": "bot", "text": spoken.note}] if spoken.note else []
        asking = asyncio.create_task(self._steps(session, spoken, trace))
        done, _ = await asyncio.wait({asking}, timeout=self._limits.slow_after)
        if not done:
            slow = f"{chat_words().problems.slow} {self._emergency.line}"
            waiting = [*self._emergency.warn(spoken.words), {"who": "bot", "text": slow}]
            await self.push(session, [{**body, "turn": spoken.client_id} for body in waiting])
        try:
            replies = await asking
        except RasaError as error:
            trouble = error.trouble
        else:
            if replies:
                return found + replies
            trouble = Trouble.FAILED
        log.warning("no answer", extra={"session": session, "trace": trace, "reason": trouble.value})
        self._metrics.troubles.labels(trouble.value).inc()
        warning = self._emergency.warn(spoken.words) if done else []  # said already while waiting
        return [*warning, self._problem("silent" if trouble is Trouble.FAILED else "down", spoken.client_id)]

    async def _steps(self, session: str, spoken: Spoken, trace: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for index, step in enumerate(spoken.steps):
            with self._metrics.rasa_seconds.time():
                letter = spoken.letter if index == spoken.quiet else None
                said = await self._rasa.turn(session, step, f"{trace}-{index}", letter)
                replies = bubbles(said, self._emergency.numbers)
            if index >= spoken.quiet:
                found += replies
        return found

    def _problem(self, code: str, turn: str) -> dict[str, Any]:
        """A bubble that says what went wrong, then the emergency line, then how to reach a person."""
        said = getattr(chat_words().problems, code)
        return {
            "who": "bot",
            "text": "\n\n".join(filter(None, (said, self._emergency.full, self._emergency.clinic))),
            "custom": {"kind": "problem", "code": code},
            "calls": list(self._emergency.shown),
            "turn": turn,
            "last": True,
        }
