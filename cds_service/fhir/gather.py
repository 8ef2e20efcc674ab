"""Gathers a patient's record from the prefetch: each resource by itself, only this patient's, issues for the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from cds_service.errors import PatientMismatch, RequiredDataUnavailable
from cds_service.fhir import read
from cds_service.fhir import resources as fhir
from cds_service.fhir.prefetch import Entry, Prefetched, unpack, unreadable
from cds_service.fhir.subject import Subject
from cds_service.knowledge.model import Requirement
from cds_service.record import facts
from cds_service.record.dates import Day, age_on, moment
from cds_service.record.facts import Issue, PatientRecord, Source

_WITHDRAWN = frozenset({"entered-in-error", "cancelled", "refuted"})
_OLDEST = 120
_ID = re.compile(r"[A-Za-z0-9._~:-]{1,128}")  # FHIR allows 64; some charts have longer ones
_PLACE = re.compile(r" - at `\$\.?([A-Za-z0-9_.\[\]]{0,80})")
_DRUGS = ("MedicationRequest", "MedicationStatement")
_READ = (*read.SIMPLE, *_DRUGS)
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def gather(
    requirements: Mapping[str, Requirement], prefetch: Mapping[str, msgspec.Raw], patient_id: str, today: Day, *, paged: bool = True
) -> PatientRecord:
    """Read everything the prefetch holds about one patient; `paged` says that a full page may hide older data.

    Raises RequiredDataUnavailable without the Patient or without anything to evaluate, and PatientMismatch for another.
    """
    patient_key = next(key for key, r in requirements.items() if r.resource == "Patient")
    who = unpack(patient_key, "Patient", prefetch.get(patient_key))
    patient = _patient(patient_key, who, patient_id)
    unpacked = {key: unpack(key, r.resource, prefetch.get(key), r.count if paged else None) for key, r in requirements.items() if key != patient_key}
    if all(p.source is Source.UNAVAILABLE for p in unpacked.values()):
        raise RequiredDataUnavailable(
            f"Nothing can be evaluated: the prefetch holds only the Patient. Send at least one of {', '.join(unpacked)}.", place="/prefetch"
        )
    reader = _Reader(Subject(patient_id, (e for p in (who, *unpacked.values()) for e in p.entries)), _drugs_by_reference(unpacked.values()))
    for key, prefetched in unpacked.items():
        reader.issues += prefetched.issues
        for entry in prefetched.entries:
            reader.read(key, entry)
    asked_for = any(p.entries for p in unpacked.values())
    if not asked_for and any(bytes(memoryview(raw)[:1]) == b"{" for key, raw in prefetch.items() if key not in requirements):
        reader.issues.append(Issue("warning", "the data stand under prefetch keys that were not asked for", "Use the keys that discovery lists."))
    sources = _sources(requirements, unpacked, reader.damaged)
    return reader.record(patient, patient_id, sources, today)


# --- the patient ---


def _patient(key: str, prefetched: Prefetched, patient_id: str) -> fhir.Patient:
    """The prefetched Patient, which must be the one the context names."""
    candidates = [e for e in prefetched.entries if e.kind == "Patient"]
    if not candidates:
        raise RequiredDataUnavailable(f"The Patient is needed and was not sent. Fill the prefetch key '{key}'.", place=f"/prefetch/{key}")
    if not any(e.id for e in candidates):
        raise RequiredDataUnavailable(
            f"The Patient in '{key}' has no id, so it cannot be matched with the context. Send it with its id.", place=f"/prefetch/{key}/id"
        )
    mine = [e for e in candidates if e.id == patient_id]
    if not mine:
        raise PatientMismatch(
            f"The Patient in '{key}' is not the one that context.patientId names. Send the same patient in both.", place=f"/prefetch/{key}/id"
        )
    try:
        versions: list[fhir.Patient] = [_decode(fhir.Patient, e.raw) for e in sorted(mine, key=lambda e: bytes(e.raw))]
    except _UNREADABLE as error:
        place = _place_of(error)
        raise RequiredDataUnavailable(
            f"The Patient in '{key}' could not be read{' at ' + place if place else ''}. Send a valid FHIR R4 Patient.", place=f"/prefetch/{key}"
        ) from None
    return _one_patient(versions)


def _one_patient(versions: list[fhir.Patient]) -> fhir.Patient:
    """Of several versions of the patient what all agree on; a death that one of them knows holds."""
    patient = versions[0]
    if len({v.birthDate for v in versions}) > 1:
        patient.birthDate = None
    if len({v.gender for v in versions}) > 1:
        patient.gender = None
    patient.deceasedBoolean = any(bool(v.deceasedBoolean) or bool(v.deceasedDateTime) for v in versions)
    return patient


def _decode(kind: type[Any], raw: msgspec.Raw) -> Any:
    return fhir.READ[kind.__name__].decode(raw)


def _place_of(error: Exception) -> str:
    match = _PLACE.search(str(error))
    return match.group(1) if match else ""


# --- everything else ---


class _Found(NamedTuple):
    """The facts of one resource, and what decides between two versions of it."""

    version: tuple[str, bool]  # when it was updated; of two with the same time the withdrawn one holds
    entry: Entry
    facts: tuple[facts.Fact, ...]


class _Reader:
    """Reads entries one by one and keeps the facts, each resource once."""

    def __init__(self, subject: Subject, drugs: Mapping[str, fhir.CodeableConcept]) -> None:
        self.subject = subject
        self.drugs = drugs
        self.issues: list[Issue] = []
        self.damaged: set[str] = set()
        self._found: dict[tuple[str, str], _Found] = {}
        self._foreign: Counter[str] = Counter()
        self._nobody: Counter[str] = Counter()

    def read(self, key: str, entry: Entry) -> None:
        """Read one entry; one that cannot be read costs only itself."""
        decoder = fhir.READ.get(entry.kind)
        if entry.kind not in _READ or decoder is None:
            return
        try:
            resource = entry.resource or decoder.decode(entry.raw)
        except _UNREADABLE as error:
            self.issues.append(unreadable(entry.kind, key, _place_of(error)))
            self.damaged.add(key)
            return
        if resource.modifierExtension:
            self.issues.append(
                Issue("warning", f"a {entry.kind} in '{key}' has a modifierExtension and was not used", "Send it without, if its meaning allows.")
            )
            self.damaged.add(key)
            return
        mine = self._mine(entry.kind, resource)
        if not mine:
            (self._nobody if mine is None else self._foreign)[key] += 1
            return
        ref = f"{entry.kind}/{resource.id}" if resource.id and _ID.fullmatch(resource.id) else None
        updated = moment(resource.meta.lastUpdated) if resource.meta and resource.meta.lastUpdated else None
        status = resource.verificationStatus if entry.kind == "Condition" else resource.status
        withdrawn = read.status_code(status)
        version = (updated.order if updated else "", withdrawn in _WITHDRAWN)
        identity = (entry.kind, resource.id or f"\0{entry.content().decode(errors='replace')}")
        known = self._found.get(identity)
        if known is None or version > known.version or (version == known.version and entry.content() > known.entry.content()):
            self._found[identity] = _Found(version, entry, tuple(self._facts(entry.kind, resource, ref)))

    def _mine(self, kind: str, resource: Any) -> bool | None:
        """Whether a resource is about this patient: its subject is, and it has no other focus (a donor, a fetus)."""
        if any(not self.subject.is_meant_by(focus) for focus in getattr(resource, "focus", None) or ()):
            return False
        return self.subject.is_meant_by(resource.patient if kind == "Immunization" else resource.subject)

    def _facts(self, kind: str, resource: Any, ref: str | None) -> Iterator[facts.Fact]:
        if kind in _DRUGS:
            concept, name = self._drug(resource)
            make = read.medication_request if kind == "MedicationRequest" else read.medication_statement
            yield from make(resource, ref, concept, name)
            return
        yield from read.SIMPLE[kind](resource, ref)
        if kind in ("Observation", "DiagnosticReport") and resource.contained:
            yield from self._contained(resource, ref)

    def _contained(self, holder: Any, ref: str | None) -> Iterator[facts.Fact]:
        """Observations inside a panel or report; they share its subject and, where they say nothing, its status and day."""
        for raw in holder.contained[: read.MOST_PARTS]:
            try:
                if fhir.KIND.decode(raw).resourceType != "Observation":
                    continue
                inner = _decode(fhir.Observation, raw)
            except _UNREADABLE as error:
                self.issues.append(unreadable("contained resource", holder.__class__.__name__, _place_of(error)))
                continue
            inner.subject = inner.subject or holder.subject
            if not self._mine("Observation", inner):
                self._foreign["contained"] += 1
                continue
            withdrawn = read.plain_code(holder.status) in _WITHDRAWN
            inner.status = holder.status if withdrawn else inner.status or holder.status
            if not (inner.effectiveDateTime or inner.effectiveInstant or inner.effectivePeriod):
                inner.effectiveDateTime, inner.effectivePeriod = holder.effectiveDateTime, holder.effectivePeriod
                inner.issued = inner.issued or holder.issued
            yield from read.observation(inner, ref)

    def _drug(self, resource: Any) -> tuple[fhir.CodeableConcept | None, str]:
        """The drug of an order: coded, contained, by reference, or only by the reference's display."""
        if resource.medicationCodeableConcept is not None:
            return resource.medicationCodeableConcept, ""
        reference = resource.medicationReference
        if reference is None:
            return None, ""
        target = (reference.reference or "").strip()
        if target.startswith("#"):
            for raw in resource.contained or ():
                try:
                    kind = fhir.KIND.decode(raw)
                    if kind.resourceType == "Medication" and kind.id == target[1:]:
                        return _decode(fhir.Medication, raw).code, reference.display or ""
                except _UNREADABLE:
                    continue
        concept = self.drugs.get(target) or self.drugs.get("/".join(target.rstrip("/").split("/")[-2:]))
        return concept, read.words(concept) or reference.display or ""

    def record(self, patient: fhir.Patient, patient_id: str, sources: Mapping[str, Source], today: Day) -> PatientRecord:
        """Everything read, as one record; the order of arrival plays no part."""
        for counter, what in ((self._foreign, "belongs to another patient"), (self._nobody, "names no patient that we know")):
            for key, count in counter.items():
                self.issues.append(
                    Issue("warning", f"{count} in '{key}' {what} and was not used", "Send only this patient's data, each with its subject.")
                )
        founds = (self._found[identity] for identity in sorted(self._found))
        every = sorted((f for found in founds for f in found.facts), key=lambda f: f.order)

        def of(kind: type[Any]) -> tuple[Any, ...]:
            return tuple(f for f in every if type(f) is kind)

        birth = moment(patient.birthDate) if patient.birthDate else None
        if birth is None or birth.day > today or age_on(birth.day, today) > _OLDEST:
            self.issues.append(Issue("warning", "the date of birth is missing or cannot be right", "Send Patient.birthDate."))
            birth = None
        return PatientRecord(
            patient_id=patient_id,
            birth=birth,
            sex=patient.gender.strip().lower() if patient.gender else None,
            deceased=bool(patient.deceasedBoolean) or bool(patient.deceasedDateTime),
            labs=of(facts.LabResult),
            conditions=of(facts.Condition),
            medications=of(facts.Medication),
            procedures=of(facts.Procedure),
            immunizations=of(facts.Immunization),
            orders=of(facts.Order),
            reports=of(facts.Report),
            sources=sources,
            issues=tuple(sorted(set(self.issues))),
        )


def _drugs_by_reference(unpacked: Iterable[Prefetched]) -> dict[str, fhir.CodeableConcept]:
    """Medications that came beside the orders, by id and by full URL."""
    found: dict[str, fhir.CodeableConcept] = {}
    entries = [e for p in unpacked for e in p.entries if e.kind == "Medication"]
    for entry in sorted(entries, key=Entry.content):
        try:
            concept = (entry.resource or _decode(fhir.Medication, entry.raw)).code
        except _UNREADABLE:
            continue
        if concept is not None:
            found.update({name: concept for name in (f"Medication/{entry.id}", entry.full_url) if name})
    return found


def _sources(requirements: Mapping[str, Requirement], unpacked: Mapping[str, Prefetched], damaged: set[str]) -> dict[str, Source]:
    """For each domain whether it was read in full; one of several keys that was read in full suffices."""
    found: dict[str, Source] = {}
    for key, prefetched in unpacked.items():
        source = Source.INCOMPLETE if key in damaged and prefetched.source is Source.READ else prefetched.source
        domain = requirements[key].domain
        other = found.get(domain)
        if other is None or source is Source.INCOMPLETE or (other is Source.UNAVAILABLE and source is Source.READ):
            found[domain] = source
    return found
