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
    "orders": "Draft order",
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


class Saying(Page, frozen=True, kw_only=True):
    """What is said where something holds of the patient: a caution, another wording, a missing part, a remark."""

    text: str
    when: str
    warns: bool = False
    alert: str | None = None


class Rate(Page, frozen=True, kw_only=True):
    """What one study reports of a treatment's effect, and what is not clear about it."""

    id: str
    page: str
    treatment: str
    study: str
    figures: str
    definition: str
    unclear: str | None = None
    of_article: bool = False  # the source article's own figures
    advice: Reference
    confidence: str
    citations: tuple[Source, ...] = ()


class Proof(Page, frozen=True, kw_only=True):
    """A case of the module, and what it expects of an entry."""

    case: str
    expected: str


class Entry(Page, frozen=True, kw_only=True):
    """Whatever decides or is said: a flag, term, rule, criterion, piece of advice or draft order."""

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
    remarks: tuple[Saying, ...] = ()
    variations: tuple[Saying, ...] = ()
    parts: tuple[Saying, ...] = ()
    cautions: tuple[Saying, ...] = ()
    shows: tuple[Reference, ...] = ()
    warns: bool | None = None
    alert: str | None = None
    more: tuple[str, ...] = ()
    response_rates: tuple[Rate, ...] = ()
    description: str | None = None
    codes: tuple[ConceptEntry, ...] = ()
    silenced_by: tuple[str, ...] = ()
    preselected: bool | None = None
    reasons: tuple[Reference, ...] = ()
    citations: tuple[Source, ...] = ()
    value_sets: tuple[ValueSetEntry, ...] = ()
    licences: tuple[str, ...] = ()
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


class AssociationEntry(Page, frozen=True, kw_only=True):
    """What was published of groups of patients with a variant."""

    text: str
    citations: tuple[Source, ...] = ()


class VariantEntry(Page, frozen=True, kw_only=True):
    """A variant, whether it confirms by itself, and what was published of it."""

    name: str
    classification: str
    tier: str
    confirms: bool
    confidence: str
    note: str | None = None
    associations: tuple[AssociationEntry, ...] = ()
    citations: tuple[Source, ...] = ()


class Message(Page, frozen=True, kw_only=True):
    """What is said of a result of the gene, and where it is said."""

    id: str
    page: str
    place: str
    text: str


class GenePage(Page, frozen=True, kw_only=True):
    """How a result of the gene is recognised and read."""

    gene: str
    reading: tuple[str, ...]
    low_fraction: Threshold
    variants: tuple[VariantEntry, ...]
    associations_are: str
    messages: tuple[Message, ...]
    value_sets: tuple[ValueSetEntry, ...] = ()
    citations: tuple[Source, ...] = ()


class CardEntry(Page, frozen=True, kw_only=True):
    """The words of a card."""

    topic: str
    page: str
    indicator: str
    summary: str
    lead: str
    citations: tuple[Source, ...] = ()


class Carrier(Page, frozen=True, kw_only=True):
    """What says or does here what a point of the source article says."""

    kind: str
    id: str
    label: str
    page: str


class PointEntry(Page, frozen=True, kw_only=True):
    """A point of the source article in its own words, and what carries it."""

    id: str
    section: str
    point: str
    carriers: tuple[Carrier, ...]


class AboutModule(Page, frozen=True, kw_only=True):
    """Everything that /about shows. `callers` says whether they are authenticated, or the service is open."""

    module: Standing
    callers: str = ""
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
    orders: tuple[Entry, ...]
    cards: tuple[CardEntry, ...]
    response_rates: tuple[Rate, ...]
    genetics: GenePage
    article: tuple[PointEntry, ...]
    value_sets: tuple[ValueSetEntry, ...]
    citations: tuple[Source, ...]
    decisions: tuple[str, ...]
    open_questions: tuple[str, ...]
    licences: tuple[LicenceNotice, ...]
