"""Coding systems and codes: one spelling per system, one pattern per system."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Code(NamedTuple):
    """A code in its system, both in canonical spelling."""

    system: str
    value: str

    def __str__(self) -> str:
        return f"{SYSTEMS[self.system].name} {self.value}" if self.system in SYSTEMS else self.value


class CodingSystem(NamedTuple):
    """A code system: its FHIR URI, the other spellings that charts use, and the form of its codes."""

    name: str
    uri: str
    pattern: str
    aliases: tuple[str, ...] = ()
    hierarchical: bool = False  # a longer code is a narrower concept, as in ICD-10


_ALL = (
    CodingSystem("LOINC", "http://loinc.org", r"\d{1,7}-\d|LA\d{1,7}-\d", ("urn:oid:2.16.840.1.113883.6.1",)),
    CodingSystem("SNOMED CT", "http://snomed.info/sct", r"\d{6,18}", ("urn:oid:2.16.840.1.113883.6.96",)),
    CodingSystem(
        "ICD-10-CM",
        "http://hl7.org/fhir/sid/icd-10-cm",
        r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
        ("urn:oid:2.16.840.1.113883.6.90",),
        hierarchical=True,
    ),
    CodingSystem(
        "ICD-10",
        "http://hl7.org/fhir/sid/icd-10",
        r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
        ("urn:oid:2.16.840.1.113883.6.3",),
        hierarchical=True,
    ),
    CodingSystem("RxNorm", "http://www.nlm.nih.gov/research/umls/rxnorm", r"\d{1,8}", ("urn:oid:2.16.840.1.113883.6.88",)),
    CodingSystem("ATC", "http://www.whocc.no/atc", r"[A-Z]\d\d[A-Z]{2}\d\d", ("urn:oid:2.16.840.1.113883.6.73",)),
    CodingSystem("CVX", "http://hl7.org/fhir/sid/cvx", r"\d{1,3}", ("urn:oid:2.16.840.1.113883.12.292",)),
    CodingSystem("HPO", "http://human-phenotype-ontology.org", r"HP:\d{7}", ("http://purl.obolibrary.org/obo/hp.owl",)),
    # The older editions of HL7 Genomics Reporting name the gene id system with /geneId.
    CodingSystem("HGNC", "http://www.genenames.org", r"HGNC:\d+", ("http://www.genenames.org/geneId",)),
    CodingSystem("ORPHA", "http://www.orpha.net", r"(ORPHA:)?\d{1,7}", ()),
    CodingSystem("OMIM", "http://www.omim.org", r"\d{6}", ("http://omim.org", "urn:oid:2.16.840.1.113883.6.174")),
    CodingSystem("MONDO", "http://purl.obolibrary.org/obo/mondo.owl", r"MONDO:\d{7}", ()),
    CodingSystem("DOID", "http://disease-ontology.org", r"DOID:\d+", ("http://purl.obolibrary.org/obo/doid.owl",)),
)
SYSTEMS = {system.uri: system for system in _ALL}
_SPELLINGS = {spelling.lower(): s.uri for s in _ALL for spelling in (s.uri, s.name, s.name.replace("-", ""), *s.aliases)}
_PREFIXED = frozenset(s.uri for s in _ALL if s.name in {"HPO", "HGNC", "MONDO", "DOID"})
_ICD = frozenset(s.uri for s in _ALL if s.hierarchical)
_LONGEST_SYSTEM, _LONGEST_CODE = 200, 64
_ICD_WITHOUT_DOT = re.compile(r"[A-Z]\d[0-9A-Z][0-9A-Z]{1,4}")


def canonical_system(uri: str) -> str:
    """Answer the one spelling of a code system's URI; an unknown system is kept as it came."""
    # Oracle Health has been seen to send "http: //snomed.info/sct" (its FHIR R4 pages, 2026-11).
    bare = uri.strip().split("|", 1)[0].rstrip("/").replace(": //", "://")
    if bare.startswith("https://"):
        bare = "http://" + bare[8:]
    return _SPELLINGS.get(bare.lower(), "http://snomed.info/sct" if bare.startswith("http://snomed.info/sct/") else bare)


def code(system: str, value: str) -> Code:
    """Answer a code in canonical spelling (ICD-10 with its dot, ontology ids in capitals)."""
    if len(system) <= _LONGEST_SYSTEM and len(value) <= _LONGEST_CODE:
        return _code(system, value)
    return Code(system[:_LONGEST_SYSTEM], value[:_LONGEST_CODE])  # no code of ours, and not remembered


@lru_cache(maxsize=16384)
def _code(system: str, value: str) -> Code:
    uri, text = canonical_system(system), value.strip()
    if uri in _ICD:
        text = text.upper()
        if _ICD_WITHOUT_DOT.fullmatch(text):
            text = f"{text[:3]}.{text[3:]}"
    elif uri in _PREFIXED:
        text = text.upper()
        if uri == "http://www.genenames.org" and text.isdigit():
            text = f"HGNC:{text}"
    elif uri == "http://www.orpha.net":
        text = text.upper().removeprefix("ORPHA:")
    return Code(uri, text)


def well_formed(one: Code) -> bool:
    """Answer whether a code has the form that its system prescribes; unknown systems accept any."""
    system = SYSTEMS.get(one.system)
    return system is None or re.fullmatch(system.pattern, one.value) is not None


def broader(one: Code) -> list[Code]:
    """Answer a code and, in a hierarchical system, the categories above it, narrowest first."""
    if one.system not in _ICD or not well_formed(one):
        return [one]
    stem = one.value
    found = [one]
    while len(stem) > 3:
        stem = stem[:-1].rstrip(".")
        found.append(Code(one.system, stem))
    return found
