"""A model without a TensorFlow part is served without TensorFlow; one with such a part is served with it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Dict

import pytest

from bot.without_tensorflow import needs_tensorflow
from runtime.settings import ROOT


def model(folder: Path, uses: Dict[str, str]) -> Path:
    """A model's archive with nothing in it but which classes its parts are of."""
    metadata = json.dumps({"predict_schema": {"nodes": {name: {"uses": part} for name, part in uses.items()}}}).encode()
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("metadata.json")
        entry.size = len(metadata)
        archive.addfile(entry, io.BytesIO(metadata))
    return folder / "model.tar.gz"


@pytest.mark.parametrize(
    ("part", "needs"),
    [
        ("rasa.nlu.tokenizers.whitespace_tokenizer.WhitespaceTokenizer", False),
        ("rasa.core.policies.rule_policy.RulePolicy", False),
        ("bot.intent_classifier.TopicClassifier", False),
        ("rasa.nlu.classifiers.diet_classifier.DIETClassifier", True),
        ("rasa.nlu.selectors.response_selector.ResponseSelector", True),
        ("rasa.core.policies.ted_policy.TEDPolicy", True),
        ("rasa.core.policies.unexpected_intent_policy.UnexpecTEDIntentPolicy", True),
    ],
)
def test_a_model_says_whether_it_needs_tensorflow(tmp_path: Path, part: str, needs: bool) -> None:
    archive = model(tmp_path, {"one": "rasa.core.policies.rule_policy.RulePolicy", "two": part})
    assert needs_tensorflow(archive) is needs
    assert needs_tensorflow(tmp_path) is needs  # its folder


def test_rasa_runs_without_it_and_code_that_wants_it_is_refused() -> None:
    program = """
import sys
from bot.without_tensorflow import without_tensorflow
with without_tensorflow():
    import rasa.core.run
    import rasa.engine.recipes.default_components
assert not any(name.split(".")[0] in ("tensorflow", "keras") for name in sys.modules)
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
DefaultV1Recipe.register  # the recipe is whole
try:
    import tensorflow
except ModuleNotFoundError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "tensorflow is left out" in done.stdout
