"""My plan: one page a patient can keep. Pure: from what was said to a page, and from the page to text or PDF."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fpdf import FPDF, ViewerPreferences
from fpdf.enums import MethodReturnValue

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
    if letter.missing:
        missing = ", ".join(words.elements[name].label.lower() for name in letter.missing)
        yield plan_words().letter.format(found=len(letter.found), missing=missing)
    elif len(letter.found) == len(words.elements):  # a scan report is not measured so: it has neither
        yield plan_words().letter_all


def render_plan_text(plan: Plan) -> str:
    """The plan as plain text; a heading is a line that ends in a colon."""
    blocks = ["\n".join([f"{section.heading}:", *section.lines]) for section in plan.sections]
    return "\n\n".join([plan.title, plan.made, *blocks, plan.footer])


_LATIN = str.maketrans("’‘“”–—•", "''\"\"---", "\u200b\u200e\u200f")


def render_plan_pdf(plan: Plan) -> bytes:
    """The plan as an A4 PDF for print and for screen readers: title, language, outline, and every paragraph tagged."""
    page = _TaggedPage(format="A4")
    page.set_title(plan.title)
    page.set_lang("en")
    page.viewer_preferences = ViewerPreferences(display_doc_title=True)
    page.set_margins(20, 18)
    page.add_page()
    page.write_as("H1", plan.title, 18)
    page.write_as("P", plan.made, 10)
    for section in plan.sections:
        page.ln(3)
        page.start_section(section.heading)
        page.write_as("H2", section.heading, 12)
        for line in section.lines:
            page.write_as("P", line, 11)
    page.ln(4)
    page.write_as("P", plan.footer, 9)
    if page.changed:
        page.write_as("P", plan_words().letters, 9)
    return bytes(page.output())


class _TaggedPage(FPDF):
    """A PDF whose text stands in a structure tree. fpdf2 tags figures only, with the same two calls as here.

    ``changed``: something was written in letters that the built-in fonts do not have.
    """

    changed = False

    def write_as(self, tag: str, text: str, size: int) -> None:
        """One paragraph or heading, in reading order, in a built-in font, which has the Latin letters only."""
        self.set_font("Helvetica", "B" if tag.startswith("H") else "", size)
        height = size * 0.55
        plain = _in_latin(text)
        self.changed = self.changed or plain != text.translate(_LATIN)
        needed = self.multi_cell(0, height, plain, dry_run=True, output=MethodReturnValue.HEIGHT)
        assert isinstance(needed, float)
        if self.will_page_break(needed):  # a tagged run of text may not go over the end of a page
            self.add_page()
        mcid = self.struct_builder.next_mcid_for_page(self.page)
        self._add_marked_content(struct_type=f"/{tag}", mcid=mcid)
        self._out(f"/{tag} <</MCID {mcid}>> BDC")
        self.multi_cell(0, height, plain, new_x="LMARGIN", new_y="NEXT")
        self._out("EMC")


def _in_latin(text: str) -> str:
    """``text`` in the letters of the built-in fonts: accents they lack are left out, a run of other letters is "[...]"."""
    plain = "".join(
        letter if letter.encode("latin-1", "ignore") else _without_accents(letter) for letter in text.translate(_LATIN)
    )
    return _UNPRINTED.sub("[...]", plain)


_BARRED = str.maketrans("łŁđĐıħĦœŒ", "lLdDihHoO")
_UNPRINTED = re.compile(r"[^\x00-\xff]+(?:\s+[^\x00-\xff]+)*")


def _without_accents(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter.translate(_BARRED))
    base = "".join(part for part in parts if not unicodedata.combining(part))
    return base if base.isascii() else letter
