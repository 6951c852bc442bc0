"""Shows the questions to ask, and changes them when the message says so ("drop the third", "add ...")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.answering import earlier_intents
from actions.base import Events, PatientAction, Reply, say
from actions.questions import build, change, decision_flags, edit_of, question_replies
from actions.report.pasted import letters
from actions.report.reader import read
from actions.workspace import LetterNote, Workspace, note
from knowledge.explain import question_words


def letters_of(space: Workspace, tracker: Tracker) -> list[LetterNote]:
    """What was kept of letters, and the letters of this conversation, which need not have been kept."""
    readings = [read("\n".join(pages)) for pages in letters(tracker.events)]
    now = [note(reading) for reading in readings if reading.kind == "letter"]
    return [*space.letters, *(letter for letter in now if letter not in space.letters)]


def question_list(tracker: Tracker) -> list[Reply]:
    """The list as it stands after the latest message, which may ask to change it. Raises StoreUnavailable."""
    space = Workspace.load(tracker.sender_id)
    letters, flags = letters_of(space, tracker), decision_flags(tracker.events)
    items = build(space, letters, flags)
    text = tracker.latest_message.get("text") or ""
    edit = None if text.startswith("/") else edit_of(text, len(items))
    if not edit:
        unread = tracker.latest_message["intent"]["name"] == "edit_questions" and not text.startswith("/")
        return question_replies(items, question_words().not_understood if unread else "")
    said = change(space, items, edit)
    space.save()
    return question_replies(build(space, letters, flags), said)


def about_questions(events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the message before the latest was about the list, so that "undo" means the list."""
    before = next((intent for intent in earlier_intents(events) if intent != "go_back"), "")
    return before in ("ask_questions_list", "edit_questions")


def adds_question(text: str) -> bool:
    """Whether a message adds a question of the patient's own, which may sound like one put to us ("add: can I fly?")."""
    edit = edit_of(text, 0)
    return edit is not None and edit.kind == "add"


class ActionQuestionsList(PatientAction):
    action_name = "action_questions_list"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        say(dispatcher, tracker, question_list(tracker))
        return []
