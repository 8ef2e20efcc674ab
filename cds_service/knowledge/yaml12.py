"""YAML as authors expect it: the 1.2 core types only, no duplicate keys, and a line number for every value.

Plain YAML 1.1 reads the key `on:` as true, `0123` as 83 and keeps the last of two equal keys; here none of that happens.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cds_service.errors import KnowledgeError

_DEEPEST = 60
_MOST_VALUES = 200_000  # aliases of aliases multiply; no file of a module comes near
Place = tuple[str | int, ...]
_CORE = (
    ("null", re.compile(r"~|null|")),
    ("bool", re.compile(r"true|false")),
    ("int", re.compile(r"[-+]?(0|[1-9][0-9]*)")),
    ("float", re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")),
)

_READERS: dict[str, Callable[[str], Any]] = {"null": lambda _: None, "bool": lambda t: t == "true", "int": int, "float": float}


class _Nodes(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where it is built in: less than a tenth of the time
    """Reads text into nodes, and leaves to `_scalar` what a plain word means."""

    def resolve(self, *_: object) -> str:
        return ""


class Document:
    """A YAML file's plain value, and the line of each place in it."""

    def __init__(self, path: Path, value: Any, lines: dict[Place, int], bare: frozenset[Place]) -> None:
        self.path = path
        self.value = value
        self.lines = lines
        self.bare = bare  # scalars written without quotes

    def fault(self, place: Place, message: str) -> KnowledgeError:
        """An error that names the file, the nearest line and the remedy in the message."""
        while place and place not in self.lines:
            place = place[:-1]
        return KnowledgeError(f"{self.path.name}:{self.lines.get(place, 1)}: {message}")


def read(path: Path) -> Document:
    """Read one YAML file. Raises KnowledgeError with file, line and remedy."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=_Nodes)
    except FileNotFoundError:
        raise KnowledgeError(f"{path.name}: the file is missing. Every module needs it.") from None
    except OSError as error:
        raise KnowledgeError(f"{path.name}: the file cannot be read ({error.strerror}). Check that it is a file.") from None
    except UnicodeDecodeError:
        raise KnowledgeError(f"{path.name}: the file is not UTF-8. Save it as UTF-8.") from None
    except RecursionError:
        raise KnowledgeError(f"{path.name}: nested too deeply. Write it out flat.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "not YAML"
        if "nesting depth" in problem:  # libyaml's own bound
            raise KnowledgeError(f"{path.name}:{line}: nested too deeply. Write it out flat.") from None
        raise KnowledgeError(f"{path.name}:{line}: {problem}. Check indentation, quotes and colons here.") from None
    if root is None:
        raise KnowledgeError(f"{path.name}:1: the file is empty. Write its content or remove it.")
    lines: dict[Place, int] = {}
    bare: set[Place] = set()
    return Document(path, _value(path, root, (), lines, bare), lines, frozenset(bare))


def _value(path: Path, node: yaml.Node, place: Place, lines: dict[Place, int], bare: set[Place]) -> Any:
    lines[place] = node.start_mark.line + 1
    if len(lines) > _MOST_VALUES:
        raise KnowledgeError(
            f"{path.name}:{node.start_mark.line + 1}: more than {_MOST_VALUES:,} values, aliases counted. Write it out without aliases."
        )
    if len(place) > _DEEPEST:
        raise KnowledgeError(f"{path.name}:{node.start_mark.line + 1}: nested too deeply, or an alias that holds itself. Write it out flat.")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key in found:
                line = key_node.start_mark.line + 1
                raise KnowledgeError(f"{path.name}:{line}: the key '{key}' stands twice. Keep one of them.")
            found[key] = _value(path, value_node, (*place, key), lines, bare)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(path, child, (*place, i), lines, bare) for i, child in enumerate(node.value)]
    return _scalar(node, place, bare)


def _scalar(node: yaml.Node, place: Place, bare: set[Place]) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) or node.tag == "!!str":
        return text
    bare.add(place)
    for kind, form in _CORE:
        if form.fullmatch(text):
            return _READERS[kind](text)
    return text
