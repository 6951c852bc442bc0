"""Reports sent as files: real PDFs and texts are read, everything else is refused with a word on what to do instead."""

from __future__ import annotations

import io
import secrets
import zlib
from typing import Any
from urllib.parse import quote

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from gateway.uploads import EICAR, UnreadableFile, decode, kind
from knowledge.chat import chat_words
from tests.gateway.conftest import Door, Patient

WORDS = chat_words().files
REPORT = "MRI of the lumbar spine. There is moderate stenosis at L4-L5. No fracture is seen. Surgery can be discussed."


def pdf(*pages: str, password: str = "") -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for text in pages:
        made.add_page()
        made.multi_cell(0, 8, text)
    raw = bytes(made.output())
    if not password:
        return raw
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(raw)))
    writer.encrypt(password)
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


def scanned() -> bytes:
    made = FPDF()
    made.add_page()
    made.rect(20, 20, 100, 100, style="F")
    return bytes(made.output())


def bomb() -> bytes:
    """A PDF whose one page is a stream of hundreds of megabytes, in half a megabyte."""
    stream = zlib.compress(b"BT (x) Tj ET\n" * 30_000_000, 9)
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream) + stream + b"\nendstream",
    ]
    raw, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(raw))
        raw += b"%d 0 obj\n" % number + part + b"\nendobj\n"
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return raw + table + b"trailer << /Root 1 0 R /Size 5 >>\nstartxref\n%d\n%%%%EOF" % len(raw)


async def send(patient: Patient, raw: bytes, name: str = "report.pdf") -> tuple[int, Any]:
    headers = {
        "X-Message-Id": secrets.token_hex(8),
        "X-File-Name": quote(name),
        "Content-Type": "application/octet-stream",
    }
    return await patient.call("POST", "/api/files", data=raw, headers=headers)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (pdf(REPORT), "report.pdf"),
        (REPORT.encode(), "report.txt"),
        (REPORT.encode("utf-16"), "report.txt"),
        (REPORT.replace("No", "Non – ééé").encode("cp1252"), "brief.txt"),
        (pdf(REPORT), "../../etc/passwd\\..\\named like nothing.exe"),
    ],
    ids=["pdf", "text", "utf-16", "windows", "odd-name"],
)
async def test_a_report_is_read_and_explained(door: Door, patient: Patient, raw: bytes, name: str) -> None:
    status, taken = await send(patient, raw, name)
    assert status == 202, taken
    (reply,) = await patient.answer()
    assert reply["custom"]["kind"] == "report_check"
    told = [request["message"] for request in door.seen if request["sender"] == patient.session]
    assert told[0] == "/start_report"
    assert "moderate stenosis at L4-L5" in told[1]
    shown = next(event for event in await patient.history() if event["who"] == "user")
    assert shown["text"] == name.replace("\\", "/").rsplit("/", 1)[-1]


REFUSED: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("empty", b"   \n"),
    ("unsafe", EICAR),
    ("unsafe", pdf("x") + EICAR),
    ("markup", b"<!DOCTYPE html><html><script>alert(1)</script></html>"),
    ("markup", b"\n  <SVG onload=alert(1)>"),
    ("archive", b"PK\x03\x04" + b"\x00" * 100),
    ("archive", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100),
    ("sheet", b"name,dose,date,who\na,1,2,3\nb,1,2,3\nc,1,2,3\n"),
    ("image", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100),
    ("image", b"\xff\xd8\xff\xe0" + b"\x00" * 100),
    ("image", b"\x00" * 128 + b"DICM" + b"\x00" * 100),
    ("program", b"MZ\x90\x00" + b"\x00" * 100),
    ("program", b"#!/bin/sh\nrm -rf /\n"),
    ("unknown", bytes(range(256)) * 20),
    ("locked", pdf(REPORT, password="secret")),
    ("damaged", b"%PDF-1.7\nthis is no pdf at all"),
    ("damaged", pdf(REPORT)[:400]),
    ("no_text", scanned()),
    ("no_text", pdf("Page 1")),
]


@pytest.mark.parametrize(("code", "raw"), REFUSED, ids=[f"{code}{index}" for index, (code, _) in enumerate(REFUSED)])
async def test_what_is_not_read_is_refused_kindly(patient: Patient, code: str, raw: bytes) -> None:
    assert await send(patient, raw) == (422, {"error": f"file_{code}", "message": getattr(WORDS, code)})
    assert [event["who"] for event in await patient.history()] == ["bot"]


async def test_more_than_ten_megabytes(patient: Patient) -> None:
    assert await send(patient, b"a" * (10 * 1024 * 1024 + 1)) == (
        413,
        {"error": "file_too_big", "message": WORDS.too_big},
    )


async def test_a_pdf_bomb_is_given_up_on_and_the_service_stays_up(patient: Patient) -> None:
    status, data = await send(patient, bomb())
    assert status == 422 and data["error"] in ("file_damaged", "file_too_slow", "file_no_text")
    assert (await patient.says("hello"))[0]["text"] == "You said: hello"


async def test_a_long_report_is_cut_and_the_patient_told(door: Door, patient: Patient) -> None:
    assert (await send(patient, ((REPORT + "\n") * 200).encode()))[0] == 202
    note, reply = await patient.answer()
    assert note["text"] == WORDS.cut
    assert reply["custom"]["kind"] == "report_check"
    assert max(len(request["message"]) for request in door.seen if request["sender"] == patient.session) == 8_000


async def test_a_red_flag_in_the_name_of_a_file_is_seen(door: Door, patient: Patient) -> None:
    assert (await send(patient, pdf(REPORT), "I cannot pee since yesterday.pdf"))[0] == 202
    replies = await patient.answer()
    assert replies[-1]["custom"]["kind"] == "escalation"


async def test_of_images_only_a_list_is_sent(door: Door, patient: Patient) -> None:
    files = [
        {"name": "C:\\scans\\knee.dcm", "type": "", "size": 2_100_000},
        {"name": "<b>x</b>.png", "size": 900, "secret": 1},
    ]
    assert (await patient.post("/api/images", {"id": secrets.token_hex(8), "files": files}))[0] == 202
    await patient.answer()
    told = [request["message"] for request in door.seen if request["sender"] == patient.session]
    assert told == [WORDS.images_note.format(list="knee.dcm (2.1 MB), b>.png (1 KB)")]


@pytest.mark.parametrize(
    "files",
    [
        [],
        "x",
        [1],
        [{"name": 5, "size": 1}],
        [{"name": "a", "size": -1}],
        [{"name": "a", "size": True}],
        [{"name": "a", "size": 1}] * 61,
    ],
    ids=range(7),
)
async def test_lists_of_images_that_are_none(patient: Patient, files: Any) -> None:
    status, data = await patient.post("/api/images", {"id": secrets.token_hex(8), "files": files})
    assert (status, data["error"]) == (422, "bad_request")


def test_a_letter_with_commas_is_no_table() -> None:
    assert kind(REPORT.encode()) == "text"
    assert decode(
        b"Dear Dr Green,\nthank you, again, for seeing her.\nShe has pain, numbness, and fear.\nKind regards,\nA"
    )
    with pytest.raises(UnreadableFile):
        decode(b"a;b;c;d\n1;2;3;4\n1;2;3;4\n")
