"""The charts inside a package: every resource of a kind that the service reads, wherever it stands, each counted once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tests import build

KINDS = tuple(dict.fromkeys(requirement.resource for requirement in build.KNOWLEDGE.requirements.values()))
CLINICAL = tuple(kind for kind in KINDS if kind != "Patient")
_WANTED = frozenset({*KINDS, "Medication", "Bundle"})


class Found(NamedTuple):
    """A resource with the URL under which a Bundle holds it, if one does."""

    resource: dict[str, Any]
    full_url: str | None = None

    @property
    def kind(self) -> str:
        """The resource's type."""
        return str(self.resource["resourceType"])

    @property
    def entry(self) -> dict[str, Any]:
        """The resource as an entry of a Bundle."""
        return {"fullUrl": self.full_url, "resource": self.resource} if self.full_url else {"resource": self.resource}


class Charts(NamedTuple):
    """What a package holds: its resources and Bundles, each once, and how many more copies there were."""

    package: str
    found: tuple[Found, ...]
    copies: Counter[str]

    def of(self, *kinds: str) -> list[Found]:
        """The resources of some kinds."""
        return [one for one in self.found if one.kind in kinds]


def charts(package: str, documents: Iterable[tuple[str, Any]]) -> Charts:
    """Everything of use in the files of a package."""
    known: dict[tuple[str, str], Found] = {}
    copies: Counter[str] = Counter()
    for _, document in documents:
        for found in walk(document):
            name = (found.kind, json.dumps(found.resource, sort_keys=True))
            copies[found.kind] += name in known
            if name not in known or (found.full_url and not known[name].full_url):
                known[name] = found
    return Charts(package, tuple(known.values()), copies)


def walk(value: Any, full_url: str | None = None) -> Iterator[Found]:
    """Every wanted resource in a value: itself, in Bundles, contained, or deeper."""
    if isinstance(value, dict):
        if value.get("resourceType") in _WANTED:
            yield Found(value, full_url)
        for name, inner in value.items():
            inside = value.get("fullUrl") if name == "resource" else None
            yield from walk(inner, inside if isinstance(inside, str) else None)
    if isinstance(value, list):
        for inner in value:
            yield from walk(inner)
