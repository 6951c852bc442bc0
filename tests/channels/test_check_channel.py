"""The set-up check, run as a person runs it, against stand-ins of the providers and of our own door."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.bot.channels.standin_provider import (
    APP_SECRET,
    KEY,
    PAGE_TOKEN,
    SID,
    SIGNING_SECRET,
    SLACK_TOKEN,
    TOKEN,
)
from tests.conftest import ROOT, answers, free_ports

PUBLIC = "https://chat.example.invalid"
VARIABLES = {
    "telegram": {"PLAINSPOKEN_TELEGRAM_TOKEN": TOKEN},
    "twilio": {
        "PLAINSPOKEN_TWILIO_ACCOUNT_SID": SID,
        "PLAINSPOKEN_TWILIO_AUTH_TOKEN": KEY,
        "PLAINSPOKEN_TWILIO_SMS_NUMBER": "+15550100",
    },
    "messenger": {"PLAINSPOKEN_MESSENGER_PAGE_TOKEN": PAGE_TOKEN, "PLAINSPOKEN_MESSENGER_APP_SECRET": APP_SECRET},
    "slack": {"PLAINSPOKEN_SLACK_TOKEN": SLACK_TOKEN, "PLAINSPOKEN_SLACK_SIGNING_SECRET": SIGNING_SECRET},
}
DOOR = {"takes": "true"}


class Door(BaseHTTPRequestHandler):
    """Our own webhook: takes anything but a false signature, or as told."""

    def do_POST(self) -> None:
        false = any(value == "false" for value in self.headers.values())
        status = {"true": 403 if false else 200, "anything": 200, "nothing": 403, "unknown": 404}[DOOR["takes"]]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class Place:
    provider: str
    gateway: str
    var: Path

    def check(self, *channels: str, **environment: str) -> tuple[int, str]:
        """Run the check; returns its exit code and what it says."""
        api = {
            "PLAINSPOKEN_TELEGRAM_API": self.provider,
            "PLAINSPOKEN_TWILIO_API": self.provider,
            "PLAINSPOKEN_MESSENGER_API": f"{self.provider}/v23.0",
            "PLAINSPOKEN_SLACK_API": f"{self.provider}/api",
        }
        base = {key: value for key, value in os.environ.items() if not key.startswith("PLAINSPOKEN_")}
        base |= {"PLAINSPOKEN_VAR": str(self.var), "PLAINSPOKEN_GATEWAY_URL": self.gateway}
        base |= {"PLAINSPOKEN_PUBLIC_URL": PUBLIC}
        command = [sys.executable, "scripts/check_channel.py", *channels]
        done = subprocess.run(
            command, cwd=ROOT, env=base | api | environment, capture_output=True, text=True, timeout=90
        )
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    def state(self, **state: Any) -> None:
        import json

        body = json.dumps({"state": state}).encode()
        urllib.request.urlopen(f"{self.provider}/mood", body, timeout=10).read()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    ports = free_ports(1)
    provider = subprocess.Popen([sys.executable, "-m", "tests.bot.channels.standin_provider", str(ports[0])], cwd=ROOT)
    door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    Thread(target=door.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{ports[0]}"
    deadline = time.monotonic() + 60
    while not answers(f"{url}/log"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield Place(url, f"http://127.0.0.1:{door.server_port}", tmp_path_factory.mktemp("check"))
    door.shutdown()
    provider.terminate()


@pytest.fixture(autouse=True)
def open_door() -> None:
    DOOR["takes"] = "true"


def test_an_unknown_channel_is_told_which_there_are(place: Place) -> None:
    for channels in ((), ("fax",)):
        code, said = place.check(*channels)
        assert code == 2 and "telegram, twilio, messenger, slack" in said


@pytest.mark.parametrize("channel", VARIABLES)
def test_missing_variables_are_named_with_what_they_are(place: Place, channel: str) -> None:
    code, said = place.check(channel)
    assert code == 1
    for variable in VARIABLES[channel]:
        assert variable in said
    assert "It is " in said


@pytest.mark.parametrize("channel", VARIABLES)
def test_a_wrong_key_is_said_and_never_shown(place: Place, channel: str) -> None:
    wrong = {
        name: value if "NUMBER" in name or "SID" in name else "0987:wr0ng" for name, value in VARIABLES[channel].items()
    }
    code, said = place.check(channel, **wrong)
    assert code == 1
    assert "does not take the key: check PLAINSPOKEN_" in said
    assert "wr0ng" not in said


@pytest.mark.parametrize("channel", VARIABLES)
def test_a_provider_out_of_reach(place: Place, channel: str) -> None:
    name = f"PLAINSPOKEN_{channel.upper()}_API"
    code, said = place.check(channel, **VARIABLES[channel], **{name: "http://127.0.0.1:9"})
    assert code == 1 and "cannot be reached from this machine" in said


def test_telegrams_webhook(place: Place) -> None:
    place.state(webhook=None)
    assert "The webhook is not set" in place.check("telegram", **VARIABLES["telegram"])[1]
    place.state(webhook={"url": "https://elsewhere.example"}, info={"last_error_message": "Wrong response: 502"})
    said = place.check("telegram", **VARIABLES["telegram"])[1]
    assert "Telegram sends to https://elsewhere.example" in said and "Wrong response: 502" in said
    place.state(webhook={"url": f"{PUBLIC}/webhooks/telegram/webhook"}, info={})
    assert "The webhook points here" in place.check("telegram", **VARIABLES["telegram"])[1]


def test_twilios_number(place: Place) -> None:
    assert "A message comes in" in place.check("twilio", **VARIABLES["twilio"])[1]
    place.state(sms_url=f"{PUBLIC}/webhooks/twilio/webhook")
    assert "Messages to +15550100 are sent here" in place.check("twilio", **VARIABLES["twilio"])[1]
    other = {**VARIABLES["twilio"], "PLAINSPOKEN_TWILIO_SMS_NUMBER": "+15550199"}
    assert "is not one of this account's numbers" in place.check("twilio", **other)[1]


def test_messengers_subscription_and_slacks_scopes(place: Place) -> None:
    assert "not subscribed to: messages, messaging_postbacks" in place.check("messenger", **VARIABLES["messenger"])[1]
    place.state(subscribed=[{"subscribed_fields": ["messages", "messaging_postbacks"]}])
    assert "The page sends its messages here" in place.check("messenger", **VARIABLES["messenger"])[1]
    place.state(scopes="chat:write")
    assert "lacks these scopes" in place.check("slack", **VARIABLES["slack"])[1]


@pytest.mark.parametrize(
    ("takes", "said"),
    [
        ("true", "Our gateway takes a true signature and refuses a false one"),
        ("anything", "Our gateway takes a false signature"),
        ("nothing", "Our gateway refuses a true signature"),
        ("unknown", "Our gateway does not know the channel"),
    ],
)
def test_our_own_door(place: Place, takes: str, said: str) -> None:
    DOOR["takes"] = takes
    found = place.check("slack", **VARIABLES["slack"])[1]
    assert said in found
    assert "Nothing answers at the public address" in found


def test_all_is_well(place: Place) -> None:
    place.state(scopes="chat:write,im:history")
    code, said = place.check("slack", **VARIABLES["slack"], PLAINSPOKEN_PUBLIC_URL=place.gateway)
    assert "Providers only send to an https address" in said
    assert said.count("WRONG") == code == 1
