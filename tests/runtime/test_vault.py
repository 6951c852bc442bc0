"""The vault: what is sealed opens only in its own place, with its own key."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from runtime import vault as module
from runtime.vault import Vault, VaultError, new_master, open_vault

MASTER, INDEX = secrets.token_hex(32), secrets.token_hex(32)
WORDS = "I am Zoë and my number is 555-0100 \N{BRAIN}"


def make(master: str = MASTER, previous: tuple[str, ...] = ()) -> Vault:
    return Vault(master=master, index=INDEX, previous=previous)


def test_what_is_sealed_opens_again_and_is_not_readable_in_between() -> None:
    vault = make()
    wrapped = vault.new_key("case:1")
    sealed = vault.box(wrapped, "case:1").seal(WORDS, "notes:text:7")
    assert b"555" not in sealed
    assert make().box(wrapped, "case:1").open(sealed, "notes:text:7") == WORDS


def test_the_same_words_are_sealed_differently_each_time() -> None:
    box = make().box(make().new_key("case:1"), "case:1")
    assert box.seal(WORDS, "a:b:c") != box.seal(WORDS, "a:b:c")


@pytest.mark.parametrize("place", ["notes:text:8", "notes:name:7", "calls:text:7"])
def test_a_value_moved_elsewhere_does_not_open(place: str) -> None:
    vault = make()
    box = vault.box(vault.new_key("case:1"), "case:1")
    with pytest.raises(VaultError, match=place):
        box.open(box.seal(WORDS, "notes:text:7"), place)


@pytest.mark.parametrize("position", [0, 1, 14, -1])
def test_a_changed_byte_is_noticed(position: int) -> None:
    vault = make()
    box = vault.box(vault.new_key("case:1"), "case:1")
    sealed = bytearray(box.seal(WORDS, "notes:text:7"))
    sealed[position] ^= 1
    with pytest.raises(VaultError) as error:
        box.open(bytes(sealed), "notes:text:7")
    assert "Zoë" not in str(error.value)


def test_a_key_opens_for_its_owner_and_master_alone() -> None:
    wrapped = make().new_key("case:1")
    with pytest.raises(VaultError):
        make().box(wrapped, "case:2")
    with pytest.raises(VaultError):
        make(secrets.token_hex(32)).box(wrapped, "case:1")


def test_rotation_keeps_what_was_sealed_before() -> None:
    old = make()
    wrapped = old.new_key("case:1")
    sealed = old.box(wrapped, "case:1").seal(WORDS, "notes:text:7")
    fresh = secrets.token_hex(32)
    rewrapped = make(fresh, previous=(MASTER,)).rewrap(wrapped, "case:1")
    assert make(fresh).is_current(rewrapped)
    assert make(fresh).box(rewrapped, "case:1").open(sealed, "notes:text:7") == WORDS
    assert make(fresh).blind("name", "Zoë") == old.blind("name", "Zoë"), "an index must survive a rotation"


@pytest.mark.parametrize(
    ("said", "also_said", "same"),
    [
        ("Zoë Example", "zoe  EXAMPLE", True),
        ("Straße", "strasse", True),
        ("Zoë Example", "Zoe Exampel", False),
    ],
)
def test_blind_index_finds_the_same_name_however_it_is_typed(said: str, also_said: str, same: bool) -> None:
    assert (make().blind("name", said) == make().blind("name", also_said)) is same
    assert make().blind("name", said) != make().blind("phone", said)


def test_a_new_master_key_keeps_the_old_one_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAINSPOKEN_VAR", str(tmp_path))
    monkeypatch.delenv("PLAINSPOKEN_SECRET_MASTER", raising=False)
    wrapped = open_vault().new_key("case:1")
    path = new_master()
    assert path.stat().st_mode & 0o777 == 0o600
    assert module._previous_path().stat().st_mode & 0o777 == 0o600
    opened = open_vault()
    assert not opened.is_current(wrapped) or opened.rewrap(wrapped, "case:1")
    opened.box(wrapped, "case:1")
    new_master()
    open_vault().box(wrapped, "case:1")


def test_a_master_key_in_the_environment_is_changed_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAINSPOKEN_SECRET_MASTER", MASTER)
    with pytest.raises(VaultError, match="PLAINSPOKEN_SECRET_MASTER_PREVIOUS"):
        new_master()


def test_a_malformed_key_is_refused() -> None:
    with pytest.raises(VaultError, match="64 hex digits"):
        make("short")
