"""Which messaging channels are switched on, read from the environment in one place.

A channel is on when all variables it needs are set; there is no other switch. Rasa's server and the gateway both ask
here, so that they never disagree. Both runtimes import this module: standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RICH_CHANNELS = frozenset({"rest", "web", "telegram", "twilio", "messenger", "slack"})
"""Channels of our own, which may be sent ``custom`` payloads. Rasa's stock connectors fail on them."""


@dataclass(frozen=True)
class Channel:
    """One messaging channel: its input class in Rasa, and its variables by the name of the class's argument.

    Of ``one_of`` at least one must be set; ``optional`` ones have a default.
    """

    input_class: str
    needed: dict[str, str]
    one_of: dict[str, str]
    optional: dict[str, str]


CHANNELS = {
    "telegram": Channel(
        "bot.channels.telegram.TelegramInput",
        {"token": "PLAINSPOKEN_TELEGRAM_TOKEN"},
        {},
        {"api": "PLAINSPOKEN_TELEGRAM_API"},
    ),
    "twilio": Channel(
        "bot.channels.twilio.TwilioInput",
        {"account_sid": "PLAINSPOKEN_TWILIO_ACCOUNT_SID", "auth_token": "PLAINSPOKEN_TWILIO_AUTH_TOKEN"},
        {"sms_number": "PLAINSPOKEN_TWILIO_SMS_NUMBER", "whatsapp_number": "PLAINSPOKEN_TWILIO_WHATSAPP_NUMBER"},
        {"api": "PLAINSPOKEN_TWILIO_API"},
    ),
    "messenger": Channel(
        "bot.channels.messenger.MessengerInput",
        {"page_token": "PLAINSPOKEN_MESSENGER_PAGE_TOKEN", "app_secret": "PLAINSPOKEN_MESSENGER_APP_SECRET"},
        {},
        {"api": "PLAINSPOKEN_MESSENGER_API"},
    ),
    "slack": Channel(
        "bot.channels.slack.SlackInput",
        {"token": "PLAINSPOKEN_SLACK_TOKEN", "signing_secret": "PLAINSPOKEN_SLACK_SIGNING_SECRET"},
        {},
        {"api": "PLAINSPOKEN_SLACK_API"},
    ),
}


WEBHOOK_OF = {"telegram": "telegram", "sms": "twilio", "whatsapp": "twilio", "messenger": "messenger", "slack": "slack"}
"""The channel that looks after a sender, by what the sender's id begins with."""


def missing(channel: Channel, environ: Mapping[str, str]) -> list[str]:
    """Return what has to be set before ``channel`` can be switched on, each as one variable or "A or B"."""
    found = [variable for variable in channel.needed.values() if not environ.get(variable)]
    if channel.one_of and not any(environ.get(variable) for variable in channel.one_of.values()):
        found.append(" or ".join(channel.one_of.values()))
    return found


def touched(channel: Channel, environ: Mapping[str, str]) -> bool:
    """Return whether somebody began to set ``channel`` up."""
    return any(environ.get(variable) for variable in (*channel.needed.values(), *channel.one_of.values()))


def channels_on(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the channels that are switched on."""
    return tuple(name for name, channel in CHANNELS.items() if not missing(channel, environ))


def configured_channels(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what Rasa's credentials gain: for each channel that is on, its input class and that one's arguments."""
    return {CHANNELS[name].input_class: arguments(CHANNELS[name], environ) for name in channels_on(environ)}


def arguments(channel: Channel, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of ``channel``'s variables by argument name; those not set are left out."""
    variables = {**channel.needed, **channel.one_of, **channel.optional}
    return {argument: environ[variable] for argument, variable in variables.items() if environ.get(variable)}
