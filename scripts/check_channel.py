"""Say in plain words what is wrong with a messaging channel's set-up: ``make check-channel CHANNEL=telegram``.

Looks at the variables, asks the provider, and knocks at our own door with a true and a false signature. Nothing is sent
to anybody. Ends with 0 when all is well, 1 when something is wrong, 2 when the channel is not known.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.channels import signatures
from runtime.channels import CHANNELS, arguments, missing
from runtime.settings import secret, settings

SECONDS = 10
HINTS = {
    "PLAINSPOKEN_TELEGRAM_TOKEN": "the token @BotFather gave you, such as 123456:ABC...",
    "PLAINSPOKEN_TWILIO_ACCOUNT_SID": 'the "Account SID" of the Twilio console, it begins with AC',
    "PLAINSPOKEN_TWILIO_AUTH_TOKEN": 'the "Auth Token" next to it',
    "PLAINSPOKEN_TWILIO_SMS_NUMBER or PLAINSPOKEN_TWILIO_WHATSAPP_NUMBER": "your Twilio number, such as +15550100",
    "PLAINSPOKEN_MESSENGER_PAGE_TOKEN": "the access token of your page (Messenger, API settings)",
    "PLAINSPOKEN_MESSENGER_APP_SECRET": 'the "App secret" (App settings, Basic)',
    "PLAINSPOKEN_SLACK_TOKEN": 'the "Bot User OAuth Token", it begins with xoxb-',
    "PLAINSPOKEN_SLACK_SIGNING_SECRET": 'the "Signing Secret" (Basic Information)',
}


@dataclass(frozen=True)
class Answer:
    """What came back; ``status`` 0: nothing did."""

    status: int
    data: dict[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: right, or wrong with what to do."""

    right: bool
    text: str


Findings = Iterator[Finding]


def ask(url: str, *, body: bytes | None = None, **headers: str) -> Answer:
    """Send one request; never raises, and never shows the address, which may hold a token."""
    request = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:
            return Answer(reply.status, _json(reply.read()), reply.headers)
    except urllib.error.HTTPError as error:
        return Answer(error.code, _json(error.read()), error.headers)
    except (OSError, ValueError):
        return Answer(0)


def _json(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def telegram(values: dict[str, str], webhook: str) -> Findings:
    base = f"{values.get('api', 'https://api.telegram.org').rstrip('/')}/bot{values['token']}"
    me = ask(f"{base}/getMe")
    if not me.data.get("ok"):
        yield refused("Telegram", me, 401, "PLAINSPOKEN_TELEGRAM_TOKEN", str(me.data.get("description", "")))
        return
    yield Finding(True, f"Telegram knows the bot: @{me.data['result'].get('username')}.")
    info = ask(f"{base}/getWebhookInfo").data.get("result") or {}
    if not info.get("url"):
        yield Finding(False, "The webhook is not set. The assistant sets it when it starts; restart it.")
    elif info["url"] != webhook:
        yield Finding(False, f"Telegram sends to {info['url']}, not to {webhook}. Restart the assistant to set it.")
    else:
        yield Finding(True, "The webhook points here.")
    if info.get("last_error_message"):
        yield Finding(False, f"Telegram says about its last try: {info['last_error_message']}.")


def twilio(values: dict[str, str], webhook: str) -> Findings:
    sid = values["account_sid"]
    base = f"{values.get('api', 'https://api.twilio.com').rstrip('/')}/2010-04-01/Accounts/{sid}"
    key = "Basic " + base64.b64encode(f"{sid}:{values['auth_token']}".encode()).decode()
    account = ask(f"{base}.json", Authorization=key)
    if account.status != 200:
        names = "PLAINSPOKEN_TWILIO_ACCOUNT_SID and PLAINSPOKEN_TWILIO_AUTH_TOKEN"
        yield refused("Twilio", account, 401, names, str(account.data.get("message", "")))
        return
    active = account.data.get("status") == "active"
    yield Finding(active, f"The Twilio account is {account.data.get('status')}.")
    if number := values.get("sms_number"):
        query = urlencode({"PhoneNumber": number})
        owned = ask(f"{base}/IncomingPhoneNumbers.json?{query}", Authorization=key).data.get("incoming_phone_numbers")
        if not owned:
            yield Finding(False, f"The number {number} is not one of this account's numbers.")
        elif owned[0].get("sms_url") != webhook or owned[0].get("sms_method", "POST") != "POST":
            yield Finding(False, f'Under "A message comes in" of {number} enter {webhook} and HTTP POST.')
        else:
            yield Finding(True, f"Messages to {number} are sent here.")
    if values.get("whatsapp_number"):
        yield Finding(True, f"WhatsApp: Twilio does not tell; see that your sender's webhook is {webhook} (HTTP POST).")


def messenger(values: dict[str, str], webhook: str) -> Findings:
    base = values.get("api", "https://graph.facebook.com/v23.0").rstrip("/")
    proof = signatures.messenger_proof(values["app_secret"], values["page_token"])
    query = urlencode({"access_token": values["page_token"], "appsecret_proof": proof})
    page = ask(f"{base}/me?{query}")
    if "id" not in page.data:
        said = str((page.data.get("error") or {}).get("message", ""))
        names = "PLAINSPOKEN_MESSENGER_PAGE_TOKEN and PLAINSPOKEN_MESSENGER_APP_SECRET"
        yield refused("Facebook", page, 400, names, said)
        return
    yield Finding(True, f"Facebook knows the page: {page.data.get('name')}.")
    apps = ask(f"{base}/me/subscribed_apps?{query}").data.get("data") or []
    fields = {name for app in apps for name in app.get("subscribed_fields") or []}
    if lacking := {"messages", "messaging_postbacks"} - fields:
        yield Finding(
            False,
            f"The page is not subscribed to: {', '.join(sorted(lacking))}. In the app's Messenger settings enter the "
            f"callback address {webhook} and the verify token {secret('messenger')}, then add the fields.",
        )
    else:
        yield Finding(True, "The page sends its messages here.")


def slack(values: dict[str, str], webhook: str) -> Findings:
    url = f"{values.get('api', 'https://slack.com/api').rstrip('/')}/auth.test"
    me = ask(url, body=b"", Authorization=f"Bearer {values['token']}")
    if not me.data.get("ok"):
        yield refused("Slack", me, 200, "PLAINSPOKEN_SLACK_TOKEN", str(me.data.get("error", "")))
        return
    yield Finding(True, f"Slack knows the bot in {me.data.get('team')}.")
    given = {scope.strip() for scope in str(me.headers.get("x-oauth-scopes", "")).split(",")}
    lacking = {"chat:write", "im:history"} - given
    if lacking:
        yield Finding(False, f"The bot lacks these scopes (OAuth & Permissions): {', '.join(sorted(lacking))}.")
    yield Finding(
        True,
        f"Slack does not tell: see that Event Subscriptions (message.im) and Interactivity both point to {webhook}.",
    )


def refused(provider: str, answer: Answer, wrong_key: int, variables: str, said: str) -> Finding:
    """What it means that a provider did not say yes to the first question."""
    if answer.status == 0:
        return Finding(False, f"{provider} cannot be reached from this machine. Is there a way out to the internet?")
    if answer.status == wrong_key:
        return Finding(False, f'{provider} does not take the key: check {variables}. It says: "{said}".')
    return Finding(False, f'{provider} answers {answer.status}: "{said}". Try again later.')


def door(channel: str, values: dict[str, str], webhook: str) -> Findings:
    """Knock as the provider does, with something that does nothing; then with a false signature."""
    body, headers = harmless(channel, values, webhook)
    path = f"/webhooks/{channel}/webhook"
    for name, url in (("our gateway", settings().gateway_url + path), ("the public address", webhook)):
        taken = ask(url, body=body, **headers).status
        if taken == 0:
            yield Finding(False, f"Nothing answers at {name} ({url}). Is the assistant running, and the address right?")
        elif taken == 404:
            yield Finding(False, f"{name.capitalize()} does not know the channel: restart it with the variables set.")
        elif taken in (401, 403):
            yield Finding(False, f"{name.capitalize()} refuses a true signature: it runs with other keys, restart it.")
        elif taken != 200:
            yield Finding(False, f"{name.capitalize()} answers {taken}; see the log of rasa.")
        elif ask(url, body=body, **dict.fromkeys(headers, "false")).status != 403:
            yield Finding(False, f"{name.capitalize()} takes a false signature. Do not use it; tell the developers.")
        else:
            yield Finding(True, f"{name.capitalize()} takes a true signature and refuses a false one.")
        if url == webhook:
            return


def harmless(channel: str, values: dict[str, str], webhook: str) -> tuple[bytes, dict[str, str]]:
    """Return a body that no channel takes for a message, and its signature."""
    if channel == "telegram":
        return b'{"update_id": 0}', {"X_Telegram_Bot_Api_Secret_Token": secret("telegram")}
    if channel == "twilio":
        fields = [("MessageSid", "SM0"), ("MessageStatus", "delivered")]
        mark = signatures.twilio(values["auth_token"], webhook, fields)
        return urlencode(fields).encode(), {"X_Twilio_Signature": mark}
    if channel == "messenger":
        body = b'{"object": "page", "entry": []}'
        return body, {"X_Hub_Signature_256": signatures.messenger(values["app_secret"], body)}
    body, moment = b'{"type": "url_verification", "challenge": "x"}', str(int(time.time()))
    mark = signatures.slack(values["signing_secret"], moment, body)
    return body, {"X_Slack_Request_Timestamp": moment, "X_Slack_Signature": mark}


CHECKS: dict[str, Callable[[dict[str, str], str], Findings]] = {
    "telegram": telegram,
    "twilio": twilio,
    "messenger": messenger,
    "slack": slack,
}


def findings(channel: str, environ: Mapping[str, str]) -> Findings:
    """Look at everything about ``channel``, as far as one thing does not depend on another that is wrong."""
    lacking = missing(CHANNELS[channel], environ)
    for variable in lacking:
        yield Finding(False, f"{variable} is not set. It is {HINTS[variable]}.")
    public = settings().public_url
    if not public.startswith("https://"):
        yield Finding(False, f"PLAINSPOKEN_PUBLIC_URL is {public}. Providers only send to an https address.")
    if lacking:
        return
    values, webhook = arguments(CHANNELS[channel], environ), f"{public}/webhooks/{channel}/webhook"
    yield from CHECKS[channel](values, webhook)
    yield from door(channel, values, webhook)


def main(channels: list[str]) -> int:
    if len(channels) != 1 or channels[0] not in CHANNELS:
        print(f"Say which channel: make check-channel CHANNEL=... ({', '.join(CHANNELS)}).")
        print("docs/channels.md says how to set each of them up.")
        return 2
    wrong = 0
    for finding in findings(channels[0], os.environ):
        wrong += not finding.right
        print(f"{'ok   ' if finding.right else 'WRONG'} {finding.text}", flush=True)
    print(f"\n{channels[0]} is ready." if not wrong else f"\n{wrong} to be put right. See docs/channels.md.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
