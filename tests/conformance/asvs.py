"""docs/conformance/asvs.csv: every requirement of OWASP ASVS 5.0.0 of level 1 and 2, with its proof or its reason; and the page's part of it."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "conformance" / "asvs.csv"
HEAD = ("id", "level", "subject", "status", "tests", "note")
PROVED, PARTLY, BY_DESIGN, OPERATOR, OWED, NOT_APPLICABLE = STATUSES = ("proved", "partly", "by design", "operator", "owed", "not applicable")
# How many requirements of level 1 and of level 2 each chapter has, counted in 5.0/docs_en/
# OWASP_Application_Security_Verification_Standard_5.0.0_en.csv of github.com/OWASP/ASVS at 5cf9b032440be53ce345ab3c130fda46ba1ce7a2.
COUNTED = {
    1: (8, 19),
    2: (4, 7),
    3: (8, 11),
    4: (2, 8),
    5: (4, 5),
    6: (13, 22),
    7: (6, 12),
    8: (4, 3),
    9: (4, 3),
    10: (5, 24),
    11: (3, 11),
    12: (3, 6),
    13: (1, 12),
    14: (2, 7),
    15: (3, 10),
    16: (0, 16),
    17: (0, 7),
}
_CHAPTERS = (
    "escaping, injection",
    "validation, limits",
    "browsers",
    "HTTP",
    "files",
    "who somebody is",
    "sessions",
    "who may what",
    "signed tokens",
    "OAuth and OpenID Connect",
    "cryptography",
    "TLS",
    "configuration",
    "data protection",
    "architecture, dependencies",
    "logs and errors",
    "WebRTC",
)
_GATE = {"tests/wheel.py"}  # what `make check` runs beside the tests
_ID = re.compile(r"\d+\.\d+\.\d+")
_FILE = re.compile(r"`([\w./-]+\.(?:py|md|json|lock|html|ya?ml|csv))`")
_INTRODUCTION = """\
## OWASP ASVS

Every requirement of level 1 and 2 of the [OWASP Application Security Verification Standard 5.0.0](https://github.com/OWASP/ASVS/tree/v5.0.0) (CC BY-SA 4.0), of which ids and levels are taken and nothing else: the subjects are our own few words, and the standard itself says what each asks for. All rows, each with its tests or its reason: [asvs.csv](asvs.csv).

- **proved**: tests that run with `make test` hold the service to it.
- **partly**: a part is proved; the row says what is missing.
- **by design**: how it is built or written down leaves nothing to test; the row names the file.
- **operator**: done by the proxy, the system or the database of those who run it; the row names the page that tells them.
- **owed**: it should be so and is not yet.
- **not applicable**: the service has nothing of the kind; the row says why.
"""


class Row(NamedTuple):
    """One requirement."""

    id: str
    level: str
    subject: str
    status: str
    tests: str
    note: str

    @property
    def place(self) -> tuple[int, ...]:
        """Where it stands in the standard; nowhere if the id is none."""
        return tuple(map(int, self.id.split("."))) if _ID.fullmatch(self.id) else ()

    @property
    def proofs(self) -> list[str]:
        """The tests, as path or path::name."""
        return [one.strip() for one in self.tests.split(";") if one.strip()]


def read_rows() -> list[Row]:
    """Every row of the table. Raises ValueError for a table of another shape."""
    head, *lines = csv.reader(TABLE.read_text(encoding="utf-8").splitlines())
    if tuple(head) != HEAD or any(len(line) != len(HEAD) for line in lines):
        raise ValueError(f"{TABLE.name} has other columns than {', '.join(HEAD)}.")
    return [Row(*line) for line in lines]


def faults(rows: Sequence[Row]) -> Iterator[str]:
    """What is wrong with the table, each with its remedy."""
    places = [row.place for row in rows]
    if () in places or places != sorted(set(places)):
        yield "An id is none, stands twice or out of order. Sort the rows as the standard has them."
    counted = {n: tuple(sum(row.place[:1] == (n,) and row.level == level for row in rows) for level in ("1", "2")) for n in COUNTED}
    if counted != COUNTED or len(rows) != sum(map(sum, COUNTED.values())):
        yield f"The standard has {COUNTED} requirements of level 1 and 2, the table has {counted} in {len(rows)} rows. Add or remove rows."
    for row in rows:
        yield from (f"{row.id}: {fault}" for fault in _faults_of(row))


def _faults_of(row: Row) -> Iterator[str]:
    if row.status not in STATUSES or row.level not in ("1", "2") or not row.subject:
        yield f"status '{row.status}', level '{row.level}' or subject '{row.subject}' is none."
    if row.status in (PROVED, PARTLY) and not row.proofs:
        yield "it is said to be proved and names no test. Name one, or take another status."
    if row.status != PROVED and not row.note:
        yield "it has no note. Say why, or what is missing."
    if row.status == OWED and row.proofs:
        yield "it is owed and names tests. Take them away, or call it partly."
    if row.status in (BY_DESIGN, OPERATOR) and not _FILE.search(row.note):
        yield "its note names no file. Name the one that holds it, or that tells the operator."
    yield from (f"{name} is no test. Correct the name." for name in row.proofs if not is_test(name))
    yield from (f"`{name}` is no file. Correct the name." for name in _FILE.findall(row.note) if not (ROOT / name).is_file())


def is_test(name: str) -> bool:
    """Whether a name is that of a test, or of a file of tests or of the gate."""
    path, _, function = name.partition("::")
    found = _tests_in(ROOT / path)
    return function in found if function else bool(found) or path in _GATE


@cache
def _tests_in(path: Path) -> frozenset[str]:
    if not path.name.startswith("test_") or not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def section(rows: Sequence[Row]) -> str:
    """The page's part: counts by chapter, and every row that is not whole."""
    counted = Counter((row.place[0], row.status) for row in rows)
    lines = [[f"V{n} {_CHAPTERS[n - 1]}", *(counted[n, s] for s in STATUSES), sum(counted[n, s] for s in STATUSES)] for n in COUNTED]
    totals = ["all", *(sum(counted[n, s] for n in COUNTED) for s in STATUSES), len(rows)]
    parts = [_INTRODUCTION, _grid(("chapter", *STATUSES, "all"), [*lines, totals])]
    for status, title in ((OWED, "What is owed"), (PARTLY, "What is proved in part")):
        parts += [
            f"### {title}\n",
            _grid(("id", "level", "subject", "note"), [[r.id, r.level, r.subject, r.note] for r in rows if r.status == status]),
        ]
    return "\n".join(parts)


def _grid(head: Sequence[object], lines: Sequence[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows) + "\n"
