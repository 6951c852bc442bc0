"""Notices from the desk, the proxy for messaging channels, plans, health and figures."""

from __future__ import annotations

import base64
import io
import json
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pypdf import PdfReader
from standardwebhooks.webhooks import Webhook

from gateway.plan import to_pdf
from knowledge.chat import chat_words
from tests.gateway.conftest import Door, Patient, Waiting

WORDS = chat_words()


async def notify(door: Door, patient: Patient, data: Any, *, key: str = "", age: float = 0) -> tuple[int, Any]:
    body = json.dumps(data)
    at = datetime.now(timezone.utc) - timedelta(seconds=age)
    signer = Webhook(base64.b64encode(bytes.fromhex(key or door.secret("notices"))).decode())
    headers = {
        "webhook-id": "n1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign("n1", at, body),
        "Content-Type": "application/json",
    }
    return await patient.call("POST", "/internal/notices", data=body, headers=headers)


def notice(patient: Patient, kind: str = "case.received", **more: Any) -> dict[str, Any]:
    identity = f"{kind}-{patient.session}-{time.monotonic_ns()}"
    sender = f"web-{patient.session}"
    return {"id": identity, "sender_id": sender, "kind": kind, "reference": "PS-7K2M-Q4XD", "status": "", **more}


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("case.received", "received", "The clinic has received your case. Your reference is PS-7K2M-Q4XD."),
        ("case.status", "in_review", "There is news about your case PS-7K2M-Q4XD. It is now: being looked at."),
        ("escalation.acknowledged", "", "A nurse at the clinic has seen your message (PS-7K2M-Q4XD)."),
    ],
)
async def test_a_notice_is_pushed_in_our_own_words(
    door: Door, patient: Patient, kind: str, status: str, words: str
) -> None:
    data = notice(patient, kind, status=status, text="<b>free text</b>")
    assert await notify(door, patient, data) == (202, {"status": "shown"})
    assert await notify(door, patient, data) == (200, {"status": "known"})
    shown = [event for event in await patient.history() if event.get("custom", {}).get("kind") == "notice"]
    assert len(shown) == 1 and shown[0]["text"].startswith(words)


async def test_notices_that_are_not_taken(door: Door, patient: Patient) -> None:
    assert (await notify(door, patient, notice(patient), key="00" * 32))[0] == 401
    assert (await notify(door, patient, notice(patient), age=3600))[0] == 401
    assert (await patient.post("/internal/notices", notice(patient)))[0] == 401
    for change in (
        {"kind": "case.sold"},
        {"sender_id": "telegram-1"},
        {"reference": "buy now"},
        {"id": ""},
        {"status": 5},
    ):
        assert (await notify(door, patient, notice(patient, **change)))[0] == 422, change
    assert (await notify(door, patient, notice(patient, sender_id="web-" + "0" * 32)))[0] == 404
    assert len(await patient.history()) == 1


async def test_a_providers_request_passes_untouched(door: Door, patient: Patient) -> None:
    body = b'{"b":1, "a":"\\u00e9"}\n'
    headers = {
        "X-Telegram-Bot-Api-Secret-Token": "token",
        "X-Hub-Signature-256": "sha256=abc",
        "X-Plainspoken-Secret": "forged",
        "X-Forwarded-Host": "evil.example",
        "Content-Type": "application/json; charset=utf-8",
    }
    status, got = await patient.call("POST", "/webhooks/telegram/webhook?hub=1&x=%20y", data=body, headers=headers)
    assert status == 200
    assert got["path"] == "/webhooks/telegram/webhook?hub=1&x=%20y"
    assert got["body"].encode("latin-1") == body
    assert got["headers"]["X-Telegram-Bot-Api-Secret-Token"] == "token"
    assert got["headers"]["X-Hub-Signature-256"] == "sha256=abc"
    assert got["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert got["headers"]["X-Forwarded-Host"] == door.url.removeprefix("http://")
    assert "X-Plainspoken-Secret" not in got["headers"]


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/rest/webhook",
        "/webhooks/web/webhook",
        "/webhooks/slack/webhook",
        "/webhooks/telegram/..%2fweb%2fwebhook",
        "/webhooks/telegram/../web/webhook",
        "/webhooks/telegram/a%00b",
        "/webhooks//web/webhook",
    ],
)
async def test_no_other_way_to_rasa(door: Door, patient: Patient, path: str) -> None:
    before = len(door.seen)
    status, _ = await patient.post(path, {"sender": "x", "message": "hi"})
    assert status == 404
    assert len(door.seen) == before


async def test_a_big_webhook_is_refused(patient: Patient) -> None:
    assert (await patient.call("POST", "/webhooks/telegram/webhook", data=b"x" * 1_100_000))[0] == 413


async def test_no_plan_yet(patient: Patient) -> None:
    assert await patient.call("GET", "/api/plan.txt") == (404, {"error": "no_plan", "message": WORDS.problems.no_plan})


async def test_the_plan_as_text_and_pdf(room: Waiting) -> None:
    patient = await room.patient()
    (shown,) = await patient.says("my plan please")
    status, text = await patient.call("GET", "/api/plan.txt")
    assert (status, text.decode()) == (200, shown["text"])
    status, raw = await patient.call("GET", "/api/plan.pdf")
    assert status == 200
    assert "What to ask" in PdfReader(io.BytesIO(raw)).pages[0].extract_text()


def test_a_plan_with_odd_characters_still_becomes_a_pdf() -> None:
    assert to_pdf("“Quotes” – dashes…\n\n😀 שלום\n\n- item:\n").startswith(b"%PDF-")


async def test_health_ready_and_figures(door: Door, patient: Patient) -> None:
    assert await patient.call("GET", "/health") == (200, {"status": "ok"})
    assert await patient.call("GET", "/ready") == (200, {"ready": True, "problems": []})
    status, figures = await patient.call("GET", "/metrics")
    assert status == 200 and b"plainspoken_chat_sessions_total" in figures
    assert (await patient.call("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.9"}))[0] == 401
    token = {"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {door.secret('metrics')}"}
    assert (await patient.call("GET", "/metrics", headers=token))[0] == 200
