"""Reads a letter that was pasted without being asked for."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, PatientAction
from actions.validate_report_form import read_letter


class ActionReadLetter(PatientAction):
    action_name = "action_read_letter"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        return read_letter(dispatcher, tracker)
