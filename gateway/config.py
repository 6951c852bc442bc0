"""Settings of the gateway alone, read from the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from runtime.channels import channels_on
from runtime.settings import Settings, secret, settings

Number = TypeVar("Number", int, float)

_SITE = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one session and one address may ask of us. Times in seconds, sizes in bytes unless named otherwise."""

    message_characters: int = 1_000
    report_characters: int = 8_000
    letters_bytes: int = 2 * 1024 * 1024 * 1024
    json_bytes: int = 64 * 1024
    file_bytes: int = 10 * 1024 * 1024
    queue: int = 4
    streams_per_session: int = 4
    burst: int = 8
    burst_seconds: float = 10.0
    address_requests_a_minute: int = 3_000
    address_sessions_a_minute: int = 300
    address_connections: int = 600
    body_seconds: float = 15.0
    file_seconds: float = 120.0
    header_seconds: float = 10.0
    slow_after: float = 8.0
    give_up_after: float = 45.0
    token_minutes: int = 240
    rotate_minutes: int = 15
    keep_hours: int = 24


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything :func:`gateway.app.make_app` needs. ``shared`` holds the addresses all processes agree on."""

    shared: Settings
    limits: Limits
    token_secret: bytes
    web_secret: str
    notices_secret: str
    metrics_secret: str
    embed_sites: tuple[str, ...]
    channels: tuple[str, ...]
    trusted_proxies: int

    @property
    def public_scheme(self) -> str:
        return urlsplit(self.shared.public_url).scheme

    @property
    def public_host(self) -> str:
        return urlsplit(self.shared.public_url).netloc


def config() -> Config:
    """Read the environment. Raises SystemExit naming the variable that is malformed."""
    sites = tuple(os.environ.get("PLAINSPOKEN_EMBED_SITES", "").replace(",", " ").split())
    for site in sites:
        if not _SITE.fullmatch(site):
            raise SystemExit(f"PLAINSPOKEN_EMBED_SITES: {site!r} is not a site such as https://clinic.example.")
    return Config(
        shared=settings(),
        limits=_limits(),
        token_secret=bytes.fromhex(secret("session")),
        web_secret=secret("web"),
        notices_secret=secret("notices"),
        metrics_secret=secret("metrics"),
        embed_sites=sites,
        # Where the gateway has the channels' variables too (one machine), nothing more needs to be said.
        channels=tuple(os.environ.get("PLAINSPOKEN_CHANNELS", "").replace(",", " ").split()) or channels_on(os.environ),
        trusted_proxies=_number("PLAINSPOKEN_TRUSTED_PROXIES", int, 0),
    )


def _limits() -> Limits:
    defaults = Limits()
    read = {
        name: _number(f"PLAINSPOKEN_LIMIT_{name.upper()}", type(default), default)
        for name, default in vars(defaults).items()
    }
    return Limits(**read)


def _number(name: str, kind: type[Number], default: Number) -> Number:
    raw = os.environ.get(name, "")
    try:
        return kind(raw) if raw else default
    except ValueError:
        raise SystemExit(f"{name} must be a number, not {raw!r}.") from None
