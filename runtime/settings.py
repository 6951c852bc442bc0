"""Where everything listens and stores, read from the environment in one place.

Every setting has a default that works on one machine with no server installed.
Both Python runtimes import this module, so it uses the standard library only.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = ROOT / "knowledge"


def _text(name: str, default: str = "") -> str:
    return os.environ.get(f"PLAINSPOKEN_{name}", default)


def _number(name: str, default: int) -> int:
    raw = _text(name, str(default))
    try:
        return int(raw)
    except ValueError:
        raise SystemExit(f"PLAINSPOKEN_{name} must be a whole number, not {raw!r}.") from None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one process. Build it with :func:`settings`, never at import time."""

    var: Path
    gateway_host: str
    gateway_port: int
    rasa_port: int
    actions_port: int
    delivery_host: str
    delivery_port: int
    casedesk_host: str
    casedesk_port: int
    database_url: str
    casedesk_database_url: str
    gateway_database_url: str
    tracker_database_url: str
    channels_database_url: str
    redis_url: str
    production: bool

    @property
    def rasa_url(self) -> str:
        return _text("RASA_URL", f"http://127.0.0.1:{self.rasa_port}")

    @property
    def actions_url(self) -> str:
        return _text("ACTIONS_URL", f"http://127.0.0.1:{self.actions_port}")

    @property
    def casedesk_url(self) -> str:
        return _text("CASEDESK_URL", f"http://127.0.0.1:{self.casedesk_port}")

    @property
    def gateway_url(self) -> str:
        return _text("GATEWAY_URL", f"http://127.0.0.1:{self.gateway_port}")

    @property
    def public_url(self) -> str:
        """The address patients see; differs from ``gateway_url`` behind a proxy."""
        return _text("PUBLIC_URL", self.gateway_url)


def settings() -> Settings:
    """Read the environment (``PLAINSPOKEN_*``) now. Raises SystemExit with the variable's name when one is malformed."""
    var = Path(_text("VAR", str(ROOT / "var"))).resolve()
    tracker = _text("TRACKER_DATABASE_URL", f"sqlite:///{var}/tracker.db")
    local = tracker.startswith("sqlite")
    return Settings(
        var=var,
        gateway_host=_text("GATEWAY_HOST", "127.0.0.1"),
        gateway_port=_number("GATEWAY_PORT", 8080),
        rasa_port=_number("RASA_PORT", 5005),
        actions_port=_number("ACTIONS_PORT", 5055),
        delivery_host=_text("DELIVERY_HOST", "127.0.0.1"),
        delivery_port=_number("DELIVERY_PORT", 5056),
        casedesk_host=_text("CASEDESK_HOST", "127.0.0.1"),
        casedesk_port=_number("CASEDESK_PORT", 8090),
        database_url=_text("DATABASE_URL", f"sqlite:///{var}/intake.db"),
        casedesk_database_url=_text("CASEDESK_DATABASE_URL", f"sqlite:///{var}/casedesk.db"),
        gateway_database_url=_text("GATEWAY_DATABASE_URL", f"sqlite:///{var}/gateway.db"),
        tracker_database_url=tracker,
        # What messaging channels have on its way lies with Rasa's conversations; as SQLite, in a file of its own.
        channels_database_url=_text("CHANNELS_DATABASE_URL", f"sqlite:///{var}/channels.db" if local else tracker),
        redis_url=_text("REDIS_URL"),
        production=_text("PRODUCTION") == "1",
    )


def secret(name: str) -> str:
    """Return the shared secret ``name`` (64 hex digits), from ``PLAINSPOKEN_SECRET_<NAME>`` or ``var/secrets/<name>``.

    On one machine the file is made on first use, readable by its owner alone. In production a missing secret is an
    error: two machines that each made their own would not understand one another.
    """
    given = _text(f"SECRET_{name.upper().replace('-', '_')}")
    if given:
        return given
    config = settings()
    path = config.var / "secrets" / name
    if not path.exists():
        if config.production:
            raise SystemExit(
                f"Secret {name!r} is missing: set PLAINSPOKEN_SECRET_{name.upper().replace('-', '_')} or mount {path}."
            )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(draft, path)  # atomic: of two processes starting at once, one wins and both read its secret
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
