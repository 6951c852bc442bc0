"""What simulated patients answer to each question, and what it must be at the desk. None: their own words."""

from __future__ import annotations

import random
import time
from typing import Any

from knowledge.intake import questionnaire

ANSWERS: dict[str, list[tuple[str, Any]]] = {
    "consent_chatbot": [("yes", "yes"), ("OK", "yes"), ("I understand", "yes")],
    "consent_send": [("yes", "yes"), ("you may", "yes")],
    "consent_doctor": [("no", "no"), ("yes please", "yes")],
    "country": [("Texas", "US"), ("the UK", "GB"), ("Canada", "CA"), ("ireland", "IE")],
    "about": [("me", "self"), ("my mother", "other"), ("it's for me", "self")],
    "relation": [("daughter", "daughter"), ("Son", "Son")],
    "age_ok": [("yes", "yes"), ("I'm 52", "yes")],
    "safety": [("none", ["none"]), ("no none of those", ["none"])],
    "safety_mood": [("no", "no")],
    "decision": [("Should I have the operation or wait", None), ("fusion yes or no", None)],
    "where": [("low back and left leg", ["low_back", "leg"]), ("neck", ["neck"]), ("my back", ["low_back"])],
    "main_problem": [("Pain shoots down my leg when I stand", None), ("I can walk but not far", None)],
    "since": [("2019", "2019"), ("June 2024", "2024-06"), ("14 March 2025", "2025-03-14")],
    "pain": [("8 out of 10", 8), ("seven", 7), ("4", 4), ("0", 0)],
    "operation": [
        ("L4/5 fusion", "Spinal fusion at L4-L5"),
        ("some screws I think", None),
        ("acdf c5-c7", "ACDF at C5-C7"),
    ],
    "diagnosis": [("a slipped disc", None), ("stenosis", None)],
    "matters": [("my grandchildren", None), ("get back to work", None)],
    "name": [("Pat Example", "Pat Example"), ("my name is robin example", "Robin Example")],
    "carer_name": [("Sam Example", "Sam Example")],
    "phone": [("+1 202 555 0143", "+12025550143"), ("+44 20 7946 0018", "+442079460018")],
    "email": [("pat@example.org", "pat@example.org"), ("robin at example dot org", "robin@example.org")],
}
SKIPPABLE = ("decision", "where", "since", "pain", "operation", "matters", "email", "safety_mood")
UNKNOWABLE = ("diagnosis", "since", "operation", "decision")
CHANGES: dict[str, list[tuple[str, Any]]] = {
    "pain": [("change my pain to 5", 5), ("my pain should be 3", 3)],
    "phone": [("change my phone to +1 202 555 0199", "+12025550199")],
    "name": [("actually my name is Alex Example", "Alex Example")],
    "since": [("change since when to 2018", "2018")],
}


def long_answer(slot: str, dice: random.Random) -> tuple[str, Any]:
    """Something that fits a question of the longer part, in the words on its buttons, and what it must become."""
    field = questionnaire().field(slot)
    match field.type:
        case "choice":
            choice = dice.choice(field.choices)
            return choice.label, choice.value
        case "multi":
            choice = dice.choice([each for each in field.choices if each.value != field.none])
            return choice.label, [choice.value]
        case "yes_no":
            return dice.choice([("yes", "yes"), ("no", "no")])
        case "number":
            number = dice.randint(int(field.min or 0), int(field.max or 10))
            return str(number), number
        case "date":
            year = 1968 if field.when == "birth" else time.gmtime().tm_year + (1 if field.when == "future" else -1)
            return f"2 April {year}", f"{year}-04-02"
        case _:
            return "As it says in my letter", None
