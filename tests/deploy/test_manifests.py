"""The deployment files: valid by their own tools' schemas, and in step with what the processes read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
MANIFESTS = [
    (path.name, document)
    for path in sorted((DEPLOY / "k8s").glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]
DEPLOYMENTS = [document for _, document in MANIFESTS if document["kind"] == "Deployment"]


def name_of(document: dict[str, Any]) -> str:
    return str(document["metadata"]["name"])


@pytest.mark.parametrize(("file", "document"), MANIFESTS, ids=[f"{d['kind']}-{name_of(d)}" for _, d in MANIFESTS])
def test_a_manifest_fits_the_kubernetes_schema(file: str, document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, "1.33", strict=True)


def test_the_kustomization_lists_every_manifest() -> None:
    listed = yaml.safe_load((DEPLOY / "k8s" / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted({file for file, _ in MANIFESTS})


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_a_container_runs_without_rights_it_does_not_need(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_who_listens_is_probed_and_reachable_only_by_its_callers(deployment: dict[str, Any]) -> None:
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    if not container.get("ports"):
        return
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    name = name_of(deployment)
    assert any(d["kind"] == "Service" and name_of(d) == name for _, d in MANIFESTS)
    assert any(d["kind"] == "NetworkPolicy" and name_of(d) == f"to-{name}" for _, d in MANIFESTS)


def test_every_image_has_a_target_in_the_dockerfile() -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", (DEPLOY / "Dockerfile").read_text(), re.M))
    images = {c["image"] for d in DEPLOYMENTS for c in d["spec"]["template"]["spec"]["containers"]}
    assert {image.removeprefix("plainspoken/") for image in images} <= targets
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert {service["build"]["target"] for service in compose.values() if "build" in service} <= targets


def test_every_variable_set_in_deployment_is_one_the_code_reads() -> None:
    code = "".join(
        path.read_text()
        for folder in ("runtime", "bot", "actions", "gateway", "casedesk")
        for path in (ROOT / folder).rglob("*.py")
    )
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["x-care"]["environment"]
    config = next(d for _, d in MANIFESTS if d["kind"] == "ConfigMap")["data"]
    for variable in {*compose, *config}:
        short = variable.removeprefix("PLAINSPOKEN_")
        read = short.removeprefix("SECRET_").lower().replace("_", "-") if short.startswith("SECRET_") else short
        assert f'"{read}"' in code or variable in code, f"{variable} is set but nothing reads it"


def test_compose_is_accepted_by_compose() -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("the docker compose command is not installed here")
    filled = {line.split("=")[0]: "x" for line in (DEPLOY / "env.example").read_text().splitlines() if "=" in line}
    done = subprocess.run(
        ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"],
        env={**os.environ, **filled},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_nginx_accepts_its_file(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    openssl = shutil.which("openssl")
    if nginx is None or openssl is None:
        assert os.environ.get("CI") != "true", "nginx and openssl are required when CI=true"
        pytest.skip("nginx or openssl is not installed here")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=chat.example.org"),
            *("-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )
    site = (DEPLOY / "nginx" / "plainspoken.conf").read_text()
    site = site.replace("/etc/nginx/tls", str(tmp_path)).replace("/var/log/nginx", str(tmp_path))
    site = site.replace("gateway:8080", "127.0.0.1:8080").replace("casedesk:8090", "127.0.0.1:8090")
    if "http2 on" in site and not _knows_http2_directive(nginx):
        site = site.replace("    http2 on;\n", "")  # the directive is of nginx 1.25.1; the image has it
    (tmp_path / "site.conf").write_text(site)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; events {{}} http {{ include {tmp_path}/site.conf; }}"
    )
    done = subprocess.run([nginx, "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _knows_http2_directive(nginx: str) -> bool:
    said = subprocess.run([nginx, "-v"], capture_output=True, text=True).stderr
    return tuple(map(int, re.findall(r"\d+", said)[:3])) >= (1, 25, 1)


def test_the_image_of_the_care_side_holds_what_it_imports_of_the_bot() -> None:
    care = (DEPLOY / "Dockerfile").read_text().partition(" AS care\n")[2].partition("\nFROM ")[0]
    copied = {
        name
        for line in re.findall(r"^COPY (bot/.*)$", care, re.MULTILINE)
        for name in re.findall(r"bot/(\w+)\.py", line)
    }
    folders = ("actions", "gateway", "casedesk", "runtime", "knowledge", "safety")
    code = [path.read_text() for folder in folders for path in (ROOT / folder).rglob("*.py")]
    imported = {name for text in code for name in re.findall(r"^\s*(?:from|import) bot\.(\w+)", text, re.MULTILINE)}
    assert imported <= copied, "the Dockerfile does not copy what the care side imports"
