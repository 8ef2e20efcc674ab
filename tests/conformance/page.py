"""The coverage as a table for machines and a page for readers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from tests.conformance import asvs
from tests.conformance.markers import read_claims
from tests.conformance.requirements import STATUSES, Requirement, proofs_by_id, read_requirements

FOLDER = Path(__file__).parents[2] / "docs" / "conformance"
_VERBS = ("SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "MAY", "DEPRECATED")
_INTRODUCTION = """\
# Conformance with CDS Hooks 2.0

Every sentence of [CDS Hooks 2.0](https://cds-hooks.hl7.org/2.0/) and of the [hook library](https://cds-hooks.hl7.org/hooks/STU1/) that binds a service, in our own words, with the tests that would fail if the service broke it.

- **proved**: at least one test that runs with `make test` holds the service to it.
- **owed**: it applies and is not there yet; the feature that owes it is named.
- **not applicable**: the service does not use what it rules, or it binds the client; the reason is given.

Ids and verbs are those of the requirement list of [Inferno's Da Vinci CRD test kit](https://github.com/inferno-framework/davinci-crd-test-kit) (Apache-2.0). The list numbers no sentence about the context of patient-view that binds a service. The same table for machines: [requirements.csv](requirements.csv).

What a security team asks for is [below](#owasp-asvs), by OWASP ASVS.

This page is generated: `make docs` writes it from the markers of the tests, from [tests/conformance/requirements.yaml](../../tests/conformance/requirements.yaml) and from [asvs.csv](asvs.csv).
"""


def documents() -> dict[Path, str]:
    """The generated files with what they must hold."""
    requirements, tests = read_requirements(), proofs_by_id(read_claims())
    return {
        FOLDER / "requirements.csv": table(requirements, tests),
        FOLDER / "README.md": f"{page(requirements, tests)}\n{asvs.section(asvs.read_rows())}",
    }


def table(requirements: Sequence[Requirement], tests: Mapping[str, Sequence[str]]) -> str:
    """One row per sentence, as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("id", "section", "url", "verb", "requirement", "status", "tests", "remark"))
    for r in requirements:
        writer.writerow((r.id, r.section, r.url, r.verb, r.says, r.status, "; ".join(tests.get(r.id, ())), r.remark))
    return out.getvalue()


def page(requirements: Sequence[Requirement], tests: Mapping[str, Sequence[str]]) -> str:
    """The coverage to read: counts, what is owed, and the sentences by section."""
    parts = [_INTRODUCTION, "## Counts\n", _counts(requirements), "## Owed\n", _owed(requirements)]
    for section, rows in groupby(requirements, key=lambda r: (r.section, r.url)):
        parts += [f"## {section[0]}\n", f"[{section[1].removeprefix('https://')}]({section[1]})\n", _rows(list(rows), tests)]
    return "\n".join(parts)


def _counts(requirements: Sequence[Requirement]) -> str:
    counted = Counter((r.verb, r.status) for r in requirements)
    lines = [[verb, *(counted[verb, s] for s in STATUSES), sum(counted[verb, s] for s in STATUSES)] for verb in _VERBS]
    totals = ["all", *(sum(counted[v, s] for v in _VERBS) for s in STATUSES), len(requirements)]
    return _grid(("verb", *STATUSES, "all"), [*lines, totals])


def _owed(requirements: Sequence[Requirement]) -> str:
    by_feature: dict[str, list[str]] = {}
    for r in requirements:
        if r.owed:
            by_feature.setdefault(r.owed, []).append(r.id)
    return _grid(("feature", "sentences"), [[feature, ", ".join(ids)] for feature, ids in sorted(by_feature.items())])


def _rows(requirements: Sequence[Requirement], tests: Mapping[str, Sequence[str]]) -> str:
    lines = [
        [r.id, r.verb, r.says, r.status, "<br>".join([*map(_link, tests.get(r.id, ())), *([r.remark] if r.remark else [])])] for r in requirements
    ]
    return _grid(("id", "verb", "requirement", "status", "tests, or why not"), lines)


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name}](../../{path})"


def _grid(head: Sequence[object], lines: Sequence[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows) + "\n"
