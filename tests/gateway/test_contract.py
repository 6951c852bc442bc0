"""The OpenAPI document, held against the routes there are and the answers they give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import gateway
from gateway.app import make_app
from gateway.config import config
from gateway.janitor import Janitor
from tests.gateway.conftest import Patient

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(gateway.__file__).parent / "openapi.yaml").read_text())


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_every_route_is_described_and_every_description_is_a_route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAINSPOKEN_VAR", str(tmp_path))
    routes = {
        (resource.canonical.replace(":.+", ""), route.method.lower())
        for resource in make_app(config(), Janitor(1, 1, 1)).router.resources()
        for route in resource
        if route.method != "HEAD"
    }
    described = {
        (path, method) for path, item in DOCUMENT["paths"].items() for method in item if method in ("get", "post")
    }
    assert routes == described


def check(data: Any, path: str, method: str, status: int) -> None:
    """Hold ``data`` against what the document says ``method path`` answers with ``status``."""
    response = DOCUMENT["paths"][path][method]["responses"][str(status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = {**response["content"]["application/json"]["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(data)


async def test_answers_are_as_described(patient: Patient) -> None:
    made = await patient.post("/api/session", {})
    check(made[1], "/api/session", "post", 201)
    for text in ("Was my first doctor wrong?", "I can't pee", "compare", "ask several", "please fail"):
        status, taken = await patient.try_to_say(text)
        check(taken, "/api/say", "post", status)
        await patient.answer()
    check({"events": await patient.history()}, "/api/history", "get", 200)
    status, refusal = await patient.try_to_say("")
    check(refusal, "/api/say", "post", status)
    status, readiness = await patient.call("GET", "/ready")
    check(readiness, "/ready", "get", status)
    status, refusal = await patient.call("GET", "/api/plan.pdf")
    check(refusal, "/api/plan.pdf", "get", status)
    status, ended = await patient.post("/api/end", {})
    check(ended, "/api/end", "post", status)
