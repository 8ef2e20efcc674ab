"""The facts of one patient's chart, and the record that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from cds_service.record.codes import Code
from cds_service.record.dates import Day, Moment


class Source(Enum):
    """What became of one source of data: read in full, in part, or not at all."""

    READ = "read"
    INCOMPLETE = "incomplete"
    UNAVAILABLE = "unavailable"


class Issue(msgspec.Struct, frozen=True, order=True):
    """Input that could not be used: how much it matters, what it was, and what would mend it. Holds nothing of a person."""

    level: str  # warning | information
    what: str
    remedy: str


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What every fact has: where it stands in the chart, its codes, its free text, its status and when."""

    ref: str | None = None
    codes: tuple[Code, ...] = ()
    text: str = ""
    status: str | None = None
    when: Moment | None = None

    @property
    def on(self) -> Day | None:
        """The day of the fact, if it has one."""
        return self.when.day if self.when else None

    @property
    def precision(self) -> str:
        """How much of its day is known: day, month or year."""
        return self.when.precision if self.when else "day"

    @property
    def order(self) -> tuple[str, str]:
        """Sorts facts by time, then by reference, so that no answer depends on the order of arrival."""
        return (self.when.order if self.when else "", self.ref or "")


class LabResult(Fact, frozen=True, kw_only=True):
    """A measured value with the unit as the laboratory wrote it."""

    value: float
    unit: str = ""
    comparator: str = ""  # "", "<", "<=", ">", ">="
    upper_limit: float | None = None  # of the reference range, in the same unit
    remark: str = ""
    flaw: str = ""  # why it must not be used, such as a date that cannot be read


class Condition(Fact, frozen=True, kw_only=True):
    """A diagnosis or problem; `when` is its onset, else when it was recorded."""

    verification: str | None = None
    recorded: Moment | None = None


class Medication(Fact, frozen=True, kw_only=True):
    """A drug order or statement; `when` is its start."""

    intent: str | None = None
    not_given: bool = False
    until: Day | None = None
    route: str = ""


class Procedure(Fact, frozen=True, kw_only=True):
    """Something done to the patient."""


class Immunization(Fact, frozen=True, kw_only=True):
    """A vaccine given."""


class Allergy(Fact, frozen=True, kw_only=True):
    """An allergy or intolerance; its codes and text name the substance, `status` is active, inactive or resolved."""

    verification: str | None = None


class Order(Fact, frozen=True, kw_only=True):
    """A service that was asked for and may not be done yet."""


class ReportItem(msgspec.Struct, frozen=True):
    """One coded part of a report: what it is, and its value as codes, text or number."""

    codes: tuple[Code, ...] = ()
    text: str = ""
    value_codes: tuple[Code, ...] = ()
    value_text: str = ""
    number: float | None = None
    unit: str = ""
    comparator: str = ""  # as in a laboratory result
    unit_words: str = ""  # the unit as it is shown, where a code stands beside it
    unread: bool = False  # a value stands here that was not understood, or is absent for a stated reason

    def value_codes_of(self, system: str) -> tuple[Code, ...]:
        """The value's codes in one system."""
        return tuple(c for c in self.value_codes if c.system == system)


class Report(Fact, frozen=True, kw_only=True):
    """A result in words or codes: a diagnostic report, or an observation that is not a number."""

    conclusion: str = ""
    conclusion_codes: tuple[Code, ...] = ()
    interpretations: tuple[str, ...] = ()
    items: tuple[ReportItem, ...] = ()
    derived_from: tuple[str, ...] = ()  # names of the results that it is about
    members: tuple[str, ...] = ()  # names of the results that it gathers
    name: str = ""  # by which others mean it, where that is not its place in the chart
    absent: bool = False  # its value is absent for a stated reason
    specimen: str = ""
    attached: bool = False  # what it says stands in a file that is not read
    filed: bool = False  # a file that is not read stands beside its conclusion


class PatientRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read about one patient, and what could not be read."""

    patient_id: str
    birth: Moment | None = None
    sex: str | None = None  # administrative gender: male | female | other | unknown
    deceased: bool = False
    labs: tuple[LabResult, ...] = ()
    conditions: tuple[Condition, ...] = ()
    medications: tuple[Medication, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    immunizations: tuple[Immunization, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    orders: tuple[Order, ...] = ()
    reports: tuple[Report, ...] = ()
    sources: Mapping[str, Source] = {}
    issues: tuple[Issue, ...] = ()

    def knows(self, source: str) -> bool:
        """Answer whether a source was read in full, so that what is not there is absent and not unknown."""
        return self.sources.get(source, Source.UNAVAILABLE) is Source.READ
