"""What must not get in: forged tokens, other people's chats, foreign sites, floods, huge and endless requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.tokens import issue
from knowledge.chat import chat_words
from tests.gateway.conftest import Door, Patient, Waiting

PROBLEMS = chat_words().problems
CALLS: list[tuple[str, str, Any]] = [
    ("POST", "/api/say", {"id": "a" * 16, "text": "hi"}),
    ("GET", "/api/events", None),
    ("GET", "/api/history", None),
    ("POST", "/api/feedback", {"event": 1, "helped": True}),
    ("POST", "/api/files", {}),
    ("POST", "/api/images", {}),
    ("POST", "/api/restart", {}),
    ("POST", "/api/end", {}),
    ("GET", "/api/plan.txt", None),
    ("GET", "/api/plan.pdf", None),
]


def key(door: Door) -> bytes:
    return bytes.fromhex(door.secret("session"))


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_nothing_without_a_genuine_token(door: Door, room: Waiting, method: str, path: str, body: Any) -> None:
    victim, attacker = await room.patient(), await room.patient()
    now = time.time()
    for token in (
        "",
        "nonsense",
        "v1.." * 20,
        victim.token[:-1] + ("0" if victim.token[-1] != "0" else "1"),
        attacker.token.replace(attacker.session, victim.session),
        issue(victim.session, secrets.token_bytes(32), now),
        issue(victim.session, key(door), now - 4 * 3600 - 5),
        issue(victim.session, key(door), now + 3600),
        issue("f" * 32, key(door), now),
    ):
        attacker.token = token
        status, data = await attacker.call(method, path, **({"json": body} if body is not None else {}))
        if token.startswith("v1.ffff"):  # genuine, but that chat never was: files and lists may be judged first
            assert status in (401, 400)
        else:
            assert (status, data["error"]) == (401, "session_gone"), token
    assert len(await victim.history()) == 1


async def test_a_token_in_the_address_or_a_cookie_is_no_token(patient: Patient) -> None:
    token, patient.token = patient.token, "x"
    assert (await patient.call("GET", f"/api/history?token={token}"))[0] == 401
    assert (await patient.call("GET", "/api/history", headers={"Cookie": f"token={token}"}))[0] == 401
    assert (await patient.call("GET", "/api/history", headers={"Authorization": f"Basic {token}"}))[0] == 401


async def test_tokens_rotate_before_they_expire(door: Door, patient: Patient) -> None:
    patient.token = issue(patient.session, key(door), time.time() - 20 * 60)
    headers = {**patient.headers, "Content-Type": "application/json"}
    body = json.dumps({"id": secrets.token_hex(8), "text": "hi"})
    async with patient.http.post(f"{door.url}/api/say", data=body, headers=headers) as response:
        fresh = response.headers["X-Session-Token"]
    assert fresh != patient.token and fresh.split(".")[1] == patient.session
    patient.token = fresh
    assert len(await patient.history()) >= 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://clinic.example"},  # may frame the page, may not call the API
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_other_sites_cannot_call_the_api(patient: Patient, headers: dict[str, str]) -> None:
    for method, path, body in (("POST", "/api/session", {}), ("GET", "/api/history", None)):
        status, data = await patient.call(method, path, headers=headers, **({"json": body} if body is not None else {}))
        assert (status, data["error"]) == (403, "foreign")


async def test_our_own_page_can(door: Door, patient: Patient) -> None:
    status, _ = await patient.call("GET", "/api/history", headers={"Origin": door.url, "Sec-Fetch-Site": "same-origin"})
    assert status == 200


async def test_no_foreign_origin_is_ever_allowed_by_cors(patient: Patient, door: Door) -> None:
    for path in ("/", "/embed.js", "/api/history", "/health"):
        async with patient.http.options(f"{door.url}{path}", headers={"Origin": "https://evil.example"}) as response:
            assert not [name for name in response.headers if name.lower().startswith("access-control")]


BROKEN: list[tuple[str, Any, str]] = [
    ("not json", "{", "application/json"),
    ("a list", "[]", "application/json"),
    ("deep", "[" * 50_000, "application/json"),
    ("a form", "text=hi", "application/x-www-form-urlencoded"),
    ("plain text", '{"id":"aaaaaaaa","text":"hi"}', "text/plain"),
    ("no id", '{"text":"hi"}', "application/json"),
    ("a short id", '{"id":"a","text":"hi"}', "application/json"),
    ("an odd id", '{"id":"aaaaaaaa\\u0000","text":"hi"}', "application/json"),
    ("a number as text", '{"id":"aaaaaaaa","text":5}', "application/json"),
    ("a list as text", '{"id":"aaaaaaaa","text":["hi"]}', "application/json"),
    ("a payload without title", '{"id":"aaaaaaaa","payload":"/menu"}', "application/json"),
    ("a payload that is no text", '{"id":"aaaaaaaa","payload":{"a":1},"title":"x"}', "application/json"),
    ("bad utf-8", b'{"id":"aaaaaaaa","text":"\xff\xfe"}', "application/json"),
    ("compressed", b"\x1f\x8b\x08\x00", "application/json"),
]


@pytest.mark.parametrize(("body", "kind"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
async def test_broken_bodies_get_a_plain_refusal(patient: Patient, body: Any, kind: str) -> None:
    status, data = await patient.call("POST", "/api/say", data=body, headers={"Content-Type": kind})
    assert status in (400, 415)
    assert data == {"error": "bad_request", "message": PROBLEMS.bad_request}


async def test_a_megabyte_is_refused_before_it_is_read(patient: Patient) -> None:
    status, data = await patient.try_to_say("x" * 1_000_000)
    assert (status, data["error"]) == (413, "too_big")

    async def endless() -> Any:
        for _ in range(1_000):
            yield b"x" * 1_024

    status, _ = await patient.call("POST", "/api/say", data=endless(), headers={"Content-Type": "application/json"})
    assert status == 413
    assert (await patient.says("still here"))[0]["text"] == "You said: still here"


def connection(door: Door) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", urlsplit(door.url).port or 80), timeout=10)
    made.settimeout(10)
    return made


async def test_slow_headers_are_cut_off(door: Door, patient: Patient) -> None:
    slow = [connection(door) for _ in range(40)]
    for each in slow:
        each.sendall(b"POST /api/say HTTP/1.1\r\nHost: x\r\nX-A: ")
    assert (await patient.says("hello"))[0]["text"] == "You said: hello"
    for _ in range(4):
        await asyncio.sleep(1)
        for each in slow:
            with contextlib.suppress(OSError):
                each.send(b"a")
    closed = 0
    for each in slow:
        try:
            closed += each.recv(10) == b""
        except OSError:
            closed += 1
        each.close()
    assert closed == len(slow)


async def test_slow_bodies_are_cut_off(door: Door, patient: Patient) -> None:
    slow = connection(door)
    head = "POST /api/say HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n"
    slow.sendall(f"{head}Authorization: Bearer {patient.token}\r\n\r\n{{".encode())
    answer = await asyncio.to_thread(slow.recv, 200)
    assert b" 408 " in answer
    slow.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ],
    ids=["length-and-chunked", "two-lengths", "folded", "long-header", "long-path", "space-in-name", "tls", "absolute"],
)
async def test_header_tricks(door: Door, request_bytes: bytes, patient: Patient) -> None:
    made = connection(door)
    made.sendall(request_bytes)
    try:
        answer = await asyncio.to_thread(made.recv, 4_000)
    except OSError:
        answer = b""
    made.close()
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 200 OK"))
    assert b"Traceback" not in answer
    assert (await patient.says("hello"))[0]["text"] == "You said: hello"


async def test_a_forged_forwarding_header_does_not_change_who_is_counted(tmp_path_factory: Any) -> None:
    import aiohttp

    from tests.gateway.conftest import open_door

    opened = open_door(tmp_path_factory.mktemp("limits") / "var", PLAINSPOKEN_LIMIT_ADDRESS_SESSIONS_A_MINUTE="3")
    try:
        async with aiohttp.ClientSession() as http:
            statuses = []
            for number in range(5):
                headers = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"}
                async with http.post(f"{opened.url}/api/session", json={}, headers=headers) as response:
                    statuses.append(response.status)
        assert statuses == [201, 201, 201, 429, 429]
    finally:
        opened.stop()


async def test_scripts_stay_text_and_pages_forbid_them(door: Door, patient: Patient) -> None:
    attack = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    (reply,) = await patient.says(attack)
    assert reply["text"] == f"You said: {attack}"
    async with patient.http.get(f"{door.url}/?language=<script>&dir=\"><script>&accent='x") as response:
        page, policy = await response.text(), response.headers["Content-Security-Policy"]
    assert "<script>&" not in page
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert policy.endswith("frame-ancestors 'self' https://clinic.example")


@pytest.mark.parametrize("path", ["/", "/embed.js", "/static/chat.js", "/health", "/api/history", "/nothing"])
async def test_headers(door: Door, patient: Patient, path: str) -> None:
    async with patient.http.get(f"{door.url}{path}") as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Server"] == "plainspoken"
        assert path.startswith("/static") or "Set-Cookie" not in response.headers
        if path.startswith("/api"):
            assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/../config.py", "/static/%2e%2e/config.py", "/static/chat.html", "/.git/config"]
)
async def test_no_file_but_the_pages_own(door: Door, patient: Patient, path: str) -> None:
    status, data = await patient.call("GET", path)
    assert (status, data["error"]) == (404, "bad_request")


async def test_a_flood_from_one_address_is_turned_away_and_the_service_stays_up(tmp_path_factory: Any) -> None:
    import aiohttp

    from tests.gateway.conftest import open_door

    opened = open_door(tmp_path_factory.mktemp("flood") / "var", PLAINSPOKEN_LIMIT_ADDRESS_REQUESTS_A_MINUTE="50")
    try:
        async with aiohttp.ClientSession() as http:

            async def knock() -> int:
                async with http.get(f"{opened.url}/api/history") as response:
                    return response.status

            statuses = await asyncio.gather(*(knock() for _ in range(300)))
        assert statuses.count(429) >= 250 and set(statuses) == {401, 429}
        assert opened.gateway.process.poll() is None
    finally:
        opened.stop()


async def test_no_word_of_a_patient_reaches_the_log(door: Door, patient: Patient) -> None:
    word = "xylophone"
    await patient.says(f"my {word} hurts")
    await patient.says(f"please fail {word}")
    await patient.try_to_say(word * 200)
    await patient.call("GET", f"/{word}?{word}={word}", headers={"X-Word": word})
    await patient.call("POST", "/api/say", data=f'{{"{word}"', headers={"Content-Type": "application/json"})
    assert word not in door.log
    assert patient.session in door.log
