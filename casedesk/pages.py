"""The pages a nurse works on: worklist, case, warnings. Server-rendered; they work without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casedesk import case_view, casework, exports, files, worklist_view
from casedesk.access import Handler, own_path, page, run
from casedesk.accounts import Staff
from casedesk.case_view import CaseView
from casedesk.desk import Desk
from casedesk.models import Case, Escalation
from casedesk.numbers import whole_number
from casedesk.rendering import render
from casedesk.worklist_view import Filters, Worklist


@page("read")
async def worklist(request: web.Request) -> web.StreamResponse:
    def read(session: Session, desk: Desk, staff: Staff) -> Worklist:
        desk.record(session, staff.name, "worklist viewed", "worklist", "search" if filters.q else "")
        return worklist_view.worklist(session, desk, staff, filters)

    filters = Filters.from_query(request.query)
    return render(request, "worklist.html", work=await run(request, read))


@page("read")
async def search(request: web.Request) -> web.StreamResponse:
    """A search is a POST, so that a patient's name stands in no address, history or access log."""
    form = await request.post()

    def read(session: Session, desk: Desk, staff: Staff) -> Worklist:
        desk.record(session, staff.name, "searched", "worklist")
        return worklist_view.worklist(session, desk, staff, filters)

    filters = Filters(status="all", q=str(form.get("q", "")).strip()[:100])
    return render(request, "worklist.html", work=await run(request, read))


@page("read", seen=False)
async def pulse(request: web.Request) -> web.StreamResponse:
    """How many warnings and new cases wait, for the open worklist. Does not keep the log-in alive."""

    def read(session: Session, desk: Desk, staff: Staff) -> dict[str, int]:
        def count(table: type, *where: Any) -> int:
            return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

        return {
            "warnings": count(Escalation, casework.is_open()),
            "new": count(Case, Case.status == "new"),
            "changed": count(Case, Case.changed),
        }

    return web.json_response(await run(request, read))


@page("read")
async def case(request: web.Request) -> web.StreamResponse:
    def read(session: Session, desk: Desk, staff: Staff) -> CaseView | None:
        found = casework.get_case(session, request.match_info["reference"])
        if found is None:
            return None
        desk.record(session, staff.name, "case viewed", found.reference)
        view = case_view.case_page(session, desk, staff, found)
        if staff.may("work"):
            found.changed = False
        return view

    view = await run(request, read)
    if view is None:
        return not_found(request)
    return render(request, "case.html", case=view, casework=casework, done=request.query.get("done", ""))


@page("read")
async def print_view(request: web.Request) -> web.StreamResponse:
    """The case as a paper to hand on: everything open, nothing to click."""

    def read(session: Session, desk: Desk, staff: Staff) -> CaseView | None:
        found = casework.get_case(session, request.match_info["reference"])
        if found is None:
            return None
        desk.record(session, staff.name, "case printed", found.reference)
        return case_view.case_page(session, desk, staff, found)

    view = await run(request, read)
    return render(request, "print.html", case=view, now=datetime.now(UTC)) if view else not_found(request)


@page("export")
async def export(request: web.Request) -> web.StreamResponse:
    kind = request.match_info["kind"]

    def read(session: Session, desk: Desk, staff: Staff) -> tuple[CaseView, dict[str, bytes]] | None:
        found = casework.get_case(session, request.match_info["reference"])
        if found is None:
            return None
        desk.record(session, staff.name, f"case exported as {kind}", found.reference)
        view = case_view.case_page(session, desk, staff, found)
        here = [] if kind == "csv" else [file.id for file in view.files if file.received_at]
        return view, {each: files.content_of(session, desk, found, each) or b"" for each in here}

    read_case = await run(request, read)
    if read_case is None:
        return not_found(request)
    view, letters = read_case
    headers = {"Content-Disposition": f'attachment; filename="{view.row.reference}.{kind}"'}
    if kind == "fhir.json":
        return web.json_response(exports.as_fhir(view, letters), headers=headers, content_type="application/fhir+json")
    if kind == "csv":
        # The byte order mark makes spreadsheets read it as UTF-8.
        return web.Response(body=exports.as_csv(view).encode("utf-8-sig"), content_type="text/csv", headers=headers)
    return web.json_response(exports.as_json(view, letters), headers=headers)


@page("read")
async def file(request: web.Request) -> web.StreamResponse:
    """A letter of the case, to be saved. Every download stands in the audit."""

    def read(session: Session, desk: Desk, staff: Staff) -> tuple[files.FileView, bytes, str] | None:
        found = casework.get_case(session, request.match_info["reference"])
        return files.hand_out(session, desk, found, request.match_info["file"], who=staff.name)

    found = await run(request, read)
    return files.response(*found) if found else not_found(request)


def not_found(request: web.Request) -> web.Response:
    words = "There is no such case. It may have been erased, or the reference has a slip."
    return render(request, "message.html", status=404, title="Not found", words=words)


def step(right: str) -> Callable[[Callable[..., None]], Handler]:
    """Make a handler of ``work(session, desk, staff, case, form)``: a change of one case, then back to its page."""

    def decorate(work: Callable[..., None]) -> Handler:
        @page(right)
        @wraps(work)
        async def handler(request: web.Request) -> web.StreamResponse:
            form = {key: str(value)[:5000] for key, value in (await request.post()).items()}

            def change(session: Session, desk: Desk, staff: Staff) -> bool:
                found = casework.get_case(session, request.match_info["reference"], lock=True)
                if found:
                    work(session, desk, staff, found, form)
                return found is not None

            if not await run(request, change):
                return not_found(request)
            raise web.HTTPSeeOther(f"/cases/{request.match_info['reference']}?done={work.__name__}#work")

        return handler

    return decorate


@step("work")
def claim(session: Session, desk: Desk, staff: Staff, case: Case, form: dict[str, str]) -> None:
    casework.claim(session, desk, staff, case)


@step("work")
def release(session: Session, desk: Desk, staff: Staff, case: Case, form: dict[str, str]) -> None:
    casework.release(session, desk, staff, case)


@step("work")
def assign(session: Session, desk: Desk, staff: Staff, case: Case, form: dict[str, str]) -> None:
    casework.assign(session, desk, staff, case, whole_number(form.get("account", "")) or 0)


@step("read")
def status(session: Session, desk: Desk, staff: Staff, case: Case, form: dict[str, str]) -> None:
    to = form.get("to", "")
    reason = form.get(f"reason_{to}", "")
    casework.move(
        session, desk, staff, case, to=to, was=form.get("was", ""), reason=reason, note=form.get("note", "").strip()
    )


@step("read")
def notes(session: Session, desk: Desk, staff: Staff, case: Case, form: dict[str, str]) -> None:
    casework.note(session, desk, staff, case, form.get("text", ""))


@step("work")
def calls(session: Session, desk: Desk, staff: Staff, case: Case, form: dict[str, str]) -> None:
    casework.call(session, desk, staff, case, form.get("outcome", ""), form.get("text", ""))


@step("work")
def flags(session: Session, desk: Desk, staff: Staff, case: Case, form: dict[str, str]) -> None:
    casework.flags_dealt_with(session, desk, staff, case, form.get("text", ""))


@page("acknowledge")
async def acknowledge(request: web.Request) -> web.StreamResponse:
    form = await request.post()

    def change(session: Session, desk: Desk, staff: Staff) -> bool:
        query = select(Escalation).where(Escalation.reference == request.match_info["reference"])
        found = session.scalar(query.with_for_update(of=Escalation))
        if found:
            casework.acknowledge(session, desk, staff, found, str(form.get("outcome", "")))
        return found is not None

    if not await run(request, change):
        return not_found(request)
    raise web.HTTPSeeOther(own_path(str(form.get("back", "/"))))


ROUTES = [
    web.get("/", worklist),
    web.post("/search", search),
    web.get("/pulse", pulse),
    web.get("/cases/{reference}", case),
    web.get("/cases/{reference}/print", print_view),
    web.get("/cases/{reference}/files/{file}", file),
    web.get("/cases/{reference}/export.{kind:json|csv|fhir.json}", export),
    web.post("/cases/{reference}/claim", claim),
    web.post("/cases/{reference}/release", release),
    web.post("/cases/{reference}/assign", assign),
    web.post("/cases/{reference}/status", status),
    web.post("/cases/{reference}/notes", notes),
    web.post("/cases/{reference}/calls", calls),
    web.post("/cases/{reference}/flags", flags),
    web.post("/escalations/{reference}/acknowledge", acknowledge),
]
