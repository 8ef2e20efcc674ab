"""Gathers a patient's record from the prefetch: each resource by itself, only this patient's, issues for the rest."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import msgspec

from cds_service.errors import RequiredDataUnavailable
from cds_service.fhir import read
from cds_service.fhir import resources as fhir
from cds_service.fhir.drugs import Drugs
from cds_service.fhir.links import Links, name_of
from cds_service.fhir.patient import birth_of, one_of, versions_of
from cds_service.fhir.prefetch import (
    CHART,
    NOTHING,
    UNREADABLE,
    Ask,
    Fetched,
    Prefetched,
    joined,
    judged,
    kind_of,
    place_of,
    unpack,
    unreadable,
    with_article,
)
from cds_service.fhir.subject import Subject
from cds_service.knowledge.model import Requirement
from cds_service.record import facts
from cds_service.record.codes import Code
from cds_service.record.dates import Day, moment
from cds_service.record.facts import Issue, PatientRecord, Source

_LOINC = "http://loinc.org"
_WITHDRAWN = frozenset({"entered-in-error", "cancelled", "refuted", "superseded"})
_STATUSES = ("status", "docStatus", "verificationStatus")
_ID = re.compile(r"[A-Za-z0-9._~:-]{1,128}")  # FHIR allows 64; some charts have longer ones
_READ: tuple[type[Any], ...] = (*read.SIMPLE, *read.MEDICATION)
_HOLDERS = (fhir.Observation, fhir.DiagnosticReport)  # what they contain counts
_COMPANIONS = frozenset({fhir.Patient, fhir.Medication, fhir.Unread})
_READ_NAMES = frozenset(kind.__name__ for kind in _READ)


def gather(
    requirements: Mapping[str, Requirement],
    prefetch: Mapping[str, Any],
    patient_id: str,
    today: Day,
    *,
    pages: Mapping[str, int] = MappingProxyType({}),
    partial: frozenset[str] = frozenset(),
    ask: Ask | None = None,
) -> PatientRecord:
    """Read everything the prefetch holds about one patient, and ask for what it lacks.

    `pages` says how many entries make a full page, which may hide older data, where the EHR's dialect asks for another number;
    `partial` are the EHR's codes for an answer that is not all there is.
    Raises RequiredDataUnavailable without the Patient or without anything to evaluate, and PatientMismatch for another.
    """
    patient_key = next(key for key, r in requirements.items() if r.resource == "Patient")
    unpacked = {key: unpack(key, r.resource, prefetch.get(key, msgspec.UNSET), partial) for key, r in requirements.items()}
    lacking = {key for key in requirements if prefetch.get(key, msgspec.UNSET) is msgspec.UNSET}
    asked = _asked(unpacked, lacking, ask) if ask else Fetched()
    for key, more in asked.found.items():
        unpacked[key] = more if key in lacking else joined((unpacked[key], more))
    who = unpacked.pop(patient_key)
    versions = versions_of(patient_key, who, patient_id, asked)
    for key, found in unpacked.items():
        if found.more or found.entries or found.total:
            page = pages.get(key, requirements[key].count) if key not in asked.found else None
            unpacked[key] = judged(key, requirements[key].resource, found, page)
    if all(p.source is Source.UNAVAILABLE for p in unpacked.values()):
        told = "".join(f" {issue.what[:1].upper()}{issue.what[1:]}." for issue in asked.issues if issue.level == "warning")
        raise RequiredDataUnavailable(
            f"Nothing can be evaluated: there is nothing but the Patient.{told} Send at least one of {', '.join(unpacked)}.", place="/prefetch"
        )
    reader = _Reader(patient_id, (who, *unpacked.values()), by_kind=asked.by_kind)
    reader.issues += asked.issues
    if len({(v.birthDate, v.gender) for v in versions}) > 1:
        reader.issues.append(Issue("warning", "versions of the Patient disagree", "Send the Patient once."))
    for key, prefetched in unpacked.items():
        if prefetched is not NOTHING:
            reader.issues += prefetched.issues
            reader.read(key, prefetched.entries)
    asked_for = any(p.entries for p in unpacked.values())
    if not asked_for and any(bytes(memoryview(sent)[:1]) == b"{" for key, sent in prefetch.items() if key not in requirements):
        reader.issues.append(Issue("warning", "the data stand under prefetch keys that were not asked for", "Use the keys that discovery lists."))
    absent = frozenset([key for key in unpacked if key in lacking and (key not in asked.found or unpacked[key].lacking)])
    return reader.record(one_of(versions), requirements, unpacked, today, absent=absent)


def _asked(unpacked: Mapping[str, Prefetched], lacking: Collection[str], ask: Ask) -> Fetched:
    """What the EHR's server has of the keys that were not sent, and of the pages behind those that were sent in part."""
    wanted: dict[str, str | None] = {key: None if key in lacking else found.next for key, found in unpacked.items() if key in lacking or found.next}
    return ask(wanted) if wanted else Fetched()


class _Reader:
    """Keeps each resource of the patient once, and turns them into facts."""

    def __init__(self, patient_id: str, every: Iterable[Prefetched], *, by_kind: bool) -> None:
        companions = [e for p in every for e in p.entries if type(e.resource) in _COMPANIONS]
        self.subject = Subject(patient_id, (e for e in companions if kind_of(e.resource) == "Patient"))
        self.drugs = Drugs(companions)
        self.issues: list[Issue] = []
        self.damaged: set[str] = set()
        self._by_kind = by_kind
        self._found: dict[type[Any], dict[str, Any]] = {kind: {} for kind in _READ}
        self._unusable: list[tuple[type[Any], str, str]] = []  # kind, id and time of versions that were left out
        self._links = Links()
        self._held_in: dict[tuple[type[Any], str], str] = {}  # the key of what contains others
        self._foreign: Counter[str] = Counter()
        self._nobody: Counter[str] = Counter()

    def read(self, key: str, entries: Iterable[Any]) -> None:
        """Keep the resources of one key that are this patient's; of two versions of one the later."""
        found, mine, told = self._found, self.subject.reference, self._told(key)
        for entry in entries:
            resource = entry.resource
            known = found.get(type(resource))
            if known is None:
                self._unread(key, resource)
                continue
            if resource.modifierExtension:
                self.issues.append(_altered(kind_of(resource), told))
                self._leave_out(key, type(resource), resource)
                continue
            subject = resource.subject
            if subject is None or subject.reference != mine or getattr(resource, "focus", None):
                meant = self._is_mine(resource)
                if not meant:
                    (self._nobody if meant is None else self._foreign)[told] += 1
                    continue
            identity = resource.id or f"\0{msgspec.json.encode(resource).decode()}"
            if entry.fullUrl:
                self._links.add(entry.fullUrl, type(resource), identity)
            if resource.contained:
                self._held_in[type(resource), identity] = key
            other = known.setdefault(identity, resource)
            if other is not resource and _version(resource) > _version(other):
                known[identity] = resource

    def _told(self, key: str) -> str:
        """What a key is called: in a whole chart keys are ours alone."""
        return CHART if self._by_kind else key

    def _unread(self, key: str, resource: Any) -> None:
        """A resource of a kind that no fact is made of, or one that could not be read; a Medication may be the drug of any order."""
        if isinstance(resource, fhir.Unread) and resource.place is not None and resource.kind in _READ_NAMES:
            self.issues.append(unreadable(resource.kind, self._told(key), resource.place))
            self._leave_out(key, fhir.KINDS[resource.kind], resource)
        elif isinstance(resource, fhir.Unread) and resource.place is not None and resource.kind == fhir.Medication.__name__:
            self.issues.append(unreadable(resource.kind, self._told(key), resource.place))
            self.damaged.add(key)

    def _leave_out(self, key: str, kind: type[Any], resource: Any) -> None:
        """Remember what could not be used, for it may be the newer version of what can be."""
        self.damaged.add(key)
        if resource.id:
            self._unusable.append((kind, resource.id, _updated(resource)))

    def _supersede(self) -> None:
        """Drop what was found in a version that is not known to be newer than one that could not be used."""
        for kind, name, updated in self._unusable:
            found = self._found[kind].get(name)
            if found is not None and not (updated and _updated(found) > updated):
                del self._found[kind][name]

    def _is_mine(self, resource: Any) -> bool | None:
        """Whether a resource is about this patient: its subject is, and it has no other focus (a donor, a fetus)."""
        if any(not self.subject.is_meant_by(focus) for focus in getattr(resource, "focus", None) or ()):
            return False
        return self.subject.is_meant_by(resource.subject)

    def _facts(self, requirements: Mapping[str, Requirement]) -> Mapping[type[Any], list[Any]]:
        """Every fact by its kind."""
        self._supersede()
        every: defaultdict[type[Any], list[Any]] = defaultdict(list)
        worded = frozenset(Code(_LOINC, code) for r in requirements.values() for code in r.worded)
        makers: dict[type[Any], Any] = {**read.SIMPLE, fhir.Observation: partial(read.observation, worded=worded)}
        for kind, known in self._found.items():
            make = makers.get(kind)
            # In the order of their ids, where a fact could not be told from another by its reference.
            regular = all(map(_ID.fullmatch, known))
            for identity in known if regular else sorted(known):
                resource = known[identity]
                ref = f"{kind.__name__}/{identity}" if regular or (resource.id and _ID.fullmatch(identity)) else None
                if make is None:
                    medication = read.MEDICATION[kind](resource, ref, *self.drugs.of(resource))
                    every[facts.Medication].append(medication)
                    if not medication.text and not medication.codes:
                        self._nameless(kind, medication, requirements)
                    continue
                for fact in make(resource, ref):
                    every[type(fact)].append(self._linked(fact, kind, identity))
                if resource.contained and kind in _HOLDERS:
                    lost = len(self.issues)
                    for fact in self._contained(resource, ref, name_of(kind, identity), worded):
                        every[type(fact)].append(fact)
                    if len(self.issues) > lost:
                        self.damaged.add(self._held_in[kind, identity])
        return every

    def _spread(self, requirements: Mapping[str, Requirement]) -> None:
        """In a whole chart a loss may concern every key of its kind, and one inside a report any test."""
        if self._by_kind:
            lost = {requirements[key].resource for key in self.damaged}
            lost |= {fhir.Observation.__name__} if fhir.DiagnosticReport.__name__ in lost else set()
            self.damaged.update(key for key, r in requirements.items() if r.resource in lost)

    def _linked(self, fact: Any, kind: type[Any], identity: str) -> Any:
        """A report with the names of those it refers to; any other fact as it is."""
        if type(fact) is not facts.Report:
            return fact
        return self._links.linked(fact, name := name_of(kind, identity), name)

    def _nameless(self, kind: type[Any], medication: facts.Medication, requirements: Mapping[str, Requirement]) -> None:
        """A drug that is not known may be any, so the list that it stands in is not all there."""
        if medication.not_given or medication.status in _WITHDRAWN:
            return
        for key in [key for key, r in requirements.items() if r.resource == kind.__name__]:
            what = f"the drug of a {kind.__name__} in '{self._told(key)}' is not known"
            self.issues.append(Issue("warning", what, "Send its code, or its Medication beside it."))
            self.damaged.add(key)

    def _contained(self, holder: Any, ref: str | None, name: str, worded: frozenset[Code]) -> Iterator[facts.Fact]:
        """Observations inside a panel or report; they share its subject and, where they say nothing, its status and day."""
        if len(holder.contained) > fhir.MOST_PARTS:
            what = f"{with_article(type(holder).__name__)} contains more than {fhir.MOST_PARTS} resources; the rest was not read"
            self.issues.append(Issue("warning", what, "Send them as entries."))
        for raw in holder.contained[: fhir.MOST_PARTS]:
            try:
                if fhir.KIND.decode(raw).resourceType != "Observation":
                    continue
                inner = fhir.READ["Observation"].decode(raw)
            except UNREADABLE as error:
                self.issues.append(unreadable("contained resource", holder.__class__.__name__, place_of(error)))
                continue
            if inner.modifierExtension:
                self.issues.append(_altered("contained Observation", holder.__class__.__name__))
                continue
            inner.subject = inner.subject or holder.subject
            if not self._is_mine(inner):
                self._foreign["contained"] += 1
                continue
            withdrawn = read.plain_code(holder.status) in _WITHDRAWN
            inner.status = holder.status if withdrawn else inner.status or holder.status
            if not (inner.effectiveDateTime or inner.effectiveInstant or inner.effectivePeriod):
                inner.effectiveDateTime, inner.effectivePeriod = holder.effectiveDateTime, holder.effectivePeriod
                inner.issued = inner.issued or holder.issued
            for fact in read.observation(inner, ref, worded):
                yield self._links.linked(fact, f"{name}#{inner.id or ''}", name) if isinstance(fact, facts.Report) else fact

    def record(
        self,
        patient: fhir.Patient,
        requirements: Mapping[str, Requirement],
        unpacked: Mapping[str, Prefetched],
        today: Day,
        *,
        absent: frozenset[str],
    ) -> PatientRecord:
        """Everything read, as one record; the order of arrival plays no part. `absent` are the keys that were not sent."""
        every = self._facts(requirements)
        self._spread(requirements)

        def of(kind: type[Any]) -> tuple[Any, ...]:
            found = every.get(kind, [])
            found.sort(key=_ORDER)
            return tuple(found)

        for counter, what in ((self._foreign, "belongs to another patient"), (self._nobody, "names no patient that we know")):
            for key, count in counter.items():
                self.issues.append(
                    Issue("warning", f"{count} in '{key}' {what} and was not used", "Send only this patient's data, each with its subject.")
                )
        birth, right = birth_of(patient, today)
        if not right:
            self.issues.append(Issue("warning", "the date of birth is missing or cannot be right", "Send Patient.birthDate."))
        return PatientRecord(
            patient_id=self.subject.patient_id,
            birth=birth,
            sex=patient.gender.strip().lower() if patient.gender else None,
            deceased=bool(patient.deceasedBoolean) or bool(patient.deceasedDateTime),
            labs=tuple(every.get(facts.LabResult, ())),  # the chart sorts those of one test
            conditions=of(facts.Condition),
            medications=of(facts.Medication),
            procedures=of(facts.Procedure),
            immunizations=of(facts.Immunization),
            allergies=of(facts.Allergy),
            orders=of(facts.Order),
            reports=of(facts.Report),
            sources=self._sources(requirements, unpacked, absent),
            issues=tuple(sorted(set(self.issues))),
        )

    def _sources(self, requirements: Mapping[str, Requirement], unpacked: Mapping[str, Prefetched], absent: frozenset[str]) -> dict[str, Source]:
        """For each domain whether it was read in full, which takes all its keys; one that was not sent does not matter beside one with something."""
        if not absent and not self.damaged and all(p.source is Source.READ for p in unpacked.values()):
            return dict.fromkeys([requirements[key].domain for key in unpacked], Source.READ)
        keys: dict[str, list[str]] = {}
        for key in unpacked:
            keys.setdefault(requirements[key].domain, []).append(key)
        found: dict[str, Source] = {}
        for domain, its_keys in keys.items():
            states = {self._source(key, unpacked[key].source) for key in its_keys if key not in absent}
            if not absent.isdisjoint(its_keys):
                held = [key for key in its_keys if unpacked[key].entries and self._found[fhir.KINDS[requirements[key].resource]]]
                states.update([] if held else [Source.UNAVAILABLE])
            found[domain] = states.pop() if len(states) == 1 else Source.INCOMPLETE
        return found

    def _source(self, key: str, source: Source) -> Source:
        """How far a key may be trusted after its resources were read."""
        return Source.INCOMPLETE if source is Source.READ and key in self.damaged else source


_ORDER = attrgetter("order")


def _altered(what: str, key: str) -> Issue:
    """The issue of a resource whose meaning an extension may turn round."""
    return Issue("warning", f"{with_article(what)} in '{key}' has a modifierExtension and was not used", "Send it without, if its meaning allows.")


def _updated(resource: Any) -> str:
    """When a version of a resource was updated, as a text that sorts; empty if it is not known."""
    updated = moment(resource.meta.lastUpdated) if resource.meta and resource.meta.lastUpdated else None
    return updated.order if updated else ""


def _version(resource: Any) -> tuple[str, bool, bytes]:
    """What decides between two versions of a resource: when it was updated; at the same time the withdrawn one holds."""
    withdrawn = any(read.status_code(getattr(resource, name, None)) in _WITHDRAWN for name in _STATUSES)
    return (_updated(resource), withdrawn, msgspec.json.encode(resource))
