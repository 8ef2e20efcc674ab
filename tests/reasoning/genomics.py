"""Genomic results as FHIR JSON, as laboratories send them, and how the whole service answers them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from cds_service.invocation import Service
from tests import build, fakes

LOINC = build.LOINC
TBD = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"
HGVS = "http://varnomen.hgvs.org"
HGNC = "http://www.genenames.org"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ANSWERS = build.KNOWLEDGE.genetics.answers
GENE = {"coding": [{"system": HGNC, "code": "HGNC:12469", "display": "UBA1"}]}
OTHER = {"coding": [{"system": HGNC, "code": "HGNC:25941", "display": "TET2"}]}
SERVICE = Service(build.KNOWLEDGE, "https://cds.example.org", lambda: build.TODAY)


class Told(NamedTuple):
    """What a clinician gets to see: the topic of the first card, or none, and all its words."""

    topic: str
    text: str


def concept(code: str, system: str = LOINC, text: str = "") -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def answer(name: str) -> dict[str, Any]:
    """A coded answer by its name in the module."""
    return concept(ANSWERS[name])


def part(code: str, **value: Any) -> dict[str, Any]:
    """One component."""
    return {"code": concept(code), **value}


def gene(value: Any = None) -> dict[str, Any]:
    """The gene studied."""
    return part("48018-6", valueCodeableConcept=value or GENE)


def hgvs(name: str) -> dict[str, Any]:
    """A variant by its c. or p. name."""
    if name.startswith("c."):
        return part("48004-6", valueCodeableConcept=concept(f"NM_003334.4:{name}", HGVS))
    return part("48005-3", valueCodeableConcept={"text": name})


def fraction(value: float, unit: str = "1") -> dict[str, Any]:
    """An allele fraction."""
    return part("81258-6", valueQuantity={"value": value, "system": "http://unitsofmeasure.org", "code": unit})


def significance(name: str) -> dict[str, Any]:
    """A clinical significance."""
    return part("53037-8", valueCodeableConcept=answer(name))


def observation(code: Any, /, **members: Any) -> dict[str, Any]:
    """A final Observation; a member given as None is left out."""
    whole = {
        "resourceType": "Observation",
        "id": "obs-1",
        "status": "final",
        "code": concept(code) if isinstance(code, str) else code,
        "subject": build.subject(),
        "effectiveDateTime": "2026-10-01",
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


def variant(*parts: Any, value: str | None = "present", **members: Any) -> dict[str, Any]:
    """A variant of the gene; the canonical one unless parts are given."""
    parts = parts or (gene(), hgvs("c.122T>C"))
    return observation("69548-6", **{"id": "var-1", "valueCodeableConcept": answer(value) if value else None, "component": list(parts), **members})


def implication(name: str, *targets: str, **members: Any) -> dict[str, Any]:
    """What a laboratory concludes of a variant, as its own resource."""
    links = [{"reference": target} for target in targets or ("Observation/var-1",)]
    return observation(concept("diagnostic-implication", TBD), **{"id": "imp-1", "component": [significance(name)], "derivedFrom": links, **members})


def own_fraction(value: float, unit: str = "%", *targets: str, **members: Any) -> dict[str, Any]:
    """An allele fraction as its own resource."""
    links = [{"reference": target} for target in targets]
    quantity = {"value": value, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"}
    return observation("81258-6", **{"id": "vaf-1", "valueQuantity": quantity, "derivedFrom": links or None, **members})


def panel(*members: str, **others: Any) -> dict[str, Any]:
    """A panel that only names its members."""
    return observation("51968-6", **{"id": "panel-1", "hasMember": [{"reference": m} for m in members], **others})


def report(conclusion: str | None = None, *, code: Any = "51969-4", **members: Any) -> dict[str, Any]:
    """A final genetic DiagnosticReport."""
    whole = {
        "resourceType": "DiagnosticReport",
        "id": "report-1",
        "status": "final",
        "code": concept(code) if isinstance(code, str) else code,
        "subject": build.subject(),
        "effectiveDateTime": "2026-10-01",
        "conclusion": conclusion,
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


def problem(text: str = "", *codings: tuple[str, str], **members: Any) -> dict[str, Any]:
    """An entry of the problem list."""
    code = {"text": text or None, "coding": [{"system": s, "code": c} for s, c in codings] or None}
    return build.condition(id="problem-1", code={k: v for k, v in code.items() if v}, on="2026-08-01", **members)


def transplant(on: str = "2026-09-01") -> dict[str, Any]:
    """An allogeneic transplant."""
    return {
        "resourceType": "Procedure",
        "id": "hsct",
        "status": "completed",
        "code": concept("58390007", "http://snomed.info/sct"),
        "subject": build.subject(),
        "performedDateTime": on,
    }


def order(**members: Any) -> dict[str, Any]:
    """An open order of the gene's test."""
    ordered = {"code": concept("104268-8"), "authoredOn": "2026-11-10", "subject": build.subject()}
    return {"resourceType": "ServiceRequest", "id": "order-1", "status": "active", "intent": "order", **ordered, **members}


KEY = {
    "Observation": "genetics",
    "DiagnosticReport": "reports",
    "Condition": "conditions",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
}


def chart(*results: Any, suspect: bool = True) -> dict[str, Any]:
    """A prefetch of a man of 70 with Sweet syndrome, a high MCV and a high CRP, or with nothing, and these results.

    A result may be a Bundle entry with its full URL.
    """
    prefetch: dict[str, Any] = {"patient": build.patient(), **{key: build.bundle() for key in build.KEYS}}
    entries = [r if "resource" in r else {"resource": r} for r in results]
    found = [build.condition("L98.2"), build.mcv(), build.crp()] if suspect else []
    for key, resource in zip(("conditions", "bloodCounts", "inflammation"), found, strict=False):
        prefetch[key]["entry"].append({"resource": resource})
    for entry in entries:
        prefetch[KEY[entry["resource"]["resourceType"]]]["entry"].append(entry)
    return prefetch


def ask(*results: Any, suspect: bool = True) -> Told:
    """How the service answers a chart with these results."""
    return ask_prefetch(chart(*results, suspect=suspect))


def ask_prefetch(prefetch: dict[str, Any]) -> Told:
    """How the service answers a prefetch."""
    body = fakes.ask(SERVICE, build.request(prefetch))
    cards = body["cards"]
    if not cards:
        return Told("none", json.dumps(body))
    return Told(cards[0]["source"]["topic"]["code"].removeprefix("vexas-"), "\n".join((cards[0]["summary"], cards[0]["detail"])))
