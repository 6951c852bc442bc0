"""Logging that keeps patients' words out.

One JSON object a line: time, level, logger, event, and the ids given as ``extra``. What a caller did not list as an id
is not written, and an exception is written as its type and place, never its message, which may quote what was typed.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import datetime, timezone

ALLOWED = frozenset(
    "trace session sender action kind reference status topic tier category rule count seconds port process path method "
    "code queue tries row_id user_id reason version channel".split()
)
"""Names of ``extra`` fields that may be written: ids, counts and states, never text."""


TRACE: ContextVar[str | None] = ContextVar("trace", default=None)
"""The id of the turn being worked on; every line logged meanwhile carries it."""


class WordlessFormatter(logging.Formatter):
    """Formats a record as one JSON line with nothing in it that a patient typed."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
        }
        entry.update({key: value for key, value in vars(record).items() if key in ALLOWED})
        if TRACE.get():
            entry.setdefault("trace", TRACE.get())
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            entry["error"] = record.exc_info[0].__name__
            entry["where"] = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in frames[-4:]]
        return json.dumps(entry, default=str)


def configure(level: int = logging.INFO) -> None:
    """Send every logger of this process to standard error as wordless JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WordlessFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
