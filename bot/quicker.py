"""The same Rasa, without work it repeats for every turn. Two places; what they do is unchanged, only done once.

Rasa 3.6 compiles its schema of an action's reply anew for every action, and checks the schema itself against the schema of
schemas: half of the processor time of a turn. And for every stored event it walks all subclasses of all events to find
the one with that name: a sixth of the rest.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict

from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event


def make_quicker() -> None:
    """Put both in place for this process. Call once, after everything that defines events is imported."""
    RemoteAction._validate_action_result = _valid
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))


def _valid(self: RemoteAction, result: Dict[str, Any]) -> bool:
    """Return True. Raises jsonschema.ValidationError when the reply is not as Rasa's documentation says."""
    _schema().validate(result)
    return True


@lru_cache(maxsize=1)
def _schema() -> Any:
    schema = RemoteAction.action_response_format_spec()
    return validator_for(schema)(schema)
