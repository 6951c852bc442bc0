"""Escalations: danger signs that a person at the clinic has to see, ahead of everything else."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update

from actions import outbox as queue
from actions.counts import ESCALATIONS
from actions.database import transaction
from actions.sealed import Sealed
from actions.tables import escalations, outbox

log = logging.getLogger(__name__)

STAT_TIERS = frozenset({"emergency", "crisis"})


class Escalations(Sealed):
    """Recording an escalation and what the patient says they do about it, one transaction a method."""

    def record_escalation(self, record: Mapping[str, Any]) -> str:
        """Commit an escalation and its delivery, ahead of every intake. Returns its reference.

        Args:
            record: the delivery contract's ``data``; ``escalation_id``, ``reference`` and ``at`` are filled in. The
                same ``escalation_id`` again (a retried action) changes nothing and returns the same reference.
        """
        now, identity = self.clock(), str(record.get("escalation_id") or uuid.uuid4())
        with transaction(self.engine) as connection:
            before = connection.scalar(select(escalations.c.reference).where(escalations.c.id == identity))
            if before:
                return str(before)
            reference = self.unused(connection, "ESC", escalations)
            body = {"at": _iso(now), **record, "escalation_id": identity, "reference": reference}
            owner = f"escalation:{identity}"
            sealed = self.own_box(connection, owner).seal(json.dumps(body), f"escalations:body:{identity}")
            connection.execute(
                insert(escalations).values(
                    id=identity,
                    reference=reference,
                    sender_key=self.sender_key(record["sender_id"]),
                    tier=record["tier"],
                    category=record["category"],
                    body=sealed,
                    version=1,
                    at=now,
                )
            )
            self.put(
                connection,
                owner,
                "escalation.raised",
                f"{identity}.1",
                body,
                queue.ESCALATION,
                record["tier"] in STAT_TIERS,
            )
            self.count(connection, "escalation", record["tier"])
        log.info("escalation kept", extra={"reference": reference, "tier": record["tier"]})
        ESCALATIONS.labels(record["tier"]).inc()
        return reference

    def update_escalation(self, sender: str, confirmed: str) -> str | None:
        """Note what the patient says they do now, on their newest escalation, and tell the case system. Its reference.

        Args:
            confirmed: calling, going, helped, not_going, seen or mistake.
        """
        with transaction(self.engine) as connection:
            row = connection.execute(
                select(escalations)
                .where(escalations.c.sender_key == self.sender_key(sender))
                .order_by(escalations.c.at.desc())
                .with_for_update()
            ).first()
            if row is None:
                return None
            owner, version = f"escalation:{row.id}", row.version + 1
            box = self.own_box(connection, owner)
            body = {**json.loads(box.open(row.body, f"escalations:body:{row.id}")), "confirmed": confirmed}
            connection.execute(
                update(escalations)
                .where(escalations.c.id == row.id)
                .values(version=version, body=box.seal(json.dumps(body), f"escalations:body:{row.id}"))
            )
            self.put(
                connection,
                owner,
                "escalation.updated",
                f"{row.id}.{version}",
                body,
                queue.ESCALATION,
                row.tier in STAT_TIERS,
            )
            return str(row.reference)

    def reached_desk(self, sender: str) -> bool:
        """Whether the newest escalation of this conversation was delivered; no when there is none on record."""
        with transaction(self.engine) as connection:
            newest = connection.scalar(
                select(escalations.c.id)
                .where(escalations.c.sender_key == self.sender_key(sender))
                .order_by(escalations.c.at.desc())
                .limit(1)
            )
            raised = outbox.c.key == f"{newest}.1"
            return newest is not None and connection.scalar(select(outbox.c.done_at).where(raised)) is not None

    def red_flags(self, sender: str, since: float) -> list[dict[str, Any]]:
        """What was escalated in this conversation since ``since``, as an intake carries it, oldest first."""
        with transaction(self.engine) as connection:
            rows = connection.execute(
                select(escalations)
                .where(escalations.c.sender_key == self.sender_key(sender), escalations.c.at >= since)
                .order_by(escalations.c.at)
            ).all()
            found = []
            for row in rows:
                box = self.own_box(connection, f"escalation:{row.id}")
                body = json.loads(box.open(row.body, f"escalations:body:{row.id}"))
                if body.get("confirmed") != "mistake":
                    rule = next(iter(body.get("rules") or []), None)
                    found.append(
                        {
                            "category": row.category,
                            "tier": row.tier,
                            "evidence": body.get("evidence", ""),
                            "rule": rule,
                            "at": body["at"],
                        }
                    )
            return found


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
