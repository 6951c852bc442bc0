"""One English text in, two 384-number vectors out: the sentence embedding, without anything of Rasa.

The model is all-MiniLM-L6-v2 (Reimers and Gurevych 2019), int8, made by ``scripts/make_embedding.py``; its files and
licence are in ``bot/embedding/``. Texts are embedded one at a time on one thread: the int8 scales are taken from the
batch, so the same text in another batch would get another vector.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

FOLDER = Path(__file__).parent / "embedding"
SIZE = 384
MAX_TOKENS = 256
"""What the model was trained to take; about 1,100 characters of plain English."""
_KEPT = 32
"""So many texts are remembered with their vectors: the sentences of one message are asked for by several components."""


class EmbeddingRefused(RuntimeError):
    """The model's files are missing or are not the ones that were reviewed."""


def checksums(folder: Path = FOLDER) -> dict[str, str]:
    """File name -> SHA-256 as written in ``SHA256SUMS``. Raises EmbeddingRefused when there is no such file."""
    try:
        lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise EmbeddingRefused(f"{folder / 'SHA256SUMS'} cannot be read: run scripts/make_embedding.py") from error
    return {name: digest for digest, name in (line.split() for line in lines if line.strip())}


class SentenceEmbedding:
    """The loaded model. Costs about 60 MB and 0.2 seconds, so load it once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load from ``folder``. Raises EmbeddingRefused when a file differs from ``SHA256SUMS`` or is missing."""
        sums = checksums(folder)
        model, tokenizer = (_verified(folder / name, sums) for name in ("model.onnx", "tokenizer.json"))
        self.checksum = sums["model.onnx"]
        self._recent: dict[str, np.ndarray] = {}
        self._tokenizer = Tokenizer.from_file(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=MAX_TOKENS)
        vocabulary = self._tokenizer.get_vocab()
        self.whole_words = frozenset(word for word in vocabulary if word.isalpha() and len(word) > 1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # From the path: handed over as bytes, the model would stay in memory twice (22 MB more).
        self._session = onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])

    def embed(self, text: str) -> np.ndarray:
        """The unit-length float32 vector (384) of what ``text`` means; any text has one, also an empty text."""
        return self.features(text)[:SIZE]

    def features(self, text: str) -> np.ndarray:
        """:meth:`embed`'s vector followed by an inner layer's (2 x 384), which is closer to the words themselves."""
        known = self._recent.get(text)
        if known is None:
            known = self._features(text)
            known.flags.writeable = False
            self._recent[text] = known
            if len(self._recent) > _KEPT:
                self._recent.pop(next(iter(self._recent)), None)
        return known

    def _features(self, text: str) -> np.ndarray:
        # A lone surrogate cannot be handed to the tokenizer; browsers do send them in cut-off emoji.
        encoding = self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))
        ids = np.array([encoding.ids], dtype=np.int64)
        outputs = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.concatenate([output[0] for output in outputs])


@lru_cache(maxsize=1)
def shared_embedding() -> SentenceEmbedding:
    """The one copy of this process: the featurizer and the classifier both need it."""
    return SentenceEmbedding()


def _verified(path: Path, sums: dict[str, str]) -> str:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EmbeddingRefused(f"{path} cannot be read: run scripts/make_embedding.py") from error
    if digest != sums.get(path.name):
        raise EmbeddingRefused(f"{path} is not the file that SHA256SUMS names: restore it or make it again")
    return str(path)
