"""The desk's programming interface: deliveries in, cases and states out. ``openapi.yaml`` describes it."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from pydantic import ValidationError
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from casedesk import casework, files, privacy
from casedesk.context import API_TOKEN, DATABASE, DESK
from casedesk.deliveries import Refused, receive
from casedesk.desk import Desk
from casedesk.models import Case, Escalation, Figure, Notice, OutboxReport, OutboxRequest
from casedesk.numbers import whole_number
from casedesk.schema import OutboxStatus
from casedesk.signed import verify

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REGISTRY = CollectorRegistry()
BIGGEST_DELIVERY = 15 * 1024 * 1024
"""A letter of 10 MB, the largest that the chat takes, as base64 with its envelope."""
DELIVERIES = Counter("casedesk_deliveries", "Deliveries by what became of them.", ["outcome"], registry=REGISTRY)
OPEN_CASES = Gauge("casedesk_open_cases", "Cases that are not closed.", registry=REGISTRY)
OVERDUE_CASES = Gauge("casedesk_overdue_cases", "Cases past their deadline.", registry=REGISTRY)
OPEN_WARNINGS = Gauge("casedesk_unacknowledged_escalations", "Warnings nobody has acknowledged.", registry=REGISTRY)
OLDEST_WARNING = Gauge("casedesk_oldest_unacknowledged_seconds", "Age of the oldest of them.", registry=REGISTRY)
NOTICES_WAITING = Gauge("casedesk_notices_waiting", "Notices to patients not yet handed over.", registry=REGISTRY)


def problem(status: int, code: str, fields: tuple[tuple[str, str], ...] = ()) -> web.Response:
    body: dict[str, Any] = {"error": code}
    if fields:
        body["fields"] = [{"field": name, "problem": fault} for name, fault in fields]
    return web.json_response(body, status=status)


def bearer(handler: Handler) -> Handler:
    """Let only callers with the API token through."""

    @wraps(handler)
    async def checked(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), request.app[API_TOKEN].encode()):
            return web.json_response({"error": "unauthorized"}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return await handler(request)

    return checked


async def post_delivery(request: web.Request) -> web.StreamResponse:
    """Take one signed delivery; see :mod:`casedesk.deliveries`."""
    body = await request.clone(client_max_size=BIGGEST_DELIVERY).read()
    key = verify("delivery", request.headers, body)
    if key is None:
        DELIVERIES.labels("bad_signature").inc()
        return problem(401, "bad_signature")
    if request.headers.get("Idempotency-Key", key) != key:
        return problem(422, "invalid", (("Idempotency-Key", "differs from webhook-id"),))
    database = request.app[DATABASE]
    try:
        try:
            status, answer = await database.run(receive, request.app[DESK], key, body)
        except IntegrityError:  # the same key came in twice at once; the other one is in by now
            status, answer = await database.run(receive, request.app[DESK], key, body)
    except Refused as refused:
        DELIVERIES.labels(refused.code).inc()
        log.warning("delivery refused", extra={"code": refused.code, "status": refused.http})
        return problem(refused.http, refused.code, refused.fields)
    if "erased" in answer and status == 201:
        await database.aside(privacy.scrub, database)
    DELIVERIES.labels("new" if status == 201 else "repeated").inc()
    return web.json_response(answer, status=status)


@bearer
async def get_case(request: web.Request) -> web.StreamResponse:
    found = await request.app[DATABASE].run(_read_case, request.app[DESK], request.match_info["reference"])
    return web.json_response(found) if found else problem(404, "not_found")


def _read_case(session: Session, desk: Desk, reference: str) -> dict[str, Any] | None:
    case = casework.get_case(session, reference)
    if case is None:
        return None
    desk.record(session, "api", "case read", reference)
    latest = next(version for version in reversed(case.versions) if version.kind != "withdrawn")
    content = desk.content(case, latest)
    return {
        "reference": case.reference,
        "status": case.status,
        "priority": case.priority,
        "version": case.version,
        "withdrawn": case.withdrawn,
        "red_flags": content.get("red_flags", []),
        "decision_flags": content.get("decision_flags", []),
        "answers": {
            field: answer.get("value")
            for field, answer in content["answers"].items()
            if answer.get("status", "answered") == "answered"
        },
        "answer_status": {field: answer.get("status", "answered") for field, answer in content["answers"].items()},
        "consent": content.get("consent"),
        "received_at": case.received_at.isoformat(),
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "type": file.type,
                "size": file.size,
                "sha256": file.sha256,
                "received_at": file.received_at.isoformat() if file.received_at else None,
            }
            for file in files.files_of(session, desk, case)
        ],
    }


@bearer
async def get_file(request: web.Request) -> web.StreamResponse:
    """One letter of a case, as the patient sent it."""

    def read(session: Session, desk: Desk) -> tuple[files.FileView, bytes, str] | None:
        case = casework.get_case(session, request.match_info["reference"])
        return files.hand_out(session, desk, case, request.match_info["file"], who="api")

    found = await request.app[DATABASE].run(read, request.app[DESK])
    return files.response(*found) if found else problem(404, "not_found")


@bearer
async def list_cases(request: web.Request) -> web.StreamResponse:
    return web.json_response(
        {"cases": await request.app[DATABASE].run(_read_cases, request.app[DESK], _limit(request))}
    )


def _read_cases(session: Session, desk: Desk, limit: int) -> list[dict[str, Any]]:
    desk.record(session, "api", "cases listed", "cases")
    return [
        {
            "reference": case.reference,
            "status": case.status,
            "priority": case.priority,
            "version": case.version,
            "tier": case.tier,
            "received_at": case.received_at.isoformat(),
        }
        for case in session.scalars(select(Case).order_by(Case.received_at.desc(), Case.id).limit(limit))
    ]


@bearer
async def list_escalations(request: web.Request) -> web.StreamResponse:
    found = await request.app[DATABASE].run(_read_escalations, request.app[DESK], _limit(request))
    return web.json_response({"escalations": found})


def _read_escalations(session: Session, desk: Desk, limit: int) -> list[dict[str, Any]]:
    desk.record(session, "api", "escalations listed", "escalations")
    rows = session.scalars(select(Escalation).order_by(Escalation.raised_at.desc(), Escalation.id).limit(limit))
    return [
        {
            "reference": row.reference,
            "status": "acknowledged" if row.acknowledged_at else "open",
            "category": row.category,
            "tier": row.tier,
            "confirmed": row.confirmed,
            "country": row.country,
            "at": row.raised_at.isoformat(),
            **{key: content.get(key) for key in ("evidence", "rules", "rules_version", "person")},
        }
        for row in rows
        for content in [desk.escalation(row)]
    ]


@bearer
async def get_status(request: web.Request) -> web.StreamResponse:
    """What the patient may be told about a case or an escalation."""
    found = await request.app[DATABASE].run(_read_status, request.match_info["reference"])
    return web.json_response(found) if found else problem(404, "not_found")


def _read_status(session: Session, reference: str) -> dict[str, Any] | None:
    if case := casework.get_case(session, reference):
        return {
            "reference": reference,
            "status": casework.patient_status(case),
            "received_at": case.received_at.isoformat(),
        }
    if escalation := session.scalar(select(Escalation).where(Escalation.reference == reference)):
        status = "acknowledged" if escalation.acknowledged_at else "received"
        return {"reference": reference, "status": status, "received_at": escalation.received_at.isoformat()}
    return None


async def post_outbox_status(request: web.Request) -> web.StreamResponse:
    """The delivery worker says what it could not deliver, for the health page."""
    body = await request.read()
    if verify("delivery", request.headers, body) is None:
        return problem(401, "bad_signature")
    try:
        report = OutboxStatus.model_validate_json(body)
    except ValidationError as error:
        faults = tuple((".".join(map(str, fault["loc"])), fault["type"]) for fault in error.errors())
        return problem(422, "invalid", faults)
    await request.app[DATABASE].run(_keep_report, report)
    return web.json_response({"status": "noted"})


def _keep_report(session: Session, report: OutboxStatus) -> None:
    dead = report.model_dump(mode="json")["dead"]
    session.merge(
        OutboxReport(
            id=1,
            at=datetime.now(UTC),
            pending=report.pending,
            oldest_seconds=int(report.oldest_seconds or 0),
            dead={"rows": dead},
        )
    )
    if report.insight:
        session.execute(delete(Figure).where(Figure.day == "now"))
    for figure in report.insight:
        session.merge(Figure(**figure.model_dump()))
    still = {row.key for row in report.dead}
    for request in session.scalars(select(OutboxRequest)):
        if request.key not in still:  # it is no longer dead: the wish came true
            session.delete(request)


async def get_outbox_requests(request: web.Request) -> web.StreamResponse:
    """The dead rows that staff asked to be sent again. The worker signs its question (an empty body)."""
    if verify("delivery", request.headers, b"") is None:
        return problem(401, "bad_signature")
    keys = await request.app[DATABASE].run(
        lambda session: list(session.scalars(select(OutboxRequest.key).order_by(OutboxRequest.at)))
    )
    return web.json_response({"keys": keys})


async def get_health(request: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "alive"})


async def get_ready(request: web.Request) -> web.StreamResponse:
    """Whether the desk can work; what is wrong if not."""
    try:
        await request.app[DATABASE].run(lambda session: session.execute(text("SELECT count(*) FROM audit_head")).one())
    except SQLAlchemyError as error:
        log.exception("database does not answer")
        return web.json_response({"status": "not ready", "problems": [f"database: {type(error).__name__}"]}, status=503)
    return web.json_response({"status": "ready", "problems": []})


async def get_metrics(request: web.Request) -> web.StreamResponse:
    await request.app[DATABASE].run(_measure)
    return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": "text/plain; version=0.0.4"})


def _measure(session: Session) -> None:
    now = datetime.now(UTC)

    def count(table: type, *where: Any) -> int:
        return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    OPEN_CASES.set(count(Case, Case.status != "closed"))
    OVERDUE_CASES.set(count(Case, Case.deadline < now))
    OPEN_WARNINGS.set(count(Escalation, Escalation.acknowledged_at.is_(None)))
    NOTICES_WAITING.set(count(Notice, Notice.done_at.is_(None), Notice.dead_at.is_(None)))
    oldest = session.scalar(select(func.min(Escalation.raised_at)).where(Escalation.acknowledged_at.is_(None)))
    OLDEST_WARNING.set((now - oldest).total_seconds() if oldest else 0)


async def get_openapi(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(Path(__file__).parent / "openapi.yaml", headers={"Content-Type": "application/yaml"})


def _limit(request: web.Request) -> int:
    limit = whole_number(request.query.get("limit", "50"))
    if limit is None or not 1 <= limit <= 1000:
        raise web.HTTPUnprocessableEntity(
            text=json.dumps({"error": "invalid", "fields": [{"field": "limit", "problem": "1 to 1000"}]}),
            content_type="application/json",
        )
    return limit


ROUTES = [
    web.post("/api/deliveries", post_delivery),
    web.get("/api/cases", list_cases),
    web.get("/api/cases/{reference}", get_case),
    web.get("/api/cases/{reference}/files/{file}", get_file),
    web.get("/api/escalations", list_escalations),
    web.get("/api/status/{reference}", get_status),
    web.post("/api/outbox-status", post_outbox_status),
    web.get("/api/outbox-requests", get_outbox_requests),
    web.get("/api/openapi.yaml", get_openapi),
    web.get("/health", get_health),
    web.get("/ready", get_ready),
    web.get("/metrics", get_metrics),
]
