"""What the lexicon must never do: a look-alike that is as long as the sign itself hides the sign."""

from __future__ import annotations

from safety.detect import detector
from safety.rules import load_lexicon


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
