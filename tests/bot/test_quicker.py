"""What is done once instead of every time gives the same results."""

from __future__ import annotations

import asyncio
import copy
import inspect
from typing import Any, Dict, List, Optional, Tuple

import pytest
from aiohttp import web
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.core.policies.memoization import MemoizationPolicy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    ActiveLoop,
    BotUttered,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.slots import ListSlot, Slot
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot import quicker

PATCHED = [
    (RemoteAction, "_validate_action_result"),
    (Event, "resolve_by_type"),
    (DaskGraphRunner, "run"),
    (RulePolicy, "_get_possible_keys"),
    (RulePolicy, "_find_action_from_rules"),
    (RulePolicy, "_prediction_states"),
    (RulePolicy, "format_tracker_states"),
    (DialogueStateTracker, "applied_events"),
    (DialogueStateTracker, "copy"),
    (MemoizationPolicy, "predict_action_probabilities"),
    (MessageProcessor, "_check_for_unseen_features"),
]
plain_valid = RemoteAction._validate_action_result
plain_run = DaskGraphRunner.run
plain_applied_events = DialogueStateTracker.applied_events


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slot, "__copy__", None, raising=False)
    for owner, name in PATCHED:
        monkeypatch.setattr(owner, name, inspect.getattr_static(owner, name))  # so that it is put back
    quicker.make_quicker()


@pytest.mark.parametrize(
    ("reply", "good"),
    [
        ({"events": [], "responses": []}, True),
        (
            {"events": [{"event": "slot", "name": "last_topic", "value": "cost"}], "responses": [{"text": "Hello"}]},
            True,
        ),
        ({"events": [{"event": "action", "name": "action_listen"}], "responses": []}, True),
        ({"events": [{"event": "slot"}], "responses": []}, False),
        ({"events": [{"event": "slot", "name": "n", "value": 1, "timestamp": None, "metadata": {}}]}, True),
        ({"events": [{"event": "slot", "name": "n", "value": 1, "timestamp": 1.5}, {"event": "slot"}]}, False),
        ({"events": [{"event": "slot", "name": "n", "value": 1, "timestamp": True}]}, False),
        ({"events": [{"event": "slot", "name": "n", "value": 1, "metadata": "words"}]}, False),
        ({"events": [{"event": "slot", "name": 7, "value": 1}]}, False),
        ({"events": ["slot"]}, False),
        ({"events": "none", "responses": []}, False),
        ({"events": [], "responses": ["Hello"]}, False),
    ],
)
def test_a_reply_is_judged_as_rasa_judges_it(quick: None, reply: Dict[str, Any], good: bool) -> None:
    action = RemoteAction("action_answer", EndpointConfig("http://127.0.0.1:1"))
    for judge in (plain_valid, RemoteAction._validate_action_result):
        if good:
            assert judge(action, reply)
        else:
            with pytest.raises(ValidationError):
                judge(action, reply)


@pytest.mark.parametrize("event", [SlotSet("last_topic", "cost"), UserUttered("hello"), BotUttered("hello")])
def test_an_event_comes_back_as_what_it_was(quick: None, event: Event) -> None:
    for _ in range(2):
        assert type(Event.from_parameters(event.as_dict())) is type(event)
    with pytest.raises(ValueError, match="Unknown event"):
        Event.resolve_by_type("no_such_event")


def test_a_copied_slot_is_the_same_and_another(quick: None) -> None:
    slot = ListSlot("terms", mappings=[{"type": "custom"}])
    slot.value = ["fusion"]
    copied = copy.copy(slot)
    assert type(copied) is ListSlot and copied.__dict__ == slot.__dict__
    copied.value = []
    assert slot.value == ["fusion"] and slot.has_been_set


class Step:
    """Stands in for Rasa's node of a graph: says what it was given, and counts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs = 0

    def __call__(self, *given: Any) -> Tuple[str, Any]:
        self.runs += 1
        if self.name == "broken":
            raise RuntimeError
        return self.name, (self.name, given)


def runner(**needs: List[str]) -> DaskGraphRunner:
    made = DaskGraphRunner.__new__(DaskGraphRunner)
    nodes = {
        name: SchemaNode({need: need for need in wanted}, Step, "create", "run", {}) for name, wanted in needs.items()
    }
    made._graph_schema = GraphSchema(nodes)  # type: ignore[arg-type]
    made._instantiated_nodes = {name: Step(name) for name in nodes}  # type: ignore[misc]
    made._execution_context = None  # type: ignore[assignment]
    return made


def test_steps_are_run_as_dask_runs_them(quick: None) -> None:
    graph = {"a": ["message"], "b": ["a"], "c": ["a", "tracker"], "end": ["c", "b"], "other": ["tracker"]}
    for inputs in ({"message": ["hello"], "tracker": "T"}, {"message": ["again"]}):
        expected, found = runner(**graph), runner(**graph)
        assert DaskGraphRunner.run(found, inputs, ["end"]) == plain_run(expected, inputs, ["end"])
        assert [step.runs for step in found._instantiated_nodes.values()] == [1, 1, 1, 1, 0]
    with pytest.raises(GraphRunError):
        DaskGraphRunner.run(runner(broken=["message"]), {"message": []}, ["broken"])


DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [ask, stop, affirm]
entities: [term]
slots:
  consent: {type: bool, influence_conversation: true, mappings: [{type: custom}]}
  answer: {type: text, influence_conversation: false, mappings: [{type: custom}]}
forms:
  intake_form: {required_slots: [answer]}
actions: [action_answer, action_stop]
responses:
  utter_done: [{text: Done}]
"""
)


def told(name: str, *events: Event) -> TrackerWithCachedStates:
    rule = TrackerWithCachedStates(name, DOMAIN.slots, domain=DOMAIN, is_rule_tracker=True)
    rule.update_with_events([ActionExecuted("...", hide_rule_turn=False), *events], DOMAIN)
    return rule


def said(intent: str) -> List[Event]:
    return [ActionExecuted("action_listen"), UserUttered(intent, {"name": intent, "confidence": 1.0})]


def policy(folder: Any, rules: List[TrackerWithCachedStates]) -> RulePolicy:
    context = ExecutionContext(GraphSchema({}), "model", "rules")
    made = RulePolicy(RulePolicy.get_default_config(), LocalModelStorage(folder), Resource("rules"), context)
    made.train(rules, DOMAIN)
    return made


def conversations() -> List[List[Event]]:
    in_form = [
        *said("ask"),
        ActionExecuted("intake_form"),
        ActiveLoop("intake_form"),
        SlotSet("requested_slot", "answer"),
    ]
    return [
        [],
        said("ask"),
        said("affirm"),
        [*said("ask"), ActionExecuted("action_answer")],
        [*said("ask"), SlotSet("consent", True), ActionExecuted("action_answer"), *said("stop")],
        in_form,
        [*in_form, *said("stop")],
        [*in_form, *said("affirm"), ActionExecuted("intake_form"), ActiveLoop(None)],
    ]


def long_talk(turns: int = 12) -> List[Event]:
    """A conversation that no rule looks back over as a whole, in its second session."""
    answered = [*said("ask"), ActionExecuted("action_answer"), BotUttered("An answer"), SlotSet("consent", True)]
    return [*said("stop"), ActionExecuted("action_session_start"), SessionStarted(), *answered * turns]


TALKS = [
    *conversations(),
    long_talk(),
    [*long_talk(), ActionReverted()],
    [*long_talk(), *said("stop"), UserUtteranceReverted()],
    [*long_talk(), Restarted(), *said("ask")],
    [*long_talk(), ActionExecuted("intake_form"), ActiveLoop("intake_form"), *said("affirm")],
]


def talked(events: List[Event]) -> DialogueStateTracker:
    tracker = DialogueStateTracker("patient", DOMAIN.slots)
    tracker.update_with_events([copy.copy(event) for event in events], DOMAIN)
    return tracker


@pytest.mark.parametrize("events", TALKS)
def test_what_was_taken_back_does_not_count(quick: None, events: List[Event]) -> None:
    tracker = talked(events)
    assert tracker.applied_events() == plain_applied_events(tracker)


@pytest.mark.parametrize("events", TALKS)
def test_a_copy_of_a_conversation_is_as_if_it_was_played_again(quick: None, events: List[Event]) -> None:
    tracker = talked(events)
    copied, replayed = tracker.copy(), tracker.travel_back_in_time(float("inf"))
    shared = ("slots", "active_loop")
    same, expected = ({k: v for k, v in vars(one).items() if k not in shared} for one in (copied, replayed))
    assert same == expected and copied.active_loop == replayed.active_loop
    assert copied.current_slot_values() == replayed.current_slot_values()
    before = tracker.current_slot_values(), len(tracker.events), copy.copy(tracker.active_loop)
    copied.update_with_events([*said("stop"), SlotSet("consent", False), ActiveLoop(None)], DOMAIN)
    assert (tracker.current_slot_values(), len(tracker.events), tracker.active_loop) == before


@pytest.mark.parametrize("events", TALKS)
def test_rules_see_the_end_of_a_conversation_as_it_was(
    request: pytest.FixtureRequest, tmp_path: Any, events: List[Event]
) -> None:
    chooser = policy(
        tmp_path, [told("answer", *said("ask"), ActionExecuted("action_answer"), ActionExecuted("action_listen"))]
    )
    whole = chooser._prediction_states(talked(events), DOMAIN)
    request.getfixturevalue("quick")
    seen = chooser._prediction_states(talked(events), DOMAIN)
    assert seen == whole[-len(seen) :]
    assert len(seen) == min(len(whole), quicker._longest_rule(chooser))


def test_rules_choose_what_they_chose_before(request: pytest.FixtureRequest, tmp_path: Any) -> None:
    rules = [
        told("answer", *said("ask"), ActionExecuted("action_answer"), ActionExecuted("action_listen")),
        told("stop", *said("stop"), ActionExecuted("action_stop"), ActionExecuted("action_listen")),
    ]
    chooser = policy(tmp_path, rules)

    def chosen() -> List[List[float]]:
        found = []
        for events in TALKS:
            found.append(chooser.predict_action_probabilities(talked(events), DOMAIN).probabilities)
        return found

    before = chosen()
    request.getfixturevalue("quick")
    assert chosen() == before
    assert len({tuple(chances) for chances in before}) > 2, "the conversations do not tell the rules apart"


@pytest.mark.parametrize(
    ("user", "before", "may"),
    [
        ({"intent": "ask"}, "action_listen", False),
        ({"text": "stop it"}, "action_listen", True),
        ({}, "action_listen", True),
        ({}, "action_answer", False),
    ],
)
def test_words_are_compared_where_a_rule_could_hold_for_words(
    quick: None, user: Dict[str, str], before: str, may: bool
) -> None:
    made = RulePolicy.__new__(RulePolicy)
    state = {"user": user, "prev_action": {"action_name": before}}
    made.lookup = {"rules": {RulePolicy._create_feature_key(made, [state]): "action_answer"}}
    assert quicker._may_match_words(made) is may


@pytest.fixture
async def connections() -> Any:
    """A server that counts its connections, and its address."""
    seen: List[Optional[Tuple[str, int]]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.transport.get_extra_info("peername") if request.transport else None)
        return web.json_response({"events": [], "responses": []})

    app = web.Application()
    app.router.add_post("/webhook", answer)
    app_runner = web.AppRunner(app)
    await app_runner.setup()
    await web.TCPSite(app_runner, "127.0.0.1", 0).start()
    yield seen, f"http://127.0.0.1:{app_runner.addresses[0][1]}/webhook"
    await app_runner.cleanup()


async def test_actions_share_a_connection(connections: Any) -> None:
    seen, url = connections
    endpoint = quicker.KeptConnection(url)
    for number in range(3):
        assert await endpoint.request(json={"number": number}) == {"events": [], "responses": []}
    assert len(seen) == 3 and len(set(seen)) == 1
    await asyncio.gather(*(endpoint.request(json={}) for _ in range(3)))
    assert endpoint._kept is not None
    await endpoint._kept.close()
    assert await endpoint.request(json={}) == {"events": [], "responses": []}, "a closed session is replaced"
    await endpoint._kept.close()
