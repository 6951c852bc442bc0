from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Stack
from tests.conversations.harness import Conversation


@pytest.fixture
def patient(stack: Stack) -> Conversation:
    """A patient who has not said anything yet."""
    return Conversation(stack.rasa)


@pytest.fixture
def another_patient(stack: Stack) -> Callable[[], Conversation]:
    return lambda: Conversation(stack.rasa)
