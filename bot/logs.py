"""Keep patients' words out of Rasa's log.

Rasa writes a message's whole text, and local variables, when something fails. Here its records are reduced to the name
of the event, or to where in Rasa's source it was logged; exceptions to their type and place.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Dict

import structlog

from runtime.logs import WordlessFormatter, configure

_EVENT_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_OWN = ("bot", "safety", "runtime", "knowledge")


class RasaFormatter(WordlessFormatter):
    """Writes the events of our own loggers as they are, and of all others only what cannot hold a patient's words."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name.split(".")[0] not in _OWN and not _EVENT_NAME.fullmatch(str(record.msg)):
            record = logging.makeLogRecord({**vars(record), "msg": f"{record.module}:{record.lineno}", "args": None})
        return super().format(record)


def _only_the_event(_: Any, __: str, event: Dict[str, Any]) -> Dict[str, Any]:
    kept: Dict[str, Any] = {"msg": event["event"]}
    if event.get("exc_info"):
        kept["exc_info"] = True
    return kept


def keep_words_out(level: int) -> None:
    """Configure logging and structlog of the Rasa process; call once, after Rasa is imported."""
    configure(level)
    logging.getLogger().handlers[0].setFormatter(RasaFormatter())
    # Rasa's own set-up of these two would bring the words back.
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, _only_the_event],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    for noisy in ("apscheduler", "sanic.access", "sanic.root", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
