"""The chat page and ``embed.js``: a few small files, compressed once, served from memory with strict headers.

The page's scripts are modules that stand in files of their own to be read; they are sent as one, without comments, so
that the whole chat is a few kilobytes on the wire.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from gateway.http import GATEWAY
from knowledge.chat import ChatWords, chat_languages, chat_words

STATIC = Path(__file__).resolve().parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
MODULES = ("view.js", "api.js", "special.js", "menu.js", "chat.js")
"""The chat's scripts in the order they build on one another. A name stands for one thing in all of them."""
_KEY = re.compile(r"\{\{(\w+)\}\}")

ALWAYS = {"Server": "plainspoken", "X-Content-Type-Options": "nosniff"}
HEADERS = {
    **ALWAYS,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

routes = web.RouteTableDef()


@dataclass(frozen=True)
class Page:
    """A file ready to send, plain and compressed."""

    kind: str
    plain: bytes
    small: bytes
    etag: str


def build(emergency: str) -> dict[str, Page]:
    """Return what is served by its name: ``page:<language>`` with the words filled in, and the static files."""
    files = {path.name: path.read_text(encoding="utf-8") for path in STATIC.iterdir() if path.suffix in TYPES}
    sent = {
        "chat.css": squeeze_style(files["chat.css"]),
        "chat.js": squeeze_script(join(files[name] for name in MODULES)),
        "embed.js": squeeze_script(files["embed.js"]),
    }
    pages = {name: _page(Path(name).suffix, text) for name, text in sent.items()}
    stamp = hashlib.sha256("".join(sent.values()).encode()).hexdigest()[:10]
    for language in chat_languages():
        labels = _labels(chat_words(language), emergency, stamp)
        needed = {name: text for name, text in labels.items() if f"words.{name}" in sent["chat.js"]}
        pages[f"page:{language}"] = _page(".html", _fill(files["chat.html"], labels, needed))
    return pages


def join(modules: Iterable[str]) -> str:
    """Return modules as one: without their imports of one another and their exports."""
    return "".join(re.sub(r"^import .*\n|^export ", "", module, flags=re.MULTILINE) for module in modules)


def squeeze_script(text: str) -> str:
    """Return a script without its comments and indentation. Line ends stay: they end statements."""
    text = re.sub(r"^\s*/\*\*.*?\*/\n", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = (re.sub(r"(^|\s+)// .*$", "", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def squeeze_style(text: str) -> str:
    """Return a style sheet without its comments and the white space between its parts."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r";? ?([{};]) ?", r"\1", text).strip()


PAGES: web.AppKey[dict[str, Page]] = web.AppKey("pages")


@routes.get("/")
async def chat(request: web.Request) -> web.Response:
    """The chat page, in the language asked for when there are words in it."""
    asked = request.query.get("language", "en")
    language = asked if asked in chat_languages() else "en"
    response = _send(request, request.app[PAGES][f"page:{language}"], HEADERS)
    sites = " ".join(("'self'", *request.app[GATEWAY].config.embed_sites))
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {sites}"
    )
    return response


@routes.get("/embed.js")
async def embed(request: web.Request) -> web.Response:
    """The one script a website includes. Any site may load it; only listed sites can frame the page it opens."""
    return _send(request, request.app[PAGES]["embed.js"], {**ALWAYS, "Cross-Origin-Resource-Policy": "cross-origin"})


@routes.get("/static/{name}")
async def static(request: web.Request) -> web.Response:
    """Style and script of the chat page."""
    page = request.app[PAGES].get(request.match_info["name"])
    if page is None:
        raise web.HTTPNotFound
    # The address carries a stamp of the content, so it never changes under one address.
    return _send(request, page, ALWAYS, cache="public, max-age=31536000, immutable")


def _page(suffix: str, text: str) -> Page:
    plain = text.encode()
    return Page(TYPES[suffix], plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:16])


def _labels(words: ChatWords, emergency: str, stamp: str) -> dict[str, str]:
    return {
        **words.page,
        **{f"problem_{name}": text for name, text in vars(words.problems).items()},
        "language": words.language,
        "direction": words.direction,
        "emergency_line": words.page["emergency_line"].format(number=emergency),
        "stamp": stamp,
    }


def _fill(template: str, labels: dict[str, str], needed: dict[str, str]) -> str:
    """Put the words of one language into the page. The script finds its own in a JSON block, which is not run."""
    data = json.dumps(needed, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return _KEY.sub(lambda key: data if key[1] == "words" else html.escape(labels[key[1]]), template)


def _send(request: web.Request, page: Page, more: dict[str, str], cache: str = "no-cache") -> web.Response:
    headers = {"ETag": f'"{page.etag}"', "Cache-Control": cache, "Vary": "Accept-Encoding", **more}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=page.small, content_type=page.kind, charset="utf-8", headers=headers)
    return web.Response(body=page.plain, content_type=page.kind, charset="utf-8", headers=headers)
