"""Shows the plan; keeps what was read in a letter first when the patient asks for that."""

from __future__ import annotations

from datetime import date

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.action_questions_list import letters_of
from actions.base import Button, Events, PatientAction, Reply, say
from actions.plan import make_plan, render_plan_text
from actions.questions import build, decision_flags
from actions.report.pasted import chosen
from actions.workspace import Workspace
from knowledge.content import load_content
from knowledge.explain import plan_words

KEEP = "keep"
PAGE_CHANNELS = frozenset({"rest", "web"})
"""Channels that show a page whole. Elsewhere it comes in parts."""
OFFERS = (("questions", "/ask_questions_list"), ("compare", "/start_compare"), ("report", "/start_report"))


def plan_message(tracker: Tracker) -> list[Reply]:
    """The plan, after keeping what was read in a letter if the latest message asks for that. Raises StoreUnavailable."""
    words = plan_words()
    space = Workspace.load(tracker.sender_id)
    letters = letters_of(space, tracker)
    replies = []
    if chosen(tracker.latest_message) == KEEP and letters != space.letters:
        space.letters = letters
        space.save()
        replies.append(Reply(words.kept))
    offers = tuple(Button(words.buttons[name], payload) for name, payload in OFFERS)
    if not letters and not space.compare.get("answers") and not space.added:
        return [*replies, Reply(words.nothing_yet, offers)]
    content = load_content()
    number = tracker.get_slot("emergency_number") or content.clinic.emergency
    questions = build(space, letters, decision_flags(tracker.events))
    plan = make_plan(space, letters, questions, content=content, today=date.today(), emergency_number=number)
    text = render_plan_text(plan)
    if tracker.get_latest_input_channel() in PAGE_CHANNELS:
        return [*replies, Reply(words.intro), Reply(text, offers, {"kind": "plan"})]
    # A messaging app shows it in parts, one section a message.
    return [*replies, Reply(words.intro), *(Reply(part) for part in text.split("\n\n"))]


class ActionShowPlan(PatientAction):
    action_name = "action_show_plan"

    async def respond(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        say(dispatcher, tracker, plan_message(tracker))
        return []
