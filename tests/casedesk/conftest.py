"""A real desk for the tests: a real database, real HTTP, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from sqlalchemy import text

from casedesk import accounts
from casedesk.db import Database
from casedesk.desk import Desk, open_desk
from casedesk.server import make_app
from runtime.settings import settings
from tests.casedesk import samples

POSTGRES = os.environ.get("PLAINSPOKEN_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
API_TOKEN = "the-tests-token"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has secrets and files of its own."""
    monkeypatch.setenv("PLAINSPOKEN_VAR", str(tmp_path))
    for name in ("PLAINSPOKEN_PRODUCTION", "PLAINSPOKEN_CASEDESK_DATABASE_URL", "PLAINSPOKEN_SECRET_MASTER"):
        monkeypatch.delenv(name, raising=False)
    # Argon2 is slow on purpose; the tests log in some hundred times.
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    return tmp_path


def postgres_is_there() -> bool:
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        found = Database(f"sqlite:///{tmp_path}/casedesk.db")
        found.migrate()
        yield found
        found.close()
        return
    if not postgres_is_there():
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL must be reachable when CI=true ({POSTGRES})")
        pytest.skip("no PostgreSQL at PLAINSPOKEN_TEST_POSTGRES")
    name = f"casedesk_test_{secrets.token_hex(4)}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    found = Database(POSTGRES.rsplit("/", 1)[0] + f"/{name}")
    try:
        found.migrate()
        yield found
    finally:
        found.close()
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """For what does not differ between databases."""
    found = Database(f"sqlite:///{tmp_path}/casedesk.db")
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def desk(var: Path) -> Desk:
    return open_desk()


class Person:
    """Somebody at the desk with a browser: opens pages, fills in forms."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.csrf = ""

    async def opens(self, path: str, status: int = 200) -> str:
        async with self.client.get(path) as reply:
            page = await reply.text()
            assert reply.status == status, page
        if found := re.search(r'name="csrf" value="([^"]+)"', page):
            self.csrf = found.group(1)
        return page

    async def sends(self, path: str, status: int = 200, **form: str) -> str:
        async with self.client.post(path, data={"csrf": self.csrf, **form}) as reply:
            page = await reply.text()
            assert reply.status == status, page
            return page

    async def logs_in(self, name: str, password: str = PASSWORD, status: int = 200) -> str:
        await self.opens("/login")
        return await self.sends("/login", status, name=name, password=password)


class Clinic:
    """The running desk: delivers to it, asks its API, seats people at it."""

    def __init__(self, database: Database, desk: Desk, server: TestServer) -> None:
        self.database, self.desk, self.server = database, desk, server
        self.clients: list[TestClient] = []

    async def client(self) -> TestClient:
        client = TestClient(self.server, cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.clients.append(client)
        return client

    async def person(self, name: str, role: str = "nurse") -> Person:
        """Make an account and log it in."""
        with self.database.transaction() as session:
            accounts.add(session, name, role, PASSWORD)
        person = Person(await self.client())
        await person.logs_in(name)
        await person.opens("/")
        return person

    async def delivers(
        self, kind: str, data: dict[str, Any], key: str | None = None, occurred_at: str = "", status: int = 201
    ) -> dict[str, Any]:
        key, body = samples.delivery(kind, data, key, occurred_at)
        answer = await self.posts(body, samples.signed(key, body))
        assert answer[0] == status, answer
        return answer[1]

    async def posts(self, body: bytes, headers: dict[str, str], path: str = "/api/deliveries") -> tuple[int, Any]:
        client = await self.client()
        async with client.post(path, data=body, headers=headers) as reply:
            return reply.status, await reply.json()

    async def asks(self, path: str, token: str = API_TOKEN) -> tuple[int, Any]:
        client = await self.client()
        async with client.get(path, headers={"Authorization": f"Bearer {token}"}) as reply:
            return reply.status, await reply.json()

    def counts(self, table: str) -> int:
        with self.database.transaction() as session:
            return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()

    def changes(self, statement: str, **values: datetime) -> None:
        """Change the database behind the desk's back."""
        if self.database.is_sqlite:
            values = {key: f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" for key, value in values.items()}
        with self.database.transaction() as session:
            session.execute(text(statement), values)


async def opened(database: Database, desk: Desk, **options: Any) -> AsyncIterator[Clinic]:
    app = make_app(config=settings(), database=database, desk=desk, api_token=API_TOKEN, **options)
    server = TestServer(app)
    await server.start_server()
    clinic = Clinic(database, desk, server)
    yield clinic
    for client in clinic.clients:
        await client.session.close()
    await server.close()


@pytest.fixture
async def clinic(database: Database, desk: Desk) -> AsyncIterator[Clinic]:
    """A desk on each database."""
    async for found in opened(database, desk, send_notices=False):
        yield found


@pytest.fixture
async def local(sqlite: Database, desk: Desk) -> AsyncIterator[Clinic]:
    """A desk on SQLite."""
    async for found in opened(sqlite, desk, send_notices=False):
        yield found
