"""What a short reply means while choices are open: "2", "two", "2️⃣", "B", "the second one", the choice's own words.

Pure. The choices of one conversation are a :class:`Choices`, kept sealed between turns.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache

from bot.channels.renderer import Option, Rendered
from knowledge.channels import channel_words, flat, in_words

REMEMBERED = 60
"""Buttons further up than this many are closed: Telegram and Slack let people press them for ever."""

_NUMBER = re.compile(r"(?:option|number|choice|no|nr|#)?[\s.#]*(\d{1,2})[\s.):]*")
_JOINERS = re.compile(r"[\s,;+&/]+(?:and[\s]+)?")


@dataclass(frozen=True)
class Choices:
    """``open`` can be picked by label or words; ``offered`` maps the ids of pressable buttons to payloads."""

    next_id: int = 1
    open: tuple[Option, ...] = ()
    offered: tuple[tuple[str, str], ...] = ()
    rest: str = ""

    def after(self, said: Rendered, *, first: bool) -> Choices:
        """Return the choices once ``said`` was said; the ``first`` reply of a turn closes what was open before."""
        return Choices(
            self.next_id + len(said.options),
            (() if first else self.open) + said.options,
            (self.offered + tuple((option.id, option.payload) for option in said.options))[-REMEMBERED:],
            said.rest or ("" if first else self.rest),
        )

    def pressed(self, option_id: str) -> str | None:
        """Return the payload of a button, or None when it was never offered here or too long ago."""
        return dict(self.offered).get(option_id)

    def picked(self, text: str) -> str | None:
        """Return the payload ``text`` picks, several choices' titles for "1, 3", or None when it picks nothing."""
        labels = {option.label.casefold(): option for option in self.open}
        said = _spoken(text)
        if said in labels:
            return labels[said].payload
        by_title = {_words(option.title): option for option in self.open}
        if _words(text) and _words(text) in by_title:
            return by_title[_words(text)].payload
        parts = [part for part in _JOINERS.split(flat(text)) if part]
        if len(parts) > 1 and all(part in labels and len(part) <= 2 for part in parts):
            return ", ".join(labels[part].title for part in dict.fromkeys(parts))
        if said in ("yes", "no"):
            return next((option.payload for option in self.open if _words(option.title).split()[:1] == [said]), None)
        return None

    def wants_more(self, text: str) -> bool:
        """Return whether ``text`` asks for the rest of a text that was cut."""
        return bool(self.rest) and _words(text) in channel_words().more_words

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, dumped: str) -> Choices:
        found = json.loads(dumped)
        return cls(
            found["next_id"],
            tuple(Option(**option) for option in found["open"]),
            tuple((key, payload) for key, payload in found["offered"]),
            found["rest"],
        )


def _spoken(text: str) -> str:
    """The label ``text`` names, or the word its one sign stands for."""
    bare = flat(text)
    if match := _NUMBER.fullmatch(bare):
        return match[1].lstrip("0") or "0"
    if match := re.fullmatch(r"(?:option|letter)?\s*\(?([a-z])[\s.):]*", bare):
        return match[1]
    words = _words(text)
    return _numbers().get(words) or words or in_words(text)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", flat(text).replace("'", "").replace("’", "")))


@cache
def _numbers() -> dict[str, str]:
    return {form: number for number, forms in channel_words().numbers.items() for form in forms}
