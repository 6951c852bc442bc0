"""The questions to ask follow from what was said and can be edited in words; the plan has it all on one page."""

from __future__ import annotations

import io
from datetime import date

import pytest
from pypdf import PdfReader

from actions.plan import Plan, Section, make_plan, render_plan_pdf, render_plan_text
from actions.questions import Edit, build, change, edit_of, question_replies
from actions.report.reader import read
from actions.workspace import KEPT_WORDS, LetterNote, Workspace, note
from knowledge.content import load_content
from knowledge.explain import plan_words, question_words
from knowledge.lint import grade
from tests.explain.test_letters import LETTERS

ANSWERS = {
    "first_who": "neurosurgeon", "first_need": "yes", "first_operation": "fusion at L4/5", "second_need": "wait",
    "second_basis": "records", "first_timing": "now", "second_timing": "no_hurry", "matters": "walk the dog",
}  # fmt: skip


def letter(name: str) -> LetterNote:
    return note(read(LETTERS[name].letter))


def ids(space: Workspace, letters: list[LetterNote], flags: list[str]) -> list[str]:
    return [item.id for item in build(space, letters, flags)]


PICKED = [
    ("02_vague", [], ["source", "match", "nerves", "which", "tried", "gain", "risks"]),
    ("10_contradictory", [], ["clash_advice"]),
    ("20_wrong_level", [], ["clash_level", "clash_side"]),
    ("05_surgeon_fusion", [], ["match", "join_bones"]),
    ("17_redo_fusion", [], ["again"]),
    ("01_complete_second_opinion", ["pressure", "money_motive"], ["hurry", "money"]),
]


@pytest.mark.parametrize(("name", "flags", "expected"), PICKED)
def test_what_is_missing_or_flagged_becomes_a_question(name: str, flags: list[str], expected: list[str]) -> None:
    assert set(expected) <= set(ids(Workspace("x"), [letter(name)], flags))


def test_a_complete_letter_asks_nothing_it_answers() -> None:
    assert not {"source", "match", "nerves", "risks", "which"} & set(
        ids(Workspace("x"), [letter("01_complete_second_opinion")], [])
    )


def test_differences_and_goals_become_questions() -> None:
    assert {"why_differ", "hurry", "goal", "join_bones"} <= set(
        ids(Workspace("x", compare={"answers": ANSWERS}), [], [])
    )


def test_at_most_ten_in_the_order_of_weight() -> None:
    found = ids(Workspace("x", compare={"answers": ANSWERS}), [letter("02_vague")], ["pressure", "scan_only"])
    order = [question.id for question in question_words().questions]
    assert len(found) == 10
    assert found == sorted(found, key=order.index)


def test_every_question_says_why() -> None:
    for reply in question_replies(build(Workspace("x"), [letter("02_vague")], []))[:2]:
        lines = reply.text.splitlines()
        assert sum(line.strip().startswith("Why:") for line in lines) == sum(line[0].isdigit() for line in lines)
        assert len(reply.text.split()) <= 120


EDITS = [
    ("drop the third", Edit("drop", (3,))),
    ("remove 2 and 4", Edit("drop", (2, 4))),
    ("please take off the last one", Edit("drop", (10,))),
    ("drop the third one", Edit("drop", (3,))),
    ("get rid of number seven", Edit("drop", (7,))),
    ("add will I be able to swim?", Edit("add", text="will I be able to swim?")),
    ("please add: how long off work", Edit("add", text="how long off work")),
    ("add to my list: can I drive", Edit("add", text="can I drive")),
    ("put them all back", Edit("restore")),
    ("show my questions", None),
    ("what should I ask", None),
]


@pytest.mark.parametrize(("text", "edit"), EDITS)
def test_edits_in_words(text: str, edit: Edit | None) -> None:
    assert edit_of(text, 10) == edit


def test_dropping_adding_and_restoring() -> None:
    space, letters = Workspace("x"), [letter("02_vague")]
    before = build(space, letters, [])
    assert before[0].ask in change(space, before, Edit("drop", (1,)))
    assert before[0] not in build(space, letters, [])
    change(space, before, Edit("add", text="will I swim?"))
    assert build(space, letters, [])[-1].ask == "Will I swim?"
    assert len(build(space, letters, [])) == 10
    change(space, build(space, letters, []), Edit("drop", (10,)))
    assert space.added == []
    assert "99" not in change(space, before, Edit("drop", (99,)))
    assert change(space, before, Edit("restore")) == question_words().restored
    assert build(space, letters, []) == before


ORDERED = [
    ("move the last one to the top", "move"), ("make the fourth one the first", "move"), ("swap 2 and 3", "swap"),
    ("put 5 at the end", "move"), ("undo", "undo"), ("undo that please", "undo"), ("put it back", "undo"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "kind"), ORDERED)
def test_the_order_can_be_changed_and_a_change_taken_back(said: str, kind: str) -> None:
    edit = edit_of(said, 10)
    assert edit is not None and edit.kind == kind


def test_moving_swapping_and_undoing() -> None:
    space = Workspace("x")

    def asked() -> list[str]:
        return [item.ask for item in build(space, [letter("05_surgeon_fusion")], [])]

    def edit(text: str) -> None:
        items = build(space, [letter("05_surgeon_fusion")], [])
        wanted = edit_of(text, len(items))
        assert wanted
        change(space, items, wanted)

    first = asked()
    edit("move the last one to the top")
    assert asked() == [first[-1], *first[:-1]]
    edit("swap 1 and 2")
    assert asked() == [first[0], first[-1], *first[1:-1]]
    edit("drop the first")
    assert first[0] not in asked()
    for _ in range(3):
        edit("undo")
    assert asked() == first
    edit("undo")
    assert asked() == first


def plan():  # type: ignore[no-untyped-def]
    space = Workspace("x", compare={"answers": ANSWERS})
    letters = [letter("05_surgeon_fusion")]
    questions = build(space, letters, [])
    return make_plan(
        space, letters, questions, content=load_content(), today=date(2026, 11, 21), emergency_number="911"
    )


def test_the_plan_has_everything_on_one_page() -> None:
    text = render_plan_text(plan())
    for part in (
        "two opinions", "From my letter:", "Where they differ:", "My questions:", "walk the dog",
        "Call 911", "21 November 2026", "scoping review", "not a doctor",
    ):  # fmt: skip
        assert part in text
    assert "Dunmore" not in text
    assert grade(text.replace("\n", ". ")) <= 6


def test_the_plan_as_pdf_has_title_language_outline_and_the_same_words() -> None:
    made = plan()
    document = PdfReader(io.BytesIO(render_plan_pdf(made)))
    read_back = " ".join(" ".join(page.extract_text() for page in document.pages).split())
    assert document.metadata is not None and document.metadata.title == "My plan"
    assert document.trailer["/Root"]["/Lang"] == "en"
    assert [item.title for item in document.outline] == [section.heading for section in made.sections]
    for section in made.sections:
        for line in section.lines:
            assert " ".join(line.split()) in read_back
    assert len(document.pages) <= 2


def test_a_screen_reader_finds_headings_and_paragraphs_in_reading_order() -> None:
    made = plan()
    root = PdfReader(io.BytesIO(render_plan_pdf(made))).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    tags = [item.get_object()["/S"] for item in root["/StructTreeRoot"]["/K"][0].get_object()["/K"]]
    expected = ["/H1", "/P"]
    for section in made.sections:
        expected += ["/H2", *["/P"] * len(section.lines)]
    assert tags == [*expected, "/P"]


def test_a_long_plan_goes_over_the_page_between_paragraphs_and_odd_letters_do_not_break_it() -> None:
    lines = tuple(f"{number}. Łukasz’s question about Zoë \u2014 日本? " + "words " * 40 for number in range(30))
    document = PdfReader(io.BytesIO(render_plan_pdf(Plan("My plan", "today", (Section("Questions", lines),), "end"))))
    assert len(document.pages) > 1
    assert "question about Zoë" in document.pages[0].extract_text()


def test_what_the_pdf_cannot_print_is_told_and_stays_in_the_text() -> None:
    goal = "Grać w piłkę z Łukaszem, 日本 で 歩く, спать, μετά, नमस्ते, مرحبا"
    made = Plan("My plan", "today", (Section("What matters to me", (goal,)),), "end")
    pages = PdfReader(io.BytesIO(render_plan_pdf(made))).pages
    printed = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "Grac w pilke z Lukaszem, [...]" in printed and "?" not in printed
    assert plan_words().letters in printed
    assert goal in render_plan_text(made)
    plain = Plan("My plan", "today", (Section("What matters to me", ("Walk with Zoë – “far”",)),), "end")
    assert plan_words().letters not in PdfReader(io.BytesIO(render_plan_pdf(plain))).pages[0].extract_text()


@pytest.mark.parametrize("name", LETTERS)
def test_the_plan_quotes_a_clause_and_not_a_whole_letter(name: str) -> None:
    kept = letter(name)
    for quoted in (kept.advice, kept.diagnosis):
        assert len(quoted.replace("...", "").split()) <= KEPT_WORDS
        assert not quoted.endswith((",", ";"))


def test_a_plan_without_anything_said_is_honest() -> None:
    made = make_plan(Workspace("x"), [], [], content=load_content(), today=date(2026, 1, 1), emergency_number="112")
    assert [section.heading for section in made.sections] == ["Where I am", "When to get help at once"]


@pytest.mark.parametrize(
    ("typed", "listed"),
    [
        ("will i be able to swim", "Will I be able to swim?"),
        ("can I drive?", "Can I drive?"),
        ("i'd rather have no screws", "I'd rather have no screws"),
        ("my fear of needles", "My fear of needles"),
    ],
)
def test_a_question_the_patient_adds_stands_in_the_list_as_one(typed: str, listed: str) -> None:
    space = Workspace("x")
    change(space, (), Edit("add", text=typed))
    assert space.added == [listed]
