"""The words for red flags, for whoever has to say them when Rasa cannot. They stand in ``domain.yml`` alone."""

from __future__ import annotations

from functools import cache

import yaml

from runtime.settings import ROOT
from safety.numbers import numbers_for


@cache
def red_flag_words() -> dict[str, str]:
    """Return the words by the key of an assessment, "" for a key without words of its own; numbers filled in.

    Raises KeyError when ``domain.yml`` has no words for red flags.
    """
    domain = yaml.load((ROOT / "domain.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    texts = {
        next((condition["value"] for condition in response.get("condition", ())), ""): response["text"]
        for response in domain["responses"]["utter_escalation"]
    }
    numbers = numbers_for(None)
    values = {
        "emergency_number": numbers.emergency,
        "crisis_line": numbers.crisis,
        "poison_line": numbers.poison,
    }
    return {key: text.format(**values) for key, text in texts.items()}
