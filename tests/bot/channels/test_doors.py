"""What gets in: forged, altered and old requests are refused, repeats change nothing, what is no message is left out."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl

import pytest
import requests

from bot.channels import signatures
from tests.bot.channels.clients import Messenger, Slack, Sms, Telegram
from tests.bot.channels.conftest import PUBLIC, SECRET, Patient, Server, person_on
from tests.bot.channels.standin_provider import APP_SECRET, KEY, SIGNING_SECRET


def test_twilios_own_example_of_a_signature() -> None:
    """From https://www.twilio.com/docs/usage/security#validating-signatures-from-twilio."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    address = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signatures.twilio("12345", address, fields.items()) == "GvWf1cFY/Q7PnoempGyD5oXAezc="


@pytest.mark.parametrize("forged", ["", "wrong", "sha256=" + "0" * 64, "v0=" + "0" * 64, "Ünïcode"])
def test_a_forged_request_is_refused(patient: Patient, forged: str) -> None:
    headers = {patient.client.signature: forged.encode("latin-1", "ignore")}
    assert patient.deliver(patient.message("I am somebody else"), **headers).status_code == 403
    assert patient.told() == []


def test_an_unsigned_or_altered_request_is_refused(patient: Patient) -> None:
    body, headers = patient.signed(patient.message("hello"))
    unsigned = {name: value for name, value in headers.items() if name != patient.client.signature}
    assert patient.post(body, unsigned).status_code == 403
    if patient.client.channel != "telegram":  # whose secret signs nothing; it travels by TLS alone
        assert patient.post(body.replace(b"hello", b"hullo"), headers).status_code == 403
    assert requests.get(patient.client.url, headers=headers, timeout=5).status_code == 403
    assert patient.told() == []


def test_a_signature_of_another_address_is_refused(server: Server) -> None:
    patient = person_on(Sms, server)
    patient.client.public = "https://evil.example/webhooks/twilio/webhook"
    assert patient.says("hello").status_code == 403


def test_twilio_signs_with_or_without_the_port(server: Server) -> None:
    patient = person_on(Sms, server)
    patient.client.public = f"{PUBLIC}:443/webhooks/twilio/webhook"
    assert patient.says("hello").status_code == 200
    patient.hears(1)


def test_an_old_slack_request_is_refused(server: Server) -> None:
    patient = person_on(Slack, server)
    for age in (301, -301):
        body, headers = patient.client.signed(patient.message("hello"), moment=time.time() - age)
        assert patient.post(body, headers).status_code == 403
    assert patient.told() == []


def test_a_repeat_is_taken_once(patient: Patient) -> None:
    message = patient.message("only once")
    for _ in range(3):
        assert patient.deliver(message).status_code == 200
    patient.says("and then")
    assert patient.texts(2) == ["You said: only once", "You said: and then"]
    assert patient.deliver(message).status_code == 200
    patient.hears(2)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"object":"page"}', b"\xff\xfe", b"payload=1", b"[" * 9000]
)
def test_nonsense_with_a_true_signature_is_a_bad_request(patient: Patient, body: bytes) -> None:
    client = patient.client
    headers = dict(client.signed(client.message("x"))[1])
    if client.channel in ("sms", "whatsapp"):
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        headers[client.signature] = signatures.twilio(KEY, client.public, fields)
    elif client.channel == "messenger":
        headers[client.signature] = signatures.messenger(APP_SECRET, body)
    elif client.channel == "slack":
        headers[client.signature] = signatures.slack(SIGNING_SECRET, headers["X-Slack-Request-Timestamp"], body)
    assert patient.post(body, headers).status_code in (200, 400)
    assert patient.told() == []


def test_a_batch_is_taken_whole(server: Server) -> None:
    one, other = person_on(Messenger, server), person_on(Messenger, server)
    one.client.deliver([one.message("first"), other.message("from another"), one.message("second")])
    assert one.texts(2) == ["You said: first", "You said: second"]
    assert other.texts(1) == ["You said: from another"]


def test_messages_that_overtook_each_other_are_put_in_order(server: Server) -> None:
    patient = person_on(Telegram, server)
    earlier, later = patient.message("earlier"), patient.message("later")
    patient.deliver(later)
    patient.deliver(earlier)
    assert patient.texts(2) == ["You said: earlier", "You said: later"]


def test_what_is_no_private_message_is_left_out(server: Server) -> None:
    telegram, messenger, slack = (person_on(kind, server) for kind in (Telegram, Messenger, Slack))
    group = telegram.message("to all of you")
    group["message"]["chat"] = {"id": -100, "type": "supergroup"}
    pinned = telegram.message("x")
    del pinned["message"]["text"]
    echo = messenger.message("our own")
    echo["message"]["is_echo"] = True
    read = {"sender": {"id": messenger.address}, "recipient": {"id": "555"}, "timestamp": 1, "read": {"watermark": 1}}
    public = slack.message("in a channel")
    public["event"]["channel_type"] = "channel"
    bot = slack.message("from a bot")
    bot["event"]["bot_id"] = "B1"
    joined = slack.message("joined")
    joined["event"]["subtype"] = "channel_join"
    before = len(server.told())
    for patient, events in ((telegram, (group, pinned)), (messenger, (echo, read)), (slack, (public, bot, joined))):
        for event in events:
            assert patient.deliver(event).status_code == 200
    time.sleep(0.4)
    assert len(server.told()) == before
    assert server.provider_log()["messages"] == []


def test_twilio_status_stop_and_foreign_numbers_are_left_out(server: Server) -> None:
    patient = person_on(Sms, server)
    status = {key: value for key, value in patient.message("x").items() if key != "Body"}
    for form in (
        {**status, "MessageStatus": "delivered"},
        {**patient.message("STOP"), "OptOutType": "STOP"},
        {**patient.message("x"), "To": "+15550199"},
    ):
        answer = patient.deliver(form)
        assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (200, "<Response/>", "text/xml")
    time.sleep(0.3)
    assert patient.told() == []


def test_providers_can_check_that_we_are_there(server: Server) -> None:
    url = f"{server.url}/webhooks/messenger/webhook"
    query = {"hub.mode": "subscribe", "hub.challenge": "12345", "hub.verify_token": SECRET}
    assert requests.get(url, params=query, timeout=5).text == "12345"
    assert requests.get(url, params={**query, "hub.verify_token": "x"}, timeout=5).status_code == 403
    slack = person_on(Slack, server)
    answer = slack.deliver({"type": "url_verification", "challenge": "abc", "token": "x"})
    assert answer.json() == {"challenge": "abc"}
    hook = server.provider_log()["webhook"]
    assert hook["url"] == f"{PUBLIC}/webhooks/telegram/webhook"
    assert hook["secret_token"] == SECRET
    for channel in ("telegram", "twilio", "messenger", "slack"):
        assert requests.get(f"{server.url}/webhooks/{channel}/", timeout=5).json()["status"] == "ok"


def test_slack_shows_nothing_of_our_answer_to_a_press(server: Server) -> None:
    patient = person_on(Slack, server)
    assert patient.presses("1").text == ""


def test_a_huge_request_is_refused(patient: Patient) -> None:
    body, headers = patient.signed(patient.message("x" * 1_200_000))
    assert patient.post(body, headers).status_code == 413
