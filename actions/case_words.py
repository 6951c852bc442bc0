"""What is said about a case: that it is saved, where it is, how to delete it. Pure but for the knowledge files."""

from __future__ import annotations

from rasa_sdk import Tracker

from actions.base import Button, Reply, emergency_number
from actions.store import Sent
from knowledge.content import content
from knowledge.intake import words
from safety.numbers import numbers_for


def facts(tracker: Tracker) -> dict[str, str]:
    """What the phrases may name: the clinic's own facts and the emergency number of the patient's country."""
    clinic = content().clinic
    number = emergency_number(tracker) or numbers_for(None).emergency
    return {"phone": clinic.phone, "clinic": clinic.name, "countries": clinic.countries, "emergency_number": number}


def payload(sent: Sent, status: str | None = None) -> dict[str, str]:
    """The reply contract's ``case``."""
    return {"kind": "case", "reference": sent.reference, "status": status or sent.status}


def sent_reply(sent: Sent, *, corrected: bool) -> Reply:
    """What is true once the store has committed: saved, and on its way."""
    line = words().say["sent_again" if corrected else "sent"].format(ref=sent.reference)
    return Reply(line, custom=payload(sent))


def already_sent(sent: Sent) -> Reply:
    return Reply(words().say["already_sent"].format(ref=sent.reference), custom=payload(sent))


def status_reply(sent: Sent, status: str) -> Reply:
    """Where a case is, in words. A status that has no words yet is not guessed at."""
    key = words().statuses.get(status, "status_unknown")
    line = words().say[key].format(ref=sent.reference, phone=content().clinic.phone)
    return Reply(line, custom=payload(sent, status))


def nothing_to_resume() -> Reply:
    return Reply(words().say["nothing_to_resume"], (Button(words().buttons["start"], "/start_intake"),))


def have_sent(sent: Sent) -> Reply:
    """There is a case already: change it, or begin another."""
    buttons = words().buttons
    choices = (
        Button(buttons["change_sent"], '/start_intake{"choice":"change"}'),
        Button(buttons["new_case"], '/start_intake{"choice":"new"}'),
    )
    return Reply(words().say["have_sent"].format(ref=sent.reference), choices, payload(sent))


def delete_question(reference: str = "") -> Reply:
    """Asks before anything is deleted. Whoever has a case at the clinic (``reference``) may also only take that back."""
    buttons, text = words().buttons, words().say["delete_ask"]
    choices = [Button(buttons["delete"], '/delete_data{"choice":"yes"}'), Button(buttons["delete_no"], "/deny")]
    if reference:
        text = f"{text} {words().say['withdraw_ask'].format(ref=reference)}"
        choices.insert(1, Button(buttons["withdraw"], '/delete_data{"choice":"withdraw"}'))
    return Reply(text, tuple(choices))
