"""The shape of a knowledge module: what clinical authors may write, and nothing else.

Every file of a module is read into these frozen types; an unknown key, a wrong type or a reference to nothing is
refused with file, line and remedy (see `loader`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class Author(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of everything that stands in a module file."""


# --- criteria: what can be asked of a chart (a closed set of kinds) ---


class Former(Author, frozen=True, kw_only=True):
    """A threshold that held before: its value, from when, and why it was changed."""

    since: str
    why: str
    value: float | None = None
    male: float | None = None
    female: float | None = None


class Limit(Author, frozen=True, kw_only=True):
    """A threshold with its unit: one value, or one for men and one for women.

    With an unknown administrative gender the answer is known only where both thresholds agree.
    """

    unit: str
    value: float | None = None
    male: float | None = None
    female: float | None = None
    since: str | None = None  # the day it took effect
    formerly: tuple[Former, ...] = ()  # what held before, newest first

    def __post_init__(self) -> None:
        """Refuse a limit without a value."""
        if (self.value is None) == (self.male is None) or (self.male is None) != (self.female is None):
            raise ValueError("a limit has a value, or a value for male and for female")

    def values(self, sex: str | None) -> tuple[float, ...]:
        """The thresholds that may apply to a patient of this administrative gender."""
        if self.value is not None:
            return (self.value,)
        both = (self.male or 0.0, self.female or 0.0)
        return {"male": both[:1], "female": both[1:]}.get(sex or "", both)


class Persistence(Author, frozen=True, kw_only=True):
    """How often and how far apart a result must repeat, and where the latest must still lie."""

    results: int
    apart: str
    latest: Limit | None = None


class Lab(Author, frozen=True, kw_only=True, tag_field="kind", tag="lab"):
    """The latest usable result lies beyond a limit (or any result in the window does, or repeatedly)."""

    value_set: str
    within: str
    above: Limit | None = None
    below: Limit | None = None
    at_least: Limit | None = None
    at_most: Limit | None = None
    above_upper_limit: float | None = None  # times the laboratory's own upper limit of normal
    persists: Persistence | None = None
    take: Literal["latest", "any"] = "latest"


class Resulted(Author, frozen=True, kw_only=True, tag_field="kind", tag="resulted"):
    """Any result of these tests exists in the window, whatever its value."""

    value_sets: tuple[str, ...]
    within: str
    usable: bool = False  # only results that count


class Coded(Author, frozen=True, kw_only=True, tag_field="kind", tag="condition"):
    """A condition (or, with `procedures`, a procedure) by code or text."""

    value_sets: tuple[str, ...]
    within: str | None = None
    or_active: bool = False
    not_resolved: bool = False
    procedures: bool = False
    entries: Persistence | None = None
    code_needs_text_of: str | None = None  # a code counts only with a term of this value set in the text
    unless_text_of: str | None = None  # a code does not count with such a term in the text
    unless_near: Near | None = None
    close_to: CloseTo | None = None  # counts only if so close to something that may have provoked it
    absent_means: Literal["absent", "unknown"] = "absent"


class Near(Author, frozen=True, kw_only=True):
    """So close in time to a condition that the finding may be due to it."""

    value_set: str
    within: str
    because: str


class CloseTo(Author, frozen=True, kw_only=True):
    """So close in time to a condition of these sets, or to any procedure."""

    value_sets: tuple[str, ...]
    within: str
    procedures: bool = False


class Drug(Author, frozen=True, kw_only=True, tag_field="kind", tag="medication"):
    """A medication by code or name: given in the window, current, long enough, often enough, or before a result."""

    value_sets: tuple[str, ...]
    ingredients: tuple[str, ...] = ()  # only these of the sets
    within: str | None = None
    begun: str | None = None  # only what began within this time
    current: bool = False
    covered: str | None = None
    courses: int | None = None
    distinct: int | None = None
    before_result: BeforeResult | None = None
    absent_means: Literal["absent", "unknown"] = "absent"
    none_means: Literal["absent", "unknown"] = "absent"  # when no such drug is listed at all


class BeforeResult(Author, frozen=True, kw_only=True):
    """Given in the time before the latest usable result of a test."""

    value_set: str
    within: str


class Allergic(Author, frozen=True, kw_only=True, tag_field="kind", tag="allergy"):
    """An allergy or intolerance to a substance of these sets, by code or text."""

    value_sets: tuple[str, ...]


class Vaccinated(Author, frozen=True, kw_only=True, tag_field="kind", tag="vaccination"):
    """So many doses of these vaccines on different days."""

    value_sets: tuple[str, ...]
    doses: int = 1
    within: str | None = None


class GeneTested(Author, frozen=True, kw_only=True, tag_field="kind", tag="gene-result"):
    """A result of the gene, whatever it says."""

    within: str


class ReportText(Author, frozen=True, kw_only=True, tag_field="kind", tag="report-text"):
    """A pattern in a report's words, close to other words and not negated."""

    value_set: str
    pattern: str
    near: str
    words: int
    unless: str | None = None
    within: str | None = None


class Age(Author, frozen=True, kw_only=True, tag_field="kind", tag="age"):
    """Completed years; a birth year counts as 1 July of it, a month as its 15th, or, if `youngest`, as its last day."""

    at_least: int | None = None
    below: int | None = None
    youngest: bool = False
    since: str | None = None  # the day the threshold took effect
    formerly: tuple[Former, ...] = ()  # what held before, newest first


class Sex(Author, frozen=True, kw_only=True, tag_field="kind", tag="sex"):
    """Administrative gender, which is not a karyotype."""

    equals: Literal["male", "female"]


class Deceased(Author, frozen=True, kw_only=True, tag_field="kind", tag="deceased"):
    """The chart says that the patient has died."""


class AnyOf(Author, frozen=True, kw_only=True, tag_field="kind", tag="any"):
    """One of several criteria."""

    of: tuple[Criterion, ...]


Criterion = Lab | Resulted | Coded | Drug | Allergic | Vaccinated | GeneTested | ReportText | Age | Sex | Deceased | AnyOf


# --- expressions: how findings combine ---


class AtLeast(Author, frozen=True, kw_only=True):
    """At least so many of these."""

    n: int
    of: tuple[Expression, ...]


class Organs(Author, frozen=True, kw_only=True):
    """At least so many organ systems with a present finding."""

    at_least: int
    strength: Literal["any", "strong", "moderate"] = "any"


class Clause(Author, frozen=True, kw_only=True, rename={"not_": "not"}):
    """Exactly one way to combine findings."""

    all: tuple[Expression, ...] | None = None
    any: tuple[Expression, ...] | None = None
    at_least: AtLeast | None = None
    not_: Expression | None = None
    not_found: Expression | None = None
    unknown: Expression | None = None
    organs: Organs | None = None

    def __post_init__(self) -> None:
        """Refuse a clause of no kind or of two."""
        given = [f for f in self.__struct_fields__ if getattr(self, f) is not None]
        if len(given) != 1:
            raise ValueError("a clause has exactly one of all, any, at_least, not, not_found, unknown, organs")


Expression = str | Clause


# --- the files of a module ---


class Word(Author, frozen=True, kw_only=True):
    """A coding that leaves the service, such as a topic or an override reason."""

    code: str
    display: str


class Service(Author, frozen=True, kw_only=True):
    """What discovery says of the service."""

    id: str
    title: str
    description: str
    usage: str
    hooks: tuple[str, ...]


class Topics(Author, frozen=True, kw_only=True):
    """The topic code for each outcome; stable for ever."""

    system: str
    consider: Word
    test: Word
    confirmed: Word
    supportive: Word
    uncertain: Word
    negative: Word
    order_safety: Word

    @property
    def words(self) -> dict[str, Word]:
        """Each topic by its name here."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name != "system"}


class OverrideReason(Word, frozen=True, kw_only=True):
    """A reason to set a card aside, and for how long after it the card is not shown again."""

    silent: str | None = None


class OverrideReasons(Author, frozen=True, kw_only=True):
    """Why a clinician may set a card aside.

    After any other answer the card is silent for `otherwise`; `back` says why one is shown again before that, with
    {answered} for the day of the answer and {new} for what is new.
    """

    system: str
    otherwise: str
    back: str
    reasons: tuple[OverrideReason, ...]


class Approval(Author, frozen=True, kw_only=True):
    """Who signed a version of a module, and when."""

    on: str
    by: str


class Module(Author, frozen=True, kw_only=True):
    """Identity, version and standing of a knowledge module."""

    id: str
    title: str
    version: str
    date: str
    status: Literal["draft", "active", "retired"]
    approved: Approval | None = None
    last_review: str | None = None
    next_review: str | None = None
    status_line: str
    source_label: str
    extension: str
    namespace: str
    service: Service
    topics: Topics
    override_reasons: OverrideReasons
    no_card_when: tuple[str, ...]


SourceAttributeId = Literal[
    "citation",
    "developer",
    "funding",
    "dates",
    "race",
    "ethnicity",
    "language",
    "sexual-orientation",
    "gender-identity",
    "sex",
    "date-of-birth",
    "social-determinants",
    "health-status",
]


class SourceAttribute(Author, frozen=True, kw_only=True):
    """One of the 13 source attributes of an evidence-based decision support intervention.

    The answer may name {version}, {date}, {status}, {approved}, {last_review}, {next_review} and {citations}.
    """

    id: SourceAttributeId
    name: str
    answer: str
    used: bool | None = None  # for a kind of data: whether any part of the module reads it


class LicenceNotice(Author, frozen=True, kw_only=True):
    """Whose a code system is; `systems` are the URIs under which value sets name it."""

    name: str
    systems: tuple[str, ...]
    notice: str


class About(Author, frozen=True, kw_only=True):
    """What a reader must know to judge the module: purpose, inputs, logic, limits, sources, licences."""

    intended_use: str
    intended_users: str
    intended_population: str
    not_for: tuple[str, ...]
    when_missing: tuple[str, ...]  # what is said, and done, when an input is missing
    logic: tuple[str, ...]
    limits: tuple[str, ...]
    automation_bias: str
    source_attributes: tuple[SourceAttribute, ...]
    licences: tuple[LicenceNotice, ...]
    decisions: tuple[str, ...]
    open_questions: tuple[str, ...]


class Citation(Author, frozen=True, kw_only=True):
    """Where a claim comes from, and how its text was seen."""

    id: str
    ref: str
    short: str
    source: str
    read: str
    url: str | None = None


class Plausible(Author, frozen=True, kw_only=True):
    """Technical limits of belief, not clinical thresholds: beyond them a value is taken for an error."""

    low: float
    high: float


class Quantity(Author, frozen=True, kw_only=True):
    """A kind of quantity: its canonical unit and the factors that lead there from every spelling in use."""

    id: str
    unit: str
    plausible: Plausible
    factors: Mapping[str, float]


class Unusable(Author, frozen=True, kw_only=True):
    """When a result of this test does not count, and the words that say so."""

    because: str
    after_procedure: str | None = None
    near_condition: str | None = None
    during_medication: str | None = None
    within: str | None = None
    remark: tuple[str, ...] = ()


class Derived(Author, frozen=True, kw_only=True):
    """An absolute count computed from a percentage and a total of the same day."""

    percent: str
    of: str


class Measurement(Author, frozen=True, kw_only=True):
    """A laboratory test as the module reads it."""

    value_set: str
    label: str
    quantity: str
    unusable: tuple[Unusable, ...] = ()
    derived: Derived | None = None


class Organ(Author, frozen=True, kw_only=True):
    """Which organ system a finding shows, and how strongly it points at the disease."""

    system: str
    strength: Literal["strong", "moderate"]


class Provisional(Author, frozen=True, kw_only=True):
    """What to add on a card while a stronger finding is not present."""

    unless: str
    text: str


class Qualifier(Author, frozen=True, kw_only=True):
    """What to add on a card to a finding where something else holds of the patient."""

    when: Expression
    text: str


Confidence = Literal["verified", "memory-high", "memory-medium", "derived", "proposal", "definition"]


class Flag(Author, frozen=True, kw_only=True):
    """Something to look for in a chart: a red flag, an alternative explanation, or a fact that recommendations need."""

    id: str
    label: str
    when: Criterion
    citations: tuple[str, ...]
    confidence: Confidence
    weight: float = 0
    organ: Organ | None = None
    evidence: str | None = None
    note: str | None = None
    short: str | None = None
    provisional: Provisional | None = None
    qualified: tuple[Qualifier, ...] = ()
    shown: bool = True


class Term(Author, frozen=True, kw_only=True):
    """A named combination of findings, with its definition in words."""

    id: str
    label: str
    definition: str
    when: Expression


class Rule(Author, frozen=True, kw_only=True):
    """A published rule, or our own, with what is known of its performance."""

    id: str
    label: str
    items: tuple[Expression, ...]
    at_least: int
    requires: tuple[Expression, ...] = ()
    published: bool
    population: str
    performance: str
    caution: str | None = None
    citations: tuple[str, ...]
    confidence: Confidence
    item_labels: tuple[str, ...]


class TierCriterion(Author, frozen=True, kw_only=True):
    """One way into a tier."""

    id: str
    label: str
    when: Expression
    lowered_by: str | None = None
    rule: str | None = None


class Tier(Author, frozen=True, kw_only=True):
    """A level of suspicion; the order in the file is from high to low."""

    topic: Literal["test", "consider"]
    any: tuple[TierCriterion, ...]


class AssessmentRules(Author, frozen=True, kw_only=True):
    """From facts to a tier."""

    terms: tuple[Term, ...]
    tiers: tuple[Tier, ...]
    compatible: str
    inflammation: str
    alternatives: tuple[str, ...]
    reassuring: tuple[str, ...] = ()  # flags whose normal values are shown against a suspicion
    shown_within: str = "P12M"  # how old a value that advice shows may be


class Association(Author, frozen=True, kw_only=True):
    """What was published of groups of patients with a variant; it says nothing of one patient."""

    text: str
    citations: tuple[str, ...]


class Variant(Author, frozen=True, kw_only=True):
    """A variant of the gene, with how far it may be trusted to confirm the disease."""

    tier: Literal["canonical", "splice", "rare", "noncanonical"]
    classification: Literal["pathogenic", "likely-pathogenic", "uncertain"]
    c: str | None = None
    p: str | None = None
    citations: tuple[str, ...] = ()
    confidence: Confidence
    note: str | None = None
    associations: tuple[Association, ...] = ()


class VariantPattern(Author, frozen=True, kw_only=True):
    """How a variant that confirms by itself is written in HGVS or in running text."""

    tier: Literal["canonical", "splice"]
    pattern: str


class Words(Author, frozen=True, kw_only=True):
    """Patterns for the words of a gene report, matched without regard to case, piece by piece of a sentence."""

    gene: str
    other_gene: str  # another gene's symbol
    negation: str  # not detected, wild type, no variants
    open_denial: str  # a denial before a list of variants
    positive: str  # detected, found
    no_call: str  # failed, equivocal, possible
    pathogenic: str
    doubt: str  # "unlikely to be" before pathogenic
    uncertain: str
    benign: str
    germline: str
    germline_word: str  # what a denial may be about instead of the variant
    method: str  # speaks of the assay or the literature, not of this patient
    unread: str  # after such a sentence the next one is no longer about the gene
    listed: str  # the gene is one of a list; only a denial holds for it
    relative: str
    partial: str
    complete: str
    fraction: str  # VAF 46 %: words between, number, unit
    fraction_before: str  # 46 % VAF: number, unit
    fraction_word: str  # speaks of an allele fraction, with or without a number
    fraction_low: str  # calls the fraction low without a number
    fraction_between: str  # a word that may stand between "VAF" and a whole number without a unit; "VAF at codon 41" states none
    not_fraction: str  # what else a percentage may be of
    assay_limit: str  # the fraction that the assay can see, which is not this patient's
    at_most: str  # "<" or "less than" before a fraction
    at_least: str
    synonymous: str  # a change that changes no amino acid
    other_disease: str  # another disease of the gene, which is inherited
    other_tissue: str  # a sample that does not carry a variant of blood cells
    blood: str
    detection_limit: str  # the smallest fraction that the assay can see: number
    unlisted: str  # what says nothing of a finding in the gene: "benign variants are not reported", "no variant in" another gene
    bare: str  # tokens of a text that is nothing but a variant's name


class GeneCodes(Author, frozen=True, kw_only=True):
    """LOINC codes of the parts of a genomic observation."""

    gene: str
    c_hgvs: str
    p_hgvs: str
    fraction: str
    source_class: str
    significance: str


class Genetics(Author, frozen=True, kw_only=True):
    """How a result of the gene is recognised and read."""

    gene: str
    gene_codes: str
    test_codes: str
    report_codes: str | None = None  # genetic reports of whatever gene
    disease_codes: str
    transplant: str
    low_fraction: Limit  # of 1
    silence: str
    order_window: str
    codes: GeneCodes
    answers: Mapping[str, str]
    confirming_patterns: tuple[VariantPattern, ...]
    variants: tuple[Variant, ...]
    words: Words
    messages: Mapping[str, str]
    citations: tuple[str, ...]


class Caution(Author, frozen=True, kw_only=True):
    """A fact of this patient that speaks against a recommendation."""

    when: Expression
    text: str
    warns: bool = False


class Variation(Author, frozen=True, kw_only=True):
    """Another wording of a recommendation where something holds of the patient, such as that the drug is given already."""

    when: Expression
    text: str
    alert: str | None = None


class Part(Author, frozen=True, kw_only=True):
    """One thing of several that a recommendation asks for, named only where it is missing."""

    when: Expression
    text: str


class Recommendation(Author, frozen=True, kw_only=True):
    """One sentence of advice: when it applies, what speaks against it, how strong it is and where it comes from."""

    id: str
    topic: Literal["confirmed", "supportive"]
    short: str
    text: str
    when: Expression
    strength: str
    citations: tuple[str, ...]
    confidence: Confidence
    variations: tuple[Variation, ...] = ()  # the first that holds stands in place of the text
    parts: tuple[Part, ...] = ()
    cautions: tuple[Caution, ...] = ()
    warns: bool = False
    alert: str | None = None  # what a warning says in the summary
    shows: tuple[str, ...] = ()
    more: tuple[str, ...] = ()  # what its page says besides: monitoring, response rates, limits


class ResponseRate(Author, frozen=True, kw_only=True):
    """What one study reports of a treatment's effect; never mixed with the figures of another."""

    id: str
    treatment: str
    recommendation: str
    study: str
    figures: str
    definition: str
    citations: tuple[str, ...]
    confidence: Confidence
    unclear: str | None = None  # what is not clear about the figures; shown wherever they are


class DraftCode(Author, frozen=True, kw_only=True):
    """A code in a draft order."""

    system: str
    code: str
    display: str


class DraftOrder(Author, frozen=True, kw_only=True):
    """A draft service request that a card offers; it is never signed by itself."""

    id: str
    topics: tuple[Literal["test", "consider", "confirmed", "supportive"], ...]
    label: str
    description: str
    text: str
    when: Expression
    codes: tuple[DraftCode, ...] = ()
    ordered_as: str | None = None  # value set whose codes and terms show that it is already ordered
    ordered_text: str | None = None  # a pattern that shows it where no code does
    unless_result: tuple[str, ...] = ()
    within: str | None = None
    recommended: bool = False
    reason: tuple[str, ...] = ()


class CardText(Author, frozen=True, kw_only=True):
    """The words of one topic's card."""

    topic: Literal["consider", "test", "confirmed", "supportive", "uncertain", "negative"]
    indicator: Literal["info", "warning"]
    summary: str
    lead: str
    citations: tuple[str, ...]


class Requirement(Author, frozen=True, kw_only=True):
    """A prefetch key: the FHIR search that fills it, and what it brings."""

    key: str
    resource: str
    domain: str
    codes_of: tuple[str, ...] = ()
    count: int | None = None
    sort: str | None = None
    care: bool = False  # needed for the care of a confirmed patient only, not for suspicion
    worded: tuple[str, ...] = ()  # LOINC codes of tests of which a number, too, is read as a report


class Guards(Author, frozen=True, kw_only=True):
    """Words that keep a text from counting."""

    never: tuple[str, ...]
    provisional: tuple[str, ...]
    negations: tuple[str, ...]
    after: tuple[str, ...] = ()  # denies the phrase before it
    never_codes: tuple[str, ...] = ()  # ICD-10 categories that say another person had it
    not_systemic: tuple[str, ...]
    systemic_only: tuple[str, ...]
    whole_text: Mapping[str, tuple[str, ...]] = {}
    no_allergy: tuple[str, ...] = ()  # patterns of a whole piece of an allergy entry that denies one
    in_documents: Mapping[str, str] = {}  # value sets of reports that stand in documents, and their names on a card
    no_report: tuple[str, ...] = ()  # a document with such a word only speaks of a report
    see_attached: tuple[str, ...] = ()  # a conclusion that says no more is that of a report in a file
    forbidden: tuple[str, ...] = ()  # regular expressions that no sentence of a card may contain


class Carriers(Author, frozen=True, kw_only=True):
    """The parts of the module that say or do what a point of the source says, by their ids."""

    findings: tuple[str, ...] = ()  # red flags, alternatives, facts and terms
    rules: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()  # topics
    messages: tuple[str, ...] = ()  # of the reading of the gene
    response_rates: tuple[str, ...] = ()
    module: tuple[str, ...] = ()  # keys of module.yaml
    about: tuple[str, ...] = ()  # keys of about.yaml


class Point(Author, frozen=True, kw_only=True):
    """One thing that the source article says, in its own words, and what carries it here."""

    id: str
    section: str
    point: str
    carried_by: Carriers


# --- what is drawn of a patient ---


class DrawnTest(Author, frozen=True, kw_only=True):
    """A laboratory test with a panel of its own, and the findings whose thresholds are drawn in it.

    The first of them says which results lie beyond.
    """

    test: str
    thresholds: tuple[str, ...] = ()
    folded: bool = False  # shown on request


class Lane(Author, frozen=True, kw_only=True):
    """Events or drugs below the panels, a row for each thing that the chart holds; exactly one kind."""

    label: str
    findings: tuple[str, ...] = ()  # the conditions that these findings look for
    conditions: tuple[str, ...] = ()  # value sets
    drugs: tuple[str, ...] = ()  # value sets
    procedures: tuple[str, ...] = ()  # value sets
    reports: tuple[str, ...] = ()  # value sets
    gene: bool = False  # results and orders of the gene

    def __post_init__(self) -> None:
        """Refuse a lane of no kind or of two."""
        given = [name for name in self.__struct_fields__ if name != "label" and getattr(self, name)]
        if len(given) != 1:
            raise ValueError("a lane has exactly one of findings, conditions, drugs, procedures, reports, gene")


class Timeline(Author, frozen=True, kw_only=True):
    """What a patient's timeline shows, in this order; what is older than `longest` is told at its edge."""

    longest: str
    tests: tuple[DrawnTest, ...]
    lanes: tuple[Lane, ...]


# --- cases ---


class CasePatient(Author, frozen=True, kw_only=True):
    """Who a case is about."""

    sex: str | None = None
    age: int | None = None
    birth: str | None = None
    deceased: bool = False


class CaseFact(Author, frozen=True, kw_only=True):
    """One fact of a case: `code` is a value set's id (its first concept), or `system` and `code` are a real coding.

    `date` and `until` are days, or periods such as P24M: so long before the case's today.
    """

    code: str | None = None
    system: str | None = None
    text: str | None = None
    date: str | None = None
    until: str | None = None
    value: float | None = None
    unit: str | None = None
    upper_limit: float | None = None
    status: str | None = None
    verification: str | None = None
    remark: str | None = None
    conclusion: str | None = None
    id: str | None = None


class CaseRecord(Author, frozen=True, kw_only=True):
    """The chart of a case, in shorthand."""

    patient: CasePatient | None = None
    labs: tuple[CaseFact, ...] = ()
    conditions: tuple[CaseFact, ...] = ()
    medications: tuple[CaseFact, ...] = ()
    procedures: tuple[CaseFact, ...] = ()
    immunizations: tuple[CaseFact, ...] = ()
    orders: tuple[CaseFact, ...] = ()
    reports: tuple[CaseFact, ...] = ()
    allergies: tuple[CaseFact, ...] = ()
    documents: tuple[CaseFact, ...] = ()  # reports that stand in a document
    unavailable: tuple[str, ...] = ()


class Published(Author, frozen=True, kw_only=True):
    """The published patient that a case is made of, and what of the chart is ours."""

    source: str  # PMID or DOI as it stands in the text that was read or in its address; else "no PMID or DOI: " and the title
    address: str  # where it was read
    says: str  # what it says of the patient: the facts used, in our words, each number and unit as it stands
    invented: tuple[str, ...]
    quote: str = ""  # the sentence that carries the case, to the letter


class Case(Author, frozen=True, kw_only=True):
    """A sentence, a small chart, and what must be found in it."""

    name: str
    record: CaseRecord
    published: Published | None = None
    today: str = "2026-11-22"
    expect: Mapping[str, Literal["present", "absent", "unknown"]] = {}
    topic: str | None = None  # a topic code, or "none"
    criterion: str | None = None
    genetics: str | None = None
    recommends: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # what is named as missing, in this order
    remarks: Mapping[str, tuple[str, ...]] = {}  # what is said beside a finding
    no_cautions: tuple[str, ...] = ()  # texts that are not raised, or recommendations of which none is
    offers: tuple[str, ...] = ()
    not_offered: tuple[str, ...] = ()
