"""Staff read the questions that patients shared because they were not understood, and turn them into training phrases.

    python -m scripts.review_questions                              what waits, oldest first
    python -m scripts.review_questions learn 2 cost                 question 2 of the list is about the topic "cost"
    python -m scripts.review_questions learn 2 cost --as "price?"   the same, in words that tell nothing of the patient
    python -m scripts.review_questions drop 2                       teaches nothing

A phrase learned stands in ``data/nlu/reviewed.yml``; ``make train`` makes the assistant understand it. Either way the
question itself is deleted. Words that may tell who wrote them (digits, an address, a name after "my name is") are refused:
write the phrase anew with ``--as``.
"""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from actions.database import StoreUnavailable
from actions.store import store
from actions.unanswered import SharedQuestion
from knowledge.content import content
from runtime.settings import ROOT

REVIEWED = ROOT / "data" / "nlu" / "reviewed.yml"
LONGEST = 300
_PRIVATE = re.compile(r"\d{3,}|@|https?:|\b(?:my name is|i am called|dr\.?|mr\.?|mrs\.?|ms\.?)\s+\w", re.I)


class Refused(ValueError):
    """What was asked for cannot be done; the message says why."""


def phrases(path: Path) -> dict[str, list[str]]:
    """Return what was learned so far: phrases by topic."""
    if not path.exists():
        return {}
    found: dict[str, list[str]] = {}
    for group in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu") or []:
        lines = [line.removeprefix("- ").strip() for line in group["examples"].splitlines()]
        found[group["metadata"]["topic"]] = [line for line in lines if line]
    return found


def learn(topic: str, words: str, path: Path) -> str:
    """Add ``words`` as a phrase of ``topic`` to the training data in ``path`` and return the phrase.

    Raises Refused for a topic that is not known, words that may tell who wrote them, and a phrase that is there already.
    """
    if topic not in content().answers:
        raise Refused(f"There is no topic {topic!r}. The topics are: {', '.join(sorted(content().answers))}.")
    phrase = re.sub(r"[\[\]{}()]", "", " ".join(words.split()))
    if not re.search(r"[a-z]", phrase, re.I) or len(phrase) > LONGEST:
        raise Refused(f'A phrase has words, and at most {LONGEST} characters: write it anew with --as "...".')
    if _PRIVATE.search(phrase):
        raise Refused('This may tell who wrote it: write it anew with --as "...".')
    known = phrases(path)
    if phrase.casefold() in (each.casefold() for each in known.get(topic, ())):
        raise Refused("This phrase is there already. Drop the question.")
    known.setdefault(topic, []).append(phrase)
    groups: list[dict[str, Any]] = [
        {"intent": "faq", "metadata": {"topic": name}, "examples": "".join(f"- {each}\n" for each in listed)}
        for name, listed in sorted(known.items())
    ]
    path.write_text(yaml.dump({"version": "3.1", "nlu": groups}, Dumper=_Blocks, sort_keys=False, allow_unicode=True))
    return phrase


class _Blocks(yaml.SafeDumper):
    """Writes text of several lines as Rasa's own files have it."""


_Blocks.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def listed(questions: list[SharedQuestion]) -> str:
    """Return the list as it is shown."""
    if not questions:
        return "No question waits to be read."
    return "\n".join(
        f"{number:3d}  {datetime.fromtimestamp(each.at, UTC):%Y-%m-%d}  {' '.join(each.text.split())}"
        for number, each in enumerate(questions, 1)
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.review_questions", description="Learn from shared questions."
    )
    commands = parser.add_subparsers(dest="command")
    teach = commands.add_parser("learn", help="make it a training phrase of a topic")
    teach.add_argument("number", type=int)
    teach.add_argument("topic")
    teach.add_argument("--as", dest="words", help="the phrase to learn instead of the patient's own words")
    commands.add_parser("drop", help="delete it").add_argument("number", type=int)
    given = parser.parse_args(arguments)
    try:
        waiting = store().shared_questions()
        if not given.command:
            print(listed(waiting))
            return 0
        if not 1 <= given.number <= len(waiting):
            raise Refused(f"There is no question {given.number}: {len(waiting)} wait.")
        question = waiting[given.number - 1]
        if given.command == "learn":
            phrase = learn(given.topic, given.words or question.text, REVIEWED)
            print(f"Learned for {given.topic}: {phrase}\nRun `make train` to make it understood.")
        store().settle_question(question.id)
        print(f"Question {given.number} is deleted.")
    except (Refused, StoreUnavailable) as error:
        raise SystemExit(str(error)) from None
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
