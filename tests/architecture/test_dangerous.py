"""What could turn a text into a deed is nowhere in the package: no commands, no evaluation, no unpickling, no XML, no templates made of texts."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.test_invariants import PACKAGE, SOURCES, imports_of, room_of

MODULES = {"subprocess", "pickle", "marshal", "shelve", "dill", "xml", "lxml", "telnetlib", "ftplib", "smtplib", "ldap", "memcache", "code", "pty"}
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "from_string", "render_template_string", "literal_column", "format_map"}
# Where a text becomes SQL or markup as it is, and of what it is made there.
RAW = {
    "exec_driver_sql": {"storage/database.py"},  # constants and numbers of ours
    # Escaped just before; drawn from numbers and words of ours; rendered from Markdown by a library that lets no HTML through.
    "Markup": {"web/evidence.py", "web/simulator/cards.py", "web/simulator/pages.py"},
}
FORBIDDEN_IN_A_SCRIPT = (
    r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|\bFunction\b|import\b|storage|indexedDB|cookie|XMLHttp|WebSocket|Beacon|"
    r"EventSource|Worker|postMessage|\"message\"|prototype|__proto__|Object\.assign|JSON\.parse|location\b"
)


def calls_of(path: Path) -> set[str]:
    """The names of functions and methods that a module calls."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            found |= {node.func.attr} - ({"compile"} if owner == "re" else set())
    return found


@pytest.mark.parametrize("path", SOURCES, ids=room_of)
def test_turns_no_text_into_a_deed(path: Path) -> None:
    """No module runs a command, evaluates a text, reads pickles or XML, sends mail, or makes a template of a text."""
    assert set() == MODULES & imports_of(path)
    assert set() == CALLS & calls_of(path)


def test_takes_a_text_as_it_is_in_few_places() -> None:
    """SQL as a text stands in the one module that opens the database, and markup where plots are drawn, words are kept together and cards are shown."""
    found = {name: {room_of(path) for path in SOURCES if name in calls_of(path)} for name in RAW}

    assert RAW == found


def test_runs_one_script_that_only_turns_the_page() -> None:
    """The package has one script; it sends a form where the form goes and shows the page that comes back, and makes, stores, sends nothing else."""
    [script] = [path for path in PACKAGE.rglob("*") if path.suffix in {".js", ".mjs", ".ts", ".wasm"}]
    text = script.read_text(encoding="utf-8")

    assert [] == re.findall(FORBIDDEN_IN_A_SCRIPT, text, re.IGNORECASE)
    assert ["fetch(addressOf(form),"] == re.findall(r"fetch\S+", text)
    assert ["new URL(form.action)"] == re.findall(r"new URL\(.*\)", text)
    assert ["parseFromString(await answer.text(),"] == re.findall(r"parse.+?,", text)
