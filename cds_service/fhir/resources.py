"""The parts of FHIR R4 resources that this service reads, as msgspec structs.

Only what is used is decoded; everything else in a resource is skipped. Names are FHIR's own.
"""
# ruff: noqa: N815

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

MOST_PARTS = 500  # components of one observation, resources contained in one


class Element(msgspec.Struct, omit_defaults=True, gc=False):
    """Base of all partial structs; unknown members are ignored."""


class Coding(Element):
    """FHIR Coding."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Element):
    """FHIR CodeableConcept."""

    coding: list[Coding] | None = None
    text: str | None = None


class Reference(Element):
    """FHIR Reference."""

    reference: str | None = None
    display: str | None = None


class Quantity(Element):
    """FHIR Quantity."""

    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Range(Element):
    """Observation.referenceRange."""

    high: Quantity | None = None


class Span(Element):
    """FHIR Period."""

    start: str | None = None
    end: str | None = None


class Annotation(Element):
    """FHIR Annotation."""

    text: str | None = None


class Meta(Element):
    """FHIR Meta."""

    lastUpdated: str | None = None


class Resource(Element):
    """What every resource may have."""

    id: str | None = None
    meta: Meta | None = None
    contained: list[msgspec.Raw] | None = None
    modifierExtension: list[msgspec.Raw] | None = None


class Patient(Resource, tag_field="resourceType", tag="Patient"):
    """FHIR Patient: who the request is about."""

    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None


class Component(Element):
    """Observation.component."""

    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueString: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueInteger: float | None = None
    valueRange: msgspec.Raw = msgspec.Raw()
    valueRatio: msgspec.Raw = msgspec.Raw()
    dataAbsentReason: msgspec.Raw = msgspec.Raw()
    interpretation: list[CodeableConcept] | None = None
    referenceRange: list[Range] | None = None


class Observation(Resource, tag_field="resourceType", tag="Observation"):
    """FHIR Observation."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    focus: list[Reference] | None = None
    dataAbsentReason: CodeableConcept | None = None
    effectiveDateTime: str | None = None
    effectiveInstant: str | None = None
    effectivePeriod: Span | None = None
    issued: str | None = None
    valueQuantity: Quantity | None = None
    valueString: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueInteger: float | None = None
    interpretation: list[CodeableConcept] | None = None
    note: list[Annotation] | None = None
    specimen: Reference | None = None
    referenceRange: list[Range] | None = None
    component: Annotated[list[Component], msgspec.Meta(max_length=MOST_PARTS)] | None = None  # none is read of one that has more
    derivedFrom: list[Reference] | None = None
    hasMember: list[Reference] | None = None


class Condition(Resource, tag_field="resourceType", tag="Condition"):
    """FHIR Condition."""

    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Span | None = None
    recordedDate: str | None = None


class Repeat(Element):
    """Timing.repeat."""

    boundsPeriod: Span | None = None


class Timing(Element):
    """FHIR Timing."""

    repeat: Repeat | None = None


class Dosage(Element):
    """FHIR Dosage."""

    timing: Timing | None = None
    route: CodeableConcept | None = None


class DispenseRequest(Element):
    """MedicationRequest.dispenseRequest."""

    validityPeriod: Span | None = None
    expectedSupplyDuration: Quantity | None = None
    numberOfRepeatsAllowed: float | None = None


class Ingredient(Element):
    """Medication.ingredient."""

    itemCodeableConcept: CodeableConcept | None = None
    isActive: bool | None = None


class Medication(Resource, tag_field="resourceType", tag="Medication"):
    """FHIR Medication, contained or referred to."""

    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    ingredient: list[Ingredient] | None = None


class MedicationRequest(Resource, tag_field="resourceType", tag="MedicationRequest"):
    """FHIR MedicationRequest."""

    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference | None = None
    authoredOn: str | None = None
    dosageInstruction: list[Dosage] | None = None
    dispenseRequest: DispenseRequest | None = None


class MedicationStatement(Resource, tag_field="resourceType", tag="MedicationStatement"):
    """FHIR MedicationStatement."""

    status: str | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Span | None = None
    dateAsserted: str | None = None
    dosage: list[Dosage] | None = None


class ServiceRequest(Resource, tag_field="resourceType", tag="ServiceRequest"):
    """FHIR ServiceRequest: what is already ordered."""

    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    authoredOn: str | None = None


class DiagnosticReport(Resource, tag_field="resourceType", tag="DiagnosticReport"):
    """FHIR DiagnosticReport."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Span | None = None
    issued: str | None = None
    specimen: list[Reference] | None = None
    result: list[Reference] | None = None
    conclusion: str | None = None
    conclusionCode: list[CodeableConcept] | None = None
    presentedForm: msgspec.Raw = msgspec.Raw()


class Procedure(Resource, tag_field="resourceType", tag="Procedure"):
    """FHIR Procedure."""

    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performedDateTime: str | None = None
    performedPeriod: Span | None = None


class Immunization(Resource, tag_field="resourceType", tag="Immunization", rename={"subject": "patient"}):
    """FHIR Immunization; its patient is called subject here, as in all the others."""

    status: str | None = None
    vaccineCode: CodeableConcept | None = None
    subject: Reference | None = None
    occurrenceDateTime: str | None = None
    isSubpotent: bool | None = None


class Reaction(Element):
    """AllergyIntolerance.reaction."""

    substance: CodeableConcept | None = None


class AllergyIntolerance(Resource, tag_field="resourceType", tag="AllergyIntolerance", rename={"subject": "patient"}):
    """FHIR AllergyIntolerance; its patient is called subject here, as in all the others."""

    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    onsetDateTime: str | None = None
    recordedDate: str | None = None
    reaction: list[Reaction] | None = None


class Attachment(Element):
    """FHIR Attachment; its data are not read."""

    title: str | None = None


class Content(Element):
    """DocumentReference.content."""

    attachment: Attachment | None = None


class DocumentContext(Element):
    """DocumentReference.context."""

    period: Span | None = None


class DocumentReference(Resource, tag_field="resourceType", tag="DocumentReference"):
    """FHIR DocumentReference: what a document is, not what it says."""

    status: str | None = None
    docStatus: str | None = None
    type: CodeableConcept | None = None
    subject: Reference | None = None
    date: str | None = None
    description: str | None = None
    content: list[Content] | None = None
    context: DocumentContext | None = None


class Specimen(Element):
    """What a contained Specimen is."""

    id: str | None = None
    type: CodeableConcept | None = None


class OutcomeIssue(Element):
    """OperationOutcome.issue."""

    severity: str | None = None
    details: CodeableConcept | None = None


class OperationOutcome(Resource, tag_field="resourceType", tag="OperationOutcome"):
    """FHIR OperationOutcome: a search that failed or wants to say something."""

    issue: list[OutcomeIssue] | None = None


class Link(Element):
    """Bundle.link."""

    relation: str | None = None
    url: str | None = None


class Entry(Element):
    """Bundle.entry with its resource undecoded."""

    fullUrl: str | None = None
    resource: msgspec.Raw = msgspec.Raw()


class Bundle(Element):
    """FHIR Bundle, with or without a type; its members stay raw until each is read by itself."""

    entry: list[msgspec.Raw] | None = None
    link: msgspec.Raw = msgspec.Raw()
    total: msgspec.Raw = msgspec.Raw()


class Chart(Bundle, kw_only=True):
    """A Bundle that is all there is of a chart: it says what it is, and has entries."""

    resourceType: Literal["Bundle"]
    type: Any = None
    entry: list[msgspec.Raw]


class Unread(Element):
    """A resource that no fact is made of: of a kind that is not used, or one that could not be read at some place."""

    kind: str
    id: str | None = None
    place: str | None = None  # where it could not be read; None for a kind that is not used
    meta: Meta | None = None


class Held(Element):
    """A Bundle's entry with its resource read."""

    resource: Any
    fullUrl: str | None = None


class TypeOnly(Element):
    """Only the type of a resource."""

    resourceType: str | None = None


class Kind(TypeOnly):
    """Only the type and id of a resource."""

    id: str | None = None


class Updated(Element):
    """Only when a resource was updated."""

    meta: Meta | None = None


KINDS: dict[str, type[Resource]] = {
    kind.__name__: kind
    for kind in (
        Observation,
        Condition,
        MedicationRequest,
        MedicationStatement,
        ServiceRequest,
        DiagnosticReport,
        Procedure,
        Immunization,
        AllergyIntolerance,
        DocumentReference,
        Medication,
        Patient,
        OperationOutcome,
    )
}
READ: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
KIND = msgspec.json.Decoder(Kind)
UPDATED = msgspec.json.Decoder(Updated)
SPECIMEN = msgspec.json.Decoder(Specimen)


def _whole(kind: type[Resource]) -> Any:
    """A Bundle that holds one type of resource and what may come with it; every entry has its resource."""
    resource: Any = kind | Medication | Patient
    entry: Any = msgspec.defstruct("WholeEntry", [("resource", resource), ("fullUrl", str | None, None)], gc=False)
    members: list[Any] = [
        ("resourceType", Literal["Bundle"]),
        ("entry", list[entry] | None, None),
        ("link", list[Link] | None, None),
        ("total", int | None, None),
    ]
    return msgspec.defstruct("WholeBundle", members, gc=False)


WHOLE: dict[str, Any] = {kind.__name__: _whole(kind) for kind in KINDS.values() if kind not in (Medication, Patient, OperationOutcome)}
WHOLE_DECODERS = {name: msgspec.json.Decoder(bundle) for name, bundle in WHOLE.items()}


_PATIENT: Any = Patient | Medication  # in a union a resource must name its type


def whole_prefetch(kinds: Mapping[str, str]) -> Any:
    """A prefetch in which each key holds what was asked for, as nearly every one does, so that it is read in one pass.

    `kinds` gives the resource type of each key. A key that nobody asked for is refused: such a prefetch is read key by key.
    """
    members = [
        (f"key{i}", (_PATIENT if kind == "Patient" else WHOLE[kind]) | None | msgspec.UnsetType, msgspec.UNSET)
        for i, kind in enumerate(kinds.values())
    ]
    names = {f"key{i}": key for i, key in enumerate(kinds)}
    return msgspec.defstruct("WholePrefetch", members, rename=names, forbid_unknown_fields=True, gc=False)
