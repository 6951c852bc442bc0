"""Delivers to a FHIR R4 server: transactions of conditional creates, with every entry's own response checked.

Authorization is SMART Backend Services (https://hl7.org/fhir/smart-app-launch/backend-services.html): a signed
assertion for a short-lived token; or a fixed bearer token for servers that have nothing better.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from actions.fhir import (
    attachments_bundle,
    escalation_bundle,
    intake_bundle,
    questionnaire_resource,
    task_bundle,
)
from actions.fhir_files import file_bundle
from actions.fhir_resources import Names, Resource
from actions.outbox import FILE, Row
from actions.targets import Delivered, Later, Outcome, Refused, failure, retry_after

CREATED = (200, 201)


@dataclass(frozen=True, kw_only=True)
class FhirSettings:
    """How the server is reached. Either ``bearer``, or ``token_url`` with ``client_id`` and ``private_key`` (PEM)."""

    url: str
    names: Names = field(default_factory=Names)
    bearer: str = ""
    token_url: str = ""
    client_id: str = ""
    private_key: str = ""
    key_id: str = ""
    scope: str = "system/*.cruds"


def fhir_settings(url: str) -> FhirSettings:
    """Read ``PLAINSPOKEN_FHIR_*``. Raises SystemExit naming what is missing."""
    given = {
        name: os.environ.get(f"PLAINSPOKEN_FHIR_{name}", "")
        for name in ("BEARER", "TOKEN_URL", "CLIENT_ID", "KEY_FILE")
    }
    if given["TOKEN_URL"] and not (given["CLIENT_ID"] and given["KEY_FILE"]):
        raise SystemExit("PLAINSPOKEN_FHIR_TOKEN_URL needs PLAINSPOKEN_FHIR_CLIENT_ID and PLAINSPOKEN_FHIR_KEY_FILE.")
    return FhirSettings(
        url=url.rstrip("/"),
        names=Names(os.environ.get("PLAINSPOKEN_FHIR_NAMES", Names().base)),
        bearer=given["BEARER"],
        token_url=given["TOKEN_URL"],
        client_id=given["CLIENT_ID"],
        private_key=Path(given["KEY_FILE"]).read_text() if given["KEY_FILE"] else "",
        key_id=os.environ.get("PLAINSPOKEN_FHIR_KEY_ID", ""),
        scope=os.environ.get("PLAINSPOKEN_FHIR_SCOPE", "system/*.cruds"),
    )


class Denied(Exception):
    """The server does not take our credentials, or the token endpoint does not answer."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class FhirTarget:
    """Sends rows as FHIR transactions. ``receipts`` gives what earlier rows of the same owner made."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        config: FhirSettings,
        receipts: Callable[[str], list[dict[str, Any]]],
        *,
        timeout: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.session, self.config, self.receipts, self.timeout, self.clock = session, config, receipts, timeout, clock
        self.token, self.token_until = "", 0.0
        self.published = False

    async def deliver(self, row: Row) -> Outcome:
        """Send one row. An intake is two transactions; the second is sent again safely when only the first arrived."""
        at = datetime.fromtimestamp(row.created_at, UTC).isoformat(timespec="seconds")
        names = self.config.names
        try:
            async with asyncio.timeout(self.timeout):
                if row.kind in ("intake.submitted", "intake.corrected"):
                    await self._publish()
                    made = await self._transact(intake_bundle(row.body, at, names))
                    more = await self._transact(attachments_bundle(row.body, at, names, made))
                    return Delivered(200, {**more, **made})
                if row.kind.startswith("escalation."):
                    update = row.kind == "escalation.updated"
                    return Delivered(200, await self._transact(escalation_bundle(row.body, at, names, update=update)))
                if row.kind == FILE:
                    made = await self._made(row.owner, newest=True)
                    return Delivered(200, await self._transact(file_bundle(row.body, at, names, made)))
                made = await self._made(row.owner)
                kind = "withdrawn" if row.kind == "intake.withdrawn" else "erasure"
                return Delivered(200, await self._transact(task_bundle(row.body, at, names, kind=kind, made=made)))
        except Denied as error:
            return Later(error.status, f"credentials refused ({error})", alarm=True)
        except _Failed as error:
            return error.outcome
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Later(None, type(error).__name__)

    async def _made(self, owner: str, *, newest: bool = False) -> dict[str, str]:
        """What the first (or newest) version of ``owner`` made."""
        receipts = await asyncio.to_thread(self.receipts, owner)
        for receipt in reversed(receipts) if newest else receipts:
            if receipt.get("Patient"):
                return {key: str(value) for key, value in receipt.items()}
        return {}

    async def _publish(self) -> None:
        """Put the questionnaire there once, under its canonical address and version."""
        if self.published:
            return
        resource = questionnaire_resource(self.config.names)
        condition = f"url={resource['url']}&version={resource['version']}"
        status, _, content = await self._call("POST", "/Questionnaire", resource, {"If-None-Exist": condition})
        if status not in CREATED:
            raise _Failed(failure(status, detail=_issue(content)))
        self.published = True

    async def _transact(self, bundle: Resource) -> dict[str, str]:
        """Send a transaction and return what it made or found, resource type to reference. Raises _Failed."""
        status, wait, content = await self._call("POST", "", bundle, {})
        if status not in CREATED:
            # 409 and 412 mean that a condition matched more than one: an identifier of ours exists twice, and only a
            # person can say which is right.
            raise _Failed(failure(status, wait, _issue(content)))
        entries = content.get("entry") or []
        if len(entries) != len(bundle["entry"]):
            raise _Failed(Refused(status, f"{len(entries)} responses to {len(bundle['entry'])} entries"))
        made: dict[str, str] = {}
        for sent, got in zip(bundle["entry"], entries, strict=True):
            reply = got.get("response") or {}
            code = int(str(reply.get("status") or "0")[:3])
            if code not in CREATED:
                # A server that ran the transaction as a batch says 200 and fails entries one by one.
                raise _Failed(failure(code or 500, None, sent["resource"]["resourceType"]))
            location = str(reply.get("location") or "").split("/_history")[0]
            parts = location.rstrip("/").split("/")[-2:]
            if len(parts) == 2:
                made[sent["resource"]["resourceType"]] = "/".join(parts)
        return made

    async def _call(
        self, method: str, path: str, body: Resource, headers: Mapping[str, str]
    ) -> tuple[int, float | None, dict[str, Any]]:
        """One request; a refused token is renewed once."""
        for attempt in (1, 2):
            token = await self._authorize(renew=attempt == 2)
            sent = {"content-type": "application/fhir+json", "accept": "application/fhir+json", **headers}
            if token:
                sent["authorization"] = f"Bearer {token}"
            data = json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
            async with self.session.request(
                method, f"{self.config.url}{path}", data=data, headers=sent, allow_redirects=False
            ) as reply:
                raw = await reply.read()
                if reply.status in (401, 403):
                    if attempt == 1 and self.config.token_url:
                        continue
                    raise Denied(reply.status)
                wait = retry_after(reply.headers.get("Retry-After"), self.clock())
                try:
                    content = json.loads(raw or b"{}")
                except ValueError:
                    content = {}
                return reply.status, wait, content if isinstance(content, dict) else {}
        raise AssertionError("unreachable")

    async def _authorize(self, *, renew: bool) -> str:
        if not self.config.token_url:
            return self.config.bearer
        if not renew and self.clock() < self.token_until - 60:
            return self.token
        now = int(self.clock())
        claims = {
            "iss": self.config.client_id,
            "sub": self.config.client_id,
            "aud": self.config.token_url,
            "exp": now + 240,
            "iat": now,
            "jti": str(uuid.uuid4()),
        }
        key = load_pem_private_key(self.config.private_key.encode(), password=None)
        algorithm = "RS384" if isinstance(key, RSAPrivateKey) else "ES384"
        headers = {"kid": self.config.key_id} if self.config.key_id else None
        form = {
            "grant_type": "client_credentials",
            "scope": self.config.scope,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(claims, self.config.private_key, algorithm, headers),
        }
        async with self.session.post(self.config.token_url, data=form, allow_redirects=False) as reply:
            if reply.status != 200:
                raise Denied(reply.status)
            answer = await reply.json()
        self.token = str(answer["access_token"])
        self.token_until = self.clock() + float(answer.get("expires_in", 300))
        return self.token


class _Failed(Exception):
    """A call that did not succeed, with how the row ends."""

    def __init__(self, outcome: Later | Refused) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


def _issue(content: Mapping[str, Any]) -> str:
    """The codes and places of an OperationOutcome; never its text, which may quote the patient."""
    found = []
    for issue in (content.get("issue") or [])[:3]:
        found.append(" ".join([str(issue.get("code", "")), *map(str, issue.get("expression") or [])]))
    return "; ".join(found)[:120]
