"""Standard Webhooks signatures, both ways: deliveries that come in, notices that go out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from runtime.settings import secret


def verify(secret_name: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the webhook id when signature and time (five minutes either way) are right, otherwise None."""
    try:
        _webhook(secret_name).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: headers or body that are no text or no base64
        return None
    return {name.lower(): value for name, value in headers.items()}["webhook-id"]


def sign(secret_name: str, key: str, body: str) -> dict[str, str]:
    """Return the headers that sign ``body`` under the id ``key``, now."""
    now = datetime.now(UTC)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": _webhook(secret_name).sign(key, now, body),
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }


def _webhook(secret_name: str) -> Webhook:
    return Webhook(bytes.fromhex(secret(secret_name)))
