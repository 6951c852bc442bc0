"""What the lexicon must never do: a look-alike that is as long as the sign itself hides the sign."""

from __future__ import annotations

import re

from runtime.settings import ROOT
from safety.detect import detector
from safety.questions import questions
from safety.rules import load_lexicon, load_rules, parse, phrases


def test_no_look_alike_hides_a_whole_sign() -> None:
    """Little words are dropped ("cope with their" becomes "cope with"): what is left may not be a phrase of the sign."""
    lexicon, matcher = load_lexicon(), detector().matcher
    hidden = {
        name: sorted(matcher.phrases_of(name, lexicon) & matcher.phrases_of(name.removesuffix("_NOT"), lexicon))
        for name in lexicon.concepts
        if name.endswith("_NOT") and name.removesuffix("_NOT") in lexicon.concepts
    }
    assert not {name: phrases for name, phrases in hidden.items() if phrases}


def test_no_look_alike_is_the_beginning_of_a_cry_for_help() -> None:
    said = ("i can't go on", "i can't cope", "i want to give up", "i'm done with everything", "i can't do this anymore")
    for text in said:
        assert detector().detect(text), text


def test_every_concept_is_used() -> None:
    """By a rule, by another concept, or by the code that reads what surrounds a finding."""
    lexicon = load_lexicon()
    used: set[str] = set()
    for _, rule in load_rules():
        used |= set(rule.unless) | {name for pattern in rule.patterns for name in parse(pattern).names}
    for words in lexicon.concepts.values():
        used |= set(re.findall(r"\{([A-Z_]+)\}", words))
    for question in questions().values():
        used |= {*question.told_yes, *question.told_no}
    for path in (ROOT / "safety").glob("*.py"):
        used |= set(re.findall(r'"([A-Z_]+)"', path.read_text(encoding="utf-8")))
    for name in ("red_flag_component.py", "after_emergency.py"):
        used |= set(re.findall(r'"([A-Z_]+)"', (ROOT / "bot" / name).read_text(encoding="utf-8")))
    unused = {name for name in lexicon.concepts if name not in used and name.removesuffix("_NOT") not in used}
    assert not unused


def test_no_excuse_shrinks_to_one_word() -> None:
    """Little words are dropped: "nightmare my" is "nightmare", and "it's a nightmare, I can't feel my legs" is a sign."""
    lexicon = load_lexicon()
    excuses = {name for _, rule in load_rules() for name in rule.unless}
    excuses |= {"IDIOM", "DREAMT", "LEARNING", "HYPO", "HYPO_AFTER", "STABLE", "RESOLVED", "HISTORY", "COMMON_QUESTION"}
    dropped = frozenset(phrases(lexicon.drop))
    shrunk = {
        (name, entry)
        for name in excuses & lexicon.concepts.keys()
        for entry in phrases(lexicon.concepts[name])
        if not set(entry) & set("({+")
        and len([word for word in entry.split() if word not in dropped]) == 1 < len(entry.split())
    }
    assert not shrunk
