"""Pages about the desk itself: delivery, audit, accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from casedesk import accounts
from casedesk.access import page, run
from casedesk.accounts import ROLES, AccountError, Staff
from casedesk.casework import NotNow
from casedesk.desk import Desk
from casedesk.models import Account, AuditRow, Notice, OutboxReport, OutboxRequest
from casedesk.numbers import whole_number
from casedesk.rendering import render

AUDIT_PAGE = 100


@page("read")
async def health(request: web.Request) -> web.StreamResponse:
    def read(session: Session, desk: Desk, staff: Staff) -> dict[str, Any]:
        waiting = Notice.done_at.is_(None)
        return {
            "report": session.get(OutboxReport, 1),
            "asked": set(session.scalars(select(OutboxRequest.key))),
            "notices": list(
                session.scalars(
                    select(Notice).where(waiting, (Notice.tries > 0)).order_by(Notice.created_at).limit(100)
                )
            ),
        }

    return render(request, "health.html", now=datetime.now(UTC), **await run(request, read))


@page("resend")
async def send_again(request: web.Request) -> web.StreamResponse:
    """Ask the delivery worker to send a dead row again, or make one of the desk's own notices due."""
    form = await request.post()
    key = str(form.get("key", ""))[:100]

    def change(session: Session, desk: Desk, staff: Staff) -> None:
        notice = session.get(Notice, key)
        if notice:
            notice.dead_at, notice.due_at, notice.tries = None, datetime.now(UTC), 0
        else:
            report = session.get(OutboxReport, 1)
            if report is None or key not in {row["key"] for row in report.dead["rows"]}:
                raise NotNow("That row is no longer there.")
            session.merge(OutboxRequest(key=key, at=datetime.now(UTC)))
        desk.record(session, staff.name, "send again asked", f"outbox:{key}")

    await run(request, change)
    raise web.HTTPSeeOther("/health-page")


@page("audit")
async def audit(request: web.Request) -> web.StreamResponse:
    subject = request.query.get("subject", "").strip()[:60]
    at = whole_number(request.query.get("page", "")) or 1

    def read(session: Session, desk: Desk, staff: Staff) -> dict[str, Any]:
        desk.record(session, staff.name, "audit viewed", "audit", subject)
        query = select(AuditRow).order_by(AuditRow.seq.desc())
        if subject:
            query = query.where(AuditRow.subject == subject)
        rows = list(session.scalars(query.limit(AUDIT_PAGE + 1).offset((at - 1) * AUDIT_PAGE)))
        return {"rows": rows[:AUDIT_PAGE], "more": len(rows) > AUDIT_PAGE, "verdict": None}

    found = await run(request, read)
    if request.query.get("verify"):
        found["verdict"] = await run(request, lambda session, desk, staff: desk.audit.verify(session))
    return render(request, "audit.html", subject=subject, at=at, **found)


@page("accounts")
async def account_list(request: web.Request) -> web.StreamResponse:
    return await show_accounts(request)


async def show_accounts(request: web.Request, problem: str = "", made: str = "") -> web.StreamResponse:
    rows = await run(
        request, lambda session, desk, staff: list(session.scalars(select(Account).order_by(Account.name)))
    )
    return render(
        request,
        "accounts.html",
        status=422 if problem else 200,
        rows=rows,
        roles=ROLES,
        problem=problem,
        made=made,
        now=datetime.now(UTC),
        shortest=accounts.SHORTEST_PASSWORD,
    )


@page("accounts")
async def add_account(request: web.Request) -> web.StreamResponse:
    form = {key: str(value) for key, value in (await request.post()).items()}

    def change(session: Session, desk: Desk, staff: Staff) -> None:
        account = accounts.add(session, form.get("name", ""), form.get("role", ""), form.get("password", ""))
        desk.record(session, staff.name, "account added", f"account:{account.name}", account.role)

    try:
        await run(request, change)
    except AccountError as error:
        return await show_accounts(request, problem=str(error))
    return await show_accounts(request, made=f"The account {form['name']} was added.")


@page("accounts")
async def change_account(request: web.Request) -> web.StreamResponse:
    form = {key: str(value) for key, value in (await request.post()).items()}

    def change(session: Session, desk: Desk, staff: Staff) -> None:
        account = session.get(Account, int(request.match_info["id"]))
        if account is None:
            raise NotNow("That account no longer exists.")
        act = form.get("act", "")
        if account.id == staff.id and act in ("close", "role"):
            raise NotNow("You cannot close or demote your own account.")
        if act == "unlock":
            account.locked_until, account.failures = None, 0
        elif act == "close":
            account.active = False
        elif act == "open":
            account.active = True
        elif act == "role" and form.get("role") in ROLES:
            account.role = form["role"]
        elif act == "password":
            accounts.set_password(account, form.get("password", ""))
        else:
            raise NotNow("Nothing to change.")
        if act != "unlock":
            accounts.end_log_ins(session, account)
        desk.record(session, staff.name, f"account {act}", f"account:{account.name}", form.get("role", ""))

    try:
        await run(request, change)
    except AccountError as error:
        return await show_accounts(request, problem=str(error))
    raise web.HTTPSeeOther("/accounts")


ROUTES = [
    web.get("/health-page", health),
    web.post("/health-page/send-again", send_again),
    web.get("/audit", audit),
    web.get("/accounts", account_list),
    web.post("/accounts", add_account),
    web.post("/accounts/{id:[0-9]{1,9}}", change_account),
]
