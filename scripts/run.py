"""Start every process of the assistant and keep them together: ``python scripts/run.py [--shell]``.

One log file each under ``var/log/``. Ctrl-C stops them all; when one dies, the rest are stopped, its last lines are
shown and this ends with an error.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from train import train  # noqa: E402

from runtime.settings import Settings, settings  # noqa: E402

START_UP_SECONDS = 120


def ports(config: Settings) -> dict[str, tuple[int, str]]:
    """Process name -> its port and the environment variable that changes it."""
    return {
        "rasa": (config.rasa_port, "PLAINSPOKEN_RASA_PORT"),
        "actions": (config.actions_port, "PLAINSPOKEN_ACTIONS_PORT"),
        "casedesk": (config.casedesk_port, "PLAINSPOKEN_CASEDESK_PORT"),
        "gateway": (config.gateway_port, "PLAINSPOKEN_GATEWAY_PORT"),
    }


def refuse_taken_ports(config: Settings) -> None:
    for name, (port, variable) in ports(config).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise SystemExit(
                    f"Port {port} is taken, so {name} cannot start. Stop what uses it, or choose another port: "
                    f"{variable}={port + 1000} make run"
                ) from None


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def wait_until_ready(config: Settings, ready: threading.Event) -> None:
    """Say where everything is once every process answers."""
    begun = time.monotonic()
    waiting = {
        "rasa": f"{config.rasa_url}/webhooks/web/",
        "actions": f"{config.actions_url}/health",
        "casedesk": f"{config.casedesk_url}/health",
        "gateway": f"{config.gateway_url}/health",
    }
    while waiting and time.monotonic() - begun < START_UP_SECONDS:
        waiting = {name: url for name, url in waiting.items() if not answers(url)}
        time.sleep(0.2)
    if waiting:
        print(
            f"Still not answering after {START_UP_SECONDS} s: {', '.join(waiting)}. See {config.var}/log/.", flush=True
        )
        return
    print(f"Ready after {time.monotonic() - begun:.0f} s.")
    print(f"  Chat page   {config.public_url}/")
    print(f"  Case desk   {config.casedesk_url}/   (first password: {config.var}/casedesk.password)")
    print(f"  REST        {config.rasa_url}/webhooks/rest/webhook   (this machine only)")
    print(f"  Logs        {config.var}/log/", flush=True)
    ready.set()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shell", action="store_true", help="talk to the assistant in this terminal")
    arguments = parser.parse_args()
    config = settings()
    refuse_taken_ports(config)
    model = train()
    logs = config.var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PLAINSPOKEN_MODEL": str(model), "PYTHONUNBUFFERED": "1"}

    quiet = open(os.devnull, "w") if arguments.shell else sys.stdout
    manager = Manager(Printer(output=quiet))
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        manager.add_process(name, f"exec {command} >>'{logs / name}.log' 2>&1", env=environment, cwd=str(ROOT))
    ready = threading.Event()
    threading.Thread(target=wait_until_ready, args=(config, ready), daemon=True).start()
    if arguments.shell:
        threading.Thread(target=talk, args=(manager, ready, environment), daemon=True).start()
    manager.loop()
    if manager.returncode and not arguments.shell:
        for log in sorted(logs.glob("*.log")):
            last = log.read_text(errors="replace").splitlines()[-5:]
            print(f"--- {log} ---", *last, sep="\n", file=sys.stderr)
    return manager.returncode or 0


def talk(manager: Manager, ready: threading.Event, environment: dict[str, str]) -> None:
    if ready.wait(START_UP_SECONDS + 5):
        subprocess.run([str(ROOT / ".venv/bot/bin/python"), "-m", "bot.shell"], env=environment, cwd=ROOT)
    manager.terminate()


if __name__ == "__main__":
    sys.exit(main())
