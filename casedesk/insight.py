"""What the clinic can learn from the assistant: a page of counts by topic, tier and step, with no word of any patient."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from casedesk.access import page, run
from casedesk.accounts import Staff
from casedesk.desk import Desk
from casedesk.models import Figure
from casedesk.questions import questions
from casedesk.rendering import human, render

PERIODS = (7, 30, 90)


@dataclass(frozen=True)
class Line:
    """One line of a table: a name, how often, and how often of how many, in percent."""

    name: str
    number: int
    share: int


@dataclass(frozen=True)
class Insight:
    """The figures of a period."""

    asked: list[Line]
    refused: list[Line]
    unhelpful: list[Line]
    escalations: list[Line]
    left_at: list[Line]
    standing: list[Line]
    questions: int
    not_understood: int
    begun: int
    sent: int
    abandoned: int

    @property
    def not_understood_share(self) -> int:
        return _share(self.not_understood, self.questions + self.not_understood)


def summed(figures: list[Figure]) -> Insight:
    """Add up the days of ``figures``. Pure."""
    totals: dict[str, Counter[str]] = {}
    for figure in figures:
        totals.setdefault(figure.what, Counter())[figure.name] += figure.number

    def of(what: str) -> Counter[str]:
        return totals.get(what, Counter())

    rated = of("helped") + of("unhelpful")
    asked, refused, sent = of("answer"), of("out_of_scope"), of("sent")
    return Insight(
        asked=_lines(asked),
        refused=_lines(refused),
        unhelpful=[
            Line(topic, number, _share(number, rated[topic])) for topic, number in of("unhelpful").most_common()
        ],
        escalations=_lines(of("escalation")),
        left_at=_lines(of("abandoned")),
        standing=_lines(of("standing")),
        questions=asked.total() + refused.total(),
        not_understood=of("fallback").total(),
        begun=of("begun").total(),
        sent=sent["submitted"],
        abandoned=of("abandoned").total(),
    )


def _lines(counter: Counter[str]) -> list[Line]:
    return [Line(name, number, _share(number, counter.total())) for name, number in counter.most_common()]


def _share(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def label(step: str) -> str:
    """The question a step of the intake asks, as the desk calls it."""
    known = questions().get(step)
    return known.label if known else human(step)


@page("read")
async def insight(request: web.Request) -> web.StreamResponse:
    asked = request.query.get("days", "")
    days = int(asked) if asked in map(str, PERIODS) else 30

    def read(session: Session, desk: Desk, staff: Staff) -> Insight:
        first = (datetime.now(UTC) - timedelta(days=days - 1)).date().isoformat()
        return summed(list(session.scalars(select(Figure).where(or_(Figure.day >= first, Figure.day == "now")))))

    return render(request, "insight.html", days=days, periods=PERIODS, label=label, insight=await run(request, read))


ROUTES = [web.get("/insight", insight)]
