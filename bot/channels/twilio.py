"""SMS and WhatsApp by Twilio: https://www.twilio.com/docs/messaging/guides/webhook-request

Rasa's connector checks no signature, shows raw payloads under a text, and fails on a message that is only a picture.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from sanic.request import Request
from sanic.response import HTTPResponse, raw

from bot.channels import signatures
from bot.channels.messaging import MessagingInput, same
from bot.channels.post import Incoming, Post
from bot.channels.provider import Provider, Result
from bot.channels.renderer import Bubble
from runtime.settings import settings

API = "https://api.twilio.com"
SIGNATURE_HEADER = "X-Twilio-Signature"
WHATSAPP = "whatsapp:"
_MEDIA = {"image": "image", "audio": "voice", "video": "voice", "application": "file", "text": "file"}


class TwilioInput(MessagingInput):
    """Args: the account's id and key, and at least one number in international form (+1555...)."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sms_number: str = "",
        whatsapp_number: str = "",
        api: str = API,
        post: Post | None = None,
    ) -> None:
        super().__init__(post)
        self._url = f"{api.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._key = auth_token
        self._auth = aiohttp.BasicAuth(account_sid, auth_token)
        whatsapp = whatsapp_number.removeprefix(WHATSAPP)
        self._numbers = {number for number in (sms_number, whatsapp and WHATSAPP + whatsapp) if number}

    @classmethod
    def name(cls) -> str:
        return "twilio"

    def prefix(self, incoming: Incoming) -> str:
        return "whatsapp" if incoming.person.startswith(WHATSAPP) else "sms"

    def genuine(self, request: Request) -> bool:
        given, fields = request.headers.get(SIGNATURE_HEADER, ""), _fields(request)
        found = [same(given, signatures.twilio(self._key, one, fields)) for one in _addresses(request)]
        return any(found)

    def read(self, request: Request) -> list[Incoming]:
        fields = dict(_fields(request))
        if "MessageStatus" in fields and "Body" not in fields:
            return []  # how one of our own messages fared
        person, ours = fields["From"], fields["To"]
        if ours not in self._numbers or fields.get("OptOutType"):
            return []  # a number that is not the assistant's; or STOP, which Twilio itself has answered
        # Twilio gives each message an id but no order; the order of arrival is all there is.
        return [
            Incoming(
                person,
                f"{person} {ours}",
                fields["MessageSid"],
                0.0,
                text=fields.get("Body", ""),
                media=_media(fields),
            )
        ]

    def taken(self, request: Request) -> HTTPResponse:
        return raw(b"<Response/>", content_type="text/xml")

    async def send(self, provider: Provider, address: str, bubble: Bubble) -> Result:
        person, _, ours = address.partition(" ")
        form = {"To": person, "From": ours, "Body": bubble.text}
        answer = await provider.post(self._url, data=form, auth=self._auth)
        return answer if isinstance(answer, Result) else answer.result()


def _addresses(request: Request) -> set[str]:
    """Our address as Twilio may have signed it: it leaves out the port of some https addresses, adds it to others."""
    public = urlsplit(f"{settings().public_url}/webhooks/twilio/webhook")._replace(query=request.query_string)
    port = public.port or (443 if public.scheme == "https" else 80)
    hosts = {public.netloc, public.hostname or "", f"{public.hostname}:{port}"}
    return {public._replace(netloc=host).geturl() for host in hosts}


def _fields(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)


def _media(fields: dict[str, str]) -> str:
    if "Latitude" in fields:
        return "location"
    if not re.fullmatch(r"[1-9]\d*", fields.get("NumMedia", "0")):
        return ""
    return _MEDIA.get(fields.get("MediaContentType0", "").partition("/")[0], "other")
