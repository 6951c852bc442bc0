"""The tables of every store go forward and back without losing a case."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import inspect, select

from actions.database import make_engine, migrate
from actions.store import Store
from casedesk.db import Database
from casedesk.models import Account
from tests.delivery.cases import WORDS, submit


def test_the_intake_store_goes_back_and_forward_with_its_cases(data: Store) -> None:
    sent = submit(data, "patient-1")
    migrate(data.engine, back_to="0001")
    assert not inspect(data.engine).has_table("workspaces")
    found = data.case(sent.id)
    assert found and found["answers"]["main_problem"]["text"] == WORDS
    migrate(data.engine)
    data.save_workspace("patient-1", {"kept": "yes"})
    assert data.find(sent.reference, sender="patient-1")


def test_of_processes_that_start_at_once_one_migrates(database_url: str) -> None:
    engines = [make_engine(database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, engines))
    assert inspect(engines[0]).has_table("workspaces")
    for engine in engines:
        engine.dispose()


def test_the_desk_goes_back_and_forward(database_url: str) -> None:
    desk = Database(database_url)
    desk.migrate()
    desk.migrate(back_to="0001")
    desk.migrate()
    with desk.transaction() as session:
        assert session.scalars(select(Account)).all() == []
    desk.close()
