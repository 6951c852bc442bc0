"""Talk to the running assistant in a terminal: ``python -m bot.shell`` (``make shell`` starts everything first).

Rasa's own shell starts a second Rasa and prints custom payloads as JSON. This one speaks to the Rasa that runs, shows
text and numbered choices, and takes a choice by its number or its words. It also reads from a pipe.
"""

from __future__ import annotations

import json
import secrets
import sys
import textwrap
import urllib.request
from typing import Any, Dict, List

from runtime.settings import settings

WIDTH = 92
GREETING = "Plainspoken. I am an automated assistant, not a doctor. Ask me about second opinions. /quit ends."


def chosen(typed: str, buttons: List[Dict[str, str]]) -> str:
    """The message to send: the payload of the button meant by number or title, or what was typed."""
    if typed.isdigit() and 1 <= int(typed) <= len(buttons):
        return buttons[int(typed) - 1]["payload"]
    by_title = {button["title"].casefold(): button["payload"] for button in buttons}
    return by_title.get(typed.casefold(), typed)


def send(url: str, sender: str, message: str) -> List[Dict[str, Any]]:
    body = json.dumps({"sender": sender, "message": message}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own loopback
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        replies: List[Dict[str, Any]] = json.load(reply)
    return replies


def show(replies: List[Dict[str, Any]]) -> List[Dict[str, str]]:
    """Print ``replies`` and return the buttons they offer, numbered through."""
    buttons: List[Dict[str, str]] = []
    for reply in replies:
        for line in reply.get("text", "").splitlines():
            print(textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="  "))
        buttons += reply.get("buttons", [])
    for number, button in enumerate(buttons, 1):
        print(f"    {number}. {button['title']}")
    if not any(reply.get("text") for reply in replies):
        print("  Something on our side is not working. Please try again in a moment.")
    print(flush=True)
    return buttons


def main() -> int:
    url, sender = f"{settings().rasa_url}/webhooks/rest/webhook", f"shell-{secrets.token_hex(16)}"
    print(f"\n{GREETING}\n", flush=True)
    buttons: List[Dict[str, str]] = []
    while True:
        try:
            typed = input("you> ").strip()
        except (EOFError, KeyboardInterrupt):
            return 0
        if typed in ("/quit", "/exit", "/stop"):
            return 0
        if not typed:
            continue
        try:
            buttons = show(send(url, sender, chosen(typed, buttons)))
        except OSError:
            print("  The assistant cannot be reached. Is it still running?\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
