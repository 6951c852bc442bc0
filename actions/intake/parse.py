"""Reads a patient's answer to one question: pure functions from words to a value, or to the reason it does not fit.

What is read is a guess kept beside the words themselves. A value that could be misread asks to be confirmed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

import phonenumbers
import pytz

from actions.intake import dates
from actions.spine_terms import find_levels, find_procedures
from knowledge.intake import Choice, Field, words

WORST_AGE = 120
_OUT_OF = re.compile(r"(\d+(?:\.\d)?)\s*(?:/|out\s+of|of|over|from)\s*(?:10|ten)\b")
_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d)?)(?![\d.]*\d|\w)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-']+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_NAME_LEAD = re.compile(
    r"^(?:(?:my|her|his|their|the|own|patient'?s?|full|real)\s+)*(?:name(?:'s|\s+is|:)?\s+(?:is\s+)?)|"
    r"^(?:spelled|spelt|really|actually|now)\s+|"
    r"^(?:i'?m|i am|it'?s|it is|this is|call me|she'?s|he'?s|she is|he is|they are|hi,?|yes,?|sure,?)\s+(?:called\s+)?",
    re.IGNORECASE,
)
_HARDLY_A_NAME = re.compile(
    r"\b(?:about|again|an|and|at|for|from|how|in|is|it|my|not|on|pain|she|he|the|they|this|to|we|what|with|you|your)\b",
    re.IGNORECASE,
)
"""Words that may stand in a name (In Kim, My Nguyen), but more often say that none was told."""
_PLACE_LEAD = re.compile(
    r"^(?:(?:i|we|she|he|they)(?:'m| am|'re| are|'s| is)?\s+)?"
    r"(?:(?:currently|now|living|live|lives|based|located|here)\s+)*(?:in|from|at|near|of)?\s*(?:the\s+)?"
)
_NEGATED = re.compile(
    r"\b(?:no|not|never|without|neither|nor|don'?t have|do not have|haven'?t|isn'?t|wasn'?t)\b"
    r"(?:(?!\b(?:but|just|only|now|although|though|however|yet)\b)[^.;!?]){0,25}$"
)
"""A denial just before, in the same breath: "no fever but numb" denies only the fever."""
_CANNOT = re.compile(r"\b(?:can|could|cannot|able|unable)\b.{0,20}$")
"""No denial either: "I could not pee" is the sign itself."""
_NOT_QUITE = re.compile(
    r"\b(?:nearly|almost|quite|turn|turning|under|below|less than|younger|soon|about to be|going on|will be|not|next|"
    r"in (?:a|an|\d+|a few) (?:day|week|month)s?)\b"
)
_AGED = re.compile(r"\b\d{1,3}[- ](?:year|month|yr)s?[- ]old\s+")


@dataclass(frozen=True)
class Reader:
    """What reading an answer needs to know: today's date, and the patient's country when it is known (ISO code)."""

    today: date
    country: str | None = None


@dataclass(frozen=True)
class Value:
    """An answer understood. ``confirm`` when the patient should say whether it was understood right."""

    value: Any
    shown: str
    confirm: bool = False


@dataclass(frozen=True)
class Problem:
    """Why an answer does not fit: a key of the phrases, and what the phrase needs."""

    reason: str
    details: tuple[tuple[str, str], ...] = ()


def plain(text: str) -> str:
    """``text`` in lower case, with straight quotes, single spaces and no punctuation or emoji around it."""
    lowered = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'").lower()
    return re.sub(r"\s+", " ", lowered).strip(' \t\n.,;:!…"“”()[]*~').strip()


def heard(kind: str, text: str) -> bool:
    """Whether ``text`` (plain) as a whole says ``kind`` (``yes``, ``skip``, ... in ``intake_words.yml``)."""
    return _bare(text) in _heard_set(kind) or _bare(_fillers().sub("", text)) in _heard_set(kind)


def heard_yes_no(text: str) -> bool | None:
    """True for yes, False for no, None for neither. ``text`` is plain."""
    if heard("yes", text):
        return True
    if heard("no", text):
        return False
    text = _fillers().sub("", text)
    first = re.split(r"[\s,.!]", text, maxsplit=1)[0]
    if first in ("yes", "yeah", "yep", "yup", "yea") and not re.search(r"\b(but no|not sure|or no)\b", text):
        return True
    if first in ("no", "nope", "nah") and not re.match(r"no (idea|clue|problem|worries|matter|one|body)\b", text):
        return False
    return None


def read(field: Field, text: str, reader: Reader) -> Value | Problem:
    """Return what ``text`` (as typed) answers to ``field``."""
    said = plain(text)
    if not re.search(r"\w", said):
        return Problem("invalid_text" if field.type in ("text", "name") else f"invalid_{_kind(field)}")
    match field.type:
        case "yes_no":
            return _yes_no(field, said)
        case "choice":
            return _choice(field, said)
        case "multi":
            return _multi(field, said)
        case "number":
            return _number(field, said)
        case "date":
            return _date(field, said, text.strip(), reader)
        case "phone":
            return _phone(text, reader.country)
        case "email":
            return _email(text)
        case "name":
            return _name(text)
        case "country":
            return _country(said)
        case _:
            return _text(field, text.strip(), said)


def _kind(field: Field) -> str:
    return {"multi": "choice"}.get(field.type, field.type)


@cache
def _heard_set(kind: str) -> frozenset[str]:
    return frozenset(_bare(phrase) for phrase in words().heard[kind])


@cache
def _fillers() -> re.Pattern[str]:
    """ "hmm, ok, " of "hmm, ok, yes"; nothing of "ok" alone, which is a word that counts."""
    said = "|".join(map(re.escape, words().fillers))
    return re.compile(rf"^(?:(?:{said})[,.;:!…-]*\s+)+(?=\w)")


def _bare(text: str) -> str:
    return text.replace("'", "").strip("? ") or text


def _yes_no(field: Field, said: str) -> Value | Problem:
    found = heard_yes_no(said)
    if found is None and field.min is not None and (age := _NUMBER.search(said)):
        # "Nearly 18" and "under 18" are not 18 yet.
        found = float(age[1]) > field.min if _NOT_QUITE.search(said) else float(age[1]) >= field.min
    if found is None:
        return Problem("invalid_yes_no")
    return Value("yes" if found else "no", words().buttons["yes" if found else "no"])


def _choice(field: Field, said: str) -> Value | Problem:
    said = _AGED.sub("", said)  # "my 12 year old son" is a son
    if said.isdigit() and 1 <= int(said) <= len(field.choices):
        choice = field.choices[int(said) - 1]
        return Value(choice.value, choice.label)
    best: tuple[int, Choice | None] = (0, None)
    for choice in field.choices:
        for phrase in _phrases(choice):
            match = re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", said)
            if match and len(phrase) > best[0] and not _NEGATED.search(said[: match.start()]):
                best = (len(phrase), choice)
    if best[1] is None:
        return Problem("invalid_choice")
    return Value(best[1].value, best[1].label)


def _multi(field: Field, said: str) -> Value | Problem:
    real = [choice for choice in field.choices if choice.value != field.none]
    only_numbers = bool(re.fullmatch(r"(?:\d|and|numbers?|[\s,;&+/.#)(])+", said))
    picked: list[Choice] = []
    denied = False
    if re.fullmatch(
        r"(all|all of them|all of these|everything|everywhere|all over|every one|all five|all of it)", said
    ):
        picked = real
    else:
        for choice in real:
            for phrase in _phrases(choice):
                if phrase.isdigit() and not only_numbers:
                    continue
                match = re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", said)
                if not match:
                    continue
                before = said[: match.start()]
                if not field.none:
                    before = before.rpartition(",")[2]  # "not my neck, my low back"; but "no fever, weakness or so"
                if _NEGATED.search(before) and not _CANNOT.search(before):
                    denied = True
                    continue
                picked.append(choice)
                break
    if not picked and re.search(rf"(?<!\d)[1-{len(real)}](?!\d)", said) and any("1" in each.said for each in real):
        return Problem("invalid_choice")  # "2 no": which was meant cannot be told, and must not be taken for none
    if not picked and field.none:
        none = field.choice(field.none)
        if none and (
            denied or any(_contains(said, phrase) for phrase in _phrases(none)) or heard_yes_no(said) is False
        ):
            return Value([none.value], none.label)
    if not picked:
        return Problem("invalid_choice")
    if field.max is not None and len(picked) > field.max:
        return Problem("invalid_too_many", (("max", str(field.max)),))
    return Value([choice.value for choice in picked], ", ".join(choice.label for choice in picked))


def _phrases(choice: Choice) -> tuple[str, ...]:
    return tuple(dict.fromkeys([plain(choice.label), choice.value.replace("_", " "), *map(plain, choice.said)]))


def _contains(said: str, phrase: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", said))


def _number(field: Field, said: str) -> Value | Problem:
    low, high = field.min or 0, field.max if field.max is not None else 1000
    problem = Problem("invalid_number", (("min", str(low)), ("max", str(high))))
    if re.search(
        r"\b(no|without|zero|nil) pain\b|^(none|no|nothing|nil|pain free|painless|not at all|no pain at all)$", said
    ):
        return Value(low, str(low))
    if re.search(r"\b(worst|unbearable|maximum|max|off the (?:scale|chart)s?)\b", said) and not re.search(r"\d", said):
        return Value(high, str(high), confirm=True)
    counted = re.sub(
        rf"\b({'|'.join(dates.NUMBER_WORDS)})\b", lambda match: str(dates.NUMBER_WORDS.index(match[1])), said
    )
    counted = re.sub(r"\b(\d) (?:and a half|point five)\b", r"\1.5", counted)
    if match := _OUT_OF.search(counted):
        numbers = [float(match[1])]
    else:
        numbers = [float(found) for found in _NUMBER.findall(counted)]
    if not numbers or any(number < low or number > high for number in numbers) or len(set(numbers)) > 2:
        return problem
    if len(set(numbers)) == 2 and not re.search(r"\d\s*(?:-|–|to|or|and|/)\s*(?:a\s+|an\s+|maybe\s+)?\d", counted):
        return problem
    worst = max(numbers)
    value = int(worst + 0.5)
    return Value(value, str(value), confirm=len(set(numbers)) == 2 or value != worst)


def _date(field: Field, said: str, text: str, reader: Reader) -> Value | Problem:
    when = field.when or "past"
    found = dates.read_date(
        said, when, today=reader.today, month_first=reader.country in (None, "US"), country=reader.country
    )
    if found is None:
        return Problem("invalid_birth" if when == "birth" else "invalid_date")
    iso, sure = found
    if iso is None:
        return Value(None, text)
    first, last = dates.bounds(iso)
    if when == "birth":
        age = (reader.today - first).days / 365.25
        if len(iso) != 10 or not 0 <= age <= WORST_AGE:
            return Problem("invalid_birth")
    elif when == "past" and first > reader.today:
        return Problem("invalid_date_past")
    elif when == "future" and last < reader.today:
        return Problem("invalid_date_future")
    return Value(iso, dates.shown(iso), confirm=not sure)


def _phone(text: str, country: str | None) -> Value | Problem:
    region = country or "US"
    numbers = [
        match.number for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE)
    ]
    if not numbers:
        digits = re.sub(r"[^\d+]", "", text)
        try:
            numbers = [phonenumbers.parse(digits, region)]
        except phonenumbers.NumberParseException:
            return Problem("invalid_phone")
    number = numbers[0]
    if not phonenumbers.is_possible_number(number):
        return Problem("invalid_phone")
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # A number of the right length that is not in the plan may be right all the same: ask, do not refuse.
    guessed = country is None and not text.strip().startswith("+")
    return Value(value, shown, confirm=guessed or len(numbers) > 1 or not phonenumbers.is_valid_number(number))


def _email(text: str) -> Value | Problem:
    spelled = re.sub(r"\s*(?:\(at\)|\[at\]|\s+at\s+)\s*", "@", text.strip(), flags=re.IGNORECASE)
    spelled = re.sub(r"\s*(?:\(dot\)|\[dot\]|\s+dot\s+)\s*", ".", spelled, flags=re.IGNORECASE)
    spelled = re.sub(r"\s*@\s*", "@", spelled)
    match = _EMAIL.search(spelled)
    if not match or ".." in match.group() or len(match.group()) > 254:
        return Problem("invalid_email")
    local, domain = match.group().strip("'.").rsplit("@", 1)
    address = f"{local}@{domain.lower()}"
    return Value(address, address, confirm="@" not in text)


def _name(text: str) -> Value | Problem:
    name = text.strip().strip('.,;!"“”')
    while (shorter := _NAME_LEAD.sub("", name, count=1)) != name:
        name = shorter.strip()
    name = re.sub(r"\s+", " ", name)
    parts = name.split(" ")
    letters = sum(character.isalpha() for character in name)
    odd = [
        character
        for character in name
        if not (character.isalpha() or unicodedata.combining(character) or character in " '’-.,")
    ]
    if letters < 2 or odd or len(parts) > 7 or len(name) > 100 or heard_yes_no(plain(name)) is not None:
        return Problem("invalid_name")
    if name.islower() or (name.isupper() and letters > 3):
        name = re.sub(r"[^\W\d_]+", lambda match: match.group().capitalize(), name)
    return Value(name, name, confirm=len(parts) > 4 or bool(_HARDLY_A_NAME.search(name)))


@cache
def _places() -> dict[str, str]:
    official = {name.lower(): code for code, name in pytz.country_names.items()}
    return official | {alias: code for code, aliases in words().countries.items() for alias in aliases}


def country_name(code: str) -> str:
    """The English name of a country: "GB" gives "United Kingdom"."""
    special = {"GB": "United Kingdom", "US": "United States", "KR": "South Korea"}
    return special.get(code) or pytz.country_names.get(code, code)


def countries_in(text: str) -> tuple[str, ...]:
    """The codes of the countries that a list in words names ("the US, Canada and the UK")."""
    found = (_country(plain(part)) for part in re.split(r",|\band\b", text))
    return tuple(value.value for value in found if isinstance(value, Value))


def _country(said: str) -> Value | Problem:
    places = _places()
    place = _PLACE_LEAD.sub("", said.replace("u.s.a", "usa").replace("u.s", "us").replace("u.k", "uk"), count=1).strip(
        " .,"
    )
    code = places.get(place) or places.get(said)
    if not code:
        inside = _places_in(said)
        if len({places[name] for name in inside}) > 1:  # "I live in Spain but I'm in Texas now"
            named = _places_in(re.split(r"\bbut\b", said)[-1]) or inside
            code = places[max(named, key=len)]
            return Value(code, country_name(code), confirm=True)
        code = places[max(inside, key=len)] if inside else None
    if not code and (short := re.search(r"(?<!\w)(usa|uk|uae)(?!\w)", said)):
        code = places[short.group()]
    if code:
        return Value(code, country_name(code))
    near = get_close_matches(place, [name for name in places if len(name) > 4], 1, 0.82)
    if near:
        return Value(places[near[0]], country_name(places[near[0]]), confirm=True)
    return Problem("invalid_country")


def _places_in(said: str) -> list[str]:
    """The places named in ``said``, without those that are part of another's name (Mexico in New Mexico)."""
    found = [name for name in _places() if len(name) > 3 and _contains(said, name)]
    return [name for name in found if not any(name != other and name in other for other in found)]


def _text(field: Field, text: str, said: str) -> Value | Problem:
    if field.recognise == "operation":
        return read_operation(text)
    return Value(text, text)


def read_operation(text: str) -> Value:
    """The operation and levels named in ``text``, to be confirmed; the words themselves when none is known."""
    procedures, levels = find_procedures(text), find_levels(text)
    if not procedures and not levels:
        return Value(text, text)
    names = " and ".join(found.procedure.name for found in procedures)
    where = " and ".join(level.name for level in levels)
    if not procedures:
        return Value(text, f"{where}, {text}" if text.casefold() != where.casefold() else where, confirm=False)
    what = f"{names} at {where}" if where else names
    return Value(what[0].upper() + what[1:], what, confirm=True)
