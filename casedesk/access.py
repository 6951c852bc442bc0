"""Who comes in: log-in, log-out, cookies, CSRF, and the guard before every page."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit

from aiohttp import web
from sqlalchemy.orm import Session

from casedesk import accounts
from casedesk.accounts import AccountError, Staff
from casedesk.casework import NotNow
from casedesk.context import DATABASE, DESK, SETTINGS, STAFF
from casedesk.desk import Desk
from casedesk.models import Account
from casedesk.rendering import render

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
COOKIE = "desk"
FORM_COOKIE = "desk-form"


def page(right: str, *, seen: bool = True) -> Callable[[Handler], Handler]:
    """Let only logged-in staff with ``right`` through; a POST needs the log-in's CSRF token, too."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        async def checked(request: web.Request) -> web.StreamResponse:
            token = request.cookies.get(cookie_name(request, COOKIE))
            staff = await request.app[DATABASE].run(accounts.staff_of, token, seen=seen)
            if staff is None:
                if request.method == "POST":
                    return await _refused(request, 403, "Your log-in has ended", TIMED_OUT)
                raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs)}")
            request[STAFF] = staff
            if request.method == "POST":
                form = await request.post()
                if not same_site(request) or not hmac.compare_digest(str(form.get("csrf", "")), staff.csrf):
                    return render(request, "message.html", status=403, title="Not done", words=STALE_FORM)
            if not staff.may(right):
                return render(request, "message.html", status=403, title="Not allowed", words=NOT_ALLOWED)
            try:
                return await handler(request)
            except NotNow as error:
                return await _refused(request, 409, "Not done", str(error))

        return checked

    return decorate


async def _refused(request: web.Request, status: int, title: str, words: str) -> web.Response:
    """Say why a step was not done; what was written stands there again, if it came from one of the desk's own pages."""
    form = await request.post() if request.method == "POST" and same_site(request) else {}
    written = str(form.get("text") or form.get("note") or "")[:5000]
    return render(request, "message.html", status=status, title=title, words=words, written=written)


TIMED_OUT = "Nothing was changed. Log in again and repeat the step."
STALE_FORM = "The form was too old or came from elsewhere. Nothing was changed. Go back, reload the page and try again."
NOT_ALLOWED = "Your role does not include this. Ask an administrator."


def same_site(request: web.Request) -> bool:
    """Whether a form was sent from the desk's own pages, as far as the browser says."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def cookie_name(request: web.Request, name: str) -> str:
    # __Host-: the browser takes it only over HTTPS and from this host alone.
    return f"__Host-{name}" if request.app[SETTINGS].production else name


def set_cookie(request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
    secure = request.app[SETTINGS].production
    response.set_cookie(
        cookie_name(request, name), value, httponly=True, samesite="Lax", path="/", secure=secure or None
    )


async def run(request: web.Request, work: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``work(session, desk, staff, ...)`` in one transaction."""
    return await request.app[DATABASE].run(work, request.app[DESK], request[STAFF], *arguments)


async def log_in_page(request: web.Request, problem: str = "", status: int = 200) -> web.StreamResponse:
    token = request.cookies.get(cookie_name(request, FORM_COOKIE)) or secrets.token_urlsafe(24)
    response = render(
        request, "login.html", status=status, problem=problem, csrf=token, next=own_path(request.query.get("next"))
    )
    set_cookie(request, response, FORM_COOKIE, token)
    return response


async def log_in(request: web.Request) -> web.StreamResponse:
    form = await request.post()
    expected = request.cookies.get(cookie_name(request, FORM_COOKIE), "")
    if not expected or not same_site(request) or not hmac.compare_digest(str(form.get("csrf", "")), expected):
        return await log_in_page(request, "The page was too old. Please try once more.", 403)
    database = request.app[DATABASE]
    account_id, password_hash = await database.run(accounts.password_of, str(form.get("name", "")))
    right = await database.aside(accounts.fits, password_hash, str(form.get("password", "")))
    token = await database.run(accounts.log_in, request.app[DESK], account_id, right)
    if token is None:
        words = "Name and password do not match, or the account is locked for 15 minutes after five failures."
        return await log_in_page(request, words, 401)
    response = web.Response(status=303, headers={"Location": own_path(str(form.get("next", "/")))})
    set_cookie(request, response, COOKIE, token)
    return response


def own_path(path: str | None) -> str:
    """Return ``path`` when it is one of the desk's own, else the worklist: a log-in must not lead elsewhere."""
    # Browsers leave tabs and line ends out of an address: behind one, a second slash would name another host.
    if not path or not re.fullmatch(r"/(?![/\\])[!-~]*", path) or path.startswith("/login"):
        return "/"
    return path


@page("read")
async def log_out(request: web.Request) -> web.StreamResponse:
    await run(request, lambda session, desk, staff: accounts.log_out(session, desk, staff))
    response = web.Response(status=303, headers={"Location": "/login"})
    response.del_cookie(cookie_name(request, COOKIE), path="/")
    return response


@page("read")
async def own_account(request: web.Request) -> web.StreamResponse:
    return render(request, "me.html", problem="", shortest=accounts.SHORTEST_PASSWORD)


@page("read")
async def change_password(request: web.Request) -> web.StreamResponse:
    """Change one's own password; a wrong old one counts as a failed log-in, so that a thief cannot guess here."""
    form = {key: str(value) for key, value in (await request.post()).items()}
    database, staff = request.app[DATABASE], request[STAFF]
    account_id, password_hash = await database.run(accounts.password_of, staff.name)
    right = await database.aside(accounts.fits, password_hash, form.get("old", ""))
    problem = "" if right else "That is not your password."
    if right:

        def change(session: Session, desk: Desk, staff: Staff) -> None:
            account = session.get_one(Account, staff.id)
            accounts.set_password(account, form.get("password", ""))
            accounts.end_log_ins(session, account)
            desk.record(session, staff.name, "password changed", f"account:{account.name}")

        try:
            await run(request, change)
        except AccountError as error:
            problem = str(error)
    else:
        await database.run(accounts.log_in, request.app[DESK], account_id, False)
    if problem:
        return render(request, "me.html", status=422, problem=problem, shortest=accounts.SHORTEST_PASSWORD)
    raise web.HTTPSeeOther("/login")


ROUTES = [
    web.get("/login", log_in_page),
    web.post("/login", log_in),
    web.post("/logout", log_out),
    web.get("/me", own_account),
    web.post("/me", change_password),
]
