"""Every reader of answers, by phrases of patients: what is understood, what is asked about, what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from actions.intake.parse import Problem, Reader, Value, countries_in, heard_yes_no, plain, read
from knowledge.intake import questionnaire

READER = Reader(date(2026, 11, 21), "US")
BRITISH = Reader(date(2026, 11, 21), "GB")


def value_of(field: str, text: str, reader: Reader = READER) -> Any:
    found = read(questionnaire().field(field), text, reader)
    return found.value if isinstance(found, Value) else found.reason


def confirms(field: str, text: str, reader: Reader = READER) -> bool:
    found = read(questionnaire().field(field), text, reader)
    assert isinstance(found, Value), found
    return found.confirm


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("Yes!", True),
        ("yeah sure", True),
        ("yep", True),
        ("ok", True),
        ("of course", True),
        ("I do", True),
        ("yes, I understand", True),
        ("YES PLEASE", True),
        ("sounds good", True),
        ("no", False),
        ("Nope.", False),
        ("no thanks", False),
        ("not really", False),
        ("no, I don't want that", False),
        ("never", False),
        ("maybe", None),
        ("no idea", None),
        ("who are you", None),
        ("yes but not sure", None),
        ("no problem at all", None),
        ("I don't agree", False),
        ("that's right", True),
        ("", None),
    ],
)
def test_yes_and_no(text: str, expected: bool | None) -> None:
    assert heard_yes_no(plain(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8", 8),
        ("8/10", 8),
        ("8 out of 10", 8),
        ("seven", 7),
        ("It's about a 7", 7),
        ("at least an 8", 8),
        ("ten", 10),
        ("10", 10),
        ("0", 0),
        ("no pain", 0),
        ("none", 0),
        ("zero", 0),
        ("7.5", 8),
        ("6-7", 7),
        ("between 6 and 7", 7),
        ("six or seven", 7),
        ("eight out of ten", 8),
        ("a 9 when I walk", 9),
        ("8 of 10", 8),
        ("the worst", 10),
        ("11", "invalid_number"),
        ("100", "invalid_number"),
        ("quite bad", "invalid_number"),
        ("-3", 3),
        ("2 in the morning, 5 at noon and 9 at night", "invalid_number"),
        ("it hurts 24 hours", "invalid_number"),
    ],
)
def test_pain(text: str, expected: Any) -> None:
    assert value_of("pain", text) == expected


@pytest.mark.parametrize(
    ("text", "asks"), [("8", False), ("6-7", True), ("7.5", True), ("the worst", True), ("8/10", False)]
)
def test_a_pain_that_was_guessed_is_confirmed(text: str, asks: bool) -> None:
    assert confirms("pain", text) is asks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last March", "2026-03"),
        ("March", "2026-03"),
        ("last December", "2025-12"),
        ("March last year", "2025-03"),
        ("about 3 years ago", "2023"),
        ("for 3 years", "2023"),
        ("3 years", "2023"),
        ("2 yrs", "2024"),
        ("since 2019", "2019"),
        ("2019", "2019"),
        ("a year ago", "2025-11"),
        ("a year and a half", "2025-05"),
        ("1.5 years", "2025-05"),
        ("two months ago", "2026-09"),
        ("6 weeks", "2026-10-10"),
        ("half a year", "2026-05"),
        ("a few months", "2026-08"),
        ("a couple of weeks ago", "2026-11-07"),
        ("yesterday", "2026-11-20"),
        ("last week", "2026-11-14"),
        ("last month", "2026-10"),
        ("last year", "2025"),
        ("last summer", "2026-06"),
        ("in the summer", "2026-06"),
        ("since the spring", "2026-03"),
        ("last winter", "2025-12"),
        ("since the fall", "invalid_date"),
        ("since Christmas", "2025-12-25"),
        ("just after Easter", "2026-04-06"),
        ("around Thanksgiving", "2025-11-27"),
        ("summer 2024", "2024"),
        ("since my fall in June", "2026-06"),
        ("June 2024", "2024-06"),
        ("in 06/2024 I think, 2024", "2024"),
        ("14 March 2025", "2025-03-14"),
        ("March 14, 2025", "2025-03-14"),
        ("2025-03-14", "2025-03-14"),
        ("it began in may", "2026-05"),
        ("early 2023", "2023"),
        ("all my life", None),
        ("for ages", None),
        ("years and years", None),
        ("since I was 20", None),
        ("it may be the weather", "invalid_date"),
        ("dunno really", "invalid_date"),
        ("when it rains", "invalid_date"),
        ("next year", "invalid_date_past"),
        ("about ten years", "2016"),
        ("over 20 years", "2006"),
        ("12 days ago", "2026-11-09"),
        ("since last night", "2026-11-20"),
    ],
)
def test_since(text: str, expected: Any) -> None:
    assert value_of("since", text) == expected


@pytest.mark.parametrize(
    ("text", "reader", "expected", "asks"),
    [
        ("3/4/2025", READER, "2025-03-04", True),
        ("3/4/2025", BRITISH, "2025-04-03", True),
        ("14/3/2025", READER, "2025-03-14", False),
        ("4/4/2025", READER, "2025-04-04", False),
        ("31.12.2024", BRITISH, "2024-12-31", False),
    ],
)
def test_a_date_that_means_two_days_is_confirmed(text: str, reader: Reader, expected: str, asks: bool) -> None:
    assert value_of("since", text, reader) == expected
    assert confirms("since", text, reader) is asks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15 December", "2026-12-15"),
        ("December 15th", "2026-12-15"),
        ("15 December 2026", "2026-12-15"),
        ("next month", "2026-12"),
        ("in two weeks", "2026-12-05"),
        ("January", "2027-01"),
        ("next year", "2027"),
        ("tomorrow", "2026-11-22"),
        ("no date", None),
        ("not booked", None),
        ("no", None),
        ("not yet", None),
        ("1 March 2020", "invalid_date_future"),
        ("in 3 days", "2026-11-24"),
        ("before Christmas", "2026-12-24"),
        ("two weeks before Christmas", "2026-12-11"),
        ("the week before xmas", "2026-12-18"),
        ("by Christmas I think", "2026-12-25"),
        ("after the holidays", "2026-12-26"),
        ("some time in the new year", "2027-01-01"),
        ("after Easter", "2027-03-29"),
        ("right after Thanksgiving", "2026-11-27"),
        ("by the end of the year", "2026-12-31"),
        ("by the end of the month", "2026-11"),
        ("by the end of next month", "2026-12"),
        ("by the summer", "2027-06"),
        ("next spring", "2027-03"),
        ("Spring", "2027-03"),
        ("early next summer", "2027-06"),
        ("before winter", "2026-12"),
        ("this fall", "2026-11"),
        ("by fall", "2027-09"),
        ("spring 2028", "2028"),
        ("before Christmas, on the 15 December", "2026-12-15"),
    ],
)
def test_booked(text: str, expected: Any) -> None:
    assert value_of("operation_date", text) == expected


def test_summer_is_in_december_elsewhere() -> None:
    assert value_of("operation_date", "next summer", Reader(READER.today, "AU")) == "2026-12"
    assert value_of("since", "last summer", Reader(READER.today, "NZ")) == "2025-12"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 April 1968", "1968-04-02"),
        ("April 2, 1968", "1968-04-02"),
        ("2nd of April 1968", "1968-04-02"),
        ("1968-04-02", "1968-04-02"),
        ("14/04/1968", "1968-04-14"),
        ("1968", "invalid_birth"),
        ("April 1968", "invalid_birth"),
        ("2 April 1868", "invalid_birth"),
        ("58", "invalid_birth"),
        ("born 2 april 1968", "1968-04-02"),
    ],
)
def test_birth(text: str, expected: Any) -> None:
    assert value_of("birth_date", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("202 555 0143", "+12025550143"),
        ("(202) 555-0143", "+12025550143"),
        ("+44 20 7946 0018", "+442079460018"),
        ("my number is 202-555-0143", "+12025550143"),
        ("call me on 202.555.0143 after 5", "+12025550143"),
        ("2025550143", "+12025550143"),
        ("+1 555 555 0100", "+15555550100"),
        ("12345", "invalid_phone"),
        ("no phone", "invalid_phone"),
        ("0143", "invalid_phone"),
    ],
)
def test_phone(text: str, expected: str) -> None:
    assert value_of("phone", text) == expected


def test_a_phone_number_follows_the_country() -> None:
    assert value_of("phone", "020 7946 0018", BRITISH) == "+442079460018"
    assert confirms("phone", "+1 555 555 0100"), "not in the numbering plan: ask"
    assert confirms("phone", "202 555 0143", Reader(READER.today, None)), "the country is not known: ask"
    assert not confirms("phone", "202 555 0143")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pat@example.org", "pat@example.org"),
        ("it's Pat.Example@Example.ORG.", "Pat.Example@example.org"),
        ("pat at example dot org", "pat@example.org"),
        ("pat @ example.org", "pat@example.org"),
        ("pat(at)example.org", "pat@example.org"),
        ("pat+spine@mail.example.org", "pat+spine@mail.example.org"),
        ("pat@example", "invalid_email"),
        ("none", "invalid_email"),
        ("pat.example.org", "invalid_email"),
        ("a@b..org", "invalid_email"),
    ],
)
def test_email(text: str, expected: str) -> None:
    assert value_of("email", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pat Example", "Pat Example"),
        ("pat example", "Pat Example"),
        ("my name is Pat Example", "Pat Example"),
        ("I'm Pat", "Pat"),
        ("It's Robin O'Example-Smith.", "Robin O'Example-Smith"),
        ("PAT EXAMPLE", "Pat Example"),
        ("Zoë Ångström", "Zoë Ångström"),
        ("her name is Mary Example", "Mary Example"),
        ("Ng", "Ng"),
        ("李小龙", "李小龙"),
        ("Jean de la Example", "Jean de la Example"),
        ("12345", "invalid_name"),
        ("pat@example.org", "invalid_name"),
        ("no", "invalid_name"),
        ("x", "invalid_name"),
        ("?", "invalid_text"),
    ],
)
def test_name(text: str, expected: str) -> None:
    assert value_of("name", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("US", "US"),
        ("the us", "US"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("I'm in Texas", "US"),
        ("united states", "US"),
        ("California", "US"),
        ("UK", "GB"),
        ("England", "GB"),
        ("I live in Scotland", "GB"),
        ("the U.K.", "GB"),
        ("Canada", "CA"),
        ("Toronto, Canada", "CA"),
        ("cananda", "CA"),
        ("Untied States", "US"),
        ("Germany", "DE"),
        ("Ireland", "IE"),
        ("Northern Ireland", "GB"),
        ("new zealand", "NZ"),
        ("Kenya", "KE"),
        ("from the netherlands", "NL"),
        ("here", "invalid_country"),
        ("why", "invalid_country"),
        ("tell us", "invalid_country"),
    ],
)
def test_country(text: str, expected: str) -> None:
    assert value_of("country", text) == expected


def test_the_countries_a_clinic_names_in_words() -> None:
    assert countries_in("the US, Canada, the UK, Ireland, Australia and New Zealand") == (
        "US",
        "CA",
        "GB",
        "IE",
        "AU",
        "NZ",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me", "self"),
        ("It's for me", "self"),
        ("myself", "self"),
        ("my mother", "other"),
        ("someone else", "other"),
        ("not me, my dad", "other"),
        ("I am the patient", "self"),
        ("my husband has been told to have surgery", "other"),
        ("2", "other"),
        ("1", "self"),
        ("purple", "invalid_choice"),
    ],
)
def test_who(text: str, expected: str) -> None:
    assert value_of("about", text) == expected


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("where", "lower back and left leg", ["low_back", "leg"]),
        ("where", "neck", ["neck"]),
        ("where", "my back", ["low_back"]),
        ("where", "1, 4", ["neck", "arm"]),
        ("where", "shoulders and hands", ["arm"]),
        ("where", "everywhere strange", "invalid_choice"),
        ("safety", "none", ["none"]),
        ("safety", "no", ["none"]),
        ("safety", "no numbness and no fever", ["none"]),
        ("safety", "no fever but numb between my legs", ["numb"]),
        ("safety", "2 and 5", ["bladder", "chest"]),
        ("safety", "all of them", ["numb", "bladder", "weak", "ill", "chest"]),
        ("safety", "purple", "invalid_choice"),
        ("tried", "physio and pills", ["physio", "tablets"]),
        ("tried", "nothing yet", ["none"]),
        ("tried", "PT, swimming, two injections", ["physio", "exercise", "injections"]),
        ("conditions", "diabetes and high blood pressure", ["heart", "diabetes"]),
        ("conditions", "none", ["none"]),
        ("goals", "less pain, sleep, work and walk", "invalid_too_many"),
        ("goals", "sleep and work", ["work", "sleep"]),
        ("smoking", "I quit 5 years ago", "stopped"),
        ("smoking", "never", "never"),
        ("smoking", "a few a day", "yes_now"),
        ("side", "the left", "left"),
        ("walking", "about 10 minutes", "5_to_15"),
        ("course", "it's getting worse", "worse"),
        ("work", "retired last year", "retired"),
    ],
)
def test_lists(field: str, text: str, expected: Any) -> None:
    assert value_of(field, text) == expected


@pytest.mark.parametrize(
    ("text", "expected", "asks"),
    [
        ("L4/5 fusion", "Spinal fusion at L4-L5", True),
        ("acdf c5-c7", "ACDF at C5-C7", True),
        ("lamenectomy", "Laminectomy", True),
        ("L5/S1", "L5/S1", False),
        ("something with screws", "something with screws", False),
        ("laminectomy and fusion L3 to L5", "Laminectomy and spinal fusion at L3-L5", True),
    ],
)
def test_operations(text: str, expected: str, asks: bool) -> None:
    assert value_of("operation", text) == expected
    assert confirms("operation", text) is asks


@pytest.mark.parametrize("field", [field.id for field in questionnaire().fields])
@pytest.mark.parametrize(
    "text", ["", " ", "😀😀", "\x00\x07", "/restart", "{}", "%s", "a" * 1000, "' OR 1=1 --", "مرحبا", "0" * 300]
)
def test_nothing_breaks_a_reader(field: str, text: str) -> None:
    assert isinstance(read(questionnaire().field(field), text, READER), Value | Problem)
