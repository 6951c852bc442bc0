"""What the assistant delivers arrives once, whole, in order, and only when it is the assistant's."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from casedesk.signed import sign
from tests.casedesk.conftest import Clinic
from tests.casedesk.samples import answered, delivery, escalation, intake, red_flag, reference, signed

CASE = reference(1)


async def test_an_intake_is_a_case_with_every_answer(clinic: Clinic) -> None:
    answer = await clinic.delivers("intake.submitted", intake(red_flags=[red_flag()], priority="stat"))
    assert answer == {"case": CASE, "status": "new"}
    status, case = await clinic.asks(f"/api/cases/{CASE}")
    assert status == 200
    assert case["answers"] == {
        "main_problem": "My left leg burns when I walk",
        "operation": "L4-L5 fusion",
        "pain_back": 6,
    }
    assert case["answer_status"]["medicines"] == "unknown"
    assert case["answer_status"]["smoking"] == "declined"
    assert case["answer_status"]["height"] == "not_asked"
    assert case["priority"] == "stat"
    assert case["red_flags"][0]["evidence"] == "I cannot feel when I pee"
    assert case["consent"]["policy_version"] == "2026-11"


async def test_the_same_key_twice_is_one_case(clinic: Clinic) -> None:
    key, body = delivery("intake.submitted", intake())
    first = await clinic.posts(body, signed(key, body))
    again = await clinic.posts(body, signed(key, body))
    assert first == (201, {"case": CASE, "status": "new"})
    assert again == (200, {"case": CASE, "status": "new"})
    assert clinic.counts("cases") == clinic.counts("versions") == 1


async def test_the_same_key_sent_ten_times_at_once_is_one_case(clinic: Clinic) -> None:
    key, body = delivery("intake.submitted", intake())
    answers = await asyncio.gather(*(clinic.posts(body, signed(key, body)) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] * 9 + [201]
    assert clinic.counts("cases") == clinic.counts("versions") == clinic.counts("deliveries") == 1


async def test_the_same_key_with_another_body_is_refused(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake(), key="k1")
    answer = await clinic.delivers("intake.submitted", intake(2), key="k1", status=409)
    assert answer == {"error": "key_used_for_another_body"}
    assert clinic.counts("cases") == 1


@pytest.mark.parametrize("fault", ["body", "id", "old", "future", "other secret", "none", "rubbish", "not text"])
async def test_what_the_assistant_did_not_sign_is_refused(local: Clinic, fault: str) -> None:
    key, body = delivery("intake.submitted", intake())
    headers = signed(key, body)
    if fault == "body":
        body = body.replace(b"L4-L5", b"L1-L2")
    elif fault == "id":
        headers["webhook-id"] = headers["Idempotency-Key"] = "another"
    elif fault in ("old", "future"):
        from casedesk.signed import _webhook

        moment = datetime.now(UTC) + timedelta(minutes=-6 if fault == "old" else 6)
        headers["webhook-timestamp"] = str(int(moment.timestamp()))
        headers["webhook-signature"] = _webhook("delivery").sign(key, moment, body.decode())
    elif fault == "other secret":
        headers = sign("notices", key, body.decode())
    elif fault == "none":
        headers = {}
    elif fault == "rubbish":
        headers["webhook-signature"] = "what?"
    else:
        body = b"\xff\xfe"
    status, answer = await local.posts(body, headers)
    assert (status, answer) == (401, {"error": "bad_signature"})
    assert local.counts("cases") == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"priority": "whenever"}, "priority"),
        ({"reference": "PS-1"}, "reference"),
        ({"reference": "PS-ILOU-0000"}, "reference"),
        ({"version": 0}, "version"),
        ({"answers": {"x": {"value": 1}}}, "answers.x.status"),
        ({"consent": {}}, "consent.policy_version"),
        ({"sender_id": None}, "sender_id"),
    ],
)
async def test_a_delivery_that_makes_no_sense_names_the_field_and_quotes_nothing(
    local: Clinic, change: dict, field: str
) -> None:
    answer = await local.delivers("intake.submitted", intake(**change), status=422)
    assert answer["error"] == "invalid"
    assert field in {fault["field"] for fault in answer["fields"]}
    assert "burns" not in json.dumps(answer)
    assert local.counts("cases") == 0


async def test_no_json_is_no_delivery(local: Clinic) -> None:
    status, answer = await local.posts(b"hello", signed("k1", b"hello"))
    assert status == 422
    assert answer["error"] == "invalid"


async def test_a_body_larger_than_any_letter_is_too_large(local: Clinic) -> None:
    body = b" " * 16_000_000
    assert await local.posts(body, signed("k1", body)) == (413, {"error": "too_large"})


async def test_corrections_come_in_order_and_keep_what_was_before(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake())
    second = intake(version=2, answers={"operation": answered("L5-S1 fusion", "it was L5 not L4")})
    third = intake(version=3, answers={"operation": answered("none yet")})
    assert await clinic.delivers("intake.corrected", third, status=425) == {"error": "earlier_version_missing"}
    await clinic.delivers("intake.corrected", second)
    await clinic.delivers("intake.corrected", third)
    assert await clinic.delivers("intake.corrected", second, status=409) == {"error": "version_already_there"}
    _, case = await clinic.asks(f"/api/cases/{CASE}")
    assert (case["version"], case["answers"]["operation"]) == (3, "none yet")
    assert clinic.counts("versions") == 3


async def test_a_refused_delivery_leaves_nothing_behind(clinic: Clinic) -> None:
    await clinic.delivers("intake.corrected", intake(version=2), key="k2", status=425)
    assert clinic.counts("cases") == clinic.counts("deliveries") == clinic.counts("audit") == 0
    await clinic.delivers("intake.submitted", intake())
    await clinic.delivers("intake.corrected", intake(version=2), key="k2")  # the very same row, tried again


async def test_a_withdrawn_intake_is_closed_and_the_patient_hears_so(clinic: Clinic) -> None:
    await clinic.delivers("intake.submitted", intake(red_flags=[red_flag()]))
    data = {"intake_id": "intake-1", "version": 2, "reference": CASE}
    assert await clinic.delivers("intake.withdrawn", data) == {"case": CASE, "status": "closed"}
    assert (await clinic.asks(f"/api/status/{CASE}"))[1]["status"] == "withdrawn"


async def test_a_reference_belongs_to_one_intake(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    answer = await local.delivers("intake.submitted", intake(2, reference=CASE), status=409)
    assert answer == {"error": "reference_of_another_intake"}


async def test_a_newer_sender_may_say_more_and_nothing_of_it_is_lost(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake(mood="hopeful"))
    with local.database.transaction() as session:
        from casedesk import casework

        case = casework.get_case(session, CASE)
        assert case
        assert local.desk.content(case, case.versions[0])["mood"] == "hopeful"


async def test_an_escalation_is_listed_until_somebody_acknowledges_it(clinic: Clinic) -> None:
    answer = await clinic.delivers("escalation.raised", escalation())
    assert answer == {"escalation": reference(1, "ESC"), "status": "open"}
    _, found = await clinic.asks("/api/escalations?limit=5")
    (row,) = found["escalations"]
    assert (row["tier"], row["evidence"], row["status"]) == ("emergency", "I cannot feel when I pee", "open")


async def test_an_update_that_overtook_the_first_message_is_not_undone_by_it(clinic: Clinic) -> None:
    earlier = (datetime.now(UTC) - timedelta(seconds=9)).isoformat()
    await clinic.delivers("escalation.updated", escalation(confirmed="going"))
    await clinic.delivers("escalation.raised", escalation(), occurred_at=earlier)
    _, found = await clinic.asks("/api/escalations")
    assert [row["confirmed"] for row in found["escalations"]] == ["going"]


async def test_a_word_the_desk_does_not_know_never_stops_a_warning(local: Clinic) -> None:
    await local.delivers("escalation.updated", escalation(confirmed="in_the_waiting_room", country=None, contact=None))
    nurse = await local.person("Nurse Example")
    assert "In the waiting room" in await nurse.opens("/")


async def test_the_api_needs_its_token(local: Clinic) -> None:
    await local.delivers("intake.submitted", intake())
    for path in (f"/api/cases/{CASE}", "/api/cases", "/api/escalations", f"/api/status/{CASE}"):
        assert await local.asks(path, token="guess") == (401, {"error": "unauthorized"})
        assert await local.asks(path, token="Zoë") == (401, {"error": "unauthorized"})
    assert (await local.asks("/api/cases/PS-0000-ZZZZ"))[0] == 404
    assert (await local.asks("/api/cases?limit=0"))[0] == 422


async def test_a_confirmed_intake_is_in_the_list_within_two_seconds(clinic: Clinic) -> None:
    nurse = await clinic.person("Nurse Example")
    begun = time.monotonic()
    await clinic.delivers("intake.submitted", intake(subject={"name": "Robin Placeholder"}))
    assert "Robin Placeholder" in await nurse.opens("/")
    assert time.monotonic() - begun < 2


async def test_the_delivery_worker_reports_and_fetches_what_to_send_again(clinic: Clinic) -> None:
    def report(*dead: str) -> bytes:
        rows = [
            {
                "key": key,
                "kind": "intake.submitted",
                "error": "HTTP 422 invalid",
                "at": "2026-11-20T15:00:00+00:00",
                "name": "Pat Example",
            }
            for key in dead
        ]
        return json.dumps({"pending": 3, "oldest_seconds": 70.5, "dead": rows}).encode()

    async def ask() -> list[str]:
        client = await clinic.client()
        async with client.get("/api/outbox-requests", headers=sign("delivery", "ask", "")) as reply:
            return (await reply.json())["keys"]

    async def tell(*dead: str) -> None:
        body = report(*dead)
        assert (await clinic.posts(body, signed("r1", body), "/api/outbox-status"))[0] == 200

    assert (await clinic.posts(report(), {}, "/api/outbox-status"))[0] == 401
    nurse = await clinic.person("Nurse Example")
    assert "has not reported yet" in await nurse.opens("/health-page")
    await tell("row-7", "row-8")
    page = await nurse.opens("/health-page")
    assert "row-7" in page
    assert "Pat Example" not in page
    await nurse.sends("/health-page/send-again", key="row-7")
    await nurse.sends("/health-page/send-again", status=409, key="row-9")
    assert await ask() == ["row-7"]
    assert "Asked to be sent again" in await nurse.opens("/health-page")
    await tell("row-8")
    assert await ask() == []
