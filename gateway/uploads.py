"""A report sent as a file: what it really is, whether it may be read, and the words in it.

Its type is told by its bytes, not by its name; a PDF is read in a process of its own that may use little memory and little
time, because PDF readers are where hostile files aim. What was read is kept, sealed, for the time of the chat
(:mod:`gateway.store`), so that the patient may have a copy of it sent to the clinic.
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import Literal

from runtime.typed import clean

READ_SECONDS = 15.0
LEAST_LETTERS = 40
"""A PDF with fewer letters than this is pictures of pages."""

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

Code = Literal[
    "empty",
    "too_slow",
    "markup",
    "archive",
    "sheet",
    "image",
    "program",
    "unsafe",
    "locked",
    "damaged",
    "no_text",
    "unknown",
]

_SIGNATURES: tuple[tuple[bytes, Code], ...] = (
    (b"PK\x03\x04", "archive"),
    (b"PK\x05\x06", "archive"),
    (b"\xd0\xcf\x11\xe0", "archive"),  # Word, Excel before 2007
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"),
    (b"{\\rtf", "archive"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"BM", "image"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"#!", "program"),
)
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|\?xml|iframe|img|style)\b", re.IGNORECASE)


TYPES = {"pdf": "application/pdf", "text": "text/plain"}
"""What a file that is read is called to others."""


class UnreadableFile(Exception):
    """The file is not read. ``code`` is one of the ``files`` of ``chat.yml``."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Report:
    """The words of a report, and whether they were cut to the longest that is read."""

    text: str
    cut: bool


def kind(raw: bytes) -> Literal["pdf", "text"]:
    """Return what ``raw`` is, by its bytes alone. Raises UnreadableFile for everything that is not a PDF or text."""
    if not raw.strip():
        raise UnreadableFile("empty")
    if EICAR in raw:
        raise UnreadableFile("unsafe")
    if b"%PDF-" in raw[:1024]:
        return "pdf"
    for signature, code in _SIGNATURES:
        if raw.startswith(signature):
            raise UnreadableFile(code)
    if raw[4:12] in (b"ftypheic", b"ftypavif") or raw[128:132] == b"DICM" or raw[8:12] == b"WEBP":
        raise UnreadableFile("image")
    if _MARKUP.search(raw[:4096]):
        raise UnreadableFile("markup")
    return "text"


def decode(raw: bytes) -> str:
    """Return the text in ``raw``. Raises UnreadableFile when it is none, or is a table."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
    odd = sum((character < " " and character not in "\r\n\t\f") or character == "\ufffd" for character in text)
    if odd * 50 > len(text):
        raise UnreadableFile("unknown")
    if _table(text):
        raise UnreadableFile("sheet")
    return text


def _table(text: str) -> bool:
    """Whether most lines have the same number, three or more, of one separator: a spreadsheet saved as text."""
    lines = [line for line in text.splitlines() if line.strip()][:50]
    return len(lines) >= 3 and any(
        sum(line.count(separator) == lines[0].count(separator) for line in lines) * 5 >= len(lines) * 4
        for separator in ",;\t|"
        if lines[0].count(separator) >= 3
    )


async def read_report(raw: bytes, longest: int) -> Report:
    """Return the words of the file ``raw``, at most ``longest`` characters. Raises UnreadableFile."""
    is_pdf = kind(raw) == "pdf"
    text = await _pdf_text(raw) if is_pdf else await asyncio.to_thread(decode, raw)
    text = await asyncio.to_thread(_tidy, text)  # ten megabytes take seconds: other chats go on meanwhile
    if sum(character.isalpha() for character in text[:longest]) < LEAST_LETTERS:
        raise UnreadableFile("no_text" if is_pdf else "empty")
    if EICAR.decode() in text:
        raise UnreadableFile("unsafe")
    return Report(text[:longest], len(text) > longest)


def _tidy(text: str) -> str:
    return re.sub(r"[ \t]+", " ", re.sub(r"\n\s*\n+", "\n", clean(text)))


async def _pdf_text(raw: bytes) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.pdf_text",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(READ_SECONDS):
            text, _ = await process.communicate(raw)
    except TimeoutError:
        raise UnreadableFile("too_slow") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 3:
        raise UnreadableFile("locked")
    if process.returncode:
        raise UnreadableFile("damaged")
    return text.decode()
