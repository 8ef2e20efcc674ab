"""FHIR ValueSets as shipped with a knowledge module: which codes stand for a concept, and how each was verified."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cds_service.errors import KnowledgeError
from cds_service.record.codes import Code, code, well_formed

_MARK = "code-verification"


class _Extension(msgspec.Struct):
    url: str
    valueCode: str | None = None  # noqa: N815 - FHIR's own name


class _Concept(msgspec.Struct):
    code: str
    display: str = ""
    extension: list[_Extension] = []


class _Include(msgspec.Struct):
    system: str
    concept: list[_Concept]


class _Compose(msgspec.Struct):
    include: list[_Include]
    exclude: list[_Include] = []


class _ValueSet(msgspec.Struct):
    title: str
    compose: _Compose
    url: str


class Concept(msgspec.Struct, frozen=True):
    """One code of a value set, its display, and verified | verified-meaning | unverified-high."""

    code: Code
    display: str
    verification: str


class ValueSet(msgspec.Struct, frozen=True):
    """A named set of codes."""

    id: str
    title: str
    url: str
    concepts: tuple[Concept, ...]
    excluded: tuple[Code, ...] = ()


def read(path: Path) -> ValueSet:
    """Read a FHIR ValueSet file. Raises KnowledgeError with file and remedy."""
    try:
        raw = msgspec.json.decode(path.read_bytes(), type=_ValueSet)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"valuesets/{path.name}: {error}. Write a FHIR R4 ValueSet with compose.include.concept.") from None
    concepts: list[Concept] = []
    seen: set[Code] = set()
    for include in raw.compose.include:
        for item in include.concept:
            one = code(include.system, item.code)
            if not well_formed(one):
                raise KnowledgeError(f"valuesets/{path.name}: '{item.code}' is no code of {include.system}. Correct the code or its system.")
            if one in seen:
                raise KnowledgeError(f"valuesets/{path.name}: '{item.code}' stands twice. Keep one of them.")
            seen.add(one)
            mark = next((e.valueCode for e in item.extension if e.url.endswith(_MARK) and e.valueCode), None)
            if mark is None:
                raise KnowledgeError(f"valuesets/{path.name}: '{item.code}' has no {_MARK} extension. Say how it was verified.")
            concepts.append(Concept(one, item.display, mark))
    if not concepts:
        raise KnowledgeError(f"valuesets/{path.name}: no concept. Add codes or remove the file.")
    return ValueSet(path.stem, raw.title, raw.url, tuple(concepts), tuple(code(e.system, c.code) for e in raw.compose.exclude for c in e.concept))
