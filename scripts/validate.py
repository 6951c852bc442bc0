"""Run ``rasa data validate`` and fail on any warning but the one known to be false: ``python scripts/validate.py``.

Rasa says that ``utter_ask_<slot>`` is unused, because it looks for it in stories and not in forms.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOWN_FALSE = re.compile(r"utterance 'utter_ask_\w+' is not used in any story or rule")
WARNING = re.compile(r"UserWarning: (.+)")


def main() -> int:
    command = [
        ROOT / ".venv/bot/bin/python",
        "-m",
        "rasa",
        "data",
        "validate",
        "--domain",
        "domain.yml",
        "--data",
        "data",
    ]
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "RASA_TELEMETRY_ENABLED": "false",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run([*map(str, command)], cwd=ROOT, env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    warnings = [text for text in WARNING.findall(said) if not KNOWN_FALSE.search(text)]
    ours = [text for text in warnings if "deprecat" not in text.lower() and "pkg_resources" not in text]
    for text in ours:
        print("warning:", text)
    if done.returncode:
        print(said)
    return 1 if ours or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
