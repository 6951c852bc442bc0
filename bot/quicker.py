"""The same Rasa, without work it repeats for every turn. What each thing does is unchanged; it is only done once.

What Rasa 3.6 does again and again, found by sampling its process over some hundred turns:

* it compiles its schema of an action's reply for every action, and checks the schema itself against the schema of
  schemas;
* it copies all slots by way of pickling whenever it plays a conversation again;
* for every stored event it walks all subclasses of all events to find the one with that name;
* it has dask plan the same few steps for every message and, twice, for every action;
* it compares all rules with all states, and with a message's words too though none speaks of words, and asks a memory
  of stories that is empty; each time the whole conversation is played again;
* for every action it works out the state of the conversation at each of its turns, and puts them all into words for a
  log that is not kept, though no rule looks back further than a few turns;
* it plays the whole conversation again to get a copy of it, and goes through all its events five times over for what
  was taken back, though mostly nothing was;
* it turns its whole domain into text for every message, to see that it is not empty, before it looks whether the
  message's intent is in it (what is trained is checked when it is trained);
* it opens a connection to the action server for every action, and writes what it sends there, the whole conversation,
  with the standard library's JSON, which takes three times as long as the one its own web server uses.
"""

from __future__ import annotations

import copy
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, AsyncIterator, Dict, Iterator, List, Optional, Set, Tuple

import aiohttp
import ujson
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.core.constants import DEFAULT_REQUEST_TIMEOUT
from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.engine.exceptions import GraphRunError
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.constants import SHOULD_NOT_BE_SET
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    ActiveLoop,
    Event,
    Restarted,
    SessionStarted,
    UserUtteranceReverted,
)
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

Ending = Tuple[Optional[Any], Optional[Any]]
"""The action before a state and the intent in it; None where a rule leaves them open."""
_TAKES_BACK = frozenset({ActionReverted, ActiveLoop, Restarted, UserUtteranceReverted})
"""Events after which some of those before them may not count; a form asks again and again, and only the last time counts."""


def make_quicker() -> None:
    """Put all of it in place for this process. Call once, after everything that defines events is imported."""
    RemoteAction._validate_action_result = _valid
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))
    Slot.__copy__ = _copy
    DaskGraphRunner.run = _run
    RulePolicy._get_possible_keys = _possible_keys
    RulePolicy._find_action_from_rules = _find_action
    RulePolicy._prediction_states = _prediction_states
    RulePolicy.format_tracker_states = staticmethod(lambda states: "")
    DialogueStateTracker.applied_events = _applied_events
    DialogueStateTracker.copy = _copy_tracker
    MemoizationPolicy.predict_action_probabilities = _recall
    MessageProcessor._check_for_unseen_features = lambda self, parse_data: None


class KeptConnection(EndpointConfig):
    """An endpoint whose connections are used again. The one session of the process ends with the process."""

    _kept: Optional[aiohttp.ClientSession] = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:  # type: ignore[override]
        """Rasa opens a session here for every request, and closes it with what it is connected to."""
        if self._kept is None or self._kept.closed:
            self._kept = aiohttp.ClientSession(
                headers=self.headers,
                auth=aiohttp.BasicAuth(**self.basic_auth) if self.basic_auth else None,
                timeout=aiohttp.ClientTimeout(total=DEFAULT_REQUEST_TIMEOUT),
                json_serialize=ujson.dumps,
            )
        yield self._kept


def _valid(self: RemoteAction, result: Dict[str, Any]) -> bool:
    """Return True. Raises jsonschema.ValidationError when the reply is not as Rasa's documentation says."""
    if isinstance(result, dict) and isinstance(result.get("events"), list):
        # Nearly all events set slots; the schema would be asked of each whether it is any of the 22 other kinds.
        result = {**result, "events": [event for event in result["events"] if not _sets_slot(event)]}
    _schema().validate(result)
    return True


def _sets_slot(event: Any) -> bool:
    """Whether the schema would accept ``event``, and as one that sets a slot."""
    return (
        isinstance(event, dict)
        and event.get("event") == "slot"
        and isinstance(event.get("name"), str)
        and "value" in event
        and type(event.get("timestamp")) in (int, float, type(None))
        and isinstance(event.get("metadata"), (dict, type(None)))
    )


@lru_cache(maxsize=1)
def _schema() -> Any:
    schema = RemoteAction.action_response_format_spec()
    return validator_for(schema)(schema)


def _copy(self: Slot) -> Slot:
    copied = self.__class__.__new__(self.__class__)
    copied.__dict__.update(self.__dict__)
    return copied


def _run(
    self: DaskGraphRunner, inputs: Optional[Dict[str, Any]] = None, targets: Optional[List[str]] = None
) -> Dict[str, Any]:
    """Run the steps that ``targets`` need, each once, in an order found the first time."""
    wanted = tuple(targets or self._graph_schema.target_names)
    orders = self.__dict__.setdefault("_orders", {})
    if wanted not in orders:
        orders[wanted] = _in_order(self._graph_schema.nodes, wanted)
    done: Dict[str, Tuple[str, Any]] = {name: (name, value) for name, value in (inputs or {}).items()}
    try:
        for name in orders[wanted]:
            # What nothing gave is passed on by its name: the step itself then says what it lacks.
            needs = self._graph_schema.nodes[name].needs.values()
            done[name] = self._instantiated_nodes[name](*(done.get(need, need) for need in needs))
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return dict(done[name] for name in wanted)


def _in_order(nodes: Dict[str, Any], wanted: Tuple[str, ...]) -> List[str]:
    """The names of all steps that ``wanted`` needs, each after those that it needs itself."""
    order: List[str] = []

    def visit(name: str) -> None:
        if name in nodes and name not in order:
            for need in nodes[name].needs.values():
                visit(need)
            order.append(name)

    for name in wanted:
        visit(name)
    return order


_plain_applied_events = DialogueStateTracker.applied_events


def _applied_events(self: DialogueStateTracker) -> List[Event]:
    """The same; where nothing can have been taken back, these are the events since the session began."""
    events = list(self.events)
    if not _TAKES_BACK.isdisjoint(map(type, events)):
        return _plain_applied_events(self)
    began = max((place for place, event in enumerate(events) if type(event) is SessionStarted), default=-1)
    return events[began + 1 :]


def _copy_tracker(self: DialogueStateTracker) -> DialogueStateTracker:
    """The same, copied as it stands: what can be changed in place is copied too, events are shared."""
    copied = self.__class__.__new__(self.__class__)
    copied.__dict__.update(self.__dict__)
    copied.slots = {name: copy.copy(slot) for name, slot in self.slots.items()}
    copied.events, copied.active_loop = copy.copy(self.events), copy.copy(self.active_loop)
    copied.model_id = copied.assistant_id = None
    return copied


class _LastTurns:
    """A conversation of which the rules see only the last ``most`` states."""

    def __init__(self, tracker: DialogueStateTracker, most: int) -> None:
        self._tracker, self._most = tracker, most

    def past_states(self, domain: Domain, **options: Any) -> List[State]:
        """As Rasa's tracker has it."""
        return domain.states_for_tracker_history(self, **options)

    def generate_all_prior_trackers(self) -> Iterator[Tuple[DialogueStateTracker, bool]]:
        """Yield the conversation as it stood before each of its last actions, and as it stands."""
        applied = self._tracker.applied_events()
        actions = [place for place, event in enumerate(applied) if isinstance(event, ActionExecuted)]
        wanted = frozenset(actions[max(0, len(actions) + 1 - self._most) :])
        prior = self._tracker.init_copy()
        for place, event in enumerate(applied):
            if place in wanted:
                yield prior, event.hide_rule_turn
            prior.update(event)
        yield prior, False


def _prediction_states(
    self: RulePolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    use_text_for_last_user_input: bool = False,
    rule_only_data: Optional[Dict[str, Any]] = None,
) -> List[State]:
    """The same, but only as many states as the longest rule has."""
    recent = _LastTurns(tracker, _longest_rule(self))
    return _plain_prediction_states(self, recent, domain, use_text_for_last_user_input, rule_only_data)


def _longest_rule(policy: RulePolicy) -> int:
    found: Optional[int] = policy.__dict__.get("_longest")
    if found is None:
        keys = [key for lookup in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH) for key in policy.lookup.get(lookup, {})]
        found = policy._longest = max((len(policy._rule_key_to_state(key)) for key in keys), default=1)
    return found


_plain_possible_keys = RulePolicy._get_possible_keys
_plain_prediction_states = RulePolicy._prediction_states
_plain_find_action = RulePolicy._find_action_from_rules
_plain_recall = MemoizationPolicy.predict_action_probabilities


def _possible_keys(self: RulePolicy, lookup: Dict[str, str], states: List[State]) -> Set[str]:
    """The same, but only rules that end in the action and the intent of the last state are compared with all of them."""
    action, intent = _ending(states[-1]) if states else (None, None)
    if action is None:
        return _plain_possible_keys(self, lookup, states)
    kept: Dict[int, Dict[Ending, List[str]]] = self.__dict__.setdefault("_by_ending", {})
    if id(lookup) not in kept:
        by_ending: Dict[Ending, List[str]] = {}
        for key in lookup:
            by_ending.setdefault(_ending(self._rule_key_to_state(key)[-1]), []).append(key)
        kept[id(lookup)] = by_ending
    endings = {(action, intent), (action, None), (None, intent), (None, None)}
    near = {key: lookup[key] for ending in endings for key in kept[id(lookup)].get(ending, ())}
    return _plain_possible_keys(self, near, states)


def _ending(state: State) -> Ending:
    found = state.get("prev_action", {}).get("action_name"), state.get("user", {}).get("intent")
    action, intent = (None if value == SHOULD_NOT_BE_SET else value or None for value in found)
    return action, intent


def _find_action(
    self: RulePolicy, tracker: DialogueStateTracker, domain: Domain, use_text_for_last_user_input: bool
) -> Tuple[Optional[str], Optional[str], bool]:
    """The same, but words are not compared with rules of which each asks for an intent."""
    if use_text_for_last_user_input and not _may_match_words(self):
        return None, None, False
    return _plain_find_action(self, tracker, domain, use_text_for_last_user_input)


def _may_match_words(policy: RulePolicy) -> bool:
    """Whether a rule of ``policy`` could hold for a message's words: it names words, or nothing of the message at all."""
    found: Optional[bool] = policy.__dict__.get("_words_matter")
    if found is None:
        last_states = [
            policy._rule_key_to_state(key)[-1]
            for kind in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH)
            for key in policy.lookup.get(kind, {})
        ]
        found = policy._words_matter = any(
            state.get("prev_action", {}).get("action_name", "action_listen") == "action_listen"
            and "intent" not in state.get("user", {})
            for state in last_states
        )
    return found


def _recall(
    self: MemoizationPolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    rule_only_data: Optional[Dict[str, Any]] = None,
    **kwargs: Any,
) -> PolicyPrediction:
    """The same, but an empty memory is not searched."""
    if not self.lookup:
        return self._prediction(self._default_predictions(domain))
    return _plain_recall(self, tracker, domain, rule_only_data, **kwargs)
