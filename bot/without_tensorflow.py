"""Serve a model that has no TensorFlow part without loading TensorFlow.

Rasa imports TensorFlow for the classes of components that this project does not use, and spaCy's thinc imports whatever
framework it finds. That is 350 MB and half of the start. Here Rasa's modules are imported against a placeholder, good
enough to be subclassed, to decorate and to annotate with; afterwards TensorFlow counts as not installed, so that code
which really wants it is refused clearly instead of computing with a placeholder.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

ABSENT = frozenset({"keras", "tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text"})
NEED_IT = ("diet_classifier", "response_selector", "convert_featurizer", "lm_featurizer", "ted_policy", "unexpected")
"""Parts of the module names of Rasa's components that compute with TensorFlow."""


def needs_tensorflow(model: Path) -> bool:
    """Whether the model at ``model`` (a file, or a folder whose newest file is served) has a TensorFlow component.

    Raises what reading an archive raises when it is not a Rasa model.
    """
    if model.is_dir():
        archives = list(model.glob("*.tar.gz"))
        if not archives:
            return True
        model = max(archives, key=lambda path: path.stat().st_mtime)
    with tarfile.open(model) as archive:
        metadata = archive.extractfile("metadata.json")
        nodes = json.load(metadata)["predict_schema"]["nodes"] if metadata else {}
    return any(part in node["uses"] for node in nodes.values() for part in NEED_IT)


@contextmanager
def without_tensorflow() -> Iterator[None]:
    """Within: importing TensorFlow gives a placeholder. From then on: it is not there."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        finder.open = False
        for name in [name for name in sys.modules if name.split(".")[0] in ABSENT]:
            del sys.modules[name]


class _Placeholder(type):
    """A class of which every attribute is another such class, and which hands back a function it decorates."""

    def __getattr__(cls, name: str) -> Any:
        return _attribute(f"{cls.__name__}.{name}", name)

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        return arguments[0] if arguments and callable(arguments[0]) else cls


class _PlaceholderModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return _attribute(f"{self.__name__}.{name}", name)


def _attribute(path: str, name: str) -> _Placeholder:
    if name.startswith("__"):  # Python asks for these to find out what an object can do
        raise AttributeError(name)
    return _Placeholder(path, (), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    open = True

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".")[0] not in ABSENT:
            return None
        if not self.open:
            raise ModuleNotFoundError(f"{fullname} is left out: the model does not need it", name=fullname)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _PlaceholderModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""
