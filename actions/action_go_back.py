"""Takes back the last change to the list of questions, or shows the way back to a form that emergency words put down.

Outside a form there is nothing else to go back to, and nothing to skip.
"""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.action_questions_list import about_questions, question_list
from actions.action_resume_intake import waiting_form, way_back
from actions.base import Events, PatientAction, say


class ActionGoBack(PatientAction):
    action_name = "action_go_back"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        asked = tracker.latest_message["intent"]["name"]
        if asked == "go_back" and about_questions(tracker.events):
            say(dispatcher, tracker, question_list(tracker))
        elif await waiting_form(tracker):
            say(dispatcher, tracker, [way_back()])
        else:
            dispatcher.utter_message(response="utter_nothing_to_stop")
        return []
