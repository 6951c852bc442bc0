"""Talk to the running assistant in a terminal: ``python -m bot.shell`` (``make shell`` starts everything first).

Rasa's own shell starts a second Rasa and prints custom payloads as JSON. This one speaks to the Rasa that runs, and
shows and takes choices as the messaging channels do: by number or letter, by their words, several at once. It also reads
from a pipe.
"""

from __future__ import annotations

import json
import secrets
import sys
import textwrap
import urllib.request
from typing import Any

from bot.channels.choices import Choices
from bot.channels.renderer import render
from knowledge.channels import in_words
from runtime.settings import settings

WIDTH = 92
GREETING = "Plainspoken. I am an automated assistant, not a doctor. Ask me about second opinions. /quit ends."
BROKEN = "Something on our side is not working. Please try again in a moment."
UNREACHABLE = "The assistant cannot be reached. Is it still running?"


def send(url: str, sender: str, message: str) -> list[dict[str, Any]]:
    """The replies of Rasa at ``url``. Raises OSError when it cannot be reached."""
    body = json.dumps({"sender": sender, "message": message}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own loopback
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        replies: list[dict[str, Any]] = json.load(reply)
    return replies


def show(replies: list[dict[str, Any]], choices: Choices) -> Choices:
    """Print ``replies``, emergency words between rules, and return the choices that are open now."""
    for number, reply in enumerate(replies):
        shown = render(reply, "shell", first_id=choices.next_id, listed=len(choices.open) if number else 0)
        choices = choices.after(shown, first=number == 0)
        if shown.urgent:
            print("  " + "=" * (WIDTH - 2))
        for line in "\n".join(bubble.text for bubble in shown.bubbles).splitlines():
            print(textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="  "))
        if shown.urgent:
            print("  " + "=" * (WIDTH - 2))
    if not any(reply.get("text") for reply in replies):
        print(f"  {BROKEN}")
    print(flush=True)
    return choices


def main() -> int:
    """Take turns until /quit or the end of the input."""
    url, sender = f"{settings().rasa_url}/webhooks/rest/webhook", f"shell-{secrets.token_hex(16)}"
    print(f"\n{GREETING}\n", flush=True)
    choices = Choices()
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
            choices = show(send(url, sender, choices.picked(typed) or in_words(typed)), choices)
        except OSError:
            print(f"  {UNREACHABLE}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
