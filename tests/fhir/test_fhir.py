"""FHIR: bundles that two independent validators find nothing wrong with, and a server that is not ours that takes them.

The validators are npm packages (``package-lock.json``). Without npm or its registry these tests are skipped and say so.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from actions import fhir
from actions.database import make_engine, migrate
from actions.fhir_files import file_bundle
from actions.fhir_resources import Names
from actions.fhir_target import FhirSettings, FhirTarget
from actions.outbox import Outbox
from actions.store import Store
from actions.targets import Delivered, Later, Refused
from runtime.vault import Vault
from tests.conftest import free_ports
from tests.delivery.cases import FILE, LETTER, NOTE, SECOND, case, correct, escalation, submit, with_letters
from tests.intake.talk import at

HERE = Path(__file__).parent
AT = "2026-11-21T09:00:00+00:00"
NAMES = Names()
FLAG = {"category": "cauda_equina", "tier": "emergency", "evidence": "numb between my legs", "rule": "ces", "at": AT}


def body(**changes: Any) -> dict[str, Any]:
    identity = {"intake_id": "0b6f9c52-8d9e-4a7e-9f5e-0d0a5f6d7e11", "reference": "PS-ABCD-EFGH", "version": 1}
    identity["sender_id"] = "s"
    return {**case(), **identity, **changes}


def carer_body() -> dict[str, Any]:
    """A carer's intake with the longer part, every answer of every type in it."""
    talk = at("about").says(
        "my mother", "daughter", "yes", "none", "no", "fusion or not", "neck", "It hurts", "June 2020", "5"
    )
    talk.says(
        "L4/5 fusion",
        "yes",
        "I don't know",
        "sleep",
        "Mary Example",
        "Sam Example",
        "+12025550143",
        "skip",
        "answer more",
    )
    texts = {
        "birth_date": "2 April 1948",
        "decide_by": "15 December",
        "nerve_signs": "numb and weak",
        "walking": "10 minutes",
    }
    while talk.slot != "review":
        talk.says(texts.get(talk.slot, "none" if talk.state.field else "skip")).says("skip")
    from actions.intake.case import build_case
    from tests.delivery.cases import NOW

    made = build_case(talk.state, now=NOW, red_flags=[FLAG], decision_flags=[], transcript=[])
    return {**body(), **made, "version": 2}


def letter(file: dict[str, Any], content: bytes) -> dict[str, Any]:
    of = {key: body()[key] for key in ("intake_id", "reference", "version")}
    return {**of, "file": file, "content": base64.b64encode(content).decode()}


def bundles() -> dict[str, Any]:
    made = {"Patient": "Patient/1", "ServiceRequest": "ServiceRequest/2", "RelatedPerson": "RelatedPerson/3"}
    raised = {**escalation(), "escalation_id": "5c8f9c52-8d9e-4a7e-9f5e-0d0a5f6d7e12", "reference": "ESC-ABCD-EFGH"}
    return {
        "intake": fhir.intake_bundle(body(), AT, NAMES),
        "carer": fhir.intake_bundle(carer_body(), AT, NAMES),
        "attachments": fhir.attachments_bundle(body(), AT, NAMES, made),
        "taken back": fhir.attachments_bundle(body(files_taken_back=[FILE, SECOND]), AT, NAMES, made),
        "letter": file_bundle(letter(FILE, LETTER), AT, NAMES, made),
        "text letter": file_bundle(letter(SECOND, NOTE), AT, NAMES, made),
        "withdrawn": fhir.task_bundle(body(), AT, NAMES, kind="withdrawn", made=made),
        "erasure": fhir.task_bundle(body(), AT, NAMES, kind="erasure", made={}),
        "escalation": fhir.escalation_bundle(raised, AT, NAMES, update=False),
        "update": fhir.escalation_bundle({**raised, "confirmed": "calling"}, AT, NAMES, update=True),
        "questionnaire": fhir.questionnaire_resource(NAMES),
    }


def test_the_first_transaction_has_eight_conditional_creates() -> None:
    entries = fhir.intake_bundle(body(), AT, NAMES)["entry"]
    assert len(entries) == 8, "a widely used server refuses more"
    assert all(entry["request"]["ifNoneExist"] for entry in entries)


def test_the_same_row_gives_the_same_bundle() -> None:
    assert json.dumps(fhir.intake_bundle(body(), AT, NAMES)) == json.dumps(fhir.intake_bundle(body(), AT, NAMES))


def test_not_knowing_and_declining_can_be_told_apart() -> None:
    text = json.dumps(fhir.intake_bundle(carer_body(), AT, NAMES))
    assert "asked-unknown" in text and "asked-declined" in text


def test_every_question_stands_in_the_questionnaire_once() -> None:
    from knowledge.intake import questionnaire

    links = [item["linkId"] for group in fhir.questionnaire_resource(NAMES)["item"] for item in group["item"]]
    assert sorted(links) == sorted(field.link for field in questionnaire().fields)


# --- with npm --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def node_modules() -> Path:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: the FHIR validators cannot run")
    place = HERE / "node_modules"
    if not (place / "fhir").exists():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, timeout=240, check=False)
        if done.returncode:
            pytest.skip("the npm registry does not answer: the FHIR validators cannot be installed")
    return place


def validate(node_modules: Path, *files: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["node", "validate.mjs", *map(str, files)], cwd=HERE, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_two_validators_find_nothing(node_modules: Path, tmp_path: Path) -> None:
    files = []
    for name, resource in bundles().items():
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(resource))
    code, output = validate(node_modules, *files)
    assert code == 0, output


def test_the_validators_do_find_faults(node_modules: Path, tmp_path: Path) -> None:
    broken = fhir.intake_bundle(body(), AT, NAMES)
    resources = {entry["resource"]["resourceType"]: entry["resource"] for entry in broken["entry"]}
    resources["Task"]["status"] = "somewhere"
    del resources["Consent"]["policy"]
    resources["Patient"]["shoeSize"] = 9
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    code, output = validate(node_modules, file)
    assert code == 1
    assert "medplum" in output and "fhir:" in output and "ppc-1" in output


class Server:
    """The FHIR server process and what a test does with it."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self.root, self.session = f"http://127.0.0.1:{port}", session

    async def plan(self, **what: Any) -> None:
        async with self.session.post(f"{self.root}/plan", json=what) as reply:
            assert reply.status == 200

    async def counts(self) -> dict[str, int]:
        async with self.session.get(f"{self.root}/counts") as reply:
            found: dict[str, int] = await reply.json(content_type=None)
            return found


@pytest.fixture(scope="session")
def server_port(node_modules: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    process = subprocess.Popen(
        ["node", "server.mjs", str(port)], cwd=HERE, stdout=subprocess.PIPE, env={**os.environ, "TOKEN": "the-token"}
    )
    assert process.stdout and process.stdout.readline() == b"ready\n"
    yield port
    process.terminate()
    process.wait(10)


@pytest.fixture
async def server(server_port: int) -> AsyncIterator[Server]:
    async with aiohttp.ClientSession() as session:
        found = Server(server_port, session)
        await found.plan(fail=[], lose=0, deny=0)
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Store]:
    engine = make_engine(f"sqlite:///{tmp_path}/intake.db")
    migrate(engine)
    yield Store(engine, Vault(master="1a" * 32, index="2b" * 32))
    engine.dispose()


def target(server: Server, queue: Outbox, **settings: Any) -> FhirTarget:
    config = FhirSettings(url=f"{server.root}/fhir", **(settings or {"bearer": "the-token"}))
    return FhirTarget(server.session, config, queue.receipts, timeout=30)


async def deliver(receiver: FhirTarget, queue: Outbox) -> list[Any]:
    outcomes = []
    for row in await asyncio.to_thread(queue.claim):
        outcome = await receiver.deliver(row)
        outcomes.append(outcome)
        if isinstance(outcome, Delivered):
            queue.done(row, outcome.status, outcome.receipt)
        else:
            queue.retry(row, status=None, error="test")
    return outcomes


async def test_an_intake_arrives_once_whatever_happens_on_the_way(server: Server, data: Store) -> None:
    now = data.clock()
    queue = Outbox(data.engine, data.vault, clock=lambda: now, chance=lambda: 0.0)
    receiver = target(server, queue)
    before = await server.counts()
    sent = submit(data, "patient-1")
    now = data.clock()
    await server.plan(fail=[503])
    assert isinstance((await deliver(receiver, queue))[0], Later)
    await server.plan(lose=1)
    assert isinstance((await deliver(receiver, queue))[0], Later)
    assert isinstance((await deliver(receiver, queue))[0], Delivered)
    correct(data, "patient-1", sent)
    data.withdraw(sent.id)
    now = data.clock()
    assert [type(each) for _ in range(2) for each in await deliver(receiver, queue)] == [Delivered, Delivered]
    after = await server.counts()
    new = {name: after[name] - before[name] for name in after}
    assert (
        new["Patient"] == 1 and new["QuestionnaireResponse"] == 2 and new["Task"] == 3 and new["DocumentReference"] == 2
    )
    assert after["Questionnaire"] == 1


def test_a_letter_says_what_it_is_without_a_word_of_the_patient() -> None:
    (entry,) = file_bundle(letter(FILE, LETTER), AT, NAMES, {"Patient": "Patient/1"})["entry"]
    attachment = entry["resource"]["content"][0]["attachment"]
    assert (attachment["contentType"], attachment["title"]) == ("application/pdf", "Letter 1 (PDF)")
    assert base64.b64decode(attachment["data"]) == LETTER and attachment["size"] == len(LETTER)
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(LETTER, usedforsecurity=False).digest()
    assert FILE["id"] in entry["request"]["ifNoneExist"]


async def test_letters_arrive_once_and_one_taken_back_is_a_task(server: Server, data: Store) -> None:
    queue = Outbox(data.engine, data.vault, clock=data.clock, chance=lambda: 0.0)
    receiver = target(server, queue)
    before = await server.counts()
    sent = with_letters(data, "patient-5", FILE, SECOND)
    await deliver(receiver, queue)
    await server.plan(lose=1)
    for _ in range(3):
        await deliver(receiver, queue)
    after = await server.counts()
    assert after["DocumentReference"] - before["DocumentReference"] == 3, "the transcript and two letters, each once"
    correct(data, "patient-5", sent, files=[SECOND])
    assert isinstance((await deliver(receiver, queue))[0], Delivered)
    assert (await server.counts())["Task"] - before["Task"] == 3, "two versions to look at and a letter to remove"


async def test_an_escalation_and_an_erasure_arrive(server: Server, data: Store) -> None:
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    receiver = target(server, queue)
    before = await server.counts()
    data.record_escalation(escalation(sender_id="patient-9"))
    data.update_escalation("patient-9", "calling")
    outcomes = [*await deliver(receiver, queue), *await deliver(receiver, queue)]
    data.erase("patient-9")
    outcomes += await deliver(receiver, queue)
    assert [type(each) for each in outcomes] == [Delivered] * 3
    after = await server.counts()
    assert after["Flag"] - before["Flag"] == 1 and after["Communication"] - before["Communication"] == 1
    assert after["Task"] - before["Task"] == 2


async def test_smart_backend_services_and_a_token_renewed_once(server: Server, data: Store) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, form, no_password = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = key.private_bytes(kind, form, no_password).decode()
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    receiver = target(server, queue, token_url=f"{server.root}/token", client_id="plainspoken", private_key=pem)
    submit(data, "patient-2")
    await server.plan(deny=1)
    assert isinstance((await deliver(receiver, queue))[0], Delivered)


async def test_refused_credentials_alarm_and_are_tried_again(server: Server, data: Store) -> None:
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    submit(data, "patient-3")
    (outcome,) = await deliver(target(server, queue, bearer="wrong"), queue)
    assert isinstance(outcome, Later) and outcome.alarm


async def test_a_batch_that_says_200_and_fails_inside_is_not_delivered(data: Store) -> None:
    from aiohttp import web

    async def half(request: web.Request) -> web.Response:
        sent = await request.json()
        entries = [
            {"response": {"status": "201", "location": f"{e['resource']['resourceType']}/1"}}
            for e in sent.get("entry", [])
        ]
        if entries:
            entries[-1] = {"response": {"status": "422 Unprocessable"}}
        return web.json_response({"resourceType": "Bundle", "type": "batch-response", "entry": entries})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", half)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    submit(data, "patient-4")
    (row,) = queue.claim()
    async with aiohttp.ClientSession() as session:
        receiver = FhirTarget(
            session, FhirSettings(url=f"http://127.0.0.1:{port}", bearer="x"), queue.receipts, timeout=10
        )
        outcome = await receiver.deliver(row)
    await runner.cleanup()
    assert isinstance(outcome, Refused) and "Provenance" in outcome.error
