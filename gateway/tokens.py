"""Session ids and the signed tokens that carry them. Pure: time comes in as a number.

A token is ``v1.<session>.<issued>.<mac>``: the id is 128 random bits made here, the mac is HMAC-SHA256 over what stands
before it. It says who it is and when it was made; how long it is good for is the verifier's policy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import Enum

_TOKEN = re.compile(r"v1\.(?P<session>[0-9a-f]{32})\.(?P<issued>\d{1,12})\.(?P<mac>[0-9a-f]{64})")


class Refusal(Enum):
    """Why a token is not taken."""

    MALFORMED = "malformed"
    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Claim:
    """A genuine token: whose session, and whether it is time to hand out a fresh one."""

    session: str
    stale: bool


def new_session() -> str:
    return secrets.token_hex(16)


def issue(session: str, key: bytes, now: float) -> str:
    """Return a token for ``session`` made at ``now`` (seconds since the epoch)."""
    head = f"v1.{session}.{int(now)}"
    return f"{head}.{_mac(head, key)}"


def verify(token: str, key: bytes, now: float, *, lifetime: float, rotate: float) -> Claim | Refusal:
    """Return whose ``token`` it is, or why it is refused. It is stale after ``rotate``, dead after ``lifetime``."""
    match = _TOKEN.fullmatch(token)
    if not match:
        return Refusal.MALFORMED
    head = token.rpartition(".")[0]
    if not hmac.compare_digest(_mac(head, key), match["mac"]):
        return Refusal.FORGED
    age = now - int(match["issued"])
    if not -60 <= age <= lifetime:
        return Refusal.EXPIRED
    return Claim(match["session"], stale=age > rotate)


def _mac(head: str, key: bytes) -> str:
    return hmac.new(key, head.encode(), hashlib.sha256).hexdigest()
