"""A nurse's day at the desk, page by page."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from casedesk import casework
from knowledge.chat import chat_words
from knowledge.intake import words as intake_words
from tests.casedesk.conftest import Clinic
from tests.casedesk.samples import answered, escalation, intake, listed, red_flag, reference

CASE, WARNING = reference(1), reference(1, "ESC")


def order(page: str) -> list[str]:
    """The references in the worklist, top to bottom."""
    return re.findall(r'<th scope="row"><a href="/cases/(PS-[^"]+)"', page)


async def test_the_worklist_goes_by_red_flag_then_deadline_then_age(clinic: Clinic) -> None:
    now = datetime.now(UTC)
    plan = [  # number, priority, red flag, sent days ago
        (1, "routine", None, 0),
        (2, "stat", None, 0),
        (3, "routine", red_flag("urgent", "limb_weakness"), 0),
        (4, "routine", red_flag("emergency"), 0),
        (5, "routine", red_flag("crisis", "suicidal_thoughts"), 0),
        (6, "routine", None, 9),
        (7, "urgent", None, 0),
    ]
    for number, priority, flag, days in plan:
        data = intake(number, priority=priority, red_flags=[flag] if flag else [])
        await clinic.delivers("intake.submitted", data, occurred_at=(now - timedelta(days=days)).isoformat())
    nurse = await clinic.person("Nurse Example")
    assert order(await nurse.opens("/")) == [reference(number) for number in (4, 5, 3, 6, 2, 7, 1)]


async def test_of_equal_cases_the_older_one_comes_first(clinic: Clinic) -> None:
    for number in (3, 1, 2):
        await clinic.delivers("intake.submitted", intake(number))
    due = datetime.now(UTC) + timedelta(hours=3)
    clinic.changes("UPDATE cases SET deadline = :due", due=due)
    nurse = await clinic.person("Nurse Example")
    assert order(await nurse.opens("/")) == [reference(number) for number in (3, 1, 2)]


async def test_an_overdue_case_says_so_in_words(local: Clinic) -> None:
    late = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    await local.delivers("intake.submitted", intake(), occurred_at=late)
    nurse = await local.person("Nurse Example")
    assert "Overdue by" in await nurse.opens("/?only=overdue")
    assert "Overdue by" in await nurse.opens(f"/cases/{CASE}")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (CASE, True),
        (CASE.lower(), True),
        (CASE.removeprefix("PS-"), True),
        ("Example", True),
        ("pat example", True),
        ("Example, Pat", True),
        ("555-555-0100", True),
        ("+1 555 555 0100", True),
        ("1968-04-02", True),
        ("Exam", False),
        ("Pat Sample", False),
        ("555-555-0101", False),
        ("%", False),
        ("' OR 1=1 --", False),
        ("   ", True),
    ],
)
async def test_the_search_finds_by_reference_name_phone_and_birth_date(local: Clinic, typed: str, found: bool) -> None:
    await local.delivers("intake.submitted", intake())
    nurse = await local.person("Nurse Example")
    page = await nurse.sends("/search", q=typed)
    assert (order(page) == [CASE]) is found


async def test_a_search_finds_closed_cases_too_and_stands_in_no_address(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    await local.delivers("intake.withdrawn", {"intake_id": "intake-1", "version": 2, "reference": CASE})
    nurse = await local.person("Nurse Example")
    assert order(await nurse.opens("/")) == []
    page = await nurse.sends("/search", q="Example")
    assert order(page) == [CASE]
    assert 'action="/search"' in page
    assert 'method="post"' in page


async def test_one_page_says_all_of_a_case(clinic: Clinic) -> None:
    await clinic.delivers(
        "intake.submitted",
        intake(
            informant="carer",
            priority="stat",
            red_flags=[red_flag()],
            answers={"tried": answered(["tablets"], "pills from the chemist", "carer"), "language": answered("French")},
            files=[listed()],
        ),
    )
    await clinic.delivers("escalation.raised", escalation(confirmed="not_going"))
    nurse = await clinic.person("Nurse Example")
    page = await nurse.opens(f"/cases/{CASE}")
    for words in (
        "Pat Example", "+15555550100", "French", "Emergency", "Cauda equina", "I cannot feel when I pee",
        "Rule ce-3, rules version r1", "L4-L5 fusion", "they want to fuse L4 L5", "said by carer", "said by patient",
        "Does not know", "no idea what they are called", "Does not want to say", "Not asked:", "Height",
        "Missing: Scans (not asked)", "Pressure", "Policy version 2026-11", "Letter 1 (PDF)", "still on its way", "Version 1",
        "What is the main problem?", "is NOT going for help", WARNING,
    ):  # fmt: skip
        assert words in page, words


async def test_what_a_patient_types_is_never_markup(local: Clinic) -> None:
    nasty = '<script>alert(1)</script>"><img src=x>'
    data = intake(
        subject={"name": nasty, "phone": nasty},
        answers={"main_problem": answered(nasty, nasty), nasty: answered(nasty)},
        red_flags=[red_flag(evidence=nasty)],
        transcript=[{"at": "2026-11-20T15:04:00+00:00", "who": "patient", "text": nasty}],
    )
    await local.delivers("intake.submitted", data)
    await local.delivers("escalation.raised", escalation(evidence=nasty, contact=nasty, confirmed=nasty))
    nurse = await local.person("Nurse Example")
    for path in ("/", f"/cases/{CASE}", f"/cases/{CASE}/print"):
        page = await nurse.opens(path)
        assert "<script>alert" not in page
        assert "<img src=x" not in page


async def test_a_case_from_taking_it_to_closing_it(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake())
    nurse = await clinic.person("Nurse Example")

    async def status() -> str:
        return (await clinic.asks(f"/api/status/{CASE}"))[1]["status"]

    page = await nurse.sends(f"/cases/{CASE}/claim")
    assert "<strong>You</strong> have this case" in page
    assert await status() == "accepted", "somebody has opened it: to say nobody has would not be true"
    await nurse.sends(f"/cases/{CASE}/status", to="in_review", was="accepted")
    assert await status() == "in_review"
    page = await nurse.sends(f"/cases/{CASE}/status", to="waiting", was="in_review", reason_waiting="images")
    assert "Images are missing" in page
    assert "Clock stopped" in page
    page = await nurse.sends(f"/cases/{CASE}/status", to="in_review", was="waiting")
    assert "Due in" in page
    await nurse.sends(f"/cases/{CASE}/status", to="report_ready", was="in_review")
    assert await status() == "report_ready"
    page = await nurse.sends(f"/cases/{CASE}/status", to="closed", was="report_ready", reason_closed="report_delivered")
    assert "The report was delivered" in page
    assert order(await nurse.opens("/")) == []
    assert order(await nurse.opens("/?status=closed")) == [CASE]
    assert clinic.counts("notices") == 6, "one for every change the patient can see"


def test_every_status_a_patient_may_be_told_has_words_in_the_chat() -> None:
    told = {*casework.PATIENT_STATUS.values(), "withdrawn"}
    keys = intake_words().statuses
    assert told <= set(keys) and told <= set(chat_words().statuses)
    assert len({intake_words().say[keys[status]] for status in told}) == len(told), "two mean the same"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"to": "report_ready", "was": "new"}, "cannot go"),
        ({"to": "closed", "was": "new"}, "Choose a reason"),
        ({"to": "closed", "was": "new", "reason_closed": "because"}, "Choose a reason"),
        ({"to": "closed", "was": "new", "reason_closed": "other"}, "Write a note"),
        ({"to": "accepted", "was": "in_review"}, "by now"),
        ({"to": "gone", "was": "new"}, "cannot go"),
        ({}, "by now"),
    ],
)
async def test_a_step_that_does_not_fit_changes_nothing(local: Clinic, form: dict[str, str], says: str) -> None:
    await local.delivers("intake.submitted", intake())
    nurse = await local.person("Nurse Example")
    assert says in await nurse.sends(f"/cases/{CASE}/status", 409, **form)
    assert (await local.asks(f"/api/cases/{CASE}"))[1]["status"] == "new"
    assert local.counts("entries") == 0


async def test_two_nurses_do_not_take_the_same_case(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake())
    first, second = await clinic.person("Nurse Example"), await clinic.person("Sam Sample")
    await first.sends(f"/cases/{CASE}/claim")
    assert "Nurse Example has this case" in await second.sends(f"/cases/{CASE}/claim", 409)
    await second.sends(f"/cases/{CASE}/release", 409)
    await first.sends(f"/cases/{CASE}/assign", account="2")
    assert order(await second.opens("/?whose=mine")) == [CASE]
    await second.sends(f"/cases/{CASE}/release")
    assert order(await second.opens("/?whose=nobody")) == [CASE]


async def test_unanswered_calls_are_counted_until_somebody_is_reached(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake())
    nurse = await clinic.person("Nurse Example")
    for _ in range(2):
        page = await nurse.sends(f"/cases/{CASE}/calls", outcome="no_answer", text="rang for a minute")
    assert "2 calls unanswered" in page
    assert "rang for a minute" in page
    assert "2 calls unanswered" in await nurse.opens("/")
    assert "unanswered" not in await nurse.sends(f"/cases/{CASE}/calls", outcome="reached")


async def test_a_correction_is_shown_as_a_difference_until_looked_at(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake())
    nurse = await clinic.person("Nurse Example")
    await nurse.opens(f"/cases/{CASE}")
    changed = intake(
        version=2,
        priority="stat",
        red_flags=[red_flag()],
        subject={"phone": "+15555550199"},
        answers={"operation": answered("L5-S1 fusion", "it was L5 not L4"), "smoking": answered("never")},
    )
    await clinic.delivers("intake.corrected", changed)
    assert "Changed by patient" in await nurse.opens("/")
    page = await nurse.opens(f"/cases/{CASE}")
    for before, after in (
        ("+15555550100", "+15555550199"),
        ("L4-L5 fusion", "L5-S1 fusion"),
        ("does not want to say", "Never"),
        ("routine", "stat"),
        ("none", "cauda_equina"),
    ):
        assert re.search(rf"<del>{re.escape(before)}.*?<ins>{re.escape(after)}", page), before
    assert 'class="badge changed"' not in await nurse.opens("/")


async def test_a_correction_opens_a_closed_case_again(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    nurse = await local.person("Nurse Example")
    await nurse.sends(f"/cases/{CASE}/status", to="closed", was="new", reason_closed="unreachable")
    await local.delivers("intake.corrected", intake(version=2, subject={"phone": "+15555550123"}))
    assert order(await nurse.opens("/?status=new")) == [CASE]
    assert "Opened again: the patient corrected the intake" in await nurse.opens(f"/cases/{CASE}")


async def test_the_same_person_twice_is_pointed_out_never_merged(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake(1))
    await clinic.delivers("intake.submitted", intake(2, subject={"name": "EXAMPLE Pat"}))
    await clinic.delivers("intake.submitted", intake(3, subject={"birth_date": "1970-01-01"}))
    await clinic.delivers("intake.submitted", intake(4, subject={"name": "Sam Sample"}))
    nurse = await clinic.person("Nurse Example")
    page = await nurse.opens(f"/cases/{CASE}")
    assert "Possibly the same person" in page
    assert set(re.findall(r"PS-0000-000\d", page)) == {CASE, reference(2)}
    assert clinic.counts("cases") == 4


async def test_dealing_with_red_flags_takes_a_case_off_the_top_until_a_worse_one_comes(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake(1, red_flags=[red_flag("urgent", "limb_weakness")]))
    await clinic.delivers("intake.submitted", intake(2, priority="stat"))
    nurse = await clinic.person("Nurse Example")
    assert order(await nurse.opens("/")) == [reference(1), reference(2)]
    await nurse.sends(f"/cases/{CASE}/flags", 409, text="  ")
    await nurse.sends(f"/cases/{CASE}/flags", text="Seen by her doctor today")
    assert order(await nurse.opens("/")) == [reference(2), reference(1)]
    await clinic.delivers("intake.corrected", intake(1, version=2, red_flags=[red_flag("emergency")]))
    assert order(await nurse.opens("/")) == [reference(1), reference(2)]


async def test_warnings_stay_on_top_until_acknowledged_and_the_patient_is_told_once(clinic: Clinic) -> None:
    await clinic.delivers("escalation.raised", escalation(1, tier="soon", category="weight_loss"))
    await clinic.delivers("escalation.raised", escalation(2))
    nurse = await clinic.person("Nurse Example")
    page = await nurse.opens("/")
    assert "2 warnings to acknowledge" in page
    assert page.index("Cauda equina") < page.index("Weight loss") < page.index('id="list-title"')
    await nurse.sends(f"/escalations/{reference(2, 'ESC')}/acknowledge", 409, outcome="")
    page = await nurse.sends(f"/escalations/{reference(2, 'ESC')}/acknowledge", outcome="spoke_going", back="/")
    assert "1 warning to acknowledge" in page
    await nurse.sends(f"/escalations/{reference(2, 'ESC')}/acknowledge", outcome="ambulance_sent")
    assert clinic.counts("notices") == 1
    assert (await clinic.asks(f"/api/status/{reference(2, 'ESC')}"))[1]["status"] == "acknowledged"


async def test_a_warning_nobody_could_be_reached_about_stays_on_top(clinic: Clinic) -> None:
    await clinic.delivers("escalation.raised", escalation())
    nurse = await clinic.person("Nurse Example")
    page = await nurse.sends(f"/escalations/{WARNING}/acknowledge", outcome="no_answer", back="/")
    assert "1 warning to acknowledge" in page
    assert "Nurse Example" in page and "Called, no answer: will call again" in page
    async with nurse.client.get("/pulse") as reply:
        assert (await reply.json())["warnings"] == 1
    page = await nurse.sends(f"/escalations/{WARNING}/acknowledge", outcome="spoke_going", back="/")
    assert "to acknowledge" not in page
    assert clinic.counts("notices") == 1


async def test_a_step_that_is_not_done_leads_back_to_the_case_with_what_was_written(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    nurse = await local.person("Nurse Example")
    form = {"to": "closed", "was": "new", "note": "<b>Rang twice & wrote"}
    page = await nurse.sends(f"/cases/{CASE}/status", 409, **form)
    assert f'<a href="/cases/{CASE}">Back to the case</a>' in page
    assert "&lt;b&gt;Rang twice &amp; wrote" in page
    page = await nurse.opens(f"/cases/{reference(9)}", 404)
    assert '<a href="/">Back to the worklist</a>' in page


async def test_what_was_written_when_the_log_in_had_ended_is_shown_to_be_copied(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    nurse = await local.person("Nurse Example")
    local.changes("DELETE FROM log_ins")
    assert "He takes pills &amp; rests" in await nurse.sends(f"/cases/{CASE}/notes", 403, text="He takes pills & rests")
    elsewhere = {"Origin": "https://elsewhere.example"}
    async with nurse.client.post(f"/cases/{CASE}/notes", data={"text": "Call us at once"}, headers=elsewhere) as reply:
        assert reply.status == 403 and "Call us at once" not in await reply.text()


async def test_a_sign_seen_after_the_intake_puts_the_case_on_top_with_its_number_to_call(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake(2))
    await local.delivers("intake.submitted", intake(1))
    nurse = await local.person("Nurse Example")
    assert 'class="flagged' not in await nurse.opens("/")
    late = escalation(1, contact=None, evidence="I went numb between my legs")
    await local.delivers("escalation.raised", late)
    page = await nurse.opens("/")
    warning, table = page.split("<table", 1)
    assert "no contact given" not in warning and "+1" in warning
    assert "numb between my legs" in table.split("</tr>")[1] and reference(1) in table.split("</tr>")[1]
    assert reference(2) in table.split("</tr>")[2]


async def test_a_sign_of_the_chat_alone_can_be_marked_as_dealt_with(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake(1))
    await local.delivers("escalation.raised", escalation(1))
    nurse = await local.person("Nurse Example")
    assert (await nurse.opens(f"/cases/{CASE}")).count(f'action="/cases/{CASE}/flags"') == 1
    page = await nurse.sends(f"/cases/{CASE}/flags", text="Seen in the emergency room")
    assert f'action="/cases/{CASE}/flags"' not in page
    assert 'class="flagged' not in await nurse.opens("/")


async def test_a_sign_that_arrives_before_the_intake_puts_it_on_top_unless_it_was_seen_to(local: Clinic) -> None:
    """Escalations overtake intakes on the road: after a fault of an hour they all come first."""
    nurse = await local.person("Nurse Example")
    await local.delivers("escalation.raised", escalation(1, evidence="I went numb between my legs"))
    await local.delivers("escalation.raised", escalation(2))
    await nurse.sends(f"/escalations/{reference(2, 'ESC')}/acknowledge", outcome="spoke_safe")
    for number in (3, 2, 1):
        await local.delivers("intake.submitted", intake(number))
    page = await nurse.opens("/")
    assert order(page)[0] == reference(1)
    assert page.count('<tr class="flagged tier-emergency') == 1
    assert "numb between my legs" in page.split("<table", 1)[1]


async def test_a_worse_sign_needs_acknowledging_again(local: Clinic) -> None:
    await local.delivers("escalation.raised", escalation(tier="soon"))
    nurse = await local.person("Nurse Example")
    await nurse.sends(f"/escalations/{WARNING}/acknowledge", outcome="spoke_safe")
    await local.delivers("escalation.updated", escalation(tier="soon", confirmed="seen"))
    assert "to acknowledge" not in await nurse.opens("/")
    await local.delivers("escalation.updated", escalation(tier="emergency"))
    assert "1 warning to acknowledge" in await nurse.opens("/")


async def test_a_case_is_taken_along_as_json_and_csv(local: Clinic) -> None:
    data = intake(answers={"main_problem": answered('=HYPERLINK("http://evil.example")', "=1+1")})
    await local.delivers("intake.submitted", data)
    nurse = await local.person("Nurse Example")
    exported = json.loads(await nurse.opens(f"/cases/{CASE}/export.json"))
    assert exported["intake"]["answers"]["operation"]["value"] == "L4-L5 fusion"
    bundle = json.loads(await nurse.opens(f"/cases/{CASE}/export.fhir.json"))
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert {"Patient", "QuestionnaireResponse", "ServiceRequest", "Task", "Consent"} <= kinds
    rows = list(csv.DictReader(io.StringIO((await nurse.opens(f"/cases/{CASE}/export.csv")).lstrip("\ufeff"))))
    by_field = {row["field"]: row for row in rows}
    assert by_field["smoking"]["status"] == "declined"
    assert by_field["main_problem"]["answer"].startswith("'="), "a spreadsheet must not run what a patient typed"


@pytest.mark.parametrize("number", ["²", "9" * 30, "-1", "1.5", "\x00"])
async def test_what_is_no_number_is_no_fault(local: Clinic, number: str) -> None:
    await local.delivers("intake.submitted", intake())
    admin = await local.person("Admin Example", "admin")
    for path in ("/", "/audit", "/insight"):
        await admin.opens(f"{path}?page={quote(number)}&days={quote(number)}")
    await admin.sends(f"/cases/{CASE}/assign", 409, account=number)
    await admin.sends(f"/accounts/{quote(number)}", 404, act="close")
    assert (await local.asks(f"/api/cases?limit={quote(number)}"))[0] == 422


async def test_an_unknown_case_or_page_says_so_kindly(local: Clinic) -> None:
    nurse = await local.person("Nurse Example")
    assert "There is no such case" in await nurse.opens("/cases/PS-ZZZZ-ZZZZ", 404)
    assert "There is no such page" in await nurse.opens("/nowhere", 404)
    await nurse.opens("/?page=99999&status=x&priority=y&whose=z&only=w")


async def test_a_long_list_has_pages(local: Clinic) -> None:
    for number in range(53):
        await local.delivers("intake.submitted", intake(number))
    nurse = await local.person("Nurse Example")
    first, second = await nurse.opens("/"), await nurse.opens("/?page=2")
    assert (len(order(first)), len(order(second))) == (50, 3)
    assert "Page 1 of 2" in first
    assert not set(order(first)) & set(order(second))


async def test_the_pulse_counts_what_is_new(local: Clinic) -> None:
    nurse = await local.person("Nurse Example")
    assert json.loads(await nurse.opens("/pulse")) == {"warnings": 0, "new": 0, "changed": 0}
    await local.delivers("intake.submitted", intake())
    await local.delivers("escalation.raised", escalation())
    assert json.loads(await nurse.opens("/pulse")) == {"warnings": 1, "new": 1, "changed": 0}
