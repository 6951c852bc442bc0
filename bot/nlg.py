"""Rasa's own responses, with the reply contract's ``custom`` payload kept whole and kept away from channels it breaks.

Stock Rasa turns every value into text when it fills a response (a list becomes ``"['a']"``) and sends ``custom`` to
every channel, where several connectors fail on it.
"""

from __future__ import annotations

import copy
import re
from typing import Any, Dict, Optional

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.utils.endpoints import EndpointConfig

from knowledge.content import content
from runtime.channels import RICH_CHANNELS

_WHOLE_SLOT = re.compile(r"^{(\w+)}$")


class ResponseGenerator(TemplatedNaturalLanguageGenerator):
    """Fills the domain's responses. Named as ``nlg.type`` in endpoints.yml."""

    def __init__(self, endpoint_config: Optional[EndpointConfig] = None, domain: Optional[Domain] = None) -> None:
        super().__init__(domain.responses if domain else {})
        self.clinic = {"clinic_phone": content().clinic.phone}

    def generate_from_slots(
        self, utter_action: str, filled_slots: Dict[str, Any], output_channel: str, **kwargs: Any
    ) -> Optional[Dict[str, Any]]:
        response = self._random_response_for(utter_action, output_channel, filled_slots)
        if response is None:
            return None
        custom = response.get("custom")
        words = {key: value for key, value in response.items() if key != "custom"}
        filled = self._fill_response(copy.deepcopy(words), filled_slots, **self.clinic, **kwargs)
        if custom and output_channel in RICH_CHANNELS:
            filled["custom"] = _with_slots(custom, {**filled_slots, **kwargs})
        return filled


def _with_slots(value: Any, slots: Dict[str, Any]) -> Any:
    """``value`` with every text that is one slot in braces replaced by that slot, its type kept."""
    if isinstance(value, dict):
        return {key: _with_slots(item, slots) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_slots(item, slots) for item in value]
    match = _WHOLE_SLOT.match(value) if isinstance(value, str) else None
    return slots.get(match.group(1)) if match else value
