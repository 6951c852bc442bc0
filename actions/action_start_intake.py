"""Opens the intake: a new one, the one that waits, or one that was sent and is to be corrected.

Words about what goes to the clinic ("do not send the letter", "what did you send?") open it at the read-back.
"""

from __future__ import annotations

import asyncio

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction, Reply, say
from actions.case_words import have_sent
from actions.intake.letters import speaks_of_letters
from actions.intake.parse import heard, plain
from actions.intake.turn import IntakeTurn
from actions.store import store
from actions.validate_intake_form import message_of
from knowledge.intake import words

OPEN = [SlotSet("intake_answer", None), SlotSet("intake_outcome", None), SlotSet("resuming", "intake")]
STAY = [SlotSet("resuming", None)]


class ActionStartIntake(PatientAction):
    action_name = "action_start_intake"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        data, phrases = store(), words().say
        turn = IntakeTurn(data, tracker.sender_id)
        said = plain(tracker.latest_message.get("text") or "")
        if speaks_of_letters(said) or heard("what_sent", said):
            return await self._what_goes_to_the_clinic(dispatcher, tracker, turn)
        choice = next(tracker.get_latest_entity_values("choice"), None)
        if await turn.state() and choice != "new":
            say(dispatcher, tracker, [Reply(phrases["welcome_back"])])
            return OPEN
        sent = await asyncio.to_thread(data.standing_case, tracker.sender_id)
        if sent and choice == "change" and await turn.reopen(sent, tracker.events):
            say(dispatcher, tracker, [Reply(phrases["reopened"])])
            return OPEN
        if sent and choice != "new":
            say(dispatcher, tracker, [have_sent(sent)])
            return STAY
        await turn.begin()
        say(dispatcher, tracker, [Reply(phrases["fresh"] if sent else phrases["start"])])
        return OPEN

    async def _what_goes_to_the_clinic(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: IntakeTurn
    ) -> Events:
        """Carry the words out on the draft or the case that was sent. Only a read-back and "send" changes what was sent."""
        phrases = words().say
        if await turn.state() is None:
            sent = await asyncio.to_thread(turn.data.standing_case, tracker.sender_id)
            if sent is None or not await turn.reopen(sent, tracker.events):
                say(dispatcher, tracker, [Reply(phrases["letters_without_case"])])
                return STAY
            say(dispatcher, tracker, [Reply(phrases["reopened"])])
        outcome = await turn.take(message_of(tracker.latest_message), tracker.events)
        if outcome and outcome.step.state.stage != "review":
            say(dispatcher, tracker, [Reply(line) for line in outcome.step.say])
        elif outcome and outcome.step.say:
            say(dispatcher, tracker, [Reply(" ".join([*outcome.step.say, phrases["letters_then_send"]]))])
        return OPEN
