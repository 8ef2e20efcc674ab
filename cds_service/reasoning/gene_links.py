"""What other results say of one: interpretations and allele fractions that are linked to it, and the reports that list it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from cds_service.reasoning.narrative import Fraction
from cds_service.record.dates import Day
from cds_service.record.facts import Report

WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
FINAL = frozenset({"final", "amended", "corrected", "appended"})


class Said(NamedTuple):
    """What others say of one result."""

    classes: frozenset[str] = frozenset()
    fractions: tuple[Fraction, ...] = ()
    perhaps: tuple[Fraction, ...] = ()  # of this result, or of another one beside it
    other_disease: bool = False
    withdrawn: bool = False  # every report that lists it was withdrawn


class Kinds(Protocol):
    """Tells the kinds of results apart, and what they hold."""

    def is_fraction(self, report: Report) -> bool:
        """Whether a report is an allele fraction by itself."""

    def is_finding(self, report: Report) -> bool:
        """Whether a report is about a variant or a gene, whatever gene it is."""

    def is_other_gene(self, report: Report) -> bool:
        """Whether a report names only other genes as studied."""

    def classes(self, report: Report) -> frozenset[str]:
        """The clinical significance that a result states."""

    def speaks_of_other_disease(self, report: Report) -> bool:
        """Whether a report names another disease of the gene."""

    def fractions_of(self, report: Report) -> tuple[Fraction, ...]:
        """What an allele fraction by itself states."""


class Links:
    """The results of one chart by name, with those that hold them."""

    def __init__(self, kinds: Kinds, reports: Iterable[Report]) -> None:
        self._kinds = kinds
        self._all = tuple(reports)
        self._named = {name_of(r): r for r in self._all}
        self._holders: dict[str, list[Report]] = {}
        for report in self._all:
            for member in report.members:
                self._holders.setdefault(member, []).append(report)

    def said(self) -> dict[str, Said]:
        """For each result what others say of it."""
        found: dict[str, Said] = {}
        for report in self._all:
            if report.status in WITHDRAWN:
                continue
            if self._kinds.is_fraction(report):
                self._add_fraction(report, found)
            elif report.status in FINAL and (report.derived_from or report.members):
                self._add_interpretation(report, found)
        for member, holders in self._holders.items():
            if all(h.status in WITHDRAWN for h in holders):
                found[member] = found.get(member, Said())._replace(withdrawn=True)
        return found

    def _add_interpretation(self, report: Report, found: dict[str, Said]) -> None:
        """The class that an interpretation gives to each variant it derives from, or a report to the only one that it lists."""
        classes, other = self._kinds.classes(report), self._kinds.speaks_of_other_disease(report)
        for name in report.derived_from or [report.name or report.ref or ""]:
            targets = self._findings(name)
            for target in targets if len(targets) == 1 else ():
                if target != name_of(report) and (classes or other):
                    said = found.get(target, Said())
                    found[target] = said._replace(classes=said.classes | classes, other_disease=said.other_disease or other)

    def _add_fraction(self, report: Report, found: dict[str, Said]) -> None:
        """A fraction of the variant that it derives from, else of the one that is held with it, else perhaps of any of that day."""
        if self._kinds.is_other_gene(report):
            return
        stated = self._kinds.fractions_of(report)
        targets = self._all_findings(report.derived_from) or self._all_findings([name_of(h) for h in self._holders.get(name_of(report), ())])
        sure = len(targets) == 1
        for target in targets or [name_of(r) for r in self._all if self._kinds.is_finding(r) and _may_be_same_day(r, report)]:
            said = found.get(target, Said())
            found[target] = said._replace(fractions=(*said.fractions, *stated)) if sure else said._replace(perhaps=(*said.perhaps, *stated))

    def _all_findings(self, names: Sequence[str]) -> list[str]:
        return sorted({target for name in names for target in self._findings(name)})

    def _findings(self, name: str) -> list[str]:
        """The variants that a name means: itself, or those that it gathers, through at most three panels."""
        names, found = {name}, set[str]()
        for _ in range(3):
            reports = [self._named[n] for n in names if n in self._named]
            found |= {name_of(r) for r in reports if self._kinds.is_finding(r)}
            names = {m for r in reports if not self._kinds.is_finding(r) for m in r.members}
        return sorted(found)


def name_of(report: Report) -> str:
    """The name by which other results mean a report."""
    return report.name or report.ref or ""


def _may_be_same_day(one: Report, other: Report) -> bool:
    return one.when is None or other.when is None or one.when.order[:10] == other.when.order[:10]


def is_future(report: Report, today: Day) -> bool:
    """Whether a finished result is dated after today: its date is wrong, so nobody knows which result is the newest."""
    when = report.when
    if report.status not in FINAL or when is None or when.day <= today:
        return False
    known = {"year": 4, "month": 7}.get(when.precision, 10)  # of this year or month it may be past
    return when.day.isoformat()[:known] > today.isoformat()[:known]
