"""The desk as a service: its document, its health, its notices, its start."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sqlalchemy import event, text

from casedesk import api
from casedesk.notices import NoticeSender
from casedesk.signed import sign, verify
from tests.casedesk.conftest import API_TOKEN, Clinic
from tests.casedesk.samples import answered, delivery, escalation, intake, letter, listed, red_flag, reference, signed

ROOT = Path(__file__).resolve().parents[2]
CASE = reference(1)
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "casedesk" / "openapi.yaml").read_text())


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)


def test_the_document_has_every_route_and_no_other() -> None:
    in_code = {(route.method.lower(), route.path) for route in api.ROUTES}
    in_document = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert in_code == in_document


def check(method: str, path: str, status: int, body: Any) -> None:
    """Fail unless the document allows this answer."""
    answers = DOCUMENT["paths"][path][method]["responses"]
    assert str(status) in answers, f"{method} {path} answered {status}, which the document does not know"
    answer = answers[str(status)]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = answer["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(body)


async def test_every_answer_is_as_the_document_says(local: Clinic) -> None:
    async def post(body: bytes, headers: dict[str, str], path: str = "/api/deliveries") -> None:
        status, answer = await local.posts(body, headers, path)
        seen.add(("post", path, status))
        check("post", path, status, answer)

    async def get(path: str, actual: str = "", token: str = API_TOKEN) -> None:
        status, answer = await local.asks(actual or path, token)
        seen.add(("get", path, status))
        check("get", path, status, answer)

    seen: set[tuple[str, str, int]] = set()
    for kind, data in (
        ("intake.submitted", intake(red_flags=[red_flag()], files=[listed()])),
        ("intake.file", letter(listed())),
        ("escalation.raised", escalation()),
        ("intake.corrected", intake(version=5)),
        ("intake.corrected", intake()),
        ("intake.submitted", intake(priority="x")),
        ("erasure.requested", {"reference": "PS-0000-ZZZZ"}),
    ):
        key, body = delivery(kind, data)
        await post(body, signed(key, body))
        await post(body, signed(key, body))
    await post(b"{}", {})
    await post(b" " * 16_000_000, signed("k", b" "))
    report = json.dumps({"pending": 0, "oldest_seconds": None, "dead": []}).encode()
    await post(report, signed("r", report), "/api/outbox-status")
    await post(b"{}", signed("r", b"{}"), "/api/outbox-status")
    await post(b"{}", {}, "/api/outbox-status")
    for path in ("/api/cases", "/api/escalations"):
        await get(path)
        await get(path, token="wrong")
        await get(path, path + "?limit=many")
    for path in ("/api/cases/{reference}", "/api/status/{reference}"):
        await get(path, path.replace("{reference}", CASE))
        await get(path, path.replace("{reference}", "PS-0000-ZZZZ"))
        await get(path, path.replace("{reference}", CASE), token="wrong")
    files = "/api/cases/{reference}/files/{file}"
    await get(files, f"/api/cases/{CASE}/files/nothing")
    await get(files, f"/api/cases/{CASE}/files/letter-1", token="wrong")
    client = await local.client()
    token = {"Authorization": f"Bearer {API_TOKEN}"}
    async with client.get(f"/api/cases/{CASE}/files/letter-1", headers=token) as reply:
        assert reply.content_type in DOCUMENT["paths"][files]["get"]["responses"]["200"]["content"]
        seen.add(("get", files, reply.status))
    await get("/api/outbox-requests")
    await get("/health")
    await get("/ready")
    client = await local.client()
    async with client.get("/api/outbox-requests", headers=sign("delivery", "a", "")) as reply:
        check("get", "/api/outbox-requests", reply.status, await reply.json())
        seen.add(("get", "/api/outbox-requests", reply.status))
    promised = {
        (method, path, int(status))
        for path, methods in DOCUMENT["paths"].items()
        for method, told in methods.items()
        for status in told["responses"]
        if status != "503" and path not in ("/metrics", "/api/openapi.yaml")
    }
    assert seen == promised, "an answer the document promises was not seen, or the other way round"


async def test_the_document_is_served(local: Clinic) -> None:
    client = await local.client()
    async with client.get("/api/openapi.yaml") as reply:
        assert yaml.safe_load(await reply.text()) == DOCUMENT


async def test_a_broken_database_is_said_and_nothing_is_half_done(local: Clinic) -> None:
    local.changes("DROP TABLE audit_head")
    status, answer = await local.asks("/ready")
    assert (status, answer["status"]) == (503, "not ready")
    answer = await local.delivers("intake.submitted", intake(), status=503)
    assert answer == {"error": "database_unavailable"}
    assert local.counts("cases") == local.counts("deliveries") == 0
    assert (await local.asks("/health"))[0] == 200


async def test_a_full_disk_is_said_and_nothing_is_half_done(local: Clinic) -> None:
    def full(connection: Any, _record: object) -> None:
        """SQLite then says what it says on a full disk."""
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}")

    engine = local.database.engine
    event.listen(engine, "connect", full)
    engine.dispose()
    long = {"tried": answered(["tablets"], "x" * 400_000)}
    answer = await local.delivers("intake.submitted", intake(answers=long), status=503)
    assert answer == {"error": "database_unavailable"}
    assert local.counts("cases") == local.counts("deliveries") == 0
    event.remove(engine, "connect", full)
    engine.dispose()
    await local.delivers("intake.submitted", intake(answers=long))  # there is room again: the worker's next try arrives
    assert local.counts("cases") == 1


async def test_metrics_count_what_an_alarm_needs(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    await local.delivers("escalation.raised", escalation())
    client = await local.client()
    async with client.get("/metrics") as reply:
        page = await reply.text()
    assert "casedesk_open_cases 1.0" in page
    assert "casedesk_unacknowledged_escalations 1.0" in page
    assert "Pat" not in page


class Gateway:
    """Stands where the gateway stands: takes notices, or refuses them as told."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.taken: list[dict[str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert verify("notices", request.headers, body) == json.loads(body)["id"]
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.taken.append(json.loads(body))
        return web.Response(status=status)


async def test_a_notice_is_sent_until_it_is_taken_and_then_never_again(clinic: Clinic) -> None:
    gateway = Gateway()
    app = web.Application()
    app.router.add_post("/internal/notices", gateway.take)
    server = TestServer(app)
    await server.start_server()
    await clinic.delivers("escalation.raised", escalation())
    nurse = await clinic.person("Nurse Example")
    await nurse.sends(f"/escalations/{reference(1, 'ESC')}/acknowledge", outcome="spoke_going")
    gateway.statuses = [503, 401, 429]  # away, rotating its secret, busy: all of that passes
    sender = NoticeSender(database=clinic.database, url=str(server.make_url("")).rstrip("/"))
    async with aiohttp.ClientSession() as client:
        for _ in range(5):
            await sender.send_due(client)
            assert len(gateway.taken) <= 1
            clinic.changes("UPDATE notices SET due_at = :now", now=datetime.now(UTC))
    await server.close()
    (notice,) = gateway.taken
    assert (notice["kind"], notice["reference"]) == ("escalation.acknowledged", reference(1, "ESC"))
    assert notice["sender_id"] == "sender-1"
    assert notice["status"] == "acknowledged"


async def test_a_notice_the_gateway_will_never_take_is_given_up_visibly(local: Clinic) -> None:
    gateway = Gateway()
    app = web.Application()
    app.router.add_post("/internal/notices", gateway.take)
    server = TestServer(app)
    await server.start_server()
    await local.delivers("escalation.raised", escalation())
    nurse = await local.person("Nurse Example")
    await nurse.sends(f"/escalations/{reference(1, 'ESC')}/acknowledge", outcome="spoke_going")
    gateway.statuses = [422]
    sender = NoticeSender(database=local.database, url=str(server.make_url("")).rstrip("/"))
    async with aiohttp.ClientSession() as client:
        await sender.send_due(client)
        page = await nurse.opens("/health-page")
        assert "Given up" in page
        assert "HTTP 422" in page
        with local.database.transaction() as session:
            key = session.execute(text("SELECT id FROM notices")).scalar_one()
        await nurse.sends("/health-page/send-again", key=key)
        await sender.send_due(client)
    await server.close()
    assert len(gateway.taken) == 1
    assert "Every notice was handed over" in await nurse.opens("/health-page")


async def test_a_notice_to_a_chat_that_is_closed_is_no_fault(local: Clinic) -> None:
    gateway = Gateway()
    app = web.Application()
    app.router.add_post("/internal/notices", gateway.take)
    server = TestServer(app)
    await server.start_server()
    await local.delivers("escalation.raised", escalation())
    nurse = await local.person("Nurse Example")
    await nurse.sends(f"/escalations/{reference(1, 'ESC')}/acknowledge", outcome="spoke_going")
    gateway.statuses = [404]
    sender = NoticeSender(database=local.database, url=str(server.make_url("")).rstrip("/"))
    async with aiohttp.ClientSession() as client:
        assert await sender.send_due(client)
        assert not await sender.send_due(client)
    await server.close()
    assert "Every notice was handed over" in await nurse.opens("/health-page")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """``python -m casedesk`` as it runs in production but on files of the test's own."""

    def __init__(self, var: Path) -> None:
        self.var, self.port = var, free_port()
        self.environment = {
            **os.environ,
            "PLAINSPOKEN_VAR": str(var),
            "PLAINSPOKEN_CASEDESK_PORT": str(self.port),
            "PLAINSPOKEN_GATEWAY_PORT": str(free_port()),
            "PYTHONPATH": str(ROOT),
        }
        self.start()

    def start(self) -> None:
        with (self.var / "desk.log").open("ab") as log:
            command = [sys.executable, "-m", "casedesk"]
            self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stderr=log, stdout=log)
        for _ in range(300):
            try:
                self.get("/health")
                return
            except OSError:
                assert self.process.poll() is None, (self.var / "desk.log").read_text()
                time.sleep(0.1)
        raise AssertionError("the desk did not start")

    def get(self, path: str) -> Any:
        token = self.var / "casedesk.token"
        headers = {"Authorization": f"Bearer {token.read_text().strip()}"} if token.exists() else {}
        with urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        ) as r:
            return json.load(r)

    def post(self, key: str, body: bytes) -> int:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/deliveries", data=body, headers=signed(key, body)
        )
        try:
            with urllib.request.urlopen(request) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture
def process(var: Path) -> Any:
    found = Process(var)
    yield found
    if found.process.poll() is None:
        found.process.send_signal(signal.SIGTERM)
        found.process.wait(20)


def test_the_first_start_makes_what_it_needs_for_its_owner_alone(process: Process) -> None:
    for name in ("casedesk.token", "casedesk.password", "casedesk.db"):
        assert (process.var / name).stat().st_mode & 0o077 == 0, name
    password = (process.var / "casedesk.password").read_text().strip()
    told = (process.var / "desk.log").read_text()
    assert str(process.var / "casedesk.password") in told
    assert password not in told


def test_a_damaged_database_is_named_and_nothing_is_served(process: Process) -> None:
    process.process.terminate()
    process.process.wait(20)
    path = process.var / "casedesk.db"
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])
    done = subprocess.run([sys.executable, "-m", "casedesk"], env=process.environment, cwd=ROOT, capture_output=True)
    assert done.returncode == 1
    assert done.stderr.decode().strip().endswith(f"DatabaseError at sqlite:///{path}")
    assert path.read_bytes()[:4096] == b"\0" * 4096, "a damaged file is left as it is, for whoever saves it"


def test_killed_in_the_middle_it_has_every_delivery_it_confirmed_exactly_once(process: Process) -> None:
    rows = [delivery("intake.submitted", intake(number)) for number in range(60)]
    confirmed: set[int] = set()

    async def send_all() -> None:
        async def one(number: int) -> None:
            key, body = rows[number]
            try:
                if await asyncio.to_thread(process.post, key, body) in (200, 201):
                    confirmed.add(number)
            except OSError:
                pass

        sending = asyncio.gather(*(one(number) for number in range(len(rows))))
        while len(confirmed) < 12:
            await asyncio.sleep(0.001)
        process.process.kill()
        await sending

    asyncio.run(send_all())
    process.process.wait()
    assert 12 <= len(confirmed) < 60, "the kill must come in the middle"
    process.start()
    there = {case["reference"] for case in process.get("/api/cases?limit=1000")["cases"]}
    assert {reference(number) for number in confirmed} <= there
    for key, body in rows:
        assert process.post(key, body) in (200, 201)
    found = [case["reference"] for case in process.get("/api/cases?limit=1000")["cases"]]
    assert sorted(found) == [reference(number) for number in range(60)]
