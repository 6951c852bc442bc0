"""Measure the red-flag detector and show it on one page: ``make evaluate-safety``.

    python -m scripts.evaluate_safety [--file messages.jsonl ...] [--out results/safety.html]

Sensitivity and false alarms are counted on ``tests/safety/heldout/*.yml`` (phrases not used to write rules), on earlier
such sets as they came out the first time (``first_measured.yml``; they have been used since) and, shown apart, on ``knowledge/en/red_flag_phrases.yml`` (written while the rules were made). A line of ``--file`` is
``{"text": ..., "category": ...}`` for a message with a red flag, or the same without category for one without;
``"tier"`` is optional, ``"ambiguous": true`` takes the line out of the count. The learned signal is left out: it can
only add. Intervals are Wilson's (J Am Stat Assoc 1927;22:209), which hold for small counts and for 0 and 100%.
"""

from __future__ import annotations

import argparse
import html
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from runtime.settings import KNOWLEDGE, ROOT
from safety.detect import assess, decision_flags, detect, detector, rank
from safety.rules import RULES_VERSION, load_rules

HELD_OUT = ROOT / "tests" / "safety" / "heldout"
FIRST = ROOT / "tests" / "safety" / "first_measured.yml"


@dataclass(frozen=True)
class Case:
    """One message: ``category`` is "" when nothing should be said, ``tier`` the least that should be."""

    text: str
    category: str = ""
    tier: str = "soon"


@dataclass(frozen=True)
class Share:
    """A count out of a total, with its 95% interval."""

    hits: int
    total: int

    def __str__(self) -> str:
        if not self.total:
            return "none"
        low, high = wilson(self.hits, self.total)
        return f"{self.hits}/{self.total} = {self.hits / self.total:.1%} ({low:.1%} to {high:.1%})"


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95% interval of a share. ``total`` must not be 0."""
    share, square = hits / total, z * z
    middle = share + square / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, (middle - spread) / (1 + square / total)), min(1.0, (middle + spread) / (1 + square / total))


def from_yaml(paths: Iterable[Path]) -> list[Case]:
    """Return the cases of files with ``positives`` by category (texts, or text and tier) and ``none``."""
    cases: list[Case] = []
    for path in sorted(paths):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for category, items in content.get("positives", {}).items():
            for item in items:
                cases.append(
                    Case(item, category)
                    if isinstance(item, str)
                    else Case(item["text"], category, item.get("tier", "soon"))
                )
        cases += [Case(text) for text in content.get("none", [])]
    return cases


def from_jsonl(path: Path) -> list[Case]:
    """Return the cases of an outside file. Raises ValueError with the line number for a line that is no message."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text = row["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}:{number}: not a message: {type(error).__name__}") from error
        if not row.get("ambiguous"):
            cases.append(Case(text, row.get("category") or "", row.get("tier") or "soon"))
    return cases


def first_measured() -> list[tuple[str, str, Share, Share, Share]]:
    """Return what each held-out set gave before any rule was changed for it: the honest figures, oldest first."""
    return [
        (
            f"{row['set']}, {row['date']}",
            "right tier or above, false alarms, questions",
            Share(row["right"], row["positives"]),
            Share(row["alarms"], row["ordinary"]),
            Share(row["questions"], row["ordinary"]),
        )
        for row in yaml.safe_load(FIRST.read_text(encoding="utf-8"))
    ]


def tier_of(text: str) -> str:
    return assess(detect(text)).tier


@dataclass(frozen=True)
class Measured:
    """What one set gave: shares by category, and the messages that went wrong."""

    name: str
    rows: tuple[tuple[str, Share], ...]
    missed: tuple[tuple[str, str, str], ...]
    alarms: tuple[tuple[str, str], ...]


def measure(name: str, cases: Iterable[Case]) -> Measured:
    """Count escalations of messages with a red flag, and alarms and questions for those without."""
    cases = list(cases)
    positive, negative = [c for c in cases if c.category], [c for c in cases if not c.category]
    found = {case: tier_of(case.text) for case in cases}
    right = {case: rank(found[case]) >= rank(case.tier) for case in positive}
    rows = [
        (
            category,
            Share(
                sum(right[c] for c in positive if c.category == category), sum(c.category == category for c in positive)
            ),
        )
        for category in sorted({c.category for c in positive})
    ]
    alarmed = [c for c in negative if rank(found[c]) > rank("clarify")]
    asked = [c for c in negative if found[c] == "clarify"]
    rows += [
        ("all with a red flag", Share(sum(right.values()), len(positive))),
        ("false alarms", Share(len(alarmed), len(negative))),
        ("needless questions", Share(len(asked), len(negative))),
    ]
    return Measured(
        name,
        tuple(rows),
        tuple((found[c], c.category, c.text) for c in positive if not right[c]),
        tuple((found[c], c.text) for c in [*alarmed, *asked]),
    )


# Robustness: the rules' own phrases, changed as people change them.

FRAMES = {
    "as written": "{}",
    "capitals": None,
    "no punctuation": None,
    "curly apostrophes": None,
    "buried in a long message": (
        "Hello, I hope this is the right place. I had an MRI in March and my surgeon wants to fuse two levels. My work "
        "has been good about it. {} I also wanted to ask how much a review costs and how long it takes. Thanks so much."
    ),
    "played down": "It's probably nothing and my doctor isn't worried. {} I can wait.",
    "with a question": "How much is a review? {} Do you take insurance?",
    "with no full stop": (
        "hi so i have been waiting for ages and my sister said i should write to you because {} and i wondered how much a "
        "review costs and if you take insurance"
    ),
}


def framed(frame: str, text: str) -> str:
    """Return ``text`` in one of the :data:`FRAMES`."""
    template = FRAMES[frame]
    if template and frame == "with no full stop":
        return template.format(text.rstrip(".?!"))
    if template:
        return template.format(text if text[-1] in ".?!" or frame == "as written" else text + ".")
    if frame == "capitals":
        return text.upper()
    if frame == "no punctuation":
        return "".join(c for c in text if c.isalnum() or c in " '")
    return text.replace("'", "’")


def misspelt(text: str, rng: random.Random) -> str:
    """Return ``text`` with one letter of one longer word left out, doubled, or swapped with its neighbour."""
    words = text.split()
    places = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not places:
        return text
    place = rng.choice(places)
    word, at = words[place], rng.randrange(1, len(words[place]) - 1)
    words[place] = rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return " ".join(words)


def robustness(seed: int = 11) -> list[tuple[str, Share]]:
    """Return, for each change, how many grave phrases keep their tier."""
    phrases = sorted({t for _, r in load_rules() if r.tier in ("emergency", "crisis", "urgent") for t in r.positive})
    tiers = {text: rank(tier_of(text)) for text in phrases}
    rows = []
    for frame in FRAMES:
        rows.append((frame, Share(sum(rank(tier_of(framed(frame, t))) >= tiers[t] for t in phrases), len(phrases))))
    rng = random.Random(seed)
    typos = [(text, misspelt(text, rng)) for text in phrases for _ in range(3)]
    rows.append(("one typo", Share(sum(rank(tier_of(typo)) >= tiers[text] for text, typo in typos), len(typos))))
    return rows


def idle_rules() -> Iterator[str]:
    """Yield the ids of rules that could be removed without any of their own phrases being answered otherwise."""
    for _, rule in load_rules():
        for text in rule.positive:
            found = detect(text)
            rest = [f for f in found if f.rule != rule.id]
            before, after = assess(found), assess(rest)
            if (before.tier, before.categories) != (after.tier, after.categories):
                break
            if decision_flags(found) != decision_flags(rest):
                break
        else:
            yield rule.id


def own_phrases() -> Share:
    """Return how many of the phrases beside the rules do what they should."""
    good = total = 0
    for _, rule in load_rules():
        for texts, wanted in ((rule.positive, True), (rule.negative, False)):
            for text in texts:
                present = any(f.rule == rule.id and f.assertion == "present" for f in detect(text))
                good, total = good + (present is wanted), total + 1
    return Share(good, total)


def speed(texts: list[str]) -> float:
    """Return the median milliseconds of one detection (processor time, so that a busy machine does not count)."""
    taken = []
    for text in texts:
        start = time.process_time()
        assess(detect(text), None, detector().states(text))
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


def page(sets: list[Measured], facts: list[tuple[str, str]], changes: list[tuple[str, Share]]) -> str:
    """Return the page. Everything quoted is escaped."""

    def table(title: str, rows: Iterable[Iterable[object]]) -> str:
        body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<h2>{html.escape(title)}</h2><table>{body}</table>"

    parts = [table("Facts", facts), table("Changed as people change them: tier kept", changes)]
    parts.append(table("Held-out sets the first time they were measured", first_measured()))
    for measured in sets:
        parts.append(table(measured.name, measured.rows))
        if measured.missed:
            parts.append(table(f"{measured.name}: too low", measured.missed))
        if measured.alarms:
            parts.append(table(f"{measured.name}: said for nothing", measured.alarms))
    style = "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}td{padding:.2rem 1rem .2rem 0;vertical-align:top}"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Red flags: what was measured</title>"
        f"<style>{style}</style><h1>Red flags: what was measured</h1>{''.join(parts)}</html>\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.evaluate_safety", description="Measure the red-flag detector."
    )
    parser.add_argument("--file", type=Path, action="append", default=[], help="an outside set, JSON lines")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "safety.html")
    options = parser.parse_args()
    sets = []
    if held_out := from_yaml(HELD_OUT.glob("*.yml")):
        sets.append(measure("Held-out phrases", held_out))
    development = from_yaml([KNOWLEDGE / "en" / "red_flag_phrases.yml"])
    sets.append(measure("Phrases written while the rules were made", development))
    sets += [measure(path.name, from_jsonl(path)) for path in options.file]
    idle = sorted(idle_rules())
    facts = [
        ("rules version", RULES_VERSION),
        ("rules", str(len(load_rules()))),
        ("the rules' own phrases that do what they should", str(own_phrases())),
        ("rules whose removal nothing notices", ", ".join(idle) or "none"),
        ("median detection, ms", f"{speed([case.text for case in development]):.2f}"),
    ]
    changes = robustness()
    for title, value in [*facts, *((name, str(share)) for name, share in changes)]:
        print(f"{title}: {value}")
    for measured in sets:
        print(f"\n{measured.name}")
        for name, share in measured.rows:
            print(f"  {name}: {share}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(sets, facts, changes), encoding="utf-8")
    print(f"\n{options.out}")
    return 1 if idle else 0


if __name__ == "__main__":
    sys.exit(main())
