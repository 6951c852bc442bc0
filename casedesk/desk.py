"""What every part of the desk needs at hand: keys, audit, calendar and the words of the intake's questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from casedesk.audit import Audit, open_audit
from casedesk.deadlines import Calendar, clinic_calendar
from casedesk.models import Case, Entry, Escalation, Version
from runtime.vault import Box, Vault, open_vault


@dataclass(frozen=True)
class Desk:
    vault: Vault
    audit: Audit
    calendar: Calendar

    def case_box(self, case: Case) -> Box:
        return self.vault.box(case.wrapped_key, f"case:{case.id}")

    def escalation_box(self, escalation: Escalation) -> Box:
        return self.vault.box(escalation.wrapped_key, f"escalation:{escalation.id}")

    def summary(self, case: Case) -> dict[str, Any]:
        """Name, telephone and reason of a case, as the worklist shows them."""
        return unseal(self.case_box(case), case.sealed, f"cases:sealed:{case.id}")

    def content(self, case: Case, version: Version) -> dict[str, Any]:
        """The whole of one version of an intake."""
        return unseal(self.case_box(case), version.sealed, f"versions:sealed:{version.id}")

    def escalation(self, escalation: Escalation) -> dict[str, Any]:
        """Words, rules and contact of an escalation."""
        return unseal(self.escalation_box(escalation), escalation.sealed, f"escalations:sealed:{escalation.id}")

    def text(self, case: Case, entry: Entry) -> str:
        return self.case_box(case).open(entry.sealed, entry.place) if entry.sealed else ""

    def record(self, session: Session, who: str, action: str, subject: str, why: str = "") -> None:
        self.audit.add(session, who, action, subject, why)


def seal(box: Box, content: Any, place: str) -> bytes:
    return box.seal(json.dumps(content, ensure_ascii=False, separators=(",", ":")), place)


def unseal(box: Box, sealed: bytes, place: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(box.open(sealed, place))
    return found


def open_desk() -> Desk:
    """Return the desk of this machine. Raises KnowledgeError or VaultError when its files make no sense."""
    return Desk(vault=open_vault(), audit=open_audit(), calendar=clinic_calendar())
