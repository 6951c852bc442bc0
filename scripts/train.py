"""Train the Rasa model, if anything it is made from changed since the last time: ``python scripts/train.py``."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "plainspoken.tar.gz"
STAMP = ROOT / "models" / "made-from.sha256"
MADE_FROM = ("config.yml", "domain.yml", "bot/requirements.txt")
NOT_IN_THE_MODEL = {
    "quicker.py",
    "server.py",
    "shell.py",
    "stubborn.py",
    "logs.py",
    "nlg.py",
    "tracker_store.py",
    "without_tensorflow.py",
}
MADE_FROM_FOLDERS = ("data/nlu", "data/rules", "data/stories", "bot/embedding")


def fingerprint() -> str:
    """SHA-256 over everything that shapes the model, the code of its components included."""
    files = [ROOT / name for name in MADE_FROM]
    for folder in MADE_FROM_FOLDERS:
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files += [path for path in (ROOT / "bot").glob("*.py") if path.name not in NOT_IN_THE_MODEL]
    files += (ROOT / "safety").glob("*.py")
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def train() -> Path:
    """Return the path of a model that matches the files, training one if needed. Exits where Rasa refuses the data."""
    wanted = fingerprint()
    if MODEL.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return MODEL
    print("Training the model (under two minutes) ...", flush=True)
    command = [ROOT / ".venv/bot/bin/python", "-m", "rasa", "train", "--quiet", "--force"]
    command += ["--fixed-model-name", "plainspoken", "--out", "models", "--data", "data", "--domain", "domain.yml"]
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "RASA_TELEMETRY_ENABLED": "false",
        "PYTHONPATH": str(ROOT),
    }
    environment["SQLALCHEMY_SILENCE_UBER_WARNING"] = "1"
    STAMP.unlink(missing_ok=True)
    done = subprocess.run([*map(str, command)], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode or not MODEL.exists():
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit("Training failed; what Rasa said is above.")
    STAMP.write_text(wanted)
    return MODEL


if __name__ == "__main__":
    train()
