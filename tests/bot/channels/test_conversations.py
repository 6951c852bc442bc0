"""Each channel end to end: what the provider sends, what the assistant is told, what the provider is given to show."""

from __future__ import annotations

import re
import sqlite3

import pytest
import requests

from knowledge.channels import channel_words
from knowledge.chat import chat_words
from tests.bot.channels.clients import Sms, Telegram, Twilio
from tests.bot.channels.conftest import SECRET, Patient, Server, person_on, wait_for

DANGER = "I can't feel when I pee"
WORDS = chat_words().problems


def option(patient: Patient, title: str) -> str:
    """The id of the button that begins with ``title`` in the last message that has buttons."""
    buttons = [button for message in patient.heard() for button in message["buttons"]]
    return next(identity for name, identity in reversed(buttons) if name.startswith(title))


def test_a_message_is_answered(patient: Patient) -> None:
    assert patient.says("hello there").status_code == 200
    assert patient.texts(1) == ["You said: hello there"]
    assert patient.told() == ["hello there"]


def test_replies_come_in_order_and_without_markdown(patient: Patient) -> None:
    patient.says("two")
    first, second = patient.texts(2)
    assert first == "First." and second.startswith("Second.")
    patient.says("choices")
    assert "**" not in patient.texts(3)[-1]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("1", "/tell_more"),
        ("2.", '/faq{"topic":"cost"}'),
        ("2️⃣", '/faq{"topic":"cost"}'),
        ("two", '/faq{"topic":"cost"}'),
        ("the first one", "/tell_more"),
        ("Tell me more!", "/tell_more"),
        ("no", "/deny"),
        ("👎🏽", "/deny"),
        ("4", "4"),
        ("1, 3", "Tell me more, No"),
    ],
)
def test_a_choice_is_picked_by_number_word_or_emoji(server: Server, typed: str, told: str) -> None:
    patient = person_on(Sms, server)
    patient.says("choices")
    (text,) = patient.texts(1)
    assert "1. Tell me more\n2. What it costs\n3. No\nReply with the number of your choice." in text
    patient.says(typed)
    patient.hears(2)
    assert patient.told() == ["choices", told]


def test_choices_on_every_channel(patient: Patient) -> None:
    patient.says("choices")
    patient.hears(1)
    patient.says("2")
    patient.hears(2)
    assert patient.told()[-1] == '/faq{"topic":"cost"}'
    patient.says("2")  # nothing is open any more: a number is a number
    patient.hears(3)
    assert patient.told()[-1] == "2"


def test_a_number_is_an_answer_where_a_number_is_asked(patient: Patient) -> None:
    patient.says("age")
    patient.hears(1)
    patient.says("2")
    patient.hears(2)
    assert patient.told()[-1] == "2"
    patient.says("age")
    patient.hears(3)
    patient.says("b")
    patient.hears(4)
    assert patient.told()[-1] == "I don't know"


def test_buttons_work_and_old_or_invented_ones_do_nothing(patient: Patient) -> None:
    if isinstance(patient.client, Twilio):
        pytest.skip("no buttons on this channel")
    patient.says("choices")
    patient.hears(1)
    pressed = option(patient, "Tell me")
    patient.presses(pressed)
    patient.hears(2)
    patient.presses(pressed)  # messengers let people press again
    patient.hears(3)
    assert patient.told() == ["choices", "/tell_more", "/tell_more"]
    for invented in ("999", "/restart", '/faq{"topic":"cost"}'):
        patient.presses(invented)
    assert patient.texts(6)[3:] == [WORDS.not_offered] * 3
    assert patient.told() == ["choices", "/tell_more", "/tell_more"]


def test_telegram_hears_that_a_button_was_pressed(server: Server) -> None:
    patient = person_on(Telegram, server)
    patient.says("choices")
    patient.hears(1)
    press = patient.press(option(patient, "Tell me"))
    patient.deliver(press)
    patient.hears(2)
    assert press["callback_query"]["id"] in server.provider_log()["calls"]


def test_many_choices_are_numbered(patient: Patient) -> None:
    patient.says("many")
    (message,) = patient.hears(1)
    if patient.client.channel != "telegram":
        assert message["buttons"] == []
    assert "12. Choice 12" in message["text"]
    patient.says("12")
    patient.hears(2)
    assert patient.told()[-1] == "pick 12"


@pytest.mark.parametrize("media", ["image", "voice", "file", "location"])
def test_what_is_not_text_gets_a_kind_answer(patient: Patient, media: str) -> None:
    if media == "location" and patient.client.channel == "slack":
        pytest.skip("Slack has none")
    patient.sends(media)
    assert patient.texts(1) == [getattr(channel_words().media, media)]
    assert patient.told() == []


def test_words_under_a_picture_are_read(server: Server) -> None:
    patient = person_on(Telegram, server)
    update = patient.attachment("image")
    update["message"]["caption"] = "is this bad?"
    patient.deliver(update)
    assert patient.texts(2) == [channel_words().media.image, "You said: is this bad?"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/restart", "restart"),
        ('/faq{"topic":"cost"}', 'faq{"topic":"cost"}'),
        ("//session_start", "session_start"),
        ("/stop", "stop"),
        ("👍", "yes"),
        ("a & b < c", "a & b < c"),
        ("it\u202e is\x00 odd", "it is  odd"),
    ],
)
def test_nothing_typed_is_a_command(patient: Patient, typed: str, told: str) -> None:
    patient.says(typed)
    patient.hears(1)
    assert patient.told() == [told]


def test_start_greets(patient: Patient) -> None:
    patient.says("/start")
    (message,) = patient.hears(1)
    assert message["text"].startswith(chat_words().greeting[:60])
    patient.says("2")
    patient.hears(2)
    assert patient.told() == [chat_words().starters[1].payload]


@pytest.mark.parametrize(("typed", "said"), [("\u200b\x07", "unreadable"), ("///", "unreadable")])
def test_what_cannot_be_read(patient: Patient, typed: str, said: str) -> None:
    patient.says(typed)
    assert patient.texts(1) == [getattr(WORDS, said)]
    assert patient.told() == []


def test_a_long_message_is_refused_kindly_unless_danger_is_in_it(patient: Patient) -> None:
    patient.says("word " * 420)
    (text,) = patient.texts(1)
    assert text[:40] == WORDS.too_long[:40]
    patient.says("My back is old news. " * 150 + f"{DANGER}. " + "And so on and on. " * 30)
    wait_for(lambda: len(patient.told()) == 1)
    assert DANGER in patient.told()[0] and len(patient.told()[0]) <= 2_000


def test_a_whole_letter_is_taken_while_the_report_reader_listens(patient: Patient) -> None:
    patient.server.ready(loop="report_form")
    patient.says("letter " * 500)
    wait_for(lambda: len(patient.told()) == 1)


def test_a_cut_text_goes_on_when_asked(server: Server) -> None:
    patient = person_on(Sms, server)
    patient.says("long")
    (text,) = patient.texts(1)
    assert len(text) <= 459
    assert channel_words().more in text and "1. Tell me more" in text
    patient.says("MORE")
    assert len(patient.texts(2)[1]) <= 459
    assert patient.told() == ["long"]


def test_emergency_words_are_first_and_whole(patient: Patient) -> None:
    patient.says("numb")
    wait_for(lambda: patient.heard())
    first = patient.heard()[0]["text"]
    assert first.startswith("Call 911 now. ")
    assert first.count("This can be serious.") == 20
    patient.says("1")
    wait_for(lambda: len(patient.told()) == 2)
    assert patient.told()[-1] == '/escalation_reply{"choice":"calling"}'


def test_emergency_words_do_not_wait_for_the_rest_of_the_turn(patient: Patient, server: Server) -> None:
    patient.says("numb and hang")
    wait_for(lambda: patient.heard(), 5)
    assert patient.heard()[0]["text"].startswith("Call 911 now.")


def test_a_turn_that_breaks_says_so(patient: Patient) -> None:
    patient.says("nothing")
    (text,) = patient.texts(1)
    assert WORDS.silent[:30] in text and "911" in text
    patient.says("please break. I can't feel when I pee")
    assert "Call 911" in patient.texts(2)[1]


def test_an_edit_is_not_taken_again_unless_danger_is_in_it(patient: Patient) -> None:
    message = patient.message("my back hurts")
    if patient.edit(message, "x") is None:
        pytest.skip("no edits on this channel")
    patient.deliver(message)
    patient.hears(1)
    patient.deliver(patient.edit(message, "my back hurts a lot"))
    patient.says("next")
    patient.hears(2)
    patient.deliver(patient.edit(message, f"my back hurts. {DANGER}"))
    patient.hears(3)
    assert patient.told() == ["my back hurts", "next", f"my back hurts. {DANGER}"]


def test_senders_are_unguessable_and_never_shared(server: Server) -> None:
    people = [person_on(kind, server) for kind in (Telegram, Twilio.__subclasses__()[0], Twilio.__subclasses__()[1])]
    for patient in people:
        patient.client.person = 5_551_234
        patient.says("who am I")
    wait_for(lambda: len([one for one in server.told() if one[1] == "who am I"]) == 3)
    senders = [one[0] for one in server.told() if one[1] == "who am I"]
    assert len({sender.partition("-")[2] for sender in senders}) == 3
    assert sorted(sender.partition("-")[0] for sender in senders) == ["sms", "telegram", "whatsapp"]
    assert all(re.fullmatch(r"[a-z]+-[0-9a-f]{32}", sender) for sender in senders)


def test_nobody_is_to_be_found_in_the_database_or_the_log(patient: Patient, server: Server) -> None:
    patient.says("xylophone in my spine")
    patient.hears(1)
    stored = b"".join(path.read_bytes() for path in server.var.glob("channels.db*"))
    log = (server.var / "server.log").read_bytes()
    for word in (b"xylophone", str(patient.client.person).encode()):
        assert word not in stored and word not in log


def test_who_asks_for_erasure_is_forgotten_once_told(server: Server) -> None:
    patient = person_on(Telegram, server)
    patient.says("choices")
    patient.hears(1)
    sender = next(one[0] for one in server.told() if one[0] not in patient.server_before)

    def rows() -> int:
        with sqlite3.connect(server.var / "channels.db") as database:
            query = "select (select count(*) from channel_person where sender=?1) + " + " + ".join(
                f"(select count(*) from {table} where sender=?1)" for table in ("channel_inbox", "channel_outbox")
            )
            return int(database.execute(query, (sender,)).fetchone()[0])

    assert rows() == 3
    patient.says("delete me")
    assert patient.texts(2)[1] == "Deleted."
    wait_for(lambda: rows() == 0)
    patient.says("hello again")
    assert patient.texts(3)[2] == "You said: hello again"


def test_a_notice_reaches_its_person_once(patient: Patient, server: Server) -> None:
    patient.says("hello")
    patient.hears(1)
    sender = next(one[0] for one in server.told() if one[0] not in patient.server_before)
    url = f"{server.url}/webhooks/{patient.client.webhook}/notice"
    notice = {"id": f"n-{sender}", "sender_id": sender, "text": "The clinic has received your case."}
    assert requests.post(url, json=notice, timeout=5).status_code == 403
    headers = {"X-Plainspoken-Secret": SECRET}
    for _ in range(2):
        assert requests.post(url, json=notice, headers=headers, timeout=5).status_code == 202
    assert patient.texts(2)[1] == "The clinic has received your case."
    gone = {**notice, "sender_id": "telegram-" + "0" * 32}
    assert requests.post(url, json=gone, headers=headers, timeout=5).status_code == 404
