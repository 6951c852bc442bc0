"""A reference number says what a message is about: PS-... asks where a case is, RC-... opens one that was put aside.

Patients type the bare number, and no classifier can know it. Runs after the classifier and before the red-flag
component, which may overrule it.
"""

from __future__ import annotations

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from runtime.references import begins_like_reference, find_reference

MEANINGS = {"PS": "case_status", "RC": "resume"}
LONGEST = 80
"""A long message that mentions a number is about more than the number."""


def meaning(text: str) -> str | None:
    """The intent of a message that is little more than a reference number, or None."""
    if len(text) > LONGEST or text.startswith("/"):
        return None
    found = next((intent for prefix, intent in MEANINGS.items() if find_reference(text, prefix)), None)
    return found or ("case_status" if begins_like_reference(text, alone=True) else None)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ReferenceSpotter(GraphComponent):
    """Sets the intent of messages for which :func:`meaning` has one. Needs nothing."""

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ReferenceSpotter:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            intent = meaning(message.get(TEXT) or "")
            if intent:
                message.set(INTENT, {"name": intent, "confidence": 1.0}, add_to_output=True)
        return messages
