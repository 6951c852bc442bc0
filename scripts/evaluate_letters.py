"""Reads sample letters and prints how much was found: ``python scripts/evaluate_letters.py [folder ...]``.

Terms: share of the expected terms that are explained: ``terms`` by their ids, ``words`` by the letter's own wording (to
see as which term each was read, give ``--words``). Elements: share of the six told rightly, present or missing.
Operation and level: share of letters where both the set of operations and the set of levels are right, and the stance.
Invented: quotes that do not stand in the letter, levels it does not name, private words repeated.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from actions.glossary import find_terms  # noqa: E402
from actions.report.reader import Reading, prepare, quote, read  # noqa: E402
from actions.report.rules import report_rules  # noqa: E402
from knowledge.loader import load  # noqa: E402


@dataclass(frozen=True)
class Sample:
    """A letter and what a careful person finds in it."""

    what: str
    letter: str
    kind: str
    terms: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    stance: str = "none"
    operations: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()
    private: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    name: str
    terms: tuple[int, int]
    elements: tuple[int, int]
    operation: bool
    level: bool
    stance: bool
    kind: bool
    sure: bool
    seconds: float
    faults: tuple[str, ...]
    read_as: tuple[str, ...] = ()


INVENTED = ("invented:", "repeats ", "level ")


def samples(folder: Path) -> dict[str, Sample]:
    """The letters of ``folder`` by file name. Raises KnowledgeError for a malformed one."""
    return {path.stem: load(path, Sample) for path in sorted(folder.glob("*.yml"))}


def invented(reading: Reading, sample: Sample) -> list[str]:
    """What the reading says that the letter does not."""
    faults = []
    text = " ".join(reading.letter.text.replace('"', "'").split())
    sentences = [(element.sentence, element.at) for element in reading.elements if element.sentence]
    sentences += [(sentence, (0, 0)) for sentence in reading.recommendation.sentences]
    for sentence, at in sentences:
        said = quote(reading.letter, sentence, at)
        faults += [f"invented: {part!r}" for part in said.split("...") if part.strip() and part.strip() not in text]
        faults += [f"repeats {name!r}" for name in sample.private if name.lower() in said.lower()]
    faults += [
        f"level {level.said} is not in the letter"
        for level in reading.recommendation.levels
        if level.said not in reading.letter.text
    ]
    return faults


def explained_as(reading: Reading, words: str) -> list[str]:
    """The terms explained for ``words`` where the letter first has them; empty when none touches them."""
    explained = {seen.term.id for seen in reading.terms}
    place = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", reading.letter.text)
    assert place, f"{words!r} is not in the letter"
    start, end = place.span()
    spans = find_terms(reading.letter.text)
    return [span.term.id for span in spans if span.start < end and start < span.end and span.term.id in explained]


def score(name: str, sample: Sample) -> Score:
    started = time.perf_counter()
    reading = read(sample.letter)
    seconds = time.perf_counter() - started
    explained = {seen.term.id for seen in reading.terms}
    present = {element.id for element in reading.found}
    faults = invented(reading, sample)
    read_as = {words: explained_as(reading, words) for words in sample.words} if sample.words else {}
    missed = [term for term in sample.terms if term not in explained]
    missed += [repr(words) for words, terms in read_as.items() if not terms]
    expected = len(sample.terms) + len(sample.words)
    if missed:
        faults.append(f"terms missed: {' '.join(missed)}")
    right = 0
    if sample.kind == "letter":
        for rules in report_rules().elements:
            if (rules.id in present) == (rules.id in sample.present):
                right += 1
            else:
                faults.append(f"{rules.id} {'not found' if rules.id in sample.present else 'wrongly found'}")
    operations = {operation.id for operation in reading.recommendation.operations}
    levels = {level.name for level in reading.recommendation.levels}
    stance = reading.recommendation.stance
    if operations != set(sample.operations):
        faults.append(f"operations {sorted(operations)}, not {sorted(sample.operations)}")
    if levels != set(sample.levels):
        faults.append(f"levels {sorted(levels)}, not {sorted(sample.levels)}")
    if stance != sample.stance:
        faults.append(f"stance {stance}, not {sample.stance}")
    if reading.kind != sample.kind:
        faults.append(f"kind {reading.kind}, not {sample.kind}")
    if {mismatch.kind for mismatch in reading.mismatches} != set(sample.mismatches):
        faults.append(f"mismatches {[mismatch.kind for mismatch in reading.mismatches]}, not {list(sample.mismatches)}")
    return Score(
        name,
        (expected - len(missed), expected),
        (right, 6 if sample.kind == "letter" else 0),
        operations == set(sample.operations),
        levels == set(sample.levels),
        stance == sample.stance,
        reading.kind == sample.kind,
        reading.recommendation.sure,
        seconds,
        tuple(faults),
        tuple(f"{words}: {' '.join(terms)}" for words, terms in read_as.items()),
    )


def table(scores: list[Score]) -> str:
    """The scores as text, one letter a line, totals last."""
    lines = [f"{'letter':40} {'terms':>7} {'six':>4} op lvl adv kind"]
    for item in scores:
        doubt = "" if item.sure else "  unsure"
        marks = " ".join("ok " if right else "NO " for right in (item.operation, item.level, item.stance, item.kind))
        lines.append(
            f"{item.name[:38]:38} {item.terms[0]:>3}/{item.terms[1]:<3} {item.elements[0]}/{item.elements[1]} {marks}{doubt}"
        )
        lines += [f"    {fault}" for fault in item.faults]
    times = [item.seconds for item in scores]
    read_ones = [item for item in scores if item.elements[1]]

    def share(part: int, whole: int) -> str:
        return f"{part}/{whole} = {part / whole:.1%}" if whole else "none"

    lines += [
        "",
        f"terms explained        {share(sum(s.terms[0] for s in scores), sum(s.terms[1] for s in scores))}",
        f"elements told rightly  {share(sum(s.elements[0] for s in scores), sum(s.elements[1] for s in scores))}",
        f"operation right        {share(sum(s.operation for s in read_ones), len(read_ones))}",
        f"level right            {share(sum(s.level for s in read_ones), len(read_ones))}",
        f"advice right           {share(sum(s.stance for s in read_ones), len(read_ones))}",
        f"told as unsure         {sum(not s.sure for s in read_ones)}, of them with wrong advice "
        f"{sum(not s.sure and not (s.operation and s.stance) for s in read_ones)}",
        f"kind of text right     {share(sum(s.kind for s in scores), len(scores))}",
        f"invented or repeated   {sum(fault.startswith(INVENTED) for item in scores for fault in item.faults)}",
        f"seconds a letter       median {statistics.median(times):.3f}, longest {max(times):.3f}",
    ]
    return "\n".join(lines)


def main() -> None:
    folders = [Path(argument) for argument in sys.argv[1:] if argument != "--words"] or sorted(
        (ROOT / "tests/explain").glob("letters*")
    )
    prepare()
    for folder in folders:
        print(f"== {folder.name}")
        scores = [score(name, sample) for name, sample in samples(folder).items()]
        print(table(scores))
        if "--words" in sys.argv:
            print("\n".join(f"{item.name}  {line}" for item in scores for line in item.read_as))


if __name__ == "__main__":
    main()
