"""What other results say of one: interpretations and allele fractions that are linked to it, and the reports that list it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from cds_service.reasoning.narrative import Fraction
from cds_service.record.dates import Day
from cds_service.record.facts import Report

WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
FINAL = frozenset({"final", "amended", "corrected", "appended"})
_PANELS = 3  # how many results one inside the other a link is followed through
# What a result may derive from that is no result by itself.
_NO_RESULTS = frozenset({"DocumentReference", "ImagingStudy", "Media", "MolecularSequence", "QuestionnaireResponse"})


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

    def about_gene(self, report: Report) -> bool:
        """Whether a report is about the gene."""

    def is_other_gene(self, report: Report) -> bool:
        """Whether a report names only other genes as studied."""

    def classes(self, report: Report) -> frozenset[str]:
        """The clinical significance that a result states."""

    def speaks_of_other_disease(self, report: Report) -> bool:
        """Whether a report names another disease of the gene."""

    def fractions_of(self, report: Report) -> tuple[Fraction, ...]:
        """What an allele fraction by itself states."""


class Links:
    """The results of one chart by name, with those that hold them.

    Every link is followed a few times at most, however many results stand on it, so a large chart costs what it holds.
    """

    def __init__(self, kinds: Kinds, reports: Iterable[Report]) -> None:
        self._kinds = kinds
        self._all = tuple(reports)
        self._named = {name_of(r): r for r in self._all}
        self._findings = {name for name, r in self._named.items() if kinds.is_finding(r)}
        self._holders: dict[str, list[Report]] = {}
        for report in self._all:
            for member in dict.fromkeys(report.members):
                self._holders.setdefault(member, []).append(report)
        self._reached: dict[tuple[str, int], _Meant] = {}
        self._found: dict[str, _Gathered] = {}

    def said(self) -> dict[str, Said]:
        """For each result what others say of it."""
        shared: dict[str, list[Fraction]] = {}  # by the name of what may hold the variant that a fraction is of
        by_day: dict[str, list[Fraction]] = {}
        for report in self._all:
            if report.status in WITHDRAWN:
                continue
            if self._kinds.is_fraction(report):
                self._add_fraction(report, shared, by_day)
            elif report.status in FINAL and (report.derived_from or report.members):
                self._add_interpretation(report)
        self._share(shared)
        self._share_by_day(by_day)
        withdrawn = {member for member, holders in self._holders.items() if all(h.status in WITHDRAWN for h in holders)}
        return {name: self._of(name).said(withdrawn=name in withdrawn) for name in self._found.keys() | withdrawn}

    def _of(self, name: str) -> _Gathered:
        return self._found.setdefault(name, _Gathered())

    def _add_interpretation(self, report: Report) -> None:
        """The class that an interpretation gives to each variant it derives from, or a report to the only one that it lists."""
        classes, other = self._kinds.classes(report), self._kinds.speaks_of_other_disease(report)
        if not (classes or other):
            return
        meant = [self._meant(name, _PANELS) for name in dict.fromkeys(report.derived_from) or [name_of(report)]]
        targets = dict.fromkeys(m.only for m in meant if m.only and m.only != name_of(report))
        genes = {self._kinds.about_gene(self._named[target]) for target in targets}
        if len(genes) > 1 or not all(m.resolved for m in meant):
            classes = _doubtful(classes)
        for target in targets:
            self._of(target).classes |= classes
            self._of(target).other_disease |= other

    def _add_fraction(self, report: Report, shared: dict[str, list[Fraction]], by_day: dict[str, list[Fraction]]) -> None:
        """A fraction of the variant that it derives from, else of the one that is held with it, else perhaps of any of that day."""
        if self._kinds.is_other_gene(report):
            return
        stated = self._kinds.fractions_of(report)
        for names in (dict.fromkeys(report.derived_from), dict.fromkeys(name_of(h) for h in self._holders.get(name_of(report), ()))):
            meant = self._meant_by_all(names)
            if meant.only:
                self._of(meant.only).fractions += stated
            elif meant.several:
                for name in names:
                    shared[name] = _extremes([*shared.get(name, ()), *stated])
            if meant.names:
                return
        by_day[_day(report)] = _extremes([*by_day.get(_day(report), ()), *stated])

    def _share(self, shared: dict[str, list[Fraction]]) -> None:
        """Hand fractions that may be of any of several variants down to each of these."""
        for _ in range(_PANELS):
            below: dict[str, list[Fraction]] = {}
            for name, stated in shared.items():
                if name in self._findings:
                    self._of(name).perhaps += stated
                elif name in self._named:
                    for member in dict.fromkeys(self._named[name].members):
                        below[member] = _extremes([*below.get(member, ()), *stated])
            shared = below

    def _share_by_day(self, by_day: dict[str, list[Fraction]]) -> None:
        """Hand fractions that no link joins to anything to the variants of their day; what has no date may be of any day."""
        every = _extremes([f for stated in by_day.values() for f in stated])
        undated = by_day.get("", [])
        for name in self._findings if by_day else ():
            day = _day(self._named[name])
            self._of(name).perhaps += [*by_day.get(day, ()), *undated] if day else every

    def _meant_by_all(self, names: Iterable[str]) -> _Meant:
        return _together(self._meant(name, _PANELS) for name in names)

    def _meant(self, name: str, panels: int) -> _Meant:
        """The variants that a name means: itself, or those that it gathers, through at most three panels."""
        known = self._reached.get((name, panels))
        if known is None:
            report = self._named.get(name)
            if name in self._findings:
                known = _Meant((name,))
            elif report is None:
                known = _Meant(resolved=name.split("/", maxsplit=1)[0] in _NO_RESULTS)
            elif panels == 1:
                known = _Meant(resolved=not report.members)
            else:
                known = _together(self._meant(member, panels - 1) for member in report.members)
            self._reached[name, panels] = known
        return known


class _Meant(NamedTuple):
    """The variants that a name means, as far as it matters: none, the only one, or two of several."""

    names: tuple[str, ...] = ()
    resolved: bool = True  # everything that it gathers was found

    @property
    def only(self) -> str:
        """The only variant, if there is just one."""
        return self.names[0] if len(self.names) == 1 else ""

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self.names) > 1


def _together(meant: Iterable[_Meant]) -> _Meant:
    names: dict[str, None] = {}
    resolved = True
    for one in meant:
        names |= dict.fromkeys(one.names)
        resolved = resolved and one.resolved
    return _Meant(tuple(names)[:2], resolved)


def _doubtful(classes: frozenset[str]) -> frozenset[str]:
    """What is left of a class that may be of another gene's variant: it never confirms and never clears ours."""
    return frozenset() if not classes or classes & {"pathogenic", "likely-pathogenic"} else frozenset({"uncertain"})


class _Gathered:
    """What is being gathered of one result."""

    def __init__(self) -> None:
        self.classes: frozenset[str] = frozenset()
        self.fractions: list[Fraction] = []
        self.perhaps: list[Fraction] = []
        self.other_disease = False

    def said(self, *, withdrawn: bool) -> Said:
        """What was gathered."""
        return Said(self.classes, tuple(self.fractions), tuple(_extremes(self.perhaps)), self.other_disease, withdrawn)


def _extremes(stated: list[Fraction]) -> list[Fraction]:
    """Of fractions that may be of another variant only the least that they can be counts: the lowest, and whether one says anything."""
    return [f(stated, key=lambda fraction: fraction.least) for f in (min, max)] if len(stated) > 2 else stated


def name_of(report: Report) -> str:
    """The name by which other results mean a report."""
    return report.name or report.ref or ""


def _day(report: Report) -> str:
    return report.when.order[:10] if report.when else ""


def is_future(report: Report, today: Day) -> bool:
    """Whether a finished result is dated after today: its date is wrong, so nobody knows which result is the newest."""
    when = report.when
    if report.status not in FINAL or when is None or when.day <= today:
        return False
    known = {"year": 4, "month": 7}.get(when.precision, 10)  # of this year or month it may be past
    return when.day.isoformat()[:known] > today.isoformat()[:known]
