"""Takes back the last change to the list of questions; outside a form there is nothing else to go back to."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.action_questions_list import about_questions, question_list
from actions.base import Events, PatientAction, say


class ActionGoBack(PatientAction):
    action_name = "action_go_back"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        if about_questions(tracker.events):
            say(dispatcher, tracker, question_list(tracker))
        else:
            dispatcher.utter_message(response="utter_nothing_to_stop")
        return []
