"""How each provider signs what it sends us, as it documents. Pure, and light to import: the set-up check uses it too."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def twilio(auth_token: str, address: str, fields: Iterable[tuple[str, str]]) -> str:
    """X-Twilio-Signature: https://www.twilio.com/docs/usage/security#validating-requests"""
    signed = address + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def messenger(app_secret: str, body: bytes) -> str:
    """X-Hub-Signature-256: https://developers.facebook.com/docs/messenger-platform/webhooks#validate-payloads"""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def messenger_proof(app_secret: str, page_token: str) -> str:
    """The ``appsecret_proof`` of our own calls: https://developers.facebook.com/docs/graph-api/guides/secure-requests"""
    return hmac.new(app_secret.encode(), page_token.encode(), hashlib.sha256).hexdigest()


def slack(signing_secret: str, moment: str, body: bytes) -> str:
    """X-Slack-Signature: https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    signed = b"v0:" + moment.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()
