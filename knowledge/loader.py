"""Read knowledge files into frozen dataclasses, refusing anything unexpected with file and line.

Both runtimes import this module; it needs PyYAML and the standard library (Python 3.10 or later).

A dataclass is the schema: its fields are the keys allowed, a field without default is required, and the annotation is
the type: ``str``, ``int``, ``float``, ``bool``, ``date``, ``Literal[...]``, ``X | None``, ``tuple[X, ...]``,
``dict[str, X]``, ``Any`` or another dataclass.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar("T")


class KnowledgeError(ValueError):
    """A knowledge file says something the program does not understand. The text names file and line."""


def load(path: Path, schema: type[T]) -> T:
    """Return the content of the YAML file ``path`` as ``schema``.

    Raises:
        KnowledgeError: the file is missing, is not YAML, repeats a key, has an unknown key, lacks a required one, or
            holds a value of the wrong type. The text begins with ``path:line:``.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise KnowledgeError(f"{path}:1: the file does not exist") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise KnowledgeError(f"{path}:{line}: {error.problem}") from None
    if node is None:
        raise KnowledgeError(f"{path}:1: the file is empty")
    return typing.cast(T, _Reader(path).value(node, schema, "the file"))


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, node: yaml.Node, problem: str) -> KnowledgeError:
        return KnowledgeError(f"{self.path}:{node.start_mark.line + 1}: {problem}")

    def value(self, node: yaml.Node, kind: Any, name: str) -> Any:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if kind is Any:
            return self.plain(node)
        if origin is typing.Literal:
            found = self.plain(node)
            if found not in arguments:
                raise self.fail(node, f"{name} must be one of {', '.join(map(str, arguments))}, not {found!r}")
            return found
        if origin in (typing.Union, types.UnionType):
            if self.plain(node) is None and type(None) in arguments:
                return None
            (inner,) = (argument for argument in arguments if argument is not type(None))
            return self.value(node, inner, name)
        if origin is tuple:
            if not isinstance(node, yaml.SequenceNode):
                raise self.fail(node, f"{name} must be a list")
            return tuple(self.value(item, arguments[0], f"an item of {name}") for item in node.value)
        if origin is dict:
            return {key: self.value(item, arguments[1], f"{name}.{key}") for key, item in self.pairs(node, name)}
        if dataclasses.is_dataclass(kind):
            return self.record(node, typing.cast(type, kind), name)
        found = self.plain(node)
        if kind is float and isinstance(found, int) and not isinstance(found, bool):
            return float(found)
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise self.fail(node, f"{name} must be {kind.__name__}, not {found!r}")
        return found.strip() if kind is str else found

    def record(self, node: yaml.Node, kind: type, name: str) -> Any:
        hints = typing.get_type_hints(kind)
        fields = {field.name: field for field in dataclasses.fields(kind)}
        values = {}
        for key, item in self.pairs(node, name):
            if key not in fields:
                raise self.fail(item, f"unknown key {key!r} in {name}; allowed: {', '.join(fields)}")
            values[key] = self.value(item, hints[key], key)
        for key, field in fields.items():
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if required and key not in values:
                raise self.fail(node, f"{name} lacks the key {key!r}")
        try:
            return kind(**values)
        except ValueError as error:  # a rule of the record's own, from its __post_init__
            raise self.fail(node, str(error)) from None

    def pairs(self, node: yaml.Node, name: str) -> list[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self.fail(node, f"{name} must be a mapping of keys to values")
        found: dict[str, yaml.Node] = {}
        for key, item in node.value:
            if key.value in found:
                raise self.fail(key, f"the key {key.value!r} stands twice in {name}")
            found[key.value] = item
        return list(found.items())

    def plain(self, node: yaml.Node) -> Any:
        loader = yaml.SafeLoader("")
        try:
            found = loader.construct_document(node)
        finally:
            loader.dispose()
        return found


__all__ = ["KnowledgeError", "date", "load"]
