"""Templates to responses, with the headers every page has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from casedesk import casework
from casedesk.context import DESK, STAFF
from casedesk.deadlines import in_words

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "case-desk",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
TIER_WORDS = {
    "emergency": "Emergency",
    "crisis": "Crisis",
    "urgent": "Urgent sign",
    "soon": "Sign, soon",
    "clarify": "Unclear sign",
}
PRIORITY_WORDS = {"stat": "Stat", "urgent": "Urgent", "soon": "Soon", "routine": "Routine"}
CONFIRMED_WORDS = {
    None: "has not said yet",
    "calling": "is calling for help",
    "going": "is going to emergency care",
    "helped": "has got help",
    "not_going": "is NOT going for help",
    "seen": "has been seen already",
    "mistake": "says it was a mistake",
}

environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals.update(
    statuses=casework.STATUSES,
    tiers=TIER_WORDS,
    priorities=PRIORITY_WORDS,
    confirmed=CONFIRMED_WORDS,
    outcomes=casework.OUTCOMES,
)


def human(code: object) -> str:
    """Return a code as words: ``cauda_equina`` -> ``Cauda equina``."""
    return str(code).replace("_", " ").replace("-", " ").strip().capitalize()


environment.filters["human"] = human
environment.filters["span"] = in_words


def render(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """Return the page ``template`` with the desk's headers."""
    zone = request.app[DESK].calendar.zone

    def when(moment: datetime | str | None) -> Markup | str:
        if not moment:
            return ""
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        local = at.astimezone(zone)
        words = (
            local.strftime("%a %-d %b %Y, %H:%M")
            if local.year != datetime.now(UTC).year
            else local.strftime("%a %-d %b, %H:%M")
        )
        return Markup('<time datetime="{}">{}</time>').format(at.astimezone(UTC).isoformat(timespec="minutes"), words)

    page = environment.get_template(template).render(
        staff=request.get(STAFF),
        path=request.path,
        status=status,
        when=when,
        zone=zone.key,
        **{"csrf": "", "written": "", **values},
    )
    return web.Response(text=page, content_type="text/html", status=status, headers=HEADERS)
