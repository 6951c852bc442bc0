"""The last word on what happens next: emergency words first, and never silence.

Rasa lets an active form act before any rule, and a form asks the action server before it steps aside. With the action
server down, a red flag typed inside a form would so be met with nothing at all, and with a hanging one it would wait
(tried with Rasa 3.6.21: ``FormAction.validate`` raises, the processor logs it and listens). This policy is
deterministic, learns nothing, stands above RulePolicy and speaks up in two cases only:

* the latest message is a red flag: the emergency words, then the form is put down, then the record is made;
* an action that always has something to say ended without a word: the apology that gives the phone number.
"""

from __future__ import annotations

from typing import Any

from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import InvalidConfigException

HOUSEKEEPING = frozenset({"action_extract_slots", "action_session_start", "action_listen"})
LISTEN = "action_listen"
DEACTIVATE = "action_deactivate_loop"


def next_action(
    done: list[str],
    *,
    failed: bool,
    red_flag: bool,
    form: bool,
    speakers: frozenset[str],
    words: str,
    record: str,
    sorry: str,
) -> str | None:
    """Return the action this turn needs next, or None when the rules may decide.

    Args:
        done: the actions executed since the patient's message, in order.
        failed: whether the last of them left nothing behind.
        red_flag: whether the message is a red flag.
        form: whether a form is active.
        speakers: actions that never end without a word unless they failed.
        words, record, sorry: the names of the emergency response, the recording action and the apology.
    """
    if red_flag:
        if words not in done:
            return words
        if record in done:
            return LISTEN  # also where a form was taken up again after the record
        return DEACTIVATE if form else record
    if sorry in done:
        return LISTEN
    if done and done[-1] in speakers and failed:
        return sorry
    return None


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class SafetyNetPolicy(Policy):
    """Puts :func:`next_action` before every other policy. Needs nothing; config lists ``speakers``."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {
            "priority": 10,  # above RulePolicy (6): of two sure predictions the higher priority wins
            "intent": "red_flag",
            "words": "utter_escalation",
            "record": "action_record_escalation",
            "sorry": "utter_something_broke",
            "speakers": [],
        }

    @staticmethod
    def supported_data() -> SupportedData:
        return SupportedData.ML_AND_RULE_DATA

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SafetyNetPolicy:
        return cls(config, model_storage, resource, execution_context)

    def train(self, training_trackers: list[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """Learns nothing. Raises InvalidConfigException when a configured action is not in the domain."""
        names = {self.config["words"], self.config["record"], self.config["sorry"], *self.config["speakers"]}
        unknown = sorted(names - set(domain.action_names_or_texts))
        if unknown:
            raise InvalidConfigException(f"SafetyNetPolicy names what domain.yml does not have: {', '.join(unknown)}")
        return self._resource

    def predict_action_probabilities(
        self, tracker: DialogueStateTracker, domain: Domain, rule_only_data: dict[str, Any] | None = None, **kwargs: Any
    ) -> PolicyPrediction:
        done: list[str] = []
        message: UserUttered | None = None
        last = tracker.events[-1] if tracker.events else None
        for event in reversed(tracker.events):
            if isinstance(event, UserUttered):
                message = event  # not tracker.latest_message, which a fallback moves back to an older one
                break
            if isinstance(event, ActionExecuted) and event.action_name and event.action_name not in HOUSEKEEPING:
                done.insert(0, event.action_name)
        name = next_action(
            done,
            failed=isinstance(last, ActionExecuted),  # an action that worked leaves an event after its own
            red_flag=bool(message and message.intent.get("name") == self.config["intent"]),
            form=bool(tracker.active_loop),
            speakers=frozenset(self.config["speakers"]),
            words=self.config["words"],
            record=self.config["record"],
            sorry=self.config["sorry"],
        )
        chances = self._default_predictions(domain)
        if name is None:
            return self._prediction(chances)
        chances[domain.index_for_action(name)] = 1.0
        # Rasa ranks predictions of this kind above all others, and its form predictions are of it: without the mark, an
        # active form would win whatever the priority.
        return self._prediction(chances, is_no_user_prediction=True)
