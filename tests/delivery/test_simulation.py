"""Simulated patients against real processes: the case desk and the delivery worker, killed on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.simulate_intakes import run


@pytest.mark.parametrize(("seed", "kills"), [(5, 0), (6, 4)])
async def test_every_confirmed_intake_is_at_the_desk_once_with_every_answer_right(
    tmp_path: Path, seed: int, kills: int
) -> None:
    report = await run(20, seed, tmp_path / "var", kills=kills)
    assert report.confirmed >= 10, "the simulation sent next to nothing"
    assert report.lost == []
    assert report.not_wanted == []
    assert report.wrong == {}
