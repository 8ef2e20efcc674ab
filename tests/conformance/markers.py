"""Which test claims to prove which sentence, read off the source of the tests without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent.parent
_UNDONE = frozenset({"skip", "skipif", "xfail"})


class Claim(NamedTuple):
    """A test, as pytest names it, and the ids that it claims to prove."""

    test: str
    ids: tuple[str, ...]


class MisplacedMarker(ValueError):
    """A requirement marker where it proves nothing."""


def read_claims() -> list[Claim]:
    """Every claim of the suite, in the order of the files. Raises MisplacedMarker."""
    paths = sorted(TESTS.rglob("*.py"))
    return [claim for path in paths for claim in claims_of(path.read_text(encoding="utf-8"), path.relative_to(TESTS.parent).as_posix())]


def claims_of(source: str, path: str) -> list[Claim]:
    """The claims of one file. Raises MisplacedMarker with the place and the remedy."""
    tree = ast.parse(source)
    found, used = [], set()
    for name, function in _tests_of(tree, path):
        markers = [d for d in function.decorator_list if _is_marker(_called(d), "requirement")]
        used.update(id(_called(d)) for d in markers)
        if markers:
            _refuse_undone(function, path)
            found.append(Claim(name, tuple(i for d in markers for i in _ids_of(d, path))))
    for node in ast.walk(tree):
        if _is_marker(node, "requirement") and id(node) not in used:
            raise MisplacedMarker(f"{path}:{node.lineno}: a requirement marker stands on a test function and nowhere else. Move it.")
    return found


def _tests_of(tree: ast.Module, path: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions that pytest collects, with their names."""
    if not path.rpartition("/")[2].startswith("test_"):
        return
    for node in tree.body:
        holder, prefix = (node.body, f"{path}::{node.name}") if isinstance(node, ast.ClassDef) else ([node], path)
        yield from ((f"{prefix}::{f.name}", f) for f in holder if isinstance(f, ast.FunctionDef) and f.name.startswith("test_"))


def _called(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _is_marker(node: ast.AST, *names: str) -> bool:
    """Whether a node is pytest.mark.NAME."""
    return isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node.value) == "pytest.mark"


def _ids_of(decorator: ast.expr, path: str) -> tuple[str, ...]:
    arguments = decorator.args if isinstance(decorator, ast.Call) else []
    ids = tuple(a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str))
    if not ids or len(ids) < len(arguments):
        raise MisplacedMarker(f"{path}:{decorator.lineno}: a requirement marker names its ids as plain texts. Write them out.")
    return ids


def _refuse_undone(function: ast.FunctionDef, path: str) -> None:
    if any(_is_marker(_called(d), *_UNDONE) for d in function.decorator_list):
        raise MisplacedMarker(
            f"{path}:{function.lineno}: {function.name} may be skipped or may fail, so it proves nothing. Remove one of the markers."
        )
