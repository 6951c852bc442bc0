"""What the domain's forms must and must not say, because of how Rasa 3.6 fills slots."""

from pathlib import Path

import pytest
import yaml

DOMAIN = yaml.safe_load((Path(__file__).parents[2] / "domain.yml").read_text())


@pytest.mark.parametrize("form", sorted(DOMAIN["forms"]))
def test_a_red_flag_inside_a_form_fills_the_emergency_slots(form: str) -> None:
    """Rasa's SlotMapping drops entity mappings for a form's ignored intents: the words of an old alarm would be said."""
    assert "red_flag" not in DOMAIN["forms"][form].get("ignored_intents", [])


@pytest.mark.parametrize("form", sorted(DOMAIN["forms"]))
def test_the_words_of_a_red_flag_are_not_an_answer(form: str) -> None:
    for slot in DOMAIN["forms"][form]["required_slots"]:
        for mapping in DOMAIN["slots"][slot]["mappings"]:
            assert mapping.get("not_intent") == "red_flag", slot
