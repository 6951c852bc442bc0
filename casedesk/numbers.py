"""Whole numbers from addresses and forms, which may hold anything."""

from __future__ import annotations

import re


def whole_number(text: str) -> int | None:
    """Return the number that ``text`` is, up to nine digits, or None. ("²" is a digit to Python, and no number.)"""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None
