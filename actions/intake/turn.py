"""One turn of the intake with its store: reads the draft, decides, keeps what changed, and says what is to be done.

This is the edge between the pure conversation and the database; Rasa stays one step further out.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from actions.chat_letters import Fetch, chat_letter
from actions.database import StoreUnavailable
from actions.drafts import Draft
from actions.intake.apply import Effect, Step, apply
from actions.intake.case import build_case, state_of, transcript
from actions.intake.decide import decide
from actions.intake.decision import Message
from actions.intake.letters import FIELD as LETTERS
from actions.intake.letters import left_out, letters_in, with_letters
from actions.intake.parse import Reader, countries_in
from actions.intake.state import Answer, State
from actions.store import Sent, Store, store
from knowledge.content import content
from knowledge.intake import words


@dataclass(frozen=True)
class Outcome:
    """What a turn led to: the step taken, what was sent, and a resume code when one was asked for."""

    step: Step
    sent: Sent | None = None
    code: str | None = None


class IntakeTurn:
    """The turns of one conversation."""

    def __init__(self, data: Store, sender: str, fetch: Fetch = chat_letter) -> None:
        self.data, self.sender, self.fetch = data, sender, fetch

    async def state(self) -> State | None:
        """Where the open draft stands, or None without one."""
        draft = await asyncio.to_thread(self.data.draft, self.sender)
        return State.from_json(draft.state) if draft else None

    async def begin(self) -> State:
        """Open a new draft."""
        state = State()
        draft = self.data.new_draft(self.sender, state.to_json())
        await asyncio.to_thread(self.data.save_draft, draft)
        return state

    async def reopen(self, sent: Sent, events: Sequence[Mapping[str, Any]]) -> State | None:
        """Open a sent intake again, to correct it: the read-back of the newest version.

        Letters of the chat that did not go with it are not asked about again, but for those that came since.
        """
        case = await asyncio.to_thread(self.data.case, sent.id)
        if case is None:
            return None
        before = [event for event in events if (event.get("timestamp") or 0.0) <= sent.updated_at]
        state = left_out(state_of(case), letters_in(before, self.sender))
        draft = Draft(sent.id, self.sender, state.to_json(), self.data.clock())
        await asyncio.to_thread(self.data.save_draft, draft)
        return state

    async def keep_words(self, text: str) -> None:
        """Remember words that were typed as an answer and taken as a red flag, to offer them back."""
        draft = await asyncio.to_thread(self.data.draft, self.sender)
        if draft:
            draft.state["kept"] = text
            await asyncio.to_thread(self.data.save_draft, draft)

    async def take(self, message: Message, events: Sequence[Mapping[str, Any]]) -> Outcome | None:
        """Carry out one message. Returns None when no draft is open. Raises StoreUnavailable; then nothing was kept."""
        draft = await asyncio.to_thread(self.data.draft, self.sender)
        if draft is None:
            return None
        state = with_letters(State.from_json(draft.state), letters_in(events, self.sender))
        now = datetime.now(UTC)
        decision = decide(state, message, Reader(now.date(), state.value("country")))
        served = countries_in(content().clinic.countries)
        step = apply(state, decision, now=now.isoformat(timespec="seconds"), served=served)
        if step.effect is Effect.FORGET:
            await asyncio.to_thread(self.data.discard_draft, self.sender)
            return Outcome(step)
        if step.effect is Effect.REDEEM:
            found = await asyncio.to_thread(self.data.redeem, step.code, self.sender)
            line = words().say["welcome_back" if found else "code_unknown"]
            kept = State.from_json(found.state) if found else state
            return Outcome(Step(kept, (line.format(phone=content().clinic.phone),)))
        step, letters = await self._with_copies(step, now.isoformat(timespec="seconds"))
        draft.state = step.state.to_json()
        await asyncio.to_thread(self.data.save_draft, draft, letters)
        if step.effect is Effect.SUBMIT:
            return Outcome(step, sent=await self._submit(draft, step.state, events, now))
        if step.effect in (Effect.STOP, Effect.CODE):
            return Outcome(step, code=await asyncio.to_thread(self.data.resume_code, self.sender))
        return Outcome(step)

    async def _with_copies(self, step: Step, now: str) -> tuple[Step, dict[str, bytes]]:
        """The step with the letters that the patient agreed to, and the bytes of those that are new; without them on a no."""
        state, copies = step.state, dict[str, bytes]()
        if LETTERS not in state.answers:
            return step, copies  # not asked, or to be asked anew: what was agreed to before stays
        if state.value(LETTERS) != "yes":
            return replace(step, state=replace(state, files=(), letters_at="")), copies
        files, twice = {file.id: file for file in state.files}, set[str]()
        for letter in state.letters:
            if letter.id not in files and (content := await self.fetch(letter.sender, letter.id)) is not None:
                digest = hashlib.sha256(content).hexdigest()
                if digest in {file.sha256 for file in files.values()}:
                    twice.add(letter.id)  # the same letter sent again
                    continue
                copies[letter.id] = content
                files[letter.id] = replace(letter, size=len(content), sha256=digest)
        here = tuple(files[letter.id] for letter in state.letters if letter.id in files)
        out = tuple(letter for letter in state.letters if letter.id not in files)
        agreed = state.letters_at if here == state.files else now
        state = replace(state, files=here, letters=here, left_out=(*state.left_out, *out), letters_at=agreed)
        if all(letter.id in twice for letter in out):  # nothing is missing
            return replace(step, state=state), copies
        if not here:
            state = replace(state.with_answer(LETTERS, Answer("answered", "no", "No")), letters_at="")
        return replace(step, state=state, say=(words().say["letters_gone"],)), copies

    async def _submit(self, draft: Draft, state: State, events: Sequence[Mapping[str, Any]], now: datetime) -> Sent:
        def commit() -> Sent:
            case = build_case(
                state,
                now=now,
                red_flags=self.data.red_flags(self.sender, draft.created_at),
                decision_flags=decision_flags(events),
                transcript=transcript(events, draft.created_at),
            )
            return self.data.submit(draft, case)

        return await asyncio.to_thread(commit)


async def screen_record(sender: str) -> dict[str, Any]:
    """What the safety screen of the open draft found last, as an escalation's record says it; empty without a draft."""
    try:
        state = await IntakeTurn(store(), sender).state()
    except StoreUnavailable:
        return {}
    if state is None or not state.red_flags:
        return {}
    found = state.red_flags[-1]
    return {"evidence": found["evidence"], "rules": [found["rule"]]}


def decision_flags(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The decision flags of all messages of the conversation, each once."""
    found: dict[str, None] = {}
    for event in events:
        for flag in (event.get("parse_data") or {}).get("decision_flags") or []:
            found[flag if isinstance(flag, str) else flag.get("id", "")] = None
    return [flag for flag in found if flag]
