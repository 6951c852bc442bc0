"""The bill of materials names everything that is installed, and only that."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import ROOT


def test_every_locked_package_is_in_the_bill_with_what_it_asks_for() -> None:
    made = subprocess.run([sys.executable, str(ROOT / "scripts" / "sbom.py")], capture_output=True, check=True)
    bill = json.loads(made.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    purls = {component.get("purl") for component in bill["components"]}
    for lock in ("requirements.txt", "bot/requirements.txt"):
        locked = [line.split(" ")[0] for line in (ROOT / lock).read_text().splitlines() if line[:1].isalnum()]
        assert len(locked) > 50
        for package in locked:
            name, version = package.lower().split("==")
            assert f"pkg:pypi/{name.split('[')[0]}@{version}" in purls
    references = [component["bom-ref"] for component in bill["components"]]
    assert len(references) == len(set(references))
    asks = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    for parent, child in (("bot:rasa@", "bot:sanic@"), ("care:rasa-sdk@", "care:sanic@")):
        (below,) = [refs for ref, refs in asks.items() if ref.startswith(parent)]
        assert any(ref.startswith(child) for ref in below)
    assert {each for below in asks.values() for each in below} <= set(references)
