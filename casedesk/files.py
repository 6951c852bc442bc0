"""The letters of a case: kept sealed, listed, handed out to be saved. Never opened, run or shown by the desk itself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.orm import Session

from casedesk.desk import Desk
from casedesk.models import Case, File
from casedesk.schema import FileContent

ENDINGS = {"application/pdf": "pdf", "text/plain": "txt"}


@dataclass(frozen=True)
class FileView:
    """A letter as it is listed. ``received_at`` is None while its content is still on its way."""

    id: str
    name: str
    type: str
    size: int
    sha256: str
    received_at: datetime | None

    @property
    def words(self) -> str:
        """The size as a person reads it."""
        return f"{max(1, round(self.size / 1000)):,} kB"


def fault(data: FileContent) -> tuple[str, str] | None:
    """Return what of a delivered file is not as it says, or None. Its type is told by its bytes."""
    content, said = data.content, data.file
    if len(content) != said.size:
        return "data.file.size", "differs from the content"
    if hashlib.sha256(content).hexdigest() != said.sha256:
        return "data.file.sha256", "differs from the content"
    if (b"%PDF-" in content[:1024]) != (said.type == "application/pdf"):
        return "data.file.type", "differs from the content"
    return None


def keep(session: Session, desk: Desk, case: Case, data: FileContent) -> bool:
    """Keep a file that the newest version of ``case`` lists. False: it is not wanted any more, or here already."""
    file_id = data.file.id
    if file_id not in {each["id"] for each in _listed(desk, case)} or session.get(File, file_id) is not None:
        return False
    session.add(
        File(
            id=file_id,
            case_id=case.id,
            type=data.file.type,
            size=data.file.size,
            sha256=data.file.sha256,
            received_at=datetime.now(UTC),
            sealed=desk.case_box(case).seal_bytes(data.content, f"files:sealed:{file_id}"),
        )
    )
    session.flush()
    return True


def drop(session: Session, case: Case, *, keep: Collection[str]) -> list[str]:
    """Delete the files of ``case`` but those in ``keep``. Returns the ids of what is gone."""
    gone = [file for file in session.scalars(select(File).where(File.case_id == case.id)) if file.id not in keep]
    for file in gone:
        session.delete(file)
    session.flush()
    return [file.id for file in gone]


def files_of(session: Session, desk: Desk, case: Case) -> list[FileView]:
    """The letters that the newest version of ``case`` lists, in its order."""
    here = {file.id: file for file in session.scalars(select(File).where(File.case_id == case.id))}
    return [
        FileView(
            **{key: each[key] for key in ("id", "name", "type", "size", "sha256")},
            received_at=here[each["id"]].received_at if each["id"] in here else None,
        )
        for each in _listed(desk, case)
    ]


def content_of(session: Session, desk: Desk, case: Case, file_id: str) -> bytes | None:
    """The bytes of one letter of ``case``, or None when it has no such letter (yet, or any more)."""
    file = session.scalar(select(File).where(File.id == file_id, File.case_id == case.id))
    return desk.case_box(case).open_bytes(file.sealed, f"files:sealed:{file.id}") if file else None


def hand_out(
    session: Session, desk: Desk, case: Case | None, file_id: str, *, who: str
) -> tuple[FileView, bytes, str] | None:
    """One letter with its bytes and the name to save it by, written into the audit as read by ``who``; None without it."""
    if case is None:
        return None
    listed = files_of(session, desk, case)
    number = next((place for place, file in enumerate(listed, 1) if file.id == file_id and file.received_at), None)
    content = content_of(session, desk, case, file_id) if number else None
    if number is None or content is None:
        return None
    desk.record(session, who, "file downloaded", case.reference, file_id)
    file = listed[number - 1]
    return file, content, f"{case.reference}-letter-{number}.{ENDINGS[file.type]}"


def response(file: FileView, content: bytes, name: str) -> web.Response:
    """The file, to be saved and not shown: whatever a browser makes of it may run nothing and reach nothing."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=content, content_type=file.type, headers=headers)


def _listed(desk: Desk, case: Case) -> list[dict[str, Any]]:
    newest = case.versions[-1] if case.versions else None
    if newest is None or newest.kind == "withdrawn":
        return []
    return list(desk.content(case, newest).get("files") or [])
