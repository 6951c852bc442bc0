"""The dashboard and the alarms ask for figures that the processes really give."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from actions import counts, watch
from casedesk import api
from gateway.metrics import Metrics
from tests.conftest import ROOT

NAME = re.compile(r"\b(?:plainspoken|casedesk)_[a-z_]+\b")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((ROOT / "deploy/grafana/plainspoken.json").read_text())["panels"]


def given() -> dict[str, set[str]]:
    """Every sample a process can give -> its labels."""
    found: dict[str, set[str]] = {}
    for registry in (counts.REGISTRY, watch.REGISTRY, api.REGISTRY, Metrics().registry):
        for collector in registry._collector_to_names:
            labels = set(getattr(collector, "_labelnames", ()))
            found |= dict.fromkeys(registry._collector_to_names[collector], labels)
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alarm_asks_for_what_is_there_and_says_what_to_do(rule: dict[str, Any]) -> None:
    names = NAME.findall(rule["expr"])
    assert names and set(names) <= set(given())
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"] and rule["annotations"]["do"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_is_there(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        names = NAME.findall(target["expr"])
        assert names and set(names) <= set(given())
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            assert any(label in given()[name] for name in names), f"{names} have no label {label}"


def test_danger_signs_come_first() -> None:
    assert RULES[0]["alert"] == "EscalationNotDelivered" and RULES[0]["labels"]["severity"] == "page"
    assert "anger signs" in PANELS[0]["title"]


def test_every_figure_is_looked_at_by_somebody() -> None:
    looked_at = {name for rule in RULES for name in NAME.findall(rule["expr"])}
    looked_at |= {name for panel in PANELS for target in panel["targets"] for name in NAME.findall(target["expr"])}
    stems = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in looked_at}
    known = {re.sub(r"_(total|bucket|sum|count|created|info)$", "", name) for name in given()}
    assert known <= stems, known - stems
