"""Who gets in, who may do what, and what keeps others out."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casedesk import accounts
from casedesk.access import own_path
from casedesk.accounts import AccountError
from casedesk.db import Database
from tests.casedesk.conftest import PASSWORD, Clinic, Person
from tests.casedesk.samples import escalation, intake, reference

CASE, WARNING = reference(1), reference(1, "ESC")
ROOT = Path(__file__).resolve().parents[2]


async def test_nobody_sees_a_page_without_logging_in(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    stranger = Person(await local.client())
    for path in (
        "/",
        f"/cases/{CASE}",
        f"/cases/{CASE}/print",
        f"/cases/{CASE}/export.json",
        "/audit",
        "/accounts",
        "/pulse",
    ):
        page = await stranger.opens(path)
        assert "Log in" in page
        assert "Pat Example" not in page
    assert "Your log-in has ended" in await stranger.sends(f"/cases/{CASE}/notes", 403, text="hello")


@pytest.mark.parametrize(
    ("role", "path", "form", "allowed"),
    [
        ("nurse", f"/cases/{CASE}/claim", {}, True),
        ("reviewer", f"/cases/{CASE}/claim", {}, False),
        ("admin", f"/cases/{CASE}/claim", {}, True),
        ("reviewer", f"/cases/{CASE}/notes", {"text": "The scan shows less than the letter says."}, True),
        ("reviewer", f"/cases/{CASE}/calls", {"outcome": "reached"}, False),
        ("nurse", f"/escalations/{WARNING}/acknowledge", {"outcome": "spoke_going"}, True),
        ("reviewer", f"/escalations/{WARNING}/acknowledge", {"outcome": "spoke_going"}, False),
        ("nurse", "/accounts", {"name": "Sam Sample", "role": "nurse", "password": PASSWORD}, False),
        ("admin", "/accounts", {"name": "Sam Sample", "role": "nurse", "password": PASSWORD}, True),
    ],
)
async def test_a_role_may_do_its_work_and_no_more(
    local: Clinic, role: str, path: str, form: dict, allowed: bool
) -> None:
    await local.delivers("intake.submitted", intake())
    await local.delivers("escalation.raised", escalation())
    person = await local.person("Robin Placeholder", role)
    page = await person.sends(path, 200 if allowed else 403, **form)
    assert ("Your role does not include this" in page) is not allowed


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("nurse", "/audit", 403),
        ("reviewer", "/audit", 403),
        ("admin", "/audit", 200),
        ("nurse", "/accounts", 403),
        ("admin", "/accounts", 200),
        ("reviewer", f"/cases/{CASE}/export.csv", 403),
        ("nurse", f"/cases/{CASE}/export.csv", 200),
        ("reviewer", f"/cases/{CASE}", 200),
        ("reviewer", "/", 200),
    ],
)
async def test_a_role_sees_its_pages_and_no_more(local: Clinic, role: str, path: str, status: int) -> None:
    await local.delivers("intake.submitted", intake())
    person = await local.person("Robin Placeholder", role)
    await person.opens(path, status)


async def test_a_reviewer_says_when_the_report_is_ready_and_nothing_else(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    nurse = await local.person("Nurse Example")
    await nurse.sends(f"/cases/{CASE}/claim")
    reviewer = await local.person("Robin Placeholder", "reviewer")
    await reviewer.sends(f"/cases/{CASE}/status", 409, to="closed", was="accepted", reason_closed="other", note="x")
    await reviewer.sends(f"/cases/{CASE}/status", to="in_review", was="accepted")
    await reviewer.sends(f"/cases/{CASE}/status", to="report_ready", was="in_review")
    assert (await local.asks(f"/api/status/{CASE}"))[1]["status"] == "report_ready"


async def test_a_form_without_the_right_token_changes_nothing(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    nurse, other = await local.person("Nurse Example"), await local.person("Sam Sample")
    for csrf in ("", "guess", other.csrf):
        nurse.csrf = csrf
        await nurse.sends(f"/cases/{CASE}/notes", 403, text="forged")
    assert local.counts("entries") == 0


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_form_sent_from_elsewhere_changes_nothing(local: Clinic, headers: dict[str, str]) -> None:
    await local.delivers("intake.submitted", intake())
    nurse = await local.person("Nurse Example")
    form = {"csrf": nurse.csrf, "text": "forged"}
    async with nurse.client.post(f"/cases/{CASE}/notes", data=form, headers=headers) as reply:
        assert reply.status == 403
    async with (await local.client()).post("/login", data={"name": "x", "password": "y"}, headers=headers) as reply:
        assert reply.status == 403
    assert local.counts("entries") == 0


async def test_five_wrong_passwords_lock_the_account_and_the_right_one_does_not_help_then(clinic: Clinic) -> None:
    await clinic.person("Nurse Example")
    thief = Person(await clinic.client())
    for _ in range(5):
        page = await thief.logs_in("Nurse Example", "not it, sadly", 401)
    assert "locked" in page
    await thief.logs_in("Nurse Example", PASSWORD, 401)
    admin = await clinic.person("Alex Testcase", "admin")
    assert "Locked" in await admin.opens("/accounts")
    clinic.changes("UPDATE accounts SET locked_until = :past", past=datetime.now(UTC) - timedelta(seconds=1))
    await thief.logs_in("Nurse Example", PASSWORD)


async def test_an_administrator_lifts_a_lock_and_closes_accounts(local: Clinic) -> None:
    nurse = await local.person("Nurse Example")
    admin = await local.person("Alex Testcase", "admin")
    local.changes(
        "UPDATE accounts SET locked_until = :later WHERE id = 1", later=datetime.now(UTC) + timedelta(hours=1)
    )
    await admin.opens("/accounts")
    await admin.sends("/accounts/1", act="unlock")
    await Person(await local.client()).logs_in("Nurse Example")
    await admin.sends("/accounts/1", act="close")
    assert "Log in" in await nurse.opens("/")
    await Person(await local.client()).logs_in("Nurse Example", status=401)
    await admin.sends("/accounts/2", 409, act="close")


async def test_unknown_names_and_wrong_passwords_get_the_same_answer(local: Clinic) -> None:
    await local.person("Nurse Example")
    stranger = Person(await local.client())
    strip = lambda page: page.replace(stranger.csrf, "")  # noqa: E731
    assert strip(await stranger.logs_in("Nurse Example", "wrong, wrong", 401)) == strip(
        await stranger.logs_in("Nobody Known", "wrong, wrong", 401)
    )


async def test_an_idle_log_in_ends_and_watching_the_worklist_does_not_keep_it(local: Clinic) -> None:
    nurse = await local.person("Nurse Example")
    local.changes("UPDATE log_ins SET seen_at = :then", then=datetime.now(UTC) - timedelta(minutes=29))
    await nurse.opens("/pulse")
    local.changes("UPDATE log_ins SET seen_at = :then", then=datetime.now(UTC) - timedelta(minutes=31))
    assert "Log in" in await nurse.opens("/")


async def test_no_log_in_outlives_a_shift(local: Clinic) -> None:
    nurse = await local.person("Nurse Example")
    local.changes("UPDATE log_ins SET created_at = :then", then=datetime.now(UTC) - timedelta(hours=13))
    assert "Log in" in await nurse.opens("/")


async def test_staff_change_their_own_password_and_nobody_guesses_it_there(local: Clinic) -> None:
    nurse, thief = await local.person("Nurse Example"), Person(await local.client())
    await thief.logs_in("Nurse Example")
    await thief.opens("/me")
    await thief.sends("/me", 422, old="guess", password="my own new password")
    await nurse.opens("/me")
    await nurse.sends("/me", 422, old=PASSWORD, password="short")
    await nurse.sends("/me", old=PASSWORD, password="a much better phrase")
    assert "Log in" in await thief.opens("/")
    await nurse.logs_in("Nurse Example", PASSWORD, 401)
    await nurse.logs_in("Nurse Example", "a much better phrase")


async def test_logging_out_ends_it(local: Clinic) -> None:
    nurse = await local.person("Nurse Example")
    await nurse.sends("/logout")
    assert local.counts("log_ins") == 0
    assert "Log in" in await nurse.opens("/")


async def test_the_cookie_is_not_for_scripts_and_over_https_alone_in_production(
    local: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await local.person("Nurse Example")
    client = await local.client()
    async with client.get("/login") as reply:
        cookie = reply.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Server"] == "case-desk", "which software, and how old, is nobody's business"
    from casedesk.context import SETTINGS
    from runtime.settings import settings

    monkeypatch.setenv("PLAINSPOKEN_PRODUCTION", "1")
    app = local.server.app
    app._state[SETTINGS] = settings()
    async with client.get("/login") as reply:
        cookie = reply.headers["Set-Cookie"]
        assert cookie.startswith("__Host-desk")
        assert "Secure" in cookie


@pytest.mark.parametrize(
    ("given", "leads_to"),
    [
        ("/cases/PS-1?x=1", "/cases/PS-1?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" //evil.example", "/"),
        ("https://evil.example", "/"),
        ("/login", "/"),
        (None, "/"),
    ],
)
def test_a_log_in_leads_to_the_desks_own_pages_only(given: str | None, leads_to: str) -> None:
    assert own_path(given) == leads_to


@pytest.mark.parametrize(
    ("name", "role", "password", "says"),
    [
        ("N", "nurse", PASSWORD, "2 to 60"),
        ("<b>Nurse</b>", "nurse", PASSWORD, "2 to 60"),
        ("Nurse Example", "owner", PASSWORD, "must be one of"),
        ("Nurse Example", "nurse", "short", "at least 12"),
        ("Nurse Example", "nurse", "nurse example 1", "account's name"),
        ("NURSE EXAMPLE", "nurse", PASSWORD, "already"),
    ],
)
def test_accounts_that_will_not_do(sqlite: Database, name: str, role: str, password: str, says: str) -> None:
    with sqlite.transaction() as session:
        if says == "already":
            accounts.add(session, "Nurse Example", "nurse", PASSWORD)
        with pytest.raises(AccountError, match=says):
            accounts.add(session, name, role, password)


def test_the_command_makes_the_first_admin_and_passwords_are_argon2(sqlite: Database, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "casedesk.accounts", "add", "--role", "admin", "Alex Testcase"]
    environment = {**os.environ, "PLAINSPOKEN_VAR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=PASSWORD + "\n", text=True, env=environment, cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
    with sqlite.transaction() as session:
        account_id, password_hash = accounts.password_of(session, "alex testcase")
    assert account_id
    assert password_hash.startswith("$argon2id$")
    assert accounts.fits(password_hash, PASSWORD)
    again = subprocess.run(command, input=PASSWORD + "\n", text=True, env=environment, cwd=ROOT, capture_output=True)
    assert again.returncode == 1
    assert again.stderr.strip() == "There is an account named Alex Testcase already."
