"""The invariants of ARCHITECTURE.md that can be read off the source."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "cds_service"
SOURCES = sorted(PACKAGE.rglob("*.py"))
DISEASE = re.compile(r"VEXAS|UBA1|Met41|12469", re.IGNORECASE)
DOORS = {
    "flask": {"app.py", "http", "web"},
    "werkzeug": {"http"},
    "fhir": {"fhir/strict.py"},
    "authlib": {"smart/exchange.py"},
    "requests": {"smart/exchange.py", "transport.py", "fhir/client.py", "trust/key_server.py", "ehr", "firing.py"},
    "urllib": {"ehr", "settings.py", "web/smart.py", "trust/addresses.py", "fhir/search.py"},
    "urllib3": {"transport.py", "fhir/client.py", "trust/key_server.py"},
    "joserfc": {"trust"},
    "cryptography": set(),
    "sqlalchemy": {"storage"},
    "alembic": {"storage"},
    "granian": {"serving.py"},
    "socket": {"serving.py", "transport.py"},
    "jsonschema": {"protocol"},
    "yaml": {"knowledge/yaml12.py"},
    "markdown_it": {"web"},
}
CLOCKS = {"settings.py", "telemetry.py", "http/calls.py", "ehr/client.py", "storage/database.py", "keeping.py", "firing.py"}


def imports_of(path: Path) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def room_of(path: Path) -> str:
    """The path of a module inside the package."""
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", SOURCES, ids=room_of)
def test_no_module_names_the_disease(path: Path) -> None:
    """The engine is disease-neutral: the medicine is data."""
    found = DISEASE.findall(path.read_text(encoding="utf-8"))

    assert [] == found


@pytest.mark.parametrize("path", SOURCES, ids=room_of)
def test_each_outside_thing_has_one_door(path: Path) -> None:
    """A library for the outside world is imported only in its own rooms."""
    room = room_of(path)

    strangers = {name for name in imports_of(path) if name in DOORS and not any(room == door or room.startswith(f"{door}/") for door in DOORS[name])}

    assert set() == strangers


@pytest.mark.parametrize("path", SOURCES, ids=room_of)
def test_only_the_shell_looks_at_the_clock(path: Path) -> None:
    """Time comes in as an argument, so that the same request gives the same answer."""
    text = path.read_text(encoding="utf-8")

    looks = re.findall(r"\.today\(\)|\bnow\(|time\.time\(|perf_counter\(|gmtime\(", text)
    allowed = room_of(path) in CLOCKS or (room_of(path) in {"invocation.py", "cli.py"} and set(looks) <= {".today()"})

    assert not looks or allowed


@pytest.mark.parametrize("path", SOURCES, ids=room_of)
def test_no_handler_swallows_every_exception(path: Path) -> None:
    """A failure is never turned into an answer: `except Exception` and bare `except` do not occur."""
    handlers = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.ExceptHandler)]

    broad = [h.lineno for h in handlers if h.type is None or (isinstance(h.type, ast.Name) and h.type.id in ("Exception", "BaseException"))]

    assert [] == broad


@pytest.mark.parametrize("path", [p for p in SOURCES if p.stem != "__init__"], ids=room_of)
def test_names_are_those_of_the_field(path: Path) -> None:
    """No module is called utils, helpers or manager."""
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=room_of)
def test_modules_stay_readable(path: Path) -> None:
    """A module that grows beyond 450 lines wants to be two."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450 or room_of(path) == "knowledge/model.py"


def test_the_import_contracts_hold() -> None:
    """The floors of the house, purity and independence, as import-linter sees them."""
    result = subprocess.run([str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout
