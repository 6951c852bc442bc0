"""Set up both Python runtimes from their lock files: ``python3 scripts/setup.py [--dev]``.

Finds Python 3.10 (for Rasa) and Python 3.12 or later (for everything else) through uv, pyenv or PATH, makes
``.venv/bot`` and ``.venv/care`` and installs exactly what the lock files name, hashes checked. Does nothing where the
environments already match the lock files. Standard library only; any Python 3.8 or later can run it.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent

HOW_TO_GET = """Python {wanted} was not found. {what} needs it. Any one of these brings it:
    uv python install {one}                 (uv: pip install uv)
    pyenv install {one}                     (pyenv)
    your system's packages, for example: apt-get install python{one} python{one}-venv
Then run this again. If it is installed in an unusual place, put its folder on PATH."""


def output(*command: str) -> Optional[str]:
    """Standard output of ``command``, or None where it cannot run or fails (a pyenv shim of a missing version does)."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def version_of(python: str) -> Optional[Tuple[int, int]]:
    found = output(python, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])")
    if not found:
        return None
    major, minor = found.split()
    return int(major), int(minor)


def find_uv() -> Optional[str]:
    """A uv that really runs: on PATH, or beside any pyenv interpreter."""
    candidates = ["uv", *sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/uv")), reverse=True)]
    return next((uv for uv in candidates if output(uv, "--version")), None)


def find_python(minors: List[int], what: str) -> str:
    """The first interpreter whose version is 3.<one of minors>, the preferred first. Exits with advice if none is."""
    uv, candidates = find_uv(), []
    for minor in minors:
        if uv:
            candidates.append(output(uv, "python", "find", "--no-project", f"3.{minor}") or "")
        candidates += sorted(glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/python")), reverse=True)
        candidates.append(shutil.which(f"python3.{minor}") or "")
    candidates += [shutil.which("python3") or "", sys.executable]
    for candidate in filter(None, candidates):
        if version_of(candidate) in [(3, minor) for minor in minors]:
            return candidate
    wanted = " or ".join(f"3.{minor}" for minor in minors)
    raise SystemExit(HOW_TO_GET.format(wanted=wanted, one=f"3.{minors[0]}", what=what))


def set_up(name: str, minors: List[int], what: str, locks: List[Path]) -> None:
    """Make ``.venv/<name>`` hold exactly what ``locks`` name."""
    folder = ROOT / ".venv" / name
    states = {folder / f"{lock.stem}.sha256": hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks}
    if all(stamp.exists() and stamp.read_text() == state for stamp, state in states.items()):
        return
    python = find_python(minors, what)
    print(f"Setting up .venv/{name} ({what}) ...", flush=True)
    if version_of(str(folder / "bin" / "python")) != version_of(python):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True, cwd=ROOT)
    target = str(folder / "bin" / "python")
    uv = find_uv()
    installer = (
        [uv, "pip", "install", "--python", target, "--quiet"] if uv else [target, "-m", "pip", "install", "--quiet"]
    )
    for lock in locks:
        done = subprocess.run([*installer, "--require-hashes", "-r", str(lock)], cwd=ROOT)
        if done.returncode:
            raise SystemExit(
                f"Installing {lock.relative_to(ROOT)} failed; what is above says why. Nothing else was changed."
            )
    for stamp, state in states.items():
        stamp.write_text(state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="also install what the tests and checks need")
    arguments = parser.parse_args()
    care = [ROOT / "requirements.txt"] + ([ROOT / "requirements-dev.txt"] if arguments.dev else [])
    bot = [ROOT / "bot" / "requirements.txt"] + ([ROOT / "bot" / "requirements-dev.txt"] if arguments.dev else [])
    set_up("care", [12, 13, 14], "actions, gateway and case desk", care)
    set_up("bot", [10], "Rasa 3.6", bot)


if __name__ == "__main__":
    main()
