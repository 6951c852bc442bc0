"""What the operations guide tells people to type, call and set is there."""

from __future__ import annotations

import importlib.util
import re

import pytest

from gateway.config import Limits
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "operations.md").read_text()
CODE = "".join(
    path.read_text()
    for folder in ("runtime", "bot", "actions", "gateway", "casedesk")
    for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z-]+)", GUIDE, re.M))))
def test_a_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([a-z_.]+)", GUIDE))))
def test_a_module_can_be_run(module: str) -> None:
    path = ROOT / (module.replace(".", "/") + ".py")
    main = path if path.exists() else ROOT / module / "__main__.py"
    assert main.exists() and '__name__ == "__main__"' in main.read_text()
    assert module.startswith("bot") or importlib.util.find_spec(module)


@pytest.mark.parametrize("variable", sorted(set(re.findall(r"PLAINSPOKEN_([A-Z_]*[A-Z])\b", GUIDE))))
def test_a_variable_is_read(variable: str) -> None:
    limits = {f"LIMIT_{name.upper()}" for name in vars(Limits())}
    secret = variable.removeprefix("SECRET_").lower().replace("_", "-")
    assert variable in limits or f'"{variable}"' in CODE or f"PLAINSPOKEN_{variable}" in CODE or f'"{secret}"' in CODE


@pytest.mark.parametrize("file", sorted(set(re.findall(r"`((?:deploy|tests|knowledge)/[\w/-][\w./-]*\w)`", GUIDE))))
def test_a_file_it_names_is_there(file: str) -> None:
    assert (ROOT / file).exists()


@pytest.mark.parametrize("address", sorted(set(re.findall(r"`(/[a-z/]+)`", GUIDE))))
def test_an_address_it_names_is_served(address: str) -> None:
    assert (
        address.rstrip("/").rsplit("/", 1)[-1] in CODE
        or address in (ROOT / "deploy/nginx/plainspoken.conf").read_text()
    )
