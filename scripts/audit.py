"""Ask whether a locked package has a known weakness: ``python scripts/audit.py``.

Runs pip-audit, from an environment of its own (``.venv/audit``), over both lock files. Ends with 0 when nothing is known,
1 when something is, and 2, saying so, when it could not ask: no answer is not a clean bill.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv" / "audit"
LOCKS = ("requirements.txt", "bot/requirements.txt")


def tool() -> Path:
    """Return pip-audit's program, installed if it was missing. Exits with 2 when it cannot be had."""
    program = HOME / "bin" / "pip-audit"
    if not program.exists():
        venv.create(HOME, with_pip=True, clear=True)
        pip = [HOME / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit"]
        if subprocess.run(pip).returncode:
            print("NOT AUDITED: pip-audit could not be installed; is the package index reachable?", file=sys.stderr)
            raise SystemExit(2)
    return program


def audit(program: Path, lock: str) -> int:
    """Return 0, 1 or 2 for one lock file, and print what was found."""
    print(f"== {lock}", flush=True)
    done = subprocess.run(
        [program, "--requirement", ROOT / lock, "--require-hashes", "--disable-pip", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    unasked = [line for line in lines if "could not be audited" in line]
    print("\n".join(line for line in lines if line not in unasked))
    if unasked:
        print(f"NOT AUDITED: the index knows nothing about {len(unasked)} packages; is it a mirror?", file=sys.stderr)
    if done.returncode == 1 and "Fix Versions" in done.stdout:  # its table of findings
        return 1
    if done.returncode and not unasked:
        print(f"NOT AUDITED: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}", file=sys.stderr)
    return 2 if unasked or done.returncode else 0


def main() -> int:
    program = tool()
    results = [audit(program, lock) for lock in LOCKS]
    return 1 if 1 in results else max(results)


if __name__ == "__main__":
    sys.exit(main())
