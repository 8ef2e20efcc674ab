"""The sentences of the standard that bind a service, and what became of each: proved, owed, or not applicable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.conformance.markers import Claim

SOURCE = Path(__file__).parent / "requirements.yaml"
PROVED, OWED, NOT_APPLICABLE = "proved", "owed", "not applicable"
STATUSES = (PROVED, OWED, NOT_APPLICABLE)


class Requirement(NamedTuple):
    """One sentence in our own words, with the reason why it has no test, if it has none."""

    id: str
    section: str
    url: str
    verb: str
    says: str
    reason: str = ""
    owed: str = ""
    note: str = ""

    @property
    def status(self) -> str:
        """Where the sentence stands; without a reason it must be proved."""
        return OWED if self.owed else NOT_APPLICABLE if self.reason else PROVED

    @property
    def remark(self) -> str:
        """Why there is no test, and what else should be known."""
        why = f"Owed by: {self.owed}." if self.owed else self.reason
        return " ".join(part for part in (why, self.note) if part)


def read_requirements() -> list[Requirement]:
    """Every sentence, in the order of the standard."""
    sections: list[dict[str, Any]] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return [Requirement(section=s["section"], url=s["url"], **row) for s in sections for row in s["requirements"]]


def proofs_by_id(claims: Iterable[Claim]) -> dict[str, list[str]]:
    """The tests that claim to prove each id, sorted."""
    found: dict[str, list[str]] = {}
    for claim in claims:
        for name in claim.ids:
            found.setdefault(name, []).append(claim.test)
    return {name: sorted(tests) for name, tests in found.items()}


def faults(requirements: Sequence[Requirement], claims: Sequence[Claim]) -> Iterator[str]:
    """What does not fit between the sentences and the tests, each with its remedy."""
    tests = proofs_by_id(claims)
    known = [r.id for r in requirements]
    yield from (f"{name} is listed twice. Remove one." for name in sorted({n for n in known if known.count(n) > 1}))
    yield from (f"{name} is claimed by {tests[name][0]} and is not in {SOURCE.name}. Correct the marker." for name in tests if name not in known)
    for requirement in requirements:
        yield from _faults_of(requirement, tests)


def _faults_of(requirement: Requirement, tests: Mapping[str, list[str]]) -> Iterator[str]:
    proved_by = tests.get(requirement.id)
    if requirement.owed and requirement.reason:
        yield f"{requirement.id} is owed and has a reason. Keep one."
    if requirement.status == PROVED and not proved_by:
        yield f"{requirement.id} has no test. Mark the test that proves it, or say in {SOURCE.name} why there is none."
    if requirement.status != PROVED and proved_by:
        yield f"{requirement.id} is {requirement.status} and claimed by {proved_by[0]}. Remove the marker or the reason."
