"""The patient's plan as a file: the last plan shown in the chat, as text or as a one-page PDF to print."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.http import GATEWAY, Refused, authenticate

PLAN = "plan"
"""The ``custom.kind`` of a reply that is a plan."""

routes = web.RouteTableDef()


@routes.get("/api/plan.txt")
async def plan_text(request: web.Request) -> web.Response:
    """The plan as plain text."""
    return _file(await _last_plan(request), "text/plain", "plan.txt")


@routes.get("/api/plan.pdf")
async def plan_pdf(request: web.Request) -> web.Response:
    """The plan as a PDF."""
    return _file(to_pdf((await _last_plan(request)).decode()), "application/pdf", "plan.pdf")


def to_pdf(text: str) -> bytes:
    """Return the plan's ``text`` (title, date, blocks with a heading that ends in a colon, foot) as a PDF."""
    from actions.plan import Plan, Section, render_plan_pdf  # a second to import, and few chats end in a plan

    title, made, *blocks, footer = [*text.split("\n\n"), "", "", ""][: max(3, text.count("\n\n") + 1)]
    sections: list[Section] = []
    for block in blocks:
        heading, *lines = block.splitlines()
        if heading.endswith(":") or not sections:
            sections.append(Section(heading.rstrip(":"), tuple(lines)))
        else:  # a blank line inside what the patient wrote
            last = sections.pop()
            sections.append(Section(last.heading, (*last.lines, heading, *lines)))
    return render_plan_pdf(Plan(title, made, tuple(sections), footer))


async def _last_plan(request: web.Request) -> bytes:
    claim = await authenticate(request)
    events = await request.app[GATEWAY].store.events(claim.session)
    plans: list[dict[str, Any]] = [event.body for event in events if event.body.get("custom", {}).get("kind") == PLAN]
    if not plans:
        raise Refused(404, "no_plan")
    return str(plans[-1].get("text", "")).encode()


def _file(body: bytes, kind: str, name: str) -> web.Response:
    return web.Response(body=body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
