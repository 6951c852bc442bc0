"""The words for danger that need nobody else: said by the gateway itself when Rasa cannot answer.

The same red-flag rules that run inside Rasa are read here, and the same words: they stand in ``domain.yml``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gateway.replies import calls
from knowledge.chat import ChatWords
from knowledge.content import Clinic
from safety.detect import assess, detect
from safety.numbers import all_numbers, numbers_for
from safety.said import red_flag_text

_DIGITS = re.compile(r"\d[\d -]*\d")


@dataclass(frozen=True)
class Emergency:
    """Fixed lines and the numbers in them.

    ``number`` names the emergency numbers in a sentence, ``shown`` lists them, ``numbers`` are all that a message may
    name and a tap may call.
    """

    number: str
    line: str
    full: str
    clinic: str
    shown: tuple[str, ...]
    numbers: frozenset[str]

    def warn(self, text: str) -> list[dict[str, Any]]:
        """Return the bubble that ``text`` needs when it holds a red flag, else nothing."""
        found = assess(detect(text))
        if not found.key:
            return []
        said = red_flag_text(found.key, text)
        if found.tier == "clarify":
            custom: dict[str, Any] = {"kind": "clarify", "category": found.category}
        else:
            custom = {"kind": "escalation", "tier": found.tier, "categories": list(found.categories)}
        return [{"who": "bot", "text": said, "custom": custom, "calls": calls(said, self.numbers)}]

    def alarming(self, text: str) -> bool:
        """Return whether ``text`` holds a red flag of any tier."""
        return bool(assess(detect(text)).key)


def emergency(words: ChatWords, clinic: Clinic) -> Emergency:
    """Put the numbers into the fixed words. Raises KeyError when ``domain.yml`` has no words for red flags."""
    red_flag_text("", "")
    numbers = numbers_for(None)
    line = words.emergency.format(number=numbers.emergency)
    everywhere = [all_numbers().unknown, *all_numbers().countries.values()]
    return Emergency(
        number=numbers.emergency,
        line=line,
        full=f"{line} {words.emergency_help}",
        clinic=words.clinic_phone.format(phone=clinic.phone, hours=clinic.hours),
        shown=tuple(_DIGITS.findall(numbers.emergency)),
        numbers=frozenset(
            number
            for country in everywhere
            for text in (country.emergency, country.crisis, country.poison)
            for number in _DIGITS.findall(text)
        ),
    )
