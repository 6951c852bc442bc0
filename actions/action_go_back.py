"""Takes back the last change to the list of questions, or shows the way back to a form that emergency words put down.

Who wants to change an answer that was sent is offered to. Outside a form there is nothing else to go back to or skip.
"""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.action_questions_list import about_questions, question_list
from actions.action_resume_intake import waiting_form, way_back
from actions.answering import menu
from actions.base import Events, PatientAction, Reply, say
from actions.sent_case import change_of_sent
from knowledge.dialogue import dialogue

CHANGES = re.compile(r"\b(?:chang|correct|edit|fix|wrong|mistake)\w*", re.IGNORECASE)
"""Words that are about an answer given earlier, be it one that was sent."""


class ActionGoBack(PatientAction):
    action_name = "action_go_back"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        asked = tracker.latest_message["intent"]["name"]
        if asked == "go_back" and about_questions(tracker.events):
            say(dispatcher, tracker, question_list(tracker))
        elif await waiting_form(tracker):
            say(dispatcher, tracker, [way_back()])
        elif CHANGES.search(tracker.latest_message.get("text") or "") and (offer := await change_of_sent(tracker)):
            say(dispatcher, tracker, offer)
        else:
            say(dispatcher, tracker, [Reply(dialogue().nothing_open, menu())])
        return []
