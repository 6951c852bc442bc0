"""The desk as one aiohttp application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import SQLAlchemyError

from casedesk import access, api, insight, office, pages, privacy
from casedesk.context import API_TOKEN, DATABASE, DESK, SETTINGS
from casedesk.db import Database
from casedesk.desk import Desk
from casedesk.notices import NoticeSender
from casedesk.rendering import HEADERS, HERE, render
from runtime.settings import Settings

log = logging.getLogger(__name__)
BIGGEST_BODY = 4 * 1024 * 1024


def make_app(
    *, config: Settings, database: Database, desk: Desk, api_token: str, send_notices: bool = True
) -> web.Application:
    """Return the application. The database is migrated already."""
    app = web.Application(middlewares=[errors], client_max_size=BIGGEST_BODY)
    app[SETTINGS], app[DATABASE], app[DESK], app[API_TOKEN] = config, database, desk, api_token
    app.add_routes([*api.ROUTES, *access.ROUTES, *pages.ROUTES, *office.ROUTES, *insight.ROUTES])
    app.router.add_static("/static", HERE / "static")
    app.on_response_prepare.append(_headers)
    if send_notices:
        app.cleanup_ctx.append(_notices)
    app.cleanup_ctx.append(_retention)
    return app


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what goes wrong into a plain page or a JSON answer that quotes nothing of the request."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "application/json":
            raise
        return _fault(request, error.status)
    except SQLAlchemyError:
        log.exception("database error", extra={"method": request.method})
        return _fault(request, 503)
    except Exception:
        log.exception("request failed", extra={"method": request.method})
        return _fault(request, 500)


def _fault(request: web.Request, status: int) -> web.Response:
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 503: "database_unavailable"}
    if request.path.startswith("/api/"):
        return api.problem(status, codes.get(status, "failed"))
    words = {
        404: ("Not found", "There is no such page."),
        405: ("Not found", "There is no such page."),
        413: ("Too large", "That was more than the desk takes."),
        503: ("Not available", "The database does not answer. Nothing was changed. Try again in a minute."),
    }
    title, text = words.get(
        status, ("Something went wrong", "Nothing was changed. Try again; if it stays, tell an administrator.")
    )
    return render(request, "message.html", status=status, title=title, words=text)


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        if name == "Cache-Control" and request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "public, max-age=300"
        else:
            response.headers.setdefault(name, value)


async def _retention(app: web.Application) -> AsyncIterator[None]:
    """Erase once a day what the clinic no longer keeps."""

    async def daily() -> None:
        while True:  # the first time at once: a desk that is started anew every night would never come to it
            try:
                erased = await app[DATABASE].run(privacy.retire, app[DESK])
                if erased:
                    await app[DATABASE].aside(privacy.scrub, app[DATABASE])
                    log.info("retention", extra={"count": len(erased)})
            except Exception:  # it is tried again tomorrow
                log.exception("retention failed")
            await asyncio.sleep(24 * 3600)

    task = asyncio.create_task(daily())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _notices(app: web.Application) -> AsyncIterator[None]:
    sender = NoticeSender(database=app[DATABASE], url=app[SETTINGS].gateway_url)
    task = asyncio.create_task(sender.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
