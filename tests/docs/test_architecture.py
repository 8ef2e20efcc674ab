"""ARCHITECTURE.md and GLOSSARY.md speak of rooms, floors, functions and classes that are there."""

from __future__ import annotations

import ast
import importlib
import operator
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from cds_service.hooks import HOOKS
from cds_service.reasoning.truth import Truth
from tests.docs import pages

PACKAGE = pages.ROOT / "cds_service"
# Where a page's file names may start.
ROOTS = (pages.ROOT, PACKAGE, PACKAGE / "knowledge" / "vexas", *(path for path in PACKAGE.iterdir() if path.is_dir()))
FILE = re.compile(r"[\w.*-]*/[\w./*-]*|[\w*-]+\.(?:py|ya?ml|md|json|toml|css)")
# Words of the glossary for what is no class of its own.
NO_CLASS = {"Alternative", "Topic", "Golden card", "Silent mode"}


def exists(name: str) -> bool:
    """Whether a file, a folder or a pattern of files is there."""
    return any(any(root.glob(name.rstrip("/"))) for root in ROOTS)


def files_of(page: Path) -> list[str]:
    """The files and folders that a page names between backticks."""
    return sorted({span for span in pages.spans(page) if FILE.fullmatch(span)})


@pytest.mark.parametrize("page", [pages.ARCHITECTURE, pages.CONTRIBUTING], ids=lambda page: page.name)
def test_names_files_that_are(page):
    """Every file named on a page exists."""
    assert files_of(page)
    assert [] == [name for name in files_of(page) if not exists(name)]


def test_has_a_room_for_every_module():
    """Each module and folder of the package is named in the table of rooms, and nothing else is."""
    rooms = {span.rstrip("/") for row in pages.rows(pages.section(pages.ARCHITECTURE, "The rooms")) for span in re.findall(r"`([^`]+)`", row[0])}
    parts = {path.name for path in PACKAGE.iterdir() if not path.name.startswith("_") and path.name != "py.typed"}

    assert parts | {"fixtures", "tests", "benchmarks"} == rooms


def test_draws_the_line_of_functions_that_are():
    """Each step of one request is a function or class of that name in that file."""
    hook = next(iter(HOOKS)).replace("-", "_")
    steps = re.findall(r"([\w<>]+(?:/[\w<>]+)+)\.([A-Za-z_.]+)", "".join(pages.blocks(pages.ARCHITECTURE, "")))

    missing = [f"{room}.{name}" for room, name in steps if not resolves(f"cds_service/{room}".replace("<hook>", hook).replace("/", "."), name)]

    assert steps
    assert [] == missing


def resolves(module: str, name: str) -> bool:
    """Whether a module has a function or class of this name."""
    try:
        operator.attrgetter(name)(importlib.import_module(module))
    except (ImportError, AttributeError):
        return False
    return True


def test_draws_the_floors_that_the_linter_keeps():
    """The floors are those of the import contract."""
    contracts = tomllib.loads(pages.text_of(pages.ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    sentence = re.search(r"Floors, from the top: (.*?)\. ", pages.section(pages.ARCHITECTURE, "The rooms"))

    assert sentence
    assert [layer.replace("cds_service.", "").split(" : ") for layer in layers] == [
        re.findall(r"`(\w+)`", floor) for floor in sentence[1].split(" · ") if "`" in floor
    ]


# --- the glossary ---


WORDS = {row[0]: row[1] for row in pages.rows(pages.text_of(pages.GLOSSARY))}


@cache
def classes() -> set[str]:
    """The names of the package's classes."""
    sources = [ast.parse(pages.text_of(path)) for path in PACKAGE.rglob("*.py")]
    return {node.name for source in sources for node in ast.walk(source) if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("word", [word for word in WORDS if word not in NO_CLASS])
def test_explains_classes_that_are(word):
    """A word of ours is the name of a class."""
    assert "".join(part[:1].upper() + part[1:] for part in word.split()) in classes()


def test_explains_every_truth():
    """The glossary names the values of Truth."""
    assert [truth.name for truth in Truth] == re.findall(r"[A-Z]{2,}", WORDS["Truth"])
