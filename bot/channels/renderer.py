"""From one reply of the assistant to what a messaging channel can show. Pure: limits are data, words are data.

Emergency words are sent whole and first in their message, whatever else has to give way. Other texts are cut into
messages at paragraphs and sentences; what is left over waits until the patient asks for more. Choices become buttons
where a channel has room for them, and a numbered list where it has not. No Markdown reaches a channel.

Limits are those the providers document (docs/channels.md names the pages); where ours are lower, it is for the reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.channels import ChannelWords, channel_words
from knowledge.content import content
from knowledge.glossary import terms_by_id


@dataclass(frozen=True)
class Limits:
    """What one channel can show.

    ``text``: characters of one message; ``parts``: messages before a text is cut; ``buttons``: real buttons under one
    message, 0 for none; ``title``: characters of a button; ``button_text``: characters of a message that has buttons;
    ``payload``: bytes a button carries; ``sources``: source lines under an answer; ``whole``: characters the provider
    takes at most, which only emergency words may use; ``unicode_text``: as ``text``, when letters outside the SMS
    alphabet are in it.
    """

    text: int
    parts: int
    buttons: int
    title: int
    button_text: int
    payload: int
    sources: int
    whole: int
    unicode_text: int = 0


LIMITS = {
    "telegram": Limits(text=4096, parts=3, buttons=10, title=40, button_text=4096, payload=64, sources=2, whole=4096),
    "whatsapp": Limits(text=1600, parts=3, buttons=0, title=0, button_text=0, payload=0, sources=1, whole=1600),
    # Three segments: 3 x 153 letters of the GSM alphabet, 3 x 67 of any other.
    "sms": Limits(
        text=459, parts=1, buttons=0, title=0, button_text=0, payload=0, sources=0, whole=1600, unicode_text=201
    ),
    "messenger": Limits(text=2000, parts=3, buttons=3, title=20, button_text=640, payload=1000, sources=1, whole=2000),
    "slack": Limits(text=3000, parts=3, buttons=5, title=75, button_text=3000, payload=2000, sources=2, whole=3000),
    # A terminal takes anything.
    "shell": Limits(text=8000, parts=9, buttons=0, title=0, button_text=0, payload=0, sources=2, whole=8000),
}

SOURCE_LENGTH = 90
URGENT = frozenset({"escalation", "clarify"})
_LISTED_ANSWERS = frozenset({"choice", "yes_no", "multi"})
"""Kinds of intake questions whose answer is one of the choices; to all others a number typed may be the answer."""

_MARKDOWN = (
    (re.compile(r"!?\[([^\]\n]*)\]\((https?://[^)\s]+)\)"), r"\1 (\2)"),
    (re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE), ""),
    (re.compile(r"^([ \t]*)[-*+][ \t]+", re.MULTILINE), r"\1• "),
    (re.compile(r"^[ \t]*(?:```+\w*|~~~+\w*|[-*_]{3,})[ \t]*$\n?", re.MULTILINE), ""),
    (re.compile(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1", re.DOTALL), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_\n]+?)(?<=\S)_(?![\w_])"), r"\1"),
    (re.compile(r"`+([^`\n]*)`+"), r"\1"),
)
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_PLAIN_LETTERS = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "•": "-",
        "→": ">",
        "\u00a0": " ",
        "×": "x",
    }
)


@dataclass(frozen=True)
class Option:
    """A choice that stays open: what it is called, what it sends, and the number or letter it can be picked by."""

    id: str
    title: str
    payload: str
    label: str


@dataclass(frozen=True)
class Bubble:
    """One message as the provider gets it. ``buttons`` are (title, option id)."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Rendered:
    """A reply ready to be sent; ``rest`` is the text that waits for "more"."""

    bubbles: tuple[Bubble, ...]
    options: tuple[Option, ...] = ()
    rest: str = ""
    urgent: bool = False


def render(reply: Mapping[str, Any], kind: str, *, first_id: int = 1, listed: int = 0) -> Rendered:
    """Return ``reply`` (text, buttons, custom, image of one Rasa message) as the channel ``kind`` shows it.

    Args:
        kind: a key of LIMITS.
        first_id: the number of the first option; ids go up from it.
        listed: how many options this turn has listed before, so that no label stands twice.

    Raises KeyError for an unknown ``kind``.
    """
    limits, words = LIMITS[kind], channel_words()
    custom = reply.get("custom") or {}
    urgent = custom.get("kind") in URGENT
    link = [str(reply[key]) for key in ("image", "attachment") if reply.get(key)]
    text = "\n".join(filter(None, (plain(str(reply.get("text") or "")), *link)))
    if not urgent:
        text = "\n".join(filter(None, (text, *_sources(custom, text, limits, words))))
    lettered = custom.get("kind") == "intake" and custom.get("type") not in _LISTED_ANSWERS
    options = _options(reply.get("buttons") or [], first_id, listed, lettered)
    titles = [_short_title(option, limits.title) for option in options]
    if options and len(options) <= limits.buttons and all(titles):
        buttons = tuple((title or "", option.id) for title, option in zip(titles, options, strict=True))
        bubbles, rest = _with_buttons(text, buttons, limits, words, urgent)
    else:
        end = words.choose_letter if lettered else words.choose
        block = "\n".join([*(f"{option.label}. {_listed_title(option, kind)}" for option in options), end])
        bubbles, rest = _with_text(text, block if options else "", limits, words, urgent)
    if limits.unicode_text:
        bubbles = [Bubble(bubble.text.translate(_PLAIN_LETTERS)) for bubble in bubbles]
    return Rendered(tuple(bubbles), tuple(options), rest, urgent)


def plain(text: str) -> str:
    """Return ``text`` without Markdown. Stars and dashes that mean themselves (2 * 3, C5-C6, L4_5) stay."""
    for pattern, replacement in _MARKDOWN:
        text = pattern.sub(replacement, text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def split(text: str, size: int) -> list[str]:
    """Cut ``text`` into pieces of at most ``size`` characters, where a paragraph, line, sentence or word ends."""
    pieces = []
    while len(text) > size:
        window, at = text[: size + 1], 0
        for border in ("\n\n", "\n", r"(?<=[.!?])\s", r"\s"):
            ends = [match.start() for match in re.finditer(border, window) if match.start() >= size // 3]
            if ends:
                at = ends[-1]
                break
        at = at or size
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text] if text else pieces


def capacity(text: str, limits: Limits) -> int:
    """Return how many characters one message may have when it is made of the letters of ``text``."""
    if limits.unicode_text and not set(text.translate(_PLAIN_LETTERS)) <= _GSM:
        return limits.unicode_text
    return limits.text


def _options(buttons: Sequence[Mapping[str, Any]], first_id: int, listed: int, lettered: bool) -> list[Option]:
    options = []
    for place, button in enumerate(button for button in buttons if button.get("title")):
        number = listed + place
        label = chr(ord("A") + number) if lettered and number < 26 else str(number + 1)
        title = plain(str(button["title"]))
        options.append(Option(str(first_id + place), title, str(button.get("payload") or title), label))
    return options


def _short_title(option: Option, size: int) -> str | None:
    """The title in at most ``size`` characters: itself, its topic's label or its bare term; None when none fits."""
    return next((title for title in (option.title, _label(option.payload)) if title and len(title) <= size), None)


def _listed_title(option: Option, kind: str) -> str:
    label = _label(option.payload) if kind == "sms" else None
    return label if label and len(label) < len(option.title) else option.title


def _label(payload: str) -> str | None:
    match = re.fullmatch(r'/(?:faq|explain_term)\{"(topic|term)": ?"([\w:]+)"\}', payload)
    if not match:
        return None
    if match[1] == "topic":
        answer = content().answers.get(match[2])
        return answer.label if answer else None
    term = terms_by_id().get(match[2])
    return f"{term.name}?" if term else None


def _sources(custom: Mapping[str, Any], text: str, limits: Limits, words: ChannelWords) -> list[str]:
    if custom.get("kind") != "answer":
        return []
    titles = [str(source.get("title") or "") for source in custom.get("sources") or [] if isinstance(source, dict)]
    new = [title for title in titles if title and title not in text][: limits.sources]
    return [words.source.format(title=_shortened(title, SOURCE_LENGTH)) for title in new]


def _shortened(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1].rsplit(' ', 1)[0].rstrip(',;:')}…"


def _with_buttons(
    text: str, buttons: tuple[tuple[str, str], ...], limits: Limits, words: ChannelWords, urgent: bool
) -> tuple[list[Bubble], str]:
    """Put ``buttons`` under the last message; one too long for that gets a short message of their own."""
    if len(text) <= limits.button_text:
        return [Bubble(text or words.pick, buttons)], ""
    bubbles, rest = _with_text(text, "", limits, words, urgent)
    return [*bubbles, Bubble(words.pick, buttons)], rest


def _with_text(text: str, block: str, limits: Limits, words: ChannelWords, urgent: bool) -> tuple[list[Bubble], str]:
    """Cut ``text`` to what may be sent at once, the list of choices after it in the same message where it fits."""
    if urgent:
        together = f"{text}\n{block}" if block else text
        if len(together) <= limits.whole:
            return [Bubble(together)], ""
        return [Bubble(piece) for piece in (*split(text, limits.whole), *split(block, limits.whole))], ""
    size = capacity(text + block, limits)
    own = len(block) > size // 2  # a long list gets messages of its own
    room = size if own or not block else size - len(block) - 1
    pieces = split(text, room)
    rest = ""
    if len(pieces) > limits.parts:
        pieces = split(text, room - len(words.more) - 1)
        kept = pieces[: limits.parts]
        rest = text[_end_of(text, kept) :].lstrip()
        pieces = [*kept[:-1], f"{kept[-1]}\n{words.more}"]
    if block and own:
        pieces += split(block, size)
    elif block:
        pieces = [*pieces[:-1], f"{pieces[-1]}\n{block}"] if pieces else [block]
    return [Bubble(piece) for piece in pieces], rest


def _end_of(text: str, pieces: Sequence[str]) -> int:
    """Where in ``text`` the last of ``pieces``, its beginning, ends."""
    at = 0
    for piece in pieces:
        at = text.index(piece, at) + len(piece)
    return at
