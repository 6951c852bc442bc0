"""Real databases for the store: SQLite always, PostgreSQL where it answers (required on CI)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from actions.database import make_engine, migrate
from actions.store import Store
from runtime.vault import Vault

POSTGRES = os.environ.get("PLAINSPOKEN_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


def postgres_answers() -> bool:
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def vault() -> Vault:
    return Vault(master="1a" * 32, index="2b" * 32)


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Secrets and files of its own for every test."""
    monkeypatch.setenv("PLAINSPOKEN_VAR", str(tmp_path))
    monkeypatch.setenv("PLAINSPOKEN_SECRET_MASTER", "1a" * 32)
    monkeypatch.setenv("PLAINSPOKEN_SECRET_INDEX", "2b" * 32)
    return tmp_path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/intake.db"
        return
    if not postgres_answers():
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL does not answer, and on CI it has to")
        pytest.skip("PostgreSQL does not answer at PLAINSPOKEN_TEST_POSTGRES")
    name = f"intake_test_{secrets.token_hex(6)}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def data(database_url: str, vault: Vault) -> Iterator[Store]:
    engine = make_engine(database_url)
    migrate(engine)
    yield Store(engine, vault)
    engine.dispose()
