"""Our understanding beside Rasa's default pipeline, on the same data: ``make bench-understanding``.

Trains the pipeline that ``rasa init`` gives (DIET, 100 epochs) and ours on the very same phrases, each in a process of
its own, and measures both on the held-out messages: right topic first, off-topic refused, training time, processor time
for a message, resident memory. Rasa's default gets every label as an intent of its own (``faq_cost``) and its own
fallback classifier, so that it is measured at its best. Takes many minutes: DIET learns slowly.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")

DEFAULT = {
    "recipe": "default.v1",
    "language": "en",
    "assistant_id": "default",
    "pipeline": [
        {"name": "WhitespaceTokenizer"},
        {"name": "RegexFeaturizer"},
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True},
        {"name": "EntitySynonymMapper"},
        {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
    ],
    "policies": [{"name": "RulePolicy"}],
}
ROWS = (
    "training s",
    "first",
    "first with typos",
    "off-topic refused",
    "ms a message, median",
    "ms a message, p95",
    "MB",
)


def flat_project(folder: Path, epochs: int) -> None:
    """The same phrases with every label as an intent of its own, as the default pipeline wants them."""
    examples: dict[str, list[str]] = {}
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu", []):
            topic = (block.get("metadata") or {}).get("topic")
            if "intent" in block and block["intent"] not in ("red_flag", "escalation_reply"):
                label = f"{block['intent']}_{topic}" if topic else block["intent"]
                lines = [line.removeprefix("- ").strip() for line in block["examples"].splitlines()]
                examples.setdefault(label, []).extend(line for line in lines if line)
    (folder / "data").mkdir()
    nlu = [{"intent": label, "examples": "".join(f"- {text}\n" for text in texts)} for label, texts in examples.items()]
    (folder / "data" / "nlu.yml").write_text(yaml.safe_dump({"version": "3.1", "nlu": nlu}, allow_unicode=True))
    (folder / "domain.yml").write_text(yaml.safe_dump({"version": "3.1", "intents": sorted(examples)}))
    config = json.loads(json.dumps(DEFAULT))
    config["pipeline"][5]["epochs"] = epochs
    (folder / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False))


def train(folder: Path) -> tuple[Path, float]:
    """Train the project in ``folder`` from nothing; the model and the seconds it took."""
    command = [sys.executable, "-m", "rasa", "train", "nlu", "--fixed-model-name", "measured", "--out", "measured"]
    with tempfile.TemporaryDirectory() as cache:
        begun = time.perf_counter()
        environment = {**os.environ, "RASA_CACHE_DIRECTORY": cache, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return next((folder / "measured").glob("*.tar.gz")), seconds


def measure(model: Path) -> dict[str, float]:
    """What a trained model does with the held-out messages. Run in a process of its own, for its memory."""
    import evaluate

    agent = evaluate.load_agent(model)
    questions, strangers = evaluate.both_sets()
    evaluate.ask(agent, questions[:20])  # warm
    clean, odd = evaluate.ask(agent, questions), evaluate.ask(agent, strangers)
    slipped = evaluate.ask(agent, evaluate.misspelt(questions, evaluate.SEEDS[0]))
    milliseconds = sorted(result.seconds * 1000 for result in clean)

    def topic(result: Any) -> str:
        """Ours answers topics of the intent faq; the default's intents are the topics."""
        return result.answered[0] if result.answered else result.intent.removeprefix("faq_")

    def answered(result: Any) -> bool:
        return bool(result.answered) or result.intent.startswith("faq_")

    refused = [not answered(r) or topic(r) in evaluate.REFUSED for r in odd]
    status = Path("/proc/self/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
    return {
        "first": sum(topic(r) == r.message.topics[0] for r in clean) / len(clean),
        "first with typos": sum(topic(r) == r.message.topics[0] for r in slipped) / len(slipped),
        "off-topic refused": sum(refused) / len(refused),
        "ms a message, median": milliseconds[len(milliseconds) // 2],
        "ms a message, p95": milliseconds[int(len(milliseconds) * 0.95)],
        "MB": resident,
    }


def measured(model: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", str(model)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Our understanding beside Rasa's default pipeline.")
    parser.add_argument("--epochs", type=int, default=100, help="of DIET; fewer only to try the script")
    parser.add_argument(
        "--models", type=Path, help="keep the trained models here; those already here are only measured"
    )
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return 0
    table: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        kept = options.models or Path(name)
        for title in ("ours", "default"):
            model, figures = kept / f"{title}.tar.gz", kept / f"{title}.json"
            if not model.exists():
                print(f"Training: {title} ...", flush=True)
                folder = Path(name) / title
                folder.mkdir()
                if title == "ours":
                    for part in ("data", "config.yml", "domain.yml", "bot", "safety", "knowledge", "runtime"):
                        (folder / part).symlink_to(ROOT / part)
                else:
                    flat_project(folder, options.epochs)
                trained, seconds = train(folder)
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copy(trained, model)
                figures.write_text(json.dumps({"training s": seconds}))
            print(f"Measuring: {title} ...", flush=True)
            table[title] = {**json.loads(figures.read_text()), **measured(model)}
    print(f"\n{'':24s} {'ours':>10s} {'default':>10s} {'ratio':>8s}")
    for row in ROWS:
        ours, default = table["ours"][row], table["default"][row]
        shown = "{:9.1%}" if row.startswith(("first", "off")) else "{:9.1f}"
        print(f"{row:24s} {shown.format(ours):>10s} {shown.format(default):>10s} {ours / default:8.2f}")
    results = ROOT / "results"
    results.mkdir(exist_ok=True)
    (results / "bench_understanding.json").write_text(json.dumps(table, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
