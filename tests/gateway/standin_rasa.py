"""A scripted stand-in for Rasa: a process of its own that speaks the ``web`` channel's contract.

``python -m tests.gateway.standin_rasa PORT`` answers by keyword. Its misbehaviour is asked for in the message itself:
"please be slow 3", "please fail", "please say nothing", "please be busy", "please hang up 2" (times, without an answer).
``GET /seen`` lists the requests it got.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

from aiohttp import web

from knowledge.intake import words
from runtime.settings import secret

SECRET = "X-Plainspoken-Secret"


def buttons(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"title": title, "payload": payload} for title, payload in pairs]


ANSWER = {
    "text": "No. A different view does not mean your first doctor was wrong. Doctors can look at one scan and weigh "
    "things in different ways. See https://www.ncbi.nlm.nih.gov/books/ for more.\n- Ask both what they looked at.\n"
    "- Ask both what they would expect if you wait.",
    "buttons": buttons(("Tell me more", "/tell_more"), ("What should I ask?", "/ask_questions_list")),
    "custom": {
        "kind": "answer",
        "topic": "first_doctor_wrong",
        "sources": [{"id": "lenza_2017", "title": "Second opinions before spine surgery, 2017"}],
        "terms": ["fusion", "stenosis"],
        "reviewed": "2026-05-04",
    },
}
ESCALATION = {
    "text": "Call 911 now, or have someone take you to the emergency room. Not being able to pee can mean nerves in "
    "your back are being squeezed. Don't drive yourself. Is someone with you?",
    "buttons": buttons(
        ("Calling now", '/escalation_reply{"choice":"calling"}'),
        ("Someone is helping me", '/escalation_reply{"choice":"helped"}'),
    ),
    "custom": {"kind": "escalation", "tier": "emergency", "categories": ["cauda_equina"]},
}


def intake(step: int, text: str, kind: str, choices: list[str] | None = None) -> dict[str, Any]:
    custom = {"kind": "intake", "slot": f"field_{step}", "type": kind, "choices": choices or [], "step": step, "of": 9}
    offered = buttons(
        *((choice, f'/choose{{"choice":"{choice}"}}') for choice in choices or [] if kind in ("choice", "yes_no"))
    )
    return {
        "text": text,
        "buttons": offered + buttons(("Skip this", "/skip"), ("Why do you ask?", "/ask_why")),
        "custom": custom,
    }


SCRIPT: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "anywhere",
        [{**ESCALATION, "text": "Call 911 (US), 999 (UK), 112 (EU) or your local emergency number now. Don't drive."}],
    ),
    ("pee", [ESCALATION]),
    ("first doctor", [ANSWER]),
    ("erase it all", [{"text": words().say["delete_done"], "custom": {"kind": "erased"}}]),
    ("two messages", [{"text": "One."}, {"text": "Two.", "buttons": buttons(("Yes", "/affirm"))}]),
    (
        "digression",
        [
            {"text": " ".join(["We keep this chat for 30 days and no longer."] * 12)},
            {"text": "May I save your answers?", "buttons": buttons(("Yes", "/yes"), ("No", "/no"))},
        ],
    ),
    ("/ask_source", [{"text": "This is from a study of 485 people in Brazil, printed in 2017."}]),
    (
        "/explain_term",
        [
            {
                "text": "Fusion joins two bones of the spine so that they heal into one.",
                "custom": {"kind": "explain", "terms": ["fusion"]},
            }
        ],
    ),
    ("/start_intake", [intake(1, "When were you born?", "date")]),
    ("ask a phone", [intake(3, "What number can we call?", "phone")]),
    ("ask an email", [intake(4, "What is your email address?", "email")]),
    ("ask a number", [intake(5, "How bad is the pain in your back, from 0 to 10?", "number")]),
    (
        "ask several",
        [intake(6, "What have you tried?", "multi", ["Exercise", "Physical therapy", "Tablets", "Injections"])],
    ),
    ("ask a choice", [intake(2, "Who is this about?", "choice", ["Me", "Someone I care for"])]),
    ("ask yes or no", [intake(7, "Did anyone examine you?", "yes_no", ["Yes", "No"])]),
    (
        "case",
        [
            {
                "text": "Thank you. Your case is saved and being sent.",
                "custom": {"kind": "case", "reference": "PS-7K2M-Q4XD", "status": "received"},
            }
        ],
    ),
    (
        "compare",
        [
            {
                "text": "This is where they agree and differ.",
                "custom": {
                    "kind": "comparison",
                    "differences": ["need"],
                    "points": [
                        {"title": "Is surgery needed?", "verdict": "differ", "first": "Yes, soon", "second": "Not yet"},
                        {"title": "The diagnosis", "verdict": "agree", "first": "Stenosis", "second": "Stenosis"},
                    ],
                },
            }
        ],
    ),
    (
        "plan",
        [
            {
                "text": "My plan\n\n21 November 2026\n\nWhere they agree:\nThe diagnosis\n\nWhat to ask:\n"
                "1. What if I wait?\n\nThis is no medical advice.",
                "custom": {"kind": "plan"},
            }
        ],
    ),
    (
        "mri",
        [
            {
                "text": "I read your report.",
                "custom": {
                    "kind": "report_check",
                    "found": [{"id": "diagnosis", "title": "A clear diagnosis"}],
                    "missing": [
                        {"id": "alternatives", "title": "Other options", "question": "What else could I try first?"}
                    ],
                },
            }
        ],
    ),
    (
        "question",
        [
            {
                "text": "Is it new? If you can't pee or go numb, call 911 now.",
                "custom": {"kind": "clarify", "tier_if_yes": "emergency", "category": "cauda_equina"},
            }
        ],
    ),
]
KEEPS: set[str] = set()
SEEN: list[dict[str, Any]] = []
BUSY: dict[str, int] = {}


def replies(message: str) -> list[dict[str, Any]]:
    found = next((script for word, script in SCRIPT if word in message.lower()), None)
    return found if found is not None else [{"text": f"You said: {message}"}]


async def turn(request: web.Request) -> web.Response:
    if request.headers.get(SECRET) != secret("web"):
        return web.json_response({"error": "forbidden"}, status=403)
    body = await request.json()
    SEEN.append(body)
    sender, message = body["sender"], body["message"]
    BUSY[sender] = BUSY.get(sender, 0) + 1
    overlapping = BUSY[sender] > 1
    try:
        if pause := re.search(r"please be slow ([\d.]+)", message):
            await asyncio.sleep(float(pause[1]))
        if overlapping:
            return web.json_response([{"text": "Two turns at once!"}])
        if "please forget nothing" in message:
            KEEPS.add(sender)
        if message == "/affirm":
            if sender in KEEPS:
                return web.json_response([{"text": words().say["delete_no"]}])
            return web.json_response([{"text": words().say["delete_done_nothing"], "custom": {"kind": "erased"}}])
        if "please fail" in message:
            return web.Response(status=500, text="<html>broken</html>", content_type="text/html")
        if "please be busy" in message:
            return web.Response(status=503)
        if times := re.search(r"please hang up (\d)", message):
            tries = sum(seen.get("trace") == body["trace"] for seen in SEEN)
            if tries <= int(times[1]):
                assert request.transport
                request.transport.abort()
        if "please say nothing" in message:
            return web.json_response([])
        if "please be odd" in message:
            return web.json_response(
                [7, {"text": 5}, {"buttons": "x"}, {"custom": {"kind": ["a"]}}, {"image": "javascript:alert(1)"}]
            )
        return web.json_response([{"recipient_id": sender, **reply} for reply in replies(message)])
    finally:
        BUSY[sender] -= 1


async def health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def seen(_: web.Request) -> web.Response:
    return web.json_response(SEEN)


async def channel(request: web.Request) -> web.Response:
    """A messaging channel's webhook: gives back what arrived, byte for byte."""
    raw = await request.read()
    return web.json_response(
        {"path": request.path_qs, "body": raw.decode("latin-1"), "headers": dict(request.headers)},
        dumps=lambda data: json.dumps(data),
    )


def make_app() -> web.Application:
    app = web.Application(client_max_size=1024**2)
    app.router.add_post("/webhooks/web/webhook", turn)
    app.router.add_get("/webhooks/web/", health)
    app.router.add_get("/webhooks/web/ready", health)
    app.router.add_get("/seen", seen)
    app.router.add_route("*", "/webhooks/{tail:.*}", channel)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
