"""The drug of an order: coded, contained, or a Medication that came beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from cds_service.fhir import read
from cds_service.fhir import resources as fhir
from cds_service.fhir.prefetch import UNREADABLE


class Drugs:
    """The Medications that came beside the orders."""

    def __init__(self, companions: Iterable[Any]) -> None:
        self._known = _by_reference(companions)

    def of(self, resource: Any) -> tuple[fhir.CodeableConcept | None, str]:
        """The drug of an order: coded, contained, by reference, or only by the reference's display."""
        if resource.medicationCodeableConcept is not None:
            return resource.medicationCodeableConcept, ""
        reference = resource.medicationReference
        if reference is None:
            return None, ""
        target = _as_named((reference.reference or "").strip())
        if target.startswith("#"):
            for raw in resource.contained or ():
                try:
                    kind = fhir.KIND.decode(raw)
                    if kind.resourceType == "Medication" and kind.id == target[1:]:
                        held = fhir.READ["Medication"].decode(raw)
                        concept = _drug_in(held)
                        return concept, (held.code is None and read.words(concept)) or reference.display or ""
                except UNREADABLE:
                    continue
        current = target.split("/_history/", maxsplit=1)[0].rstrip("/")
        concept = self._known.get(target) or self._known.get(current) or self._known.get("/".join(current.split("/")[-2:]))
        return concept, read.words(concept) or reference.display or ""


def _by_reference(companions: Iterable[Any]) -> dict[str, fhir.CodeableConcept]:
    """Medications by id and by full URL."""
    found: dict[str, fhir.CodeableConcept] = {}
    held = [e for e in companions if type(e.resource) is fhir.Medication]
    for entry in sorted(held, key=lambda e: msgspec.json.encode(e.resource)):
        concept = _drug_in(entry.resource)
        if concept is not None:
            found.update({_as_named(name): concept for name in (f"Medication/{entry.resource.id}", entry.fullUrl) if name})
    return found


def _as_named(reference: str) -> str:
    """A reference as it is compared: in a urn upper and lower case are the same."""
    return reference.lower() if reference[:4].lower() == "urn:" else reference


def _drug_in(medication: fhir.Medication) -> fhir.CodeableConcept | None:
    """What a Medication is: its code, else its active ingredients and its form, which may say that it is a cream."""
    concepts = [i.itemCodeableConcept for i in medication.ingredient or () if i.itemCodeableConcept and i.isActive is not False]
    if medication.code is not None or not concepts:
        return medication.code
    told = [words for c in (*concepts, medication.form) if (words := read.words(c))]
    coding = [fhir.Coding(system=c.system, code=c.code) for concept in concepts for c in concept.coding or ()]
    return fhir.CodeableConcept(coding=coding, text=" / ".join(told))
