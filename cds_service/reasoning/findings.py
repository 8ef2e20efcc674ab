"""What reasoning says of a patient: evidence, findings, and the assessment that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from cds_service.knowledge.model import Variant
from cds_service.reasoning.truth import Truth
from cds_service.record.codes import Code
from cds_service.record.dates import Day
from cds_service.record.facts import Issue


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that supports a finding: what it is, where it stands in the chart, its value and its day."""

    what: str
    ref: str | None = None
    code: Code | None = None
    value: str | None = None  # as the chart has it, number and unit
    on: Day | None = None
    precision: str = "day"  # day | month | year
    recorded: Day | None = None  # when it came into the chart
    remarks: tuple[str, ...] = ()
    quote: str | None = None  # words from the chart, to be escaped wherever they are shown


class Answer(NamedTuple):
    """The truth of a criterion in one chart, with its evidence."""

    truth: Truth
    evidence: tuple[Evidence, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A flag with its truth and its evidence in one patient."""

    id: str
    truth: Truth
    evidence: tuple[Evidence, ...] = ()
    remarks: tuple[str, ...] = ()  # what else holds and bears on it, in the words of its qualifiers


class RuleOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with the truth of each of its items."""

    id: str
    truth: Truth
    items: tuple[Truth, ...]


class GeneticState(Enum):
    """What is known of the gene in this patient."""

    NONE = "none"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNCERTAIN = "uncertain"
    NEGATIVE = "negative"


class GeneticStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The reading of all results of the gene together."""

    state: GeneticState
    reasons: tuple[str, ...] = ()  # keys of the knowledge module's messages
    evidence: tuple[Evidence, ...] = ()
    variant: Variant | None = None  # the catalogue's entry of the variant that was found
    on: Day | None = None
    limited: bool = False
    ordered: Evidence | None = None


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """A recommendation that applies (or could not be checked), with the cautions that this patient raises."""

    id: str
    truth: Truth
    variation: int | None = None  # the wording that takes the place of the text, by its position
    parts: tuple[int, ...] = ()  # what is missing of several things, by position
    cautions: tuple[int, ...] = ()  # positions in the recommendation's list
    warns: bool = False


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything reasoned about one patient on one day."""

    today: Day
    findings: Mapping[str, Finding]
    terms: Mapping[str, Truth]
    rules: Mapping[str, RuleOutcome]
    tier: str | None
    criteria: tuple[str, ...]  # those of the tier reached
    met: frozenset[str]  # every criterion that is met, as far as they were asked
    bearing: frozenset[str] = frozenset()  # the flags that the first of them refers to
    lowered: bool
    genetics: GeneticStatus
    topics: tuple[str, ...]
    advice: tuple[Advice, ...] = ()
    orders: tuple[str, ...] = ()
    latest: Mapping[str, Evidence] = {}  # the newest usable value of tests that advice shows
    uncounted: tuple[Evidence, ...] = ()  # diagnoses that are only provisional
    withheld: tuple[str, ...] = ()  # why nothing may be shown (gates)
    issues: tuple[Issue, ...] = ()

    def truth(self, name: str) -> Truth:
        """The truth of a finding, term or rule by its id."""
        if name in self.findings:
            return self.findings[name].truth
        return self.terms[name] if name in self.terms else self.rules[name].truth
