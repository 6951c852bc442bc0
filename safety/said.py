"""The words for red flags, for whoever has to say them when Rasa cannot. They stand in ``domain.yml`` alone."""

from __future__ import annotations

from functools import cache

import yaml

from runtime.settings import ROOT
from safety.numbers import country_said, numbers_for


def red_flag_text(key: str, message: str) -> str:
    """Return the words for the assessment ``key`` of ``message``, with the numbers of the country it names, if any.

    Raises KeyError when ``domain.yml`` has no words for red flags.
    """
    numbers = numbers_for(country_said([message]))
    said = _words()
    return said.get(key, said[""]).format(
        emergency_number=numbers.emergency, crisis_line=numbers.crisis, poison_line=numbers.poison
    )


@cache
def _words() -> dict[str, str]:
    """The words by the key of an assessment, "" for a key without words of its own."""
    domain = yaml.load((ROOT / "domain.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {
        next((condition["value"] for condition in response.get("condition", ())), ""): response["text"]
        for response in domain["responses"]["utter_escalation"]
    }
