"""The software bill of materials, CycloneDX 1.6 JSON, from the lock files: ``python scripts/sbom.py > sbom.json``.

One component for every locked package of both runtimes, with what it is pulled in by, and one for the sentence embedding.
A package's many hashes are those of its builds for the different systems; CycloneDX wants them of one file, so they stay
in the lock files, and the lock files' own hashes are given.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"care": "requirements.txt", "bot": "bot/requirements.txt"}
PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
PARENT = re.compile(r"^    #(?: via)? +(?!via$)([A-Za-z0-9._-]+)(?:\[.*\])?$")


@dataclass(frozen=True)
class Package:
    """A locked package. One may be locked in several versions, each for its own kind of machine."""

    name: str
    version: str
    asked_for_by: list[str]


def packages(lock: Path) -> list[Package]:
    """Return the packages of a lock file, in its order."""
    found: list[Package] = []
    for line in lock.read_text().splitlines():
        if package := PACKAGE.match(line):
            found.append(Package(package[1].lower(), package[2], []))
        elif (parent := PARENT.match(line)) and found:
            found[-1].asked_for_by.append(parent[1].lower())
    return found


def sha256(path: Path) -> dict[str, str]:
    return {"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}


def bill() -> dict[str, Any]:
    """Return the whole bill. The same lock files give the same bytes."""
    components, asks = [], []
    for runtime, name in LOCKS.items():
        lock = ROOT / name
        found = packages(lock)
        references: dict[str, list[str]] = {package.name: [] for package in found}
        for package in found:
            references[package.name].append(f"{runtime}:{package.name}@{package.version}")
        for package in found:
            reference = f"{runtime}:{package.name}@{package.version}"
            components.append(
                {
                    "type": "library",
                    "bom-ref": reference,
                    "name": package.name,
                    "version": package.version,
                    "purl": f"pkg:pypi/{package.name}@{package.version}",
                    "properties": [{"name": "plainspoken:runtime", "value": runtime}],
                }
            )
            below = [each.name for each in found if package.name in each.asked_for_by]
            asks.append({"ref": reference, "dependsOn": sorted({ref for name in below for ref in references[name]})})
        components.append({"type": "file", "bom-ref": f"lock:{runtime}", "name": name, "hashes": [sha256(lock)]})
    components.append(
        {
            "type": "machine-learning-model",
            "bom-ref": "embedding",
            "name": "all-MiniLM-L6-v2, int8 ONNX",
            "hashes": [sha256(ROOT / "bot" / "embedding" / "model.onnx")],
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        }
    )
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    subject = {
        "type": "application",
        "bom-ref": "plainspoken",
        "name": "plainspoken",
        "version": version and version[1],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
        "dependencies": asks,
    }


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
