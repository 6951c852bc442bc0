"""What is counted: for Prometheus, and for the clinic's insight page. Names of topics, steps and tiers; never words.

A process counts in memory and adds its figures to the intake store now and then, so that a turn waits for nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client import Counter as Figure

from actions.database import StoreUnavailable

log = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0

REGISTRY = CollectorRegistry()
ACTION_SECONDS = Histogram(
    "plainspoken_action_seconds",
    "Time an action took",
    ["action"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
    registry=REGISTRY,
)
ACTION_FAILURES = Figure("plainspoken_action_failures", "Actions that apologised", ["action"], registry=REGISTRY)
REPLIES = Figure("plainspoken_replies", "What was replied: answer, fallback ...", ["kind"], registry=REGISTRY)
ESCALATIONS = Figure("plainspoken_escalations", "Escalations recorded", ["tier"], registry=REGISTRY)

_COUNTED = {"answer": "topic", "out_of_scope": "topic", "fallback": ""}
"""Kinds of replies the insight page shows, and the field of the payload that names what they were about."""

_unsaved: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()


def count_reply(custom: Mapping[str, Any] | None) -> None:
    """Count a reply by its payload (``kind`` and ``topic`` of the reply contract)."""
    kind = str((custom or {}).get("kind") or "words")
    REPLIES.labels(kind).inc()
    if custom and kind in _COUNTED:
        with _lock:
            _unsaved[kind, str(custom.get(_COUNTED[kind], ""))] += 1


def take_unsaved() -> Counter[tuple[str, str]]:
    """Return what was counted since the last call, and forget it here."""
    with _lock:
        taken = Counter(_unsaved)
        _unsaved.clear()
    return taken


async def keep_saving(add: Callable[[Counter[tuple[str, str]]], None]) -> None:
    """For ever: hand what was counted to ``add(figures)``, in a thread. What the store refuses is kept for later."""
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        figures = take_unsaved()
        if not figures:
            continue
        try:
            await asyncio.to_thread(add, figures)
        except StoreUnavailable:
            with _lock:
                _unsaved.update(figures)
            log.warning("figures not saved", extra={"count": sum(figures.values())})
