"""My plan: one page a patient can keep. Pure: from what was said to a page, and from the page to text or PDF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fpdf import FPDF

from actions.compare.compare import compare, label
from actions.questions import Item
from actions.workspace import LetterNote, Workspace
from knowledge.content import Content
from knowledge.explain import explain_words, plan_words


@dataclass(frozen=True)
class Section:
    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The page: a title, a line with the date, sections, and a line at the foot."""

    title: str
    made: str
    sections: tuple[Section, ...]
    footer: str


def make_plan(
    space: Workspace,
    letters: Sequence[LetterNote],
    questions: Sequence[Item],
    *,
    content: Content,
    today: date,
    emergency_number: str,
) -> Plan:
    """Put together the plan. What was never said is left out; nothing is added to it."""
    words = plan_words()
    answers = {key: value for key, value in (space.compare.get("answers") or {}).items() if value != "unknown"}
    compared = compare(answers)
    agree = [point.text for point in compared.points if point.verdict == "agree"]
    differ = [point.text for point in compared.points if point.verdict != "agree"]
    evidence = [name for remark in compared.evidence for name in remark.evidence]
    cited = dict.fromkeys(content.evidence[name].source for name in evidence)
    sources = [content.sources[name] for name in cited]
    parts: list[tuple[str, Iterable[str]]] = [
        ("situation", [_situation(answers, letters)]),
        ("letter", [line for letter in letters for line in _letter(letter)]),
        ("agree", agree),
        ("differ", differ),
        ("questions", [f"{number}. {item.ask}" for number, item in enumerate(questions, 1)]),
        ("matters", [answers["matters"]] if answers.get("matters") else []),
        ("help", [line.format(emergency_number=emergency_number) for line in words.help]),
        ("sources", [words.sources.format(title=s.title, publisher=s.publisher, year=s.year) for s in sources]),
    ]
    sections = tuple(Section(words.headings[name], tuple(lines)) for name, lines in parts if lines)
    made = words.date.format(date=f"{today:%-d %B %Y}", clinic=content.clinic.name)
    return Plan(words.title, made, sections, words.footer)


def _situation(answers: dict[str, str], letters: Sequence[LetterNote]) -> str:
    words = plan_words().situation
    said = [_advice(answers, which) for which in ("first", "second")]
    if all(said):
        return words["two"].format(first=said[0], second=said[1])
    if any(said):
        return words["one"].format(first=said[0] or said[1])
    return words["letter"] if letters else words["none"]


def _advice(answers: dict[str, str], which: str) -> str:
    need, operation = answers.get(f"{which}_need"), answers.get(f"{which}_operation")
    if not need:
        return ""
    return f"{label('need', need)}, {operation}" if operation else label("need", need)


def _letter(letter: LetterNote) -> Iterable[str]:
    words = explain_words()
    if letter.advice:
        yield f'"{letter.advice}"'
    missing = ", ".join(words.elements[name].label.lower() for name in letter.missing)
    yield plan_words().letter.format(found=len(letter.found), missing=missing or "none")


def render_plan_text(plan: Plan) -> str:
    """The plan as plain text; a heading is a line that ends in a colon."""
    blocks = ["\n".join([f"{section.heading}:", *section.lines]) for section in plan.sections]
    return "\n\n".join([plan.title, plan.made, *blocks, plan.footer])


_LATIN = str.maketrans("’‘“”–—•", "''\"\"---", "\u200b\u200e\u200f")


def render_plan_pdf(plan: Plan) -> bytes:
    """The plan as an A4 PDF with title, language and an outline of its headings, for screen readers."""
    page = FPDF(format="A4")
    page.set_title(plan.title)
    page.set_lang("en")
    page.set_margins(20, 18)
    page.add_page()
    _write(page, plan.title, 18, bold=True)
    _write(page, plan.made, 10)
    for section in plan.sections:
        page.ln(3)
        page.start_section(section.heading)
        _write(page, section.heading, 12, bold=True)
        for line in section.lines:
            _write(page, line, 11)
    page.ln(4)
    _write(page, plan.footer, 9)
    return bytes(page.output())


def _write(page: FPDF, text: str, size: int, *, bold: bool = False) -> None:
    """One paragraph in a built-in font, which has the Latin letters only."""
    page.set_font("Helvetica", "B" if bold else "", size)
    plain = text.translate(_LATIN).encode("latin-1", errors="replace").decode("latin-1")
    page.multi_cell(0, size * 0.55, plain, new_x="LMARGIN", new_y="NEXT")
