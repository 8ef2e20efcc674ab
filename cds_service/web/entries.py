"""What the transparency pages hold, as data: standing, entries, value sets, sources. Its JSON Schema is docs/about.schema.json."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.knowledge.model import Approval, LicenceNotice

# The kinds of entry, as they stand in a page's path, with the word for one of them.
KINDS: Mapping[str, str] = {
    "criteria": "Criterion",
    "rules": "Rule",
    "red-flags": "Red flag",
    "alternatives": "Other explanation",
    "facts": "Fact",
    "terms": "Term",
    "recommendations": "Advice",
    "value-sets": "Value set",
}
CONFIDENCE: Mapping[str, str] = {
    "verified": "the text was seen in a source that is cited",
    "memory-high": "written from memory with high certainty; the text was not seen, check it before quoting",
    "memory-medium": "written from memory with medium certainty; the text was not seen, check it before quoting",
    "derived": "worked out from sources",
    "proposal": "our own proposal, without published validation",
    "definition": "a definition; nothing is claimed",
}


class Page(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of what the pages show; what is empty is left out of JSON."""


class Reference(Page, frozen=True, kw_only=True):
    """Another entry and its page."""

    id: str
    label: str
    page: str


class Source(Page, frozen=True, kw_only=True):
    """A citation, and how its text was seen."""

    id: str
    short: str
    source: str
    read: str
    url: str | None = None


class FormerThreshold(Page, frozen=True, kw_only=True):
    """A threshold that held before."""

    limit: str
    since: str
    why: str


class Threshold(Page, frozen=True, kw_only=True):
    """A threshold, since when it holds, and what held before."""

    of: str
    limit: str
    since: str | None = None
    formerly: tuple[FormerThreshold, ...] = ()


class ConceptEntry(Page, frozen=True, kw_only=True):
    """One code of a value set and how it was verified."""

    system: str
    system_name: str
    code: str
    display: str
    verification: str


class ValueSetEntry(Page, frozen=True, kw_only=True):
    """A value set with counts; its codes stand on its own page."""

    id: str
    title: str
    url: str
    page: str
    codes: int
    unverified: int
    concepts: tuple[ConceptEntry, ...] = ()
    excluded: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    used_in: tuple[Reference, ...] = ()


class Objection(Page, frozen=True, kw_only=True):
    """A caution of a piece of advice, and when it is raised."""

    text: str
    when: str
    warns: bool = False


class Proof(Page, frozen=True, kw_only=True):
    """A case of the module, and what it expects of an entry."""

    case: str
    expected: str


class Entry(Page, frozen=True, kw_only=True):
    """Whatever decides or is said: a flag, term, rule, criterion or piece of advice."""

    id: str
    kind: str
    label: str
    page: str
    definition: str
    text: str | None = None
    topic: str | None = None
    organ: str | None = None
    weight: float | None = None
    published: bool | None = None
    performance: str | None = None
    population: str | None = None
    evidence: str | None = None
    note: str | None = None
    caution: str | None = None
    strength: str | None = None
    confidence: str | None = None
    thresholds: tuple[Threshold, ...] = ()
    not_counted: tuple[str, ...] = ()
    cautions: tuple[Objection, ...] = ()
    citations: tuple[Source, ...] = ()
    value_sets: tuple[ValueSetEntry, ...] = ()
    used_in: tuple[Reference, ...] = ()
    cases: int = 0
    proofs: tuple[Proof, ...] = ()


class Standing(Page, frozen=True, kw_only=True):
    """Which knowledge this is, and whether it is signed."""

    id: str
    title: str
    version: str
    date: str
    status: str
    status_line: str
    digest: str
    approved: Approval | None
    last_review: str | None
    next_review: str | None


class Attribute(Page, frozen=True, kw_only=True):
    """A source attribute with its answer, and the entries that read the datum."""

    number: int
    id: str
    name: str
    answer: str
    used: bool | None = None
    read_by: tuple[Reference, ...] = ()


class Input(Page, frozen=True, kw_only=True):
    """What an EHR is asked to send under one prefetch key."""

    key: str
    resource: str
    value_sets: tuple[str, ...] = ()


class VariantEntry(Page, frozen=True, kw_only=True):
    """A variant, and whether it confirms by itself."""

    name: str
    classification: str
    confirms: bool
    confidence: str
    citations: tuple[str, ...] = ()


class AboutModule(Page, frozen=True, kw_only=True):
    """Everything that /about shows."""

    module: Standing
    intended_use: str
    intended_users: str
    intended_population: str
    out_of_scope: tuple[str, ...]
    inputs: tuple[Input, ...]
    when_missing: tuple[str, ...]
    logic: tuple[str, ...]
    limits: tuple[str, ...]
    automation_bias: str
    source_attributes: tuple[Attribute, ...]
    confidence: Mapping[str, str]
    criteria: tuple[Entry, ...]
    rules: tuple[Entry, ...]
    red_flags: tuple[Entry, ...]
    alternatives: tuple[Entry, ...]
    facts: tuple[Entry, ...]
    terms: tuple[Entry, ...]
    recommendations: tuple[Entry, ...]
    gene: str
    variants: tuple[VariantEntry, ...]
    value_sets: tuple[ValueSetEntry, ...]
    citations: tuple[Source, ...]
    decisions: tuple[str, ...]
    open_questions: tuple[str, ...]
    licences: tuple[LicenceNotice, ...]
