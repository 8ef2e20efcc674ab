"""Draft orders as FHIR R4 ServiceRequests; each is a proposal that nobody but the clinician signs."""

from __future__ import annotations

from typing import Any

from cds_service.knowledge.model import DraftOrder
from cds_service.protocol.response import Coding
from cds_service.reasoning.findings import Assessment

_MOST_REASONS = 5
_REASONS = ("Condition/", "Observation/", "DiagnosticReport/")


def service_request(order: DraftOrder, patient_id: str, assessment: Assessment, site: Coding | None = None) -> dict[str, Any]:
    """A draft ServiceRequest for a patient, with references to the evidence that speaks for it; the site's own code stands first."""
    code: dict[str, Any] = {"text": order.text}
    coding = [{"system": c.system, "code": c.code, "display": c.display} for c in order.codes]
    if site:
        coding.insert(0, {"system": site.system, "code": site.code, "display": site.display or order.text})
    if coding:
        code = {"coding": coding, **code}
    resource: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": code,
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    findings = assessment.findings
    evidence = [e for name in order.reason if name in findings for e in findings[name].evidence]
    reasons = list(dict.fromkeys([e.ref for e in evidence if e.ref and e.ref.startswith(_REASONS)]))
    if reasons:
        resource["reasonReference"] = [{"reference": ref} for ref in reasons[:_MOST_REASONS]]
    return resource
