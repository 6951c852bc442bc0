"""What a message's understanding costs with more topics than there are: ``python scripts/bench_topics.py 68 200 1000``.

The served model's own numbers are repeated until they are those of so many topics, each with as many phrases as today:
what is worked out for a message is then what a model trained on them would work out, though not its answer. Prints JSON,
for ``scripts/bench_scale.py``. Runs in Rasa's environment.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tarfile
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import yaml  # noqa: E402

from bot.intent_model import IntentModel  # noqa: E402
from bot.plain_text import readable  # noqa: E402
from bot.sentence_embedding import shared_embedding  # noqa: E402

OTHER_LABELS = 36
"""Of today's labels: small talk, commands. The rest are topics."""


def load() -> IntentModel:
    """The classifier out of the served model."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(ROOT / "models" / "plainspoken.tar.gz") as archive:
        archive.extractall(folder, filter="data")
        (place,) = Path(folder).glob("components/*TopicClassifier*")
        return IntentModel.load(shared_embedding(), place)


def widened(model: IntentModel, topics: int) -> IntentModel:
    """``model`` with so many topics."""
    fitted, labels = model._fitted, topics + OTHER_LABELS
    phrases = round(len(fitted.phrases) * labels / len(model.labels))
    rows, columns = np.arange(phrases) % len(fitted.phrases), np.arange(labels) % len(model.labels)
    return IntentModel(
        embedding=model._embedding,
        recipe=model._recipe,
        labels=[f"faq/{number}" for number in range(labels)],
        speller=model._speller,
        characters=model._characters,
        fitted=replace(
            fitted,
            matrix=np.ascontiguousarray(fitted.matrix[:, columns]),
            intercept=fitted.intercept[columns],
            phrases=fitted.phrases[rows],
        ),
    )


def milliseconds(model: IntentModel, texts: list[str]) -> float:
    """Processor time of a message, the embedding included: median."""
    times = []
    for text in texts:
        begun = time.process_time()
        model.predict(text)
        times.append((time.process_time() - begun) * 1000)
    return statistics.median(times)


def main() -> None:
    asked = yaml.safe_load((ROOT / "tests/understanding/heldout/questions.yml").read_text(encoding="utf-8"))
    texts = [readable(text) for phrasings in asked.values() for text in phrasings]
    model, found = load(), {}
    milliseconds(model, texts[:50])  # warm
    for topics in map(int, sys.argv[1:]):
        wide = widened(model, topics)
        size = sum(array.nbytes for array in vars(wide._fitted).values()) / 2**20
        found[topics] = {"ms": milliseconds(wide, texts), "MB": size}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
