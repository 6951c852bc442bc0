"""Wishes that may be said at any question of a guided conversation: to begin again, to ask something first. Pure."""

from __future__ import annotations

import re

MOST_WORDS_OF_A_WISH = 12
"""A longer message tells something, whatever words stand in it."""
_TO_ASK = re.compile(
    r"(?:(?:no|ok|okay|sorry|but|well|actually|please|wait|hang on|hold on|one (?:moment|second|sec|minute)|just a \w+)[, ]+)*"
    r"(?:first |before (?:that|this|we (?:start|go on)),? )?(?:(?:can|could|may) i|i(?:'?d like to| want to| would like to| need to|"
    r" have to|'?ve got to)|let me) (?:just |first )?ask (?:you )?(?:something|a question|one (?:thing|question)|a few (?:things|questions))"
    r"(?: (?:first|before that|before this|please|else|about (?:it|this)|quickly))*"
)
_RESTART = re.compile(
    r"(?:.*\b(?:can|could|may|let'?s|let|want to|like to|need to|have to)(?: (?:we|i|me|us))?(?: please)?|(?:(?:no|sorry|ok|please|wait)[, ]+)*)\s*"
    r"(?:re-?start|(?:start|begin|do)(?: (?:this|it|all|everything|the (?:form|case|questions|whole thing)))*"
    r" (?:over|again|afresh|anew|from (?:the )?(?:start|beginning|scratch|top)))(?: (?:please|again|now|from (?:the )?(?:start|beginning|scratch)))*"
)


def wants_restart(text: str) -> bool:
    """Whether ``text`` as a whole asks to begin again: "can we start from the beginning?"."""
    return _is_wish(_RESTART, text)


def wants_to_ask(text: str) -> bool:
    """Whether ``text`` as a whole asks to ask something first: "no wait, I want to ask something"."""
    return _is_wish(_TO_ASK, text)


def _is_wish(pattern: re.Pattern[str], text: str) -> bool:
    plain = text.casefold().replace("\u2019", "'").strip("?!. ")
    return len(plain.split()) <= MOST_WORDS_OF_A_WISH and bool(pattern.fullmatch(plain))
