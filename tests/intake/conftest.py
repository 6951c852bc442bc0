"""What the tests of the intake share: an empty store of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.database import make_engine, migrate
from actions.store import Store
from runtime.vault import Vault


@pytest.fixture
def empty_store(tmp_path: Path) -> Store:
    engine = make_engine(f"sqlite:///{tmp_path}/intake.db")
    migrate(engine)
    return Store(engine, Vault(master="5a" * 32, index="5b" * 32))
