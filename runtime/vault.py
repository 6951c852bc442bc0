"""Encryption of identifying and free-text fields at rest, shared by every store in both runtimes.

Envelope encryption: each case, intake or conversation has a data key of its own, kept next to its rows and wrapped by
the master key. Deleting the wrapped key makes every copy of its fields unreadable, those in backups included.

Cipher: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. Layout of a wrapped key: key id (1 byte), nonce (12),
ciphertext and tag. Layout of a field: format (1 byte), nonce (12), ciphertext and tag. The additional data of a field
is ``table:column:row``, so that a value moved to another row or column does not open.

``python -m runtime.vault new-master`` changes the master key of one machine; each store's ``rewrap`` command follows.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import os
import secrets
import unicodedata
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runtime.settings import secret, settings

NONCE = 12
FORMAT = b"\x01"


class VaultError(ValueError):
    """A value does not open: another key, another place, or it was changed. Names the place, never the value."""


class Box:
    """Seals and opens the fields of one owner with that owner's data key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, text: str, place: str) -> bytes:
        """Return ``text`` encrypted for ``place`` (``table:column:row``)."""
        return self.seal_bytes(text.encode(), place)

    def open(self, sealed: bytes, place: str) -> str:
        """Return the text sealed for ``place``. Raises VaultError when it was sealed for another place or changed."""
        return self.open_bytes(sealed, place).decode()

    def seal_bytes(self, content: bytes, place: str) -> bytes:
        """The same for bytes: a file."""
        nonce = secrets.token_bytes(NONCE)
        return FORMAT + nonce + self._cipher.encrypt(nonce, content, place.encode())

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """Return the bytes sealed for ``place``. Raises VaultError as :meth:`open` does."""
        if sealed[:1] != FORMAT:
            raise VaultError(f"{place}: unknown format")
        try:
            nonce, rest = sealed[1 : 1 + NONCE], sealed[1 + NONCE :]
            return self._cipher.decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError):
            raise VaultError(f"{place}: does not open with this owner's key") from None


class Vault:
    """Makes, wraps and opens data keys; computes blind indexes.

    Args:
        master: the master key new data keys are wrapped with, 64 hex digits.
        previous: older master keys that may still open keys, for the time of a rotation.
        index: the key of the blind indexes, 64 hex digits. It is not rotated, or nothing would be found again.
    """

    def __init__(self, *, master: str, index: str, previous: tuple[str, ...] = ()) -> None:
        self._masters = [_master_bytes(key) for key in (master, *previous)]
        self._index = _master_bytes(index)

    def new_key(self, owner: str) -> bytes:
        """Return a new data key for ``owner`` (for example ``case:<id>``), wrapped."""
        return self._wrap(secrets.token_bytes(32), owner)

    def box(self, wrapped: bytes, owner: str) -> Box:
        """Return the box of ``owner``. Raises VaultError when no known master key opens ``wrapped`` for this owner."""
        return Box(self._unwrap(wrapped, owner))

    def is_current(self, wrapped: bytes) -> bool:
        """Whether ``wrapped`` bears the id of the current master key."""
        return wrapped[:1] == _key_id(self._masters[0])

    def rewrap(self, wrapped: bytes, owner: str) -> bytes:
        """Return the same data key, wrapped with the current master key."""
        return self._wrap(self._unwrap(wrapped, owner), owner)

    def blind(self, purpose: str, value: str) -> str:
        """Return a keyed fingerprint (HMAC-SHA256) of ``value``, to look it up by equality without storing it.

        Case, accents and spacing do not count.
        """
        plain = unicodedata.normalize("NFKD", value).casefold()
        plain = " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())
        return hmac.new(self._index, f"{purpose}\0{plain}".encode(), hashlib.sha256).hexdigest()

    def _wrap(self, key: bytes, owner: str) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        master = self._masters[0]
        return _key_id(master) + nonce + AESGCM(master).encrypt(nonce, key, owner.encode())

    def _unwrap(self, wrapped: bytes, owner: str) -> bytes:
        nonce, rest = wrapped[1 : 1 + NONCE], wrapped[1 + NONCE :]
        for master in self._masters:
            if _key_id(master) == wrapped[:1]:
                try:
                    return AESGCM(master).decrypt(nonce, rest, owner.encode())
                except (InvalidTag, ValueError):
                    continue
        raise VaultError(f"{owner}: no known master key opens its data key")


def open_vault() -> Vault:
    """Return the vault of this machine: secrets ``master``, ``index`` and, while rotating, ``master-previous``."""
    master, *previous = known_masters()
    return Vault(master=master, index=secret("index"), previous=tuple(previous))


def known_masters() -> list[str]:
    """The master keys of this machine, the current one first."""
    previous = os.environ.get("PLAINSPOKEN_SECRET_MASTER_PREVIOUS", "").split(",")
    path = _previous_path()
    if path.exists():
        previous += path.read_text().split()
    return [secret("master"), *(key for key in previous if key)]


def _previous_path() -> Path:
    return settings().var / "secrets" / "master-previous"


def _master_bytes(key: str) -> bytes:
    try:
        found = bytes.fromhex(key)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise VaultError("a master key must be 64 hex digits")
    return found


def _key_id(master: bytes) -> bytes:
    return hashlib.sha256(b"key id" + master).digest()[:1]


def new_master() -> Path:
    """Make a new master key for this machine and keep the old one in ``master-previous``. Returns the new key's path.

    Raises VaultError when the key comes from the environment, where it has to be changed instead.
    """
    if os.environ.get("PLAINSPOKEN_SECRET_MASTER"):
        raise VaultError(
            "The master key is set by PLAINSPOKEN_SECRET_MASTER: set the new one there and the old one in "
            "PLAINSPOKEN_SECRET_MASTER_PREVIOUS."
        )
    old = secret("master")
    path, kept = settings().var / "secrets" / "master", _previous_path()
    # The old key is safe in its file before the new one takes its place: a crash in between loses nothing.
    _write(kept, "\n".join(dict.fromkeys([*(kept.read_text().split() if kept.exists() else ()), old])))
    _write(path, secrets.token_hex(32))
    return path


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m runtime.vault", description="Change the master key.")
    parser.add_argument("command", choices=["new-master"])
    parser.parse_args()
    try:
        path = new_master()
    except VaultError as error:
        raise SystemExit(str(error)) from None
    print(f"New master key in {path}; the old one in {_previous_path()}.")
    print("Restart every process, run each store's rewrap command, then delete master-previous.")


if __name__ == "__main__":
    main()
