"""What each provider sends us, shaped and signed as it documents: one class per channel, with the same few verbs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from typing import Any
from urllib.parse import urlencode

import requests

from tests.bot.channels.standin_provider import APP_SECRET, KEY, SIGNING_SECRET

NUMBERS = itertools.count(int(time.time()) % 100_000_000)


class Client:
    """One person on one channel. ``public`` is the address providers know, ``url`` where the server really is."""

    channel = ""
    webhook = ""

    def __init__(self, url: str, public: str, person: int, secret: str = "") -> None:
        self.url = f"{url}/webhooks/{self.webhook}/webhook"
        self.public = f"{public}/webhooks/{self.webhook}/webhook"
        self.person = person
        self.secret = secret

    def post(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        return requests.post(self.url, data=body, headers=headers, timeout=30)

    def deliver(self, what: Any, **forged: str) -> requests.Response:
        """Send what ``says``, ``presses`` and the like made; ``forged`` headers take the place of true ones."""
        body, headers = self.signed(what)
        return self.post(body, {**headers, **forged})

    def says(self, text: str, **more: Any) -> requests.Response:
        return self.deliver(self.message(text, **more))

    def presses(self, option: str) -> requests.Response:
        return self.deliver(self.press(option))

    def sends(self, media: str) -> requests.Response:
        return self.deliver(self.attachment(media))

    def signed(self, what: Any) -> tuple[bytes, dict[str, str]]:
        raise NotImplementedError

    def message(self, text: str) -> Any:
        raise NotImplementedError

    def edit(self, message: Any, text: str) -> Any:
        """The event of an edit, or None where the channel has none."""
        return None

    def press(self, option: str) -> Any:
        raise NotImplementedError

    def attachment(self, media: str) -> Any:
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Where the provider gets our replies to this person."""
        raise NotImplementedError


class Telegram(Client):
    channel = webhook = "telegram"
    signature = "X-Telegram-Bot-Api-Secret-Token"

    @property
    def address(self) -> str:
        return str(self.person)

    def signed(self, what: Any) -> tuple[bytes, dict[str, str]]:
        return json.dumps(what).encode(), {"Content-Type": "application/json", self.signature: self.secret}

    def _chat(self) -> dict[str, Any]:
        return {"id": self.person, "type": "private", "first_name": "Example"}

    def _update(self, **content: Any) -> dict[str, Any]:
        message = {"message_id": next(NUMBERS), "from": {"id": self.person}, "chat": self._chat(), "date": 1, **content}
        return {"update_id": next(NUMBERS), "message": message}

    def message(self, text: str) -> Any:
        return self._update(text=text)

    def edit(self, message: Any, text: str) -> Any:
        return {"update_id": next(NUMBERS), "edited_message": {**message["message"], "edit_date": 2, "text": text}}

    def press(self, option: str) -> Any:
        query = {
            "id": str(next(NUMBERS)),
            "from": {"id": self.person},
            "chat_instance": "1",
            "message": {"message_id": 1, "chat": self._chat(), "date": 1, "text": "x"},
            "data": option,
        }
        return {"update_id": next(NUMBERS), "callback_query": query}

    def attachment(self, media: str) -> Any:
        content = {
            "image": {"photo": [{"file_id": "a"}]},
            "voice": {"voice": {"file_id": "a"}},
            "file": {"document": {"file_id": "a"}},
            "location": {"location": {"latitude": 1, "longitude": 2}},
        }[media]
        return self._update(**content)


class Twilio(Client):
    webhook = "twilio"
    signature = "X-Twilio-Signature"
    prefix = ""

    @property
    def address(self) -> str:
        return f"{self.prefix}+1555{self.person:07d}"

    def signed(self, what: Any) -> tuple[bytes, dict[str, str]]:
        signed = self.public + "".join(name + what[name] for name in sorted(what))
        mac = base64.b64encode(hmac.new(KEY.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        kind = "application/x-www-form-urlencoded; charset=UTF-8"
        return urlencode(what).encode(), {"Content-Type": kind, self.signature: mac}

    def message(self, text: str) -> Any:
        sid = f"SM{next(NUMBERS):032x}"
        ours = f"{self.prefix}+15550100"
        form = {"MessageSid": sid, "SmsSid": sid, "AccountSid": "AC5", "From": self.address, "To": ours, "Body": text}
        return {**form, "NumMedia": "0", "NumSegments": "1", "ApiVersion": "2010-04-01"}

    def press(self, option: str) -> Any:
        raise NotImplementedError("no buttons on this channel")

    def attachment(self, media: str) -> Any:
        if media == "location":
            return {**self.message(""), "Latitude": "1.0", "Longitude": "2.0"}
        kind = {"image": "image/jpeg", "voice": "audio/ogg", "file": "application/pdf"}[media]
        return {**self.message(""), "NumMedia": "1", "MediaContentType0": kind, "MediaUrl0": "https://example.org/1"}


class Sms(Twilio):
    channel = "sms"


class WhatsApp(Twilio):
    channel = "whatsapp"
    prefix = "whatsapp:"


class Messenger(Client):
    channel = webhook = "messenger"
    signature = "X-Hub-Signature-256"

    @property
    def address(self) -> str:
        return str(self.person)

    def signed(self, what: Any) -> tuple[bytes, dict[str, str]]:
        entry = {"id": "555", "time": int(time.time() * 1000), "messaging": what if isinstance(what, list) else [what]}
        body = json.dumps({"object": "page", "entry": [entry]}).encode()
        mac = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        return body, {"Content-Type": "application/json", self.signature: f"sha256={mac}"}

    def _event(self, **content: Any) -> dict[str, Any]:
        return {"sender": {"id": self.address}, "recipient": {"id": "555"}, "timestamp": next(NUMBERS), **content}

    def message(self, text: str) -> Any:
        return self._event(message={"mid": f"m_{next(NUMBERS)}", "text": text})

    def edit(self, message: Any, text: str) -> Any:
        return self._event(message_edit={"mid": message["message"]["mid"], "text": text, "num_edit": 1})

    def press(self, option: str) -> Any:
        return self._event(postback={"mid": f"m_{next(NUMBERS)}", "title": "x", "payload": option})

    def attachment(self, media: str) -> Any:
        kind = {"image": "image", "voice": "audio", "file": "file", "location": "location"}[media]
        attachments = [{"type": kind, "payload": {"url": "https://example.org/1"}}]
        return self._event(message={"mid": f"m_{next(NUMBERS)}", "attachments": attachments})


class Slack(Client):
    channel = webhook = "slack"
    signature = "X-Slack-Signature"

    @property
    def address(self) -> str:
        return f"D{self.person}"

    def signed(self, what: Any, moment: float | None = None) -> tuple[bytes, dict[str, str]]:
        stamp = str(int(moment or time.time()))
        if what.get("type") == "block_actions":
            body, kind = urlencode({"payload": json.dumps(what)}).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = json.dumps(what).encode(), "application/json; charset=utf-8"
        mac = hmac.new(SIGNING_SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, self.signature: f"v0={mac}"}
        return body, headers

    def _event(self, **event: Any) -> dict[str, Any]:
        stamp = f"{int(time.time())}.{next(NUMBERS) % 1_000_000:06d}"
        event = {"type": "message", "channel": self.address, "channel_type": "im", "ts": stamp, **event}
        return {"type": "event_callback", "team_id": "T555", "event_id": f"Ev{next(NUMBERS)}", "event": event}

    def message(self, text: str) -> Any:
        typed = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return self._event(user=f"U{self.person}", text=typed)

    def edit(self, message: Any, text: str) -> Any:
        return self._event(
            subtype="message_changed", message={"type": "message", "user": f"U{self.person}", "text": text}
        )

    def press(self, option: str) -> Any:
        action = {"type": "button", "action_id": f"option {option}", "value": option, "action_ts": f"{time.time():.6f}"}
        return {
            "type": "block_actions",
            "team": {"id": "T555"},
            "user": {"id": f"U{self.person}"},
            "channel": {"id": self.address},
            "trigger_id": str(next(NUMBERS)),
            "actions": [action],
        }

    def attachment(self, media: str) -> Any:
        kind = {"image": "image/png", "voice": "audio/mp4", "file": "application/pdf", "location": "text/plain"}[media]
        return self._event(subtype="file_share", user=f"U{self.person}", text="", files=[{"mimetype": kind}])


CLIENTS: tuple[type[Client], ...] = (Telegram, WhatsApp, Sms, Messenger, Slack)
