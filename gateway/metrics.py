"""What Prometheus may know: counts and times, nothing of any patient."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The gateway's own registry, so that two of them in one test process do not clash."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Counter("plainspoken_chat_sessions", "Chats begun", registry=self.registry)
        self.messages = Counter("plainspoken_chat_messages", "Messages taken", registry=self.registry)
        self.refusals = Counter("plainspoken_chat_refusals", "Requests refused", ["code"], registry=self.registry)
        self.troubles = Counter("plainspoken_rasa_troubles", "Turns not answered", ["kind"], registry=self.registry)
        self.streams = Gauge("plainspoken_chat_streams", "Open event streams", registry=self.registry)
        self.turn_seconds = self._seconds("plainspoken_turn_seconds", "From taking a message to storing its answer")
        self.rasa_seconds = self._seconds("plainspoken_rasa_seconds", "The part of it that Rasa took, actions included")

    def _seconds(self, name: str, what: str) -> Histogram:
        return Histogram(name, what, buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60), registry=self.registry)
