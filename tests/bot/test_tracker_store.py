"""The encrypted conversation store, against a real SQLite file: what is kept, what can be read, what is gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.tracker_store import EncryptedTrackerStore
from runtime.vault import Vault

WORDS = "my left leg goes numb at night"
VAULT = {"master": "1a" * 32, "index": "2b" * 32}

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
slots:
  erase_conversation: {type: bool, influence_conversation: false, mappings: [{type: custom}]}
  last_topic: {type: text, influence_conversation: false, mappings: [{type: custom}]}
"""
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "tracker.db"


def store(place: Path, **keys: object) -> EncryptedTrackerStore:
    return EncryptedTrackerStore(domain=DOMAIN, host=f"sqlite:///{place}", vault=Vault(**{**VAULT, **keys}))


def tracker(*texts: str) -> DialogueStateTracker:
    found = DialogueStateTracker("patient-1", DOMAIN.slots)
    found.update(SessionStarted())
    for text in texts:
        found.update(UserUttered(text))
    return found


def files(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in place.parent.iterdir())


async def test_a_conversation_comes_back_and_grows(place: Path) -> None:
    first = tracker(WORDS)
    await store(place).save(first)
    first.update(UserUttered("and it hurts"))
    await store(place).save(first)
    found = await store(place).retrieve("patient-1")
    assert found is not None
    assert [event.text for event in found.events if isinstance(event, UserUttered)] == [WORDS, "and it hurts"]
    assert await store(place).retrieve("patient-2") is None


async def test_neither_words_nor_the_patients_id_stand_in_the_file(place: Path) -> None:
    await store(place).save(tracker(WORDS))
    assert b"numb" not in files(place) and b"patient-1" not in files(place)


async def test_erasure_leaves_nothing_in_the_files(place: Path) -> None:
    talk = tracker(WORDS)
    await store(place).save(talk)
    talk.update(SlotSet("erase_conversation", True))
    await store(place).save(talk)
    assert await store(place).retrieve("patient-1") is None
    rows = sqlite3.connect(place).execute(
        "select count(*) from events union all select count(*) from conversation_keys"
    )
    assert [count for (count,) in rows] == [0, 0]


async def test_old_conversations_are_purged(place: Path) -> None:
    await store(place).save(tracker(WORDS))
    assert store(place).purge(3600) == 0
    assert store(place).purge(-1) == 1
    assert await store(place).retrieve("patient-1") is None


async def test_a_new_master_key_opens_what_was_rewrapped(place: Path) -> None:
    await store(place).save(tracker(WORDS))
    assert store(place, master="3c" * 32, previous=("1a" * 32,)).rewrap() == 1
    found = await store(place, master="3c" * 32).retrieve("patient-1")
    assert found is not None and found.latest_message is not None and found.latest_message.text == WORDS
