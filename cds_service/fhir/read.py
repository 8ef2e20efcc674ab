"""One resource to the facts it holds. A resource without a subject that we can name never reaches this place."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from cds_service.fhir import resources as fhir
from cds_service.fhir.values import Number, of_quantity, of_text, upper_limit
from cds_service.record import facts
from cds_service.record.codes import Code, code
from cds_service.record.dates import Day, Moment, moment

_MOST_CODINGS = 50
_BEGINNING = 400  # bytes, more than any indentation
_CURRENT_DOCUMENT = frozenset({"current", None})
_DOCUMENT_STATUSES = frozenset({"preliminary", "final", "amended", None})
_STATUSES = frozenset({"final", "amended", "corrected", "preliminary", "registered", "unknown", None})
# Routes that carry a drug into the whole body; any other stated route is a local one.
_SYSTEMIC_CODES = frozenset({"26643006", "47625008", "78421000", "34206005", "PO", "IV", "IM", "SC", "SQ"})
_SYSTEMIC_WORDS = re.compile(
    r"\b(oral(ly)?|intravenous(ly)?|iv|po|p\.o|intramuscular(ly)?|im|subcutaneous(ly)?|sc|sq|mouth|per os|parenteral|enteral|infusion|tube)\b"
)


def codes(concept: fhir.CodeableConcept | None) -> tuple[Code, ...]:
    """The codes of a concept in canonical spelling; a coding without system or code is left out."""
    if concept is None or not concept.coding:
        return ()
    return tuple([code(c.system, c.code) for c in concept.coding[:_MOST_CODINGS] if c.system and c.code])


def text(concept: fhir.CodeableConcept | None) -> str:
    """A concept's text, else the first display."""
    if concept is None:
        return ""
    if concept.text:
        return concept.text
    return next((c.display for c in concept.coding or () if c.display), "")


def words(concept: fhir.CodeableConcept | None) -> str:
    """A concept's text and every display, for reading by words."""
    if concept is None:
        return ""
    parts = [concept.text, *[c.display for c in concept.coding or ()]]
    return " / ".join(dict.fromkeys([p for p in parts if p]))


def first_moment(*candidates: str | fhir.Span | None) -> Moment | None:
    """The first candidate that is a date; a period counts from its start."""
    for candidate in candidates:
        raw = candidate.start or candidate.end if isinstance(candidate, fhir.Span) else candidate
        if raw and (found := moment(raw)):
            return found
    return None


def status_code(status: fhir.CodeableConcept | str | None) -> str | None:
    """The code of a status that may be a concept or, in some charts, a bare string."""
    if isinstance(status, str) or status is None:
        return plain_code(status)
    coded = [c for c in status.coding or () if c.code]
    own = [c for c in coded if c.system is None or "terminology.hl7.org" in c.system]
    for one in (*own, *coded):
        if found := plain_code(one.code):
            return found
    return plain_code(status.text)


def plain_code(text: str | None) -> str | None:
    """A status or intent without blanks and capitals, as some charts write it."""
    return text.strip().lower() or None if text else None


# --- Observation ---


def observation(resource: fhir.Observation, ref: str | None, worded: frozenset[Code] = frozenset()) -> list[facts.LabResult | facts.Report]:
    """The numbers of an observation and its components, and, where it is not a number, its report.

    `worded` are tests of which a number, too, is a report.
    """
    day = resource.effectiveDateTime
    when = (moment(day) if day else None) or first_moment(resource.effectiveInstant, resource.effectivePeriod, resource.issued)
    status = resource.status if resource.status in _STATUSES else plain_code(resource.status)
    found: list[facts.LabResult | facts.Report] = []
    number = _number(resource)
    if number is None and (resource.valueQuantity is not None or resource.valueString):
        flaw = (_flaw(resource, resource) if when is None or resource.dataAbsentReason else "") or "has a value that cannot be read as a number"
        found.append(facts.LabResult(ref=ref, codes=codes(resource.code), status=status, when=when, value=0.0, flaw=flaw))
    parts = [(part, inner) for part in resource.component if (inner := _number(part))] if resource.component else ()
    for holder, (value, comparator, unit) in ((resource, number), *parts) if number is not None else parts:
        lab = facts.LabResult(
            ref=ref,
            codes=codes(holder.code),
            status=status,
            when=when,
            value=value,
            unit=unit,
            comparator=comparator,
            upper_limit=upper_limit(holder.referenceRange, unit) if holder.referenceRange else None,
            remark=_remark(resource) if resource.interpretation or resource.note else "",
            flaw=_flaw(resource, holder) if when is None or resource.dataAbsentReason or holder.dataAbsentReason else "",
        )
        found.append(lab)
    if number is None or resource.valueString or (worded and not worded.isdisjoint(found[0].codes)):
        found += _worded(resource, ref, status, when)
    return found


def _flaw(resource: fhir.Observation, holder: fhir.Observation | fhir.Component) -> str:
    """Why a number must not be used, whatever it is."""
    if resource.dataAbsentReason or holder.dataAbsentReason:
        return "is marked as absent by the laboratory"
    dated = any((resource.effectiveDateTime, resource.effectiveInstant, resource.effectivePeriod, resource.issued))
    return "has a date that cannot be read" if dated else ""


def _remark(resource: fhir.Observation) -> str:
    """Notes and interpretation in words."""
    interpretations = resource.interpretation or []
    if not resource.note and len(interpretations) == 1:
        return text(interpretations[0])
    return " ".join([*[n.text or "" for n in resource.note or ()], *[text(i) for i in interpretations]])


def _worded(resource: fhir.Observation, ref: str | None, status: str | None, when: Moment | None) -> Iterator[facts.Report]:
    """What an observation says in words or codes, if it says anything so."""
    items = tuple(_item(part) for part in (resource.component or ()))
    if resource.valueQuantity is not None or resource.valueInteger is not None:
        items = (_item(fhir.Component(code=resource.code, valueQuantity=resource.valueQuantity, valueInteger=resource.valueInteger)), *items)
    interpretations = tuple(flag for i in resource.interpretation or () for flag in _flags(i))
    told = resource.valueString or text(resource.valueCodeableConcept)
    worded = any(i.value_codes or i.value_text for i in items)
    quantity = resource.valueQuantity is not None or resource.valueInteger is not None
    if not (told or worded or quantity or resource.derivedFrom or resource.hasMember or interpretations or not items):
        return
    yield facts.Report(
        ref=ref,
        codes=codes(resource.code),
        text=words(resource.code),
        status=status,
        when=when,
        conclusion="\n".join(t for t in (told, *(n.text or "" for n in resource.note or ())) if t),
        conclusion_codes=codes(resource.valueCodeableConcept),
        interpretations=interpretations,
        items=items,
        derived_from=_references(resource.derivedFrom),
        members=_references(resource.hasMember),
        absent=resource.dataAbsentReason is not None,
        specimen=_specimens([resource.specimen] if resource.specimen else None, resource.contained),
    )


def _flags(interpretation: fhir.CodeableConcept) -> list[str]:
    """An interpretation's codes, whatever their system, else its words."""
    coded = [c.code for c in interpretation.coding or () if c.code]
    return [flag.strip().upper() for flag in coded or [text(interpretation)] if flag.strip()]


def _references(references: list[fhir.Reference] | None) -> tuple[str, ...]:
    return tuple(r.reference.strip() for r in references or () if r.reference)


def _specimens(references: list[fhir.Reference] | None, contained: list[msgspec.Raw] | None) -> str:
    """What the specimens are called: by the reference, or by the type of one that is contained."""
    told = [r.display for r in references or () if r.display]
    inside = {r.reference[1:] for r in references or () if r.reference and r.reference.startswith("#")}
    for raw in contained[: fhir.MOST_PARTS] if contained and inside else ():
        try:
            specimen = fhir.SPECIMEN.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if specimen.id in inside:
            told.append(words(specimen.type))
    return " / ".join(t for t in told if t)


def _number(holder: fhir.Observation | fhir.Component) -> Number | None:
    if holder.valueQuantity is not None:
        return of_quantity(holder.valueQuantity)
    if holder.valueString is not None:
        return of_text(holder.valueString)
    if holder.valueInteger is not None:
        return Number(float(holder.valueInteger), "", "")
    return None


def _item(part: fhir.Component) -> facts.ReportItem:
    number = _number(part)
    quantity = part.valueQuantity
    other = (part.valueRange, part.valueRatio, part.dataAbsentReason)
    return facts.ReportItem(
        codes=codes(part.code),
        text=text(part.code),
        value_codes=codes(part.valueCodeableConcept),
        value_text=words(part.valueCodeableConcept) or (part.valueString or ""),
        number=number.value if number else None,
        unit=number.unit if number else "",
        comparator=number.comparator if number else "",
        unit_words=quantity.unit or "" if quantity and quantity.code else "",
        unread=(quantity is not None and number is None) or any(bytes(value) not in (b"", b"null") for value in other),
    )


# --- the other resources ---


def condition(resource: fhir.Condition, ref: str | None) -> Iterator[facts.Condition]:
    """A diagnosis or problem; one entered in error is left out here."""
    verification = status_code(resource.verificationStatus)
    if verification == "entered-in-error":
        return
    recorded = first_moment(resource.recordedDate)
    yield facts.Condition(
        ref=ref,
        codes=codes(resource.code),
        text=text(resource.code),
        status=status_code(resource.clinicalStatus),
        verification=verification,
        when=first_moment(resource.onsetDateTime, resource.onsetPeriod) or recorded,
        recorded=recorded,
    )


def medication_request(resource: fhir.MedicationRequest, ref: str | None, concept: fhir.CodeableConcept | None, name: str) -> facts.Medication:
    """An order of a drug, with the days it covers as far as the order says."""
    dispense = resource.dispenseRequest
    bounds = [d.timing.repeat.boundsPeriod for d in resource.dosageInstruction or () if d.timing and d.timing.repeat and d.timing.repeat.boundsPeriod]
    validity = dispense.validityPeriod if dispense else None
    start = first_moment(*(b.start for b in bounds), validity.start if validity else None, resource.authoredOn)
    ends = [m.day for b in (*bounds, validity) if b and b.end and (m := moment(b.end))]
    supplied = _supplied(dispense, start)
    return facts.Medication(
        ref=ref,
        codes=codes(concept),
        text=name or words(concept),
        status=plain_code(resource.status),
        intent=plain_code(resource.intent),
        not_given=bool(resource.doNotPerform),
        when=start,
        until=max(ends) if ends else supplied,
        route=_local_route(resource.dosageInstruction),
    )


def _supplied(dispense: fhir.DispenseRequest | None, start: Moment | None) -> Day | None:
    """The day until which a dispensed supply lasts, if it is given in days or weeks."""
    duration = dispense.expectedSupplyDuration if dispense else None
    if dispense is None or duration is None or duration.value is None or start is None:
        return None
    factor = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}.get((duration.code or duration.unit or "").strip().lower())
    days = duration.value * (factor or 0) * (1 + max(0, dispense.numberOfRepeatsAllowed or 0))
    if not factor or not 1 <= days <= 3660:
        return None
    last = round(days) - 1
    return start.day + dt.timedelta(days=last) if last <= (Day.max - start.day).days else None


def medication_statement(resource: fhir.MedicationStatement, ref: str | None, concept: fhir.CodeableConcept | None, name: str) -> facts.Medication:
    """A statement that a drug is or was taken."""
    period = resource.effectivePeriod
    end = moment(period.end) if period and period.end else None
    return facts.Medication(
        ref=ref,
        codes=codes(concept),
        text=name or words(concept),
        status=plain_code(resource.status),
        when=first_moment(resource.effectiveDateTime, period, resource.dateAsserted),
        until=end.day if end else None,
        route=_local_route(resource.dosage),
    )


def _local_route(dosages: list[fhir.Dosage] | None) -> str:
    """The stated route, if there is one and it is none that reaches the whole body."""
    first = ""
    for dosage in dosages or ():
        if dosage.route:
            told = words(dosage.route).lower()
            if not told or any(c.value in _SYSTEMIC_CODES for c in codes(dosage.route)) or _SYSTEMIC_WORDS.search(told):
                return ""
            first = first or told
    return first


def service_request(resource: fhir.ServiceRequest, ref: str | None) -> Iterator[facts.Order]:
    """A service that was asked for."""
    if not resource.doNotPerform:
        when = first_moment(resource.authoredOn)
        yield facts.Order(ref=ref, codes=codes(resource.code), text=words(resource.code), status=plain_code(resource.status), when=when)


def diagnostic_report(resource: fhir.DiagnosticReport, ref: str | None) -> Iterator[facts.Report]:
    """A report with its conclusion in words and codes, or one that says nothing but in a file."""
    in_file = not (resource.conclusionCode or resource.result) and _is_filled(resource.presentedForm)
    yield facts.Report(
        ref=ref,
        codes=codes(resource.code),
        text=words(resource.code),
        status=plain_code(resource.status),
        when=first_moment(resource.effectiveDateTime, resource.effectivePeriod, resource.issued),
        conclusion="\n".join(t for t in (resource.conclusion, *(words(c) for c in resource.conclusionCode or ())) if t),
        conclusion_codes=tuple(c for concept in resource.conclusionCode or () for c in codes(concept)),
        members=_references(resource.result),
        specimen=_specimens(resource.specimen, resource.contained),
        attached=in_file and not resource.conclusion,
        filed=in_file and bool(resource.conclusion),
    )


def _is_filled(raw: msgspec.Raw) -> bool:
    """Whether a member that is not read holds anything; only its beginning is looked at, since a file may stand in it."""
    return b"".join(bytes(memoryview(raw)[:_BEGINNING]).split()) not in (b"", b"null", b"[]", b"[null]", b"{}", b"[{}]")


def document(resource: fhir.DocumentReference, ref: str | None) -> Iterator[facts.Report]:
    """A report that stands in a document: what it is called, and that it was not read. Others than current ones are left out."""
    status = plain_code(resource.docStatus)
    if plain_code(resource.status) not in _CURRENT_DOCUMENT or status not in _DOCUMENT_STATUSES:
        return
    titles = [c.attachment.title for c in (resource.content or ())[:_MOST_CODINGS] if c.attachment and c.attachment.title]
    yield facts.Report(
        ref=ref,
        codes=codes(resource.type),
        # Names of files are written with _, which would join their words to one.
        text=" / ".join(dict.fromkeys(t.replace("_", " ") for t in (words(resource.type), resource.description, *titles) if t)),
        status=status or "final",
        when=first_moment(resource.date, resource.context.period if resource.context else None),
        attached=True,
    )


def procedure(resource: fhir.Procedure, ref: str | None) -> Iterator[facts.Procedure]:
    """Something done to the patient."""
    when = first_moment(resource.performedDateTime, resource.performedPeriod)
    yield facts.Procedure(ref=ref, codes=codes(resource.code), text=text(resource.code), status=plain_code(resource.status), when=when)


def immunization(resource: fhir.Immunization, ref: str | None) -> Iterator[facts.Immunization]:
    """A vaccine given; one that was too weak to count is none."""
    if resource.isSubpotent:
        return
    when = first_moment(resource.occurrenceDateTime)
    yield facts.Immunization(
        ref=ref, codes=codes(resource.vaccineCode), text=words(resource.vaccineCode), status=plain_code(resource.status), when=when
    )


def allergy(resource: fhir.AllergyIntolerance, ref: str | None) -> Iterator[facts.Allergy]:
    """An allergy or intolerance, and each substance of its reactions as an entry of its own: "NKDA" takes none of them away."""
    verification = status_code(resource.verificationStatus)
    if verification == "entered-in-error":
        return
    named = dict.fromkeys(_named(concept) for concept in (resource.code, *[r.substance for r in resource.reaction or ()]))
    for held, told in [one for one in named if any(one)] or [((), "")]:
        yield facts.Allergy(
            ref=ref,
            codes=held,
            text=told,
            status=status_code(resource.clinicalStatus),
            verification=verification,
            when=first_moment(resource.recordedDate, resource.onsetDateTime),
        )


def _named(concept: fhir.CodeableConcept | None) -> tuple[tuple[Code, ...], str]:
    """The codes and words of a substance, with one code more than are read where there are too many."""
    coded = (code(c.system, c.code) for c in (concept.coding if concept else None) or () if c.system and c.code)
    return tuple(islice(coded, _MOST_CODINGS + 1)), words(concept)


SIMPLE: dict[type[Any], Callable[[Any, str | None], Iterable[facts.Fact]]] = {
    fhir.Observation: observation,
    fhir.Condition: condition,
    fhir.ServiceRequest: service_request,
    fhir.DiagnosticReport: diagnostic_report,
    fhir.Procedure: procedure,
    fhir.Immunization: immunization,
    fhir.AllergyIntolerance: allergy,
    fhir.DocumentReference: document,
}
# These need their drug, which may stand in another resource.
MEDICATION: dict[type[Any], Callable[[Any, str | None, fhir.CodeableConcept | None, str], facts.Medication]] = {
    fhir.MedicationRequest: medication_request,
    fhir.MedicationStatement: medication_statement,
}
