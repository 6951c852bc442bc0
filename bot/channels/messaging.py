"""What all messaging channels share: a request is checked, kept, answered in order, and its answer is sent once.

A channel says how to know a genuine request, how to read it, and how to send one message; everything else is here.
Rasa's own connectors answer inside the provider's request, forget what a crash interrupts, and take repeats twice.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import random
import time
import unicodedata
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import UserUttered
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.channels import inbound
from bot.channels.post import Full, Incoming, Letter, Person, Post, Waiting
from bot.channels.provider import Outcome, Provider, Result
from bot.channels.renderer import Bubble, render, split
from bot.channels.rest import MAX_REPORT, MAX_TEXT, REPORT_FORM
from bot.channels.web import SECRET_HEADER
from knowledge.channels import channel_words, in_words
from knowledge.chat import chat_words
from knowledge.content import content
from runtime.settings import secret, settings
from runtime.typed import bare, clean
from runtime.vault import open_vault
from safety.detect import assess, detect
from safety.letters import is_letter
from safety.numbers import numbers_for
from safety.said import red_flag_text

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_BODY = 1024 * 1024
A_MINUTE = 300
"""Messages one person may send in a minute. More are not read, unless danger is in them."""
TURN_SECONDS = 55.0
SETTLE_SECONDS = 0.05
"""Providers may send two quick messages over two connections; this long the second may overtake the first."""
SWEEP_SECONDS = 1.0
TIDY_SECONDS = 3600.0
TURNS_AT_ONCE = 8
GIVE_UP_SECONDS = 24 * 3600.0
LONGEST_WAIT = 300.0
GREETED_BY = frozenset({"/start", "/help", "start"})


class MessagingOutput(OutputChannel):
    """Takes a turn's replies into the outbox, where each is kept before it is sent."""

    def __init__(self, channel: MessagingInput, person: Person, cause: str) -> None:
        self._channel = channel
        self._person = person
        self._cause = cause
        self._choices = person.choices
        self.said = 0

    def name(self) -> str:  # type: ignore[override]
        """Rasa asks the instance; one class serves every channel."""
        return self._channel.name()

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        shown = render(message, self._person.kind, first_id=self._choices.next_id, listed=self._listed())
        self._choices = self._choices.after(shown, first=self.said == 0)
        self.said += 1
        await self._channel.say(
            self._person, f"{self._cause} {self.said}", shown.bubbles, urgent=shown.urgent, choices=self._choices
        )

    def _listed(self) -> int:
        return len(self._choices.open) if self.said else 0


class MessagingInput(InputChannel):
    """A messaging channel. Subclasses set ``name`` and write the abstract methods.

    Args:
        post: where messages are kept; by default the database of the settings, opened when the server starts.
    """

    def __init__(self, post: Post | None = None) -> None:
        self._given_post = post
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._again: set[tuple[str, str]] = set()
        self._agent: Callable[[], Any] = lambda: None

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> MessagingInput:
        """Take the constructor's arguments as :func:`runtime.channels.arguments` gives them."""
        return cls(**(credentials or {}))

    # --- what each channel says ---

    @abstractmethod
    def genuine(self, request: Request) -> bool:
        """Return whether the provider itself sent ``request``. Compares in constant time."""

    @abstractmethod
    def read(self, request: Request) -> list[Incoming]:
        """Return what people did, in their order; everything else in ``request`` is left out.

        Raises ValueError, KeyError or TypeError when it is not of the provider's shape.
        """

    @abstractmethod
    async def send(self, provider: Provider, address: str, bubble: Bubble) -> Result:
        """Send one message."""

    def prefix(self, incoming: Incoming) -> str:
        """The beginning of the sender's id, and the renderer's name of the channel."""
        return self.name()

    def early(self, request: Request) -> HTTPResponse | None:
        """Answer what is not a message at all (a provider's check that we are there), before the signature check."""
        return None

    def taken(self, request: Request) -> HTTPResponse:
        """What the provider is told when all is well."""
        return json_response({"status": "ok"})

    async def started(self, provider: Provider) -> None:
        """Called once when the server runs."""

    async def seen(self, provider: Provider, request: Request) -> None:
        """Called after a request was taken, for what the provider wants to hear at once (a button was pressed)."""

    # --- the routes ---

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint(f"plainspoken_{self.name()}", f"plainspoken_{self.name()}")
        self._on_new_message = on_new_message

        @routes.listener("after_server_start")
        async def start(app: Any, loop: Any) -> None:
            self._agent = lambda: getattr(app.ctx, "agent", None)
            self.post = self._given_post or Post(settings().channels_database_url, open_vault())
            self.provider = Provider()
            self._turns = asyncio.Semaphore(TURNS_AT_ONCE)
            self._sweeper = asyncio.create_task(self._sweep())
            self._starter = asyncio.create_task(self.started(self.provider))

        @routes.listener("before_server_stop")
        async def stop(app: Any, loop: Any) -> None:
            self._sweeper.cancel()
            self._starter.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks.values(), timeout=10)
            await self.provider.close()
            if not self._given_post:
                self.post.close()

        @routes.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return json_response({"status": "ok", "unsent": await _threaded(self.post.unsent, self.name())})

        @routes.route("/webhook", methods=["GET", "POST"])
        async def receive(request: Request) -> HTTPResponse:
            if len(request.body) > MAX_BODY:
                return json_response({"error": "too_big"}, status=413)
            if answer := self.early(request):
                return answer
            if request.method != "POST" or not self.genuine(request):
                log.warning("request refused", extra={"channel": self.name(), "reason": "signature"})
                return json_response({"error": "forbidden"}, status=403)
            try:
                incoming = self.read(request)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                return json_response({"error": "bad_shape"}, status=400)
            try:
                await self._take(incoming)
            except Full:
                return json_response({"error": "busy"}, status=503, headers={"Retry-After": "30"})
            await self.seen(self.provider, request)
            return self.taken(request)

        @routes.route("/notice", methods=["POST"])
        async def notice(request: Request) -> HTTPResponse:
            """News from our own gateway: {"id", "sender_id", "text"}. 404: nobody here has that id."""
            if not same(request.headers.get(SECRET_HEADER, ""), secret("web")):
                return json_response({"error": "forbidden"}, status=403)
            try:
                data = json.loads(request.body)
                identity, sender, text = (str(data[key]) for key in ("id", "sender_id", "text"))
            except (ValueError, KeyError, TypeError):
                return json_response({"error": "bad_shape"}, status=400)
            person = await _threaded(self.post.person, sender)
            if person is None:
                return json_response({"error": "gone"}, status=404)
            await self.say(person, f"notice {identity}", render({"text": text}, person.kind).bubbles)
            return json_response({"status": "taken"}, status=202)

        return routes

    async def say(self, person: Person, cause: str, bubbles: Any, **more: Any) -> None:
        """Keep ``bubbles`` for ``person`` and have them sent."""
        await _threaded(self.post.say, person, cause, bubbles, **more)
        self._serve("send", person.sender)

    # --- taking messages in ---

    async def _take(self, incoming: list[Incoming]) -> None:
        for item in incoming:
            sender = self.post.sender(self.prefix(item), item.person)
            if item.edited and not _alarming(item.text):
                continue  # what was said first has been answered; only danger is read again
            count = await _threaded(self.post.lately, sender, 60.0)
            if count >= A_MINUTE and not (count < 2 * A_MINUTE and _alarming(item.text)):
                await self._flooded(sender)
            elif await _threaded(self.post.take, self.name(), sender, item):
                self._serve("turn", sender)

    async def _flooded(self, sender: str) -> None:
        person = await _threaded(self.post.person, sender)
        log.warning("flood", extra={"channel": self.name(), "sender": sender})
        if person:
            minute = int(time.time() // 60)  # said once a minute: the outbox skips what it has
            await self.say(person, f"flood {sender} {minute}", [Bubble(f"{channel_words().flood} {_emergency_line()}")])

    # --- answering and sending, one at a time for each person ---

    def _serve(self, what: str, sender: str) -> None:
        key = (what, sender)
        if key in self._tasks:
            self._again.add(key)
        else:
            self._tasks[key] = asyncio.create_task(self._work(key))

    async def _work(self, key: tuple[str, str]) -> None:
        what, sender = key
        step: Callable[[str], Awaitable[bool]] = self._answer if what == "turn" else self._send
        try:
            if what == "turn":
                await asyncio.sleep(SETTLE_SECONDS)
            if await _threaded(self.post.lease, sender, what):
                self._again.discard(key)
                while await step(sender):
                    await _threaded(self.post.renew, sender, what)
                await _threaded(self.post.release, sender, what)
        except Exception:
            log.exception("channel failed", extra={"channel": self.name(), "sender": sender, "kind": what})
        finally:
            del self._tasks[key]
            if key in self._again:
                self._again.discard(key)
                self._serve(what, sender)

    async def _sweep(self) -> None:
        """For ever: take up what another process left lying, and what is due to be tried again."""
        tidied = 0.0
        while True:
            try:
                unanswered, unsent = await _threaded(self.post.busy, self.name())
                for what, senders in (("turn", unanswered), ("send", unsent)):
                    for sender in senders:
                        self._serve(what, sender)
                now = asyncio.get_running_loop().time()
                if now - tidied > TIDY_SECONDS:
                    tidied = now
                    await _threaded(self.post.tidy, content().clinic.chat_days * 86400.0)
            except Exception:
                log.exception("sweep failed", extra={"channel": self.name()})
            await asyncio.sleep(SWEEP_SECONDS)

    async def _answer(self, sender: str) -> bool:
        """Answer the oldest message of ``sender``. False: there is none, or nobody to answer it yet."""
        agent = self._agent()
        if agent is None or not agent.is_ready():
            return False
        waiting = await _threaded(self.post.next_in, sender)
        person = await _threaded(self.post.person, sender) if waiting else None
        if waiting is None or person is None:
            return False
        if not (waiting.again and await _told(agent, sender, waiting.event)):
            async with self._turns:
                await self._turn(agent, person, waiting)
        await _threaded(self.post.answered, waiting)
        return True

    async def _turn(self, agent: Any, person: Person, waiting: Waiting) -> None:
        output = MessagingOutput(self, person, waiting.event)
        text, fixed = await _understood(agent, person, waiting)
        if fixed is not None:
            await output.send_response(person.sender, fixed)
        if text is None:
            return
        said_before = output.said
        try:
            message = UserMessage(text, output, person.sender, input_channel=self.name(), message_id=waiting.event)
            await asyncio.wait_for(self._on_new_message(message), TURN_SECONDS)
        except Exception:
            log.exception("turn failed", extra={"channel": self.name(), "sender": person.sender})
        else:
            if await agent.tracker_store.retrieve(person.sender) is None:
                await _threaded(self.post.forget, person.sender)  # they asked for everything to be deleted
        if output.said == said_before:
            await output.send_response(person.sender, _trouble(text))

    async def _send(self, sender: str) -> bool:
        """Send the next message to ``sender``. False: there is none, or it has to wait."""
        letter = await _threaded(self.post.next_out, sender)
        person = await _threaded(self.post.person, sender)
        if letter is None or person is None:
            if person and person.forget:
                await _threaded(self.post.forget_asked, sender)
            return False
        if letter.uncertain and not letter.urgent:
            result = Result(Outcome.UNSURE)
        else:
            result = await self.send(self.provider, person.address, letter.bubble)
        if result.outcome is not Outcome.SENT:
            why = {"reason": result.outcome.value, "tries": letter.tries}
            log.warning("not sent", extra={"channel": self.name(), "row_id": letter.id, **why})
        if wait := self._wait(letter, result):
            await _threaded(self.post.later, letter, wait)
            return False
        await _threaded(self.post.settled, letter, result.outcome.value)
        return True

    def _wait(self, letter: Letter, result: Result) -> float | None:
        """How long to wait before ``letter`` is tried again; None when it is not.

        An ordinary message that may have arrived is not sent again. Emergency words are: twice is better than never.
        """
        if result.outcome is Outcome.UNSURE:
            return 2.0 if letter.urgent and letter.tries < 3 else None
        if result.outcome is not Outcome.LATER or self.post.age(letter) > GIVE_UP_SECONDS:
            return None
        backoff = min(2.0 ** min(letter.tries, 12) / 2, LONGEST_WAIT)
        return max(result.wait, backoff * random.uniform(0.8, 1.2))


def same(given: str, wanted: str) -> bool:
    """Compare two signatures in constant time; ``given`` may hold anything that a header can."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


async def _understood(agent: Any, person: Person, waiting: Waiting) -> tuple[str | None, dict[str, Any] | None]:
    """Return what to tell Rasa, and what to say ourselves; either may be None."""
    words, choices = chat_words(), person.choices
    fixed: dict[str, Any] | None = None
    if waiting.media:
        fixed = {"text": getattr(channel_words().media, waiting.media)}
    if waiting.option:
        payload = choices.pressed(waiting.option)
        if payload is None:
            return None, {"text": words.problems.not_offered}
        return inbound.disarm(payload, agent.domain.intents), fixed
    text = clean(waiting.text)
    if text.casefold() in GREETED_BY:
        starters = [{"title": starter.title, "payload": starter.payload} for starter in words.starters]
        return None, {"text": words.greeting, "buttons": starters}
    if choices.wants_more(text):
        return None, {"text": choices.rest}
    if payload := choices.picked(text):
        return inbound.disarm(payload, agent.domain.intents), fixed
    text = bare(in_words(text))
    if not any(unicodedata.category(letter)[0] in "LNPS" for letter in text):
        return None, fixed or {"text": words.problems.unreadable if waiting.text.strip() else words.problems.empty}
    if len(text) <= MAX_TEXT:
        return text, fixed
    tracker = await agent.tracker_store.retrieve(person.sender) if len(text) <= MAX_REPORT else None
    if tracker and (tracker.active_loop_name == REPORT_FORM or is_letter(text)):
        return text, fixed
    # Too long to be read as a whole; a part of it that speaks of danger is not left unread.
    alarming = next((piece for piece in split(text, MAX_TEXT) if _alarming(piece)), None)
    return (alarming, fixed) if alarming else (None, {"text": words.problems.too_long})


async def _told(agent: Any, sender: str, event: str) -> bool:
    """Whether Rasa had saved the turn of ``event`` before a process died."""
    tracker = await agent.tracker_store.retrieve(sender)
    return any(isinstance(one, UserUttered) and one.message_id == event for one in (tracker.events if tracker else ()))


def _trouble(text: str) -> dict[str, Any]:
    """What is said when Rasa has nothing to say: the words for the danger in ``text`` first, if there is any."""
    found = assess(detect(text))
    if found.key:
        return {"text": red_flag_text(found.key, text), "custom": {"kind": "escalation", "tier": found.tier}}
    words, clinic = chat_words(), content().clinic
    phone = words.clinic_phone.format(phone=clinic.phone, hours=clinic.hours)
    return {"text": "\n\n".join((words.problems.silent, _emergency_line(), phone))}


def _emergency_line() -> str:
    return chat_words().emergency.format(number=numbers_for(None).emergency)


def _alarming(text: str) -> bool:
    return bool(text and assess(detect(text)).key)


async def _threaded(function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
    return await asyncio.to_thread(function, *arguments, **keywords)
