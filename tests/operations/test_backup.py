"""A back-up is worth what its restore is worth: save, lose everything, restore, find the case."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from actions.database import make_engine, migrate
from actions.outbox import Outbox
from actions.store import Store
from runtime.backup import BackupError, databases, restore, save
from runtime.settings import Settings, settings
from runtime.vault import open_vault
from tests.delivery.cases import CONTENTS, FILE, LETTER, NOTE, SECOND, WORDS, case, submit, with_letters
from tests.delivery.conftest import POSTGRES, postgres_answers
from tests.intake.talk import at


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings with a database for every store, on one kind of database."""
    config = settings()
    if request.param == "sqlite":
        yield config
        return
    if not postgres_answers():
        assert os.environ.get("CI") != "true", "PostgreSQL does not answer, and on CI it has to"
        pytest.skip("PostgreSQL does not answer at PLAINSPOKEN_TEST_POSTGRES")
    names = ["database_url", "casedesk_database_url", "gateway_database_url", "tracker_database_url"]
    made = {name: f"backup_{name}_{secrets.token_hex(4)}" for name in names}
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        for database in made.values():
            connection.execute(f"CREATE DATABASE {database}")
    urls = {name: POSTGRES.rsplit("/", 1)[0] + f"/{database}" for name, database in made.items()}
    yield replace(config, **urls, channels_database_url=urls["tracker_database_url"])
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        for database in made.values():
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)")


def intake_store(config: Settings) -> Store:
    engine = make_engine(config.database_url)
    migrate(engine)
    return Store(engine, open_vault())


def lose_everything(config: Settings, data: Store) -> None:
    data.engine.dispose()
    if config.database_url.startswith("sqlite"):
        for path in config.var.glob("*.db*"):
            path.unlink()
        return
    with psycopg.connect(config.database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def test_a_case_survives_the_loss_of_everything(installation: Settings, tmp_path: Path) -> None:
    data = intake_store(installation)
    sent = submit(data, "patient-1")
    saved = save(installation, tmp_path / "copies")
    for file in saved.iterdir():
        assert WORDS.encode() not in file.read_bytes(), "a copy holds words in clear"

    lose_everything(installation, data)
    restore(installation, saved)
    data = intake_store(installation)
    case = data.case(sent.id)
    assert case and case["answers"]["main_problem"]["text"] == WORDS
    assert [row.kind for row in Outbox(data.engine, data.vault, clock=data.clock).claim()] == ["intake.submitted"]
    data.engine.dispose()


def test_letters_survive_it_too(installation: Settings, tmp_path: Path) -> None:
    data = intake_store(installation)
    with_letters(data, "patient-1", FILE)
    draft = data.new_draft("patient-2", {**at("review").state.to_json(), "files": [SECOND]})
    data.save_draft(draft, CONTENTS)
    saved = save(installation, tmp_path / "copies")
    for file in saved.iterdir():
        assert LETTER not in file.read_bytes() and NOTE not in file.read_bytes(), "a copy holds a letter in clear"

    lose_everything(installation, data)
    restore(installation, saved)
    data = intake_store(installation)
    data.submit(draft, case(files=[SECOND]))
    queue = Outbox(data.engine, data.vault, clock=data.clock)
    for row in queue.claim():
        queue.done(row, 201, {})
    assert [base64.b64decode(row.body["content"]) for row in queue.claim()] == [LETTER, NOTE]
    data.engine.dispose()


def test_a_running_store_is_saved_whole(tmp_path: Path) -> None:
    data = intake_store(settings())
    with data.engine.connect() as reader:  # somebody is reading, the write-ahead log is not folded in
        sent = submit(data, "patient-1")
        saved = save(settings(), tmp_path / "copies")
        reader.rollback()
    lose_everything(settings(), data)
    restore(settings(), saved)
    assert intake_store(settings()).case(sent.id)


def test_what_would_harm_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = intake_store(settings())
    submit(data, "patient-1")
    saved = save(settings(), tmp_path / "copies")
    before = (tmp_path / "intake.db").read_bytes()

    with pytest.raises(BackupError, match="exists"):
        restore(settings(), saved)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("PLAINSPOKEN_SECRET_MASTER", "9f" * 32)
        with pytest.raises(BackupError, match="master key"):
            restore(settings(), saved, replace=True)
    damaged = shutil.copytree(saved, tmp_path / "damaged")
    with (damaged / "intake.sqlite3").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BackupError, match="damaged"):
        restore(settings(), damaged, replace=True)
    (damaged / "manifest.json").unlink()
    with pytest.raises(BackupError, match="not a complete back-up"):
        restore(settings(), damaged, replace=True)
    assert (tmp_path / "intake.db").read_bytes() == before


def test_one_database_for_two_parts_is_saved_once() -> None:
    shared = replace(settings(), tracker_database_url="postgresql://x/t", channels_database_url="postgresql://x/t")
    assert list(databases(shared)) == ["intake", "tracker", "gateway", "casedesk"]
