"""What discovery says: one entry per service and hook, with portable prefetch templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Requirement


def listing(knowledge: Knowledge) -> dict[str, Any]:
    """The body of GET /cds-services."""
    service = knowledge.module.service
    templates = prefetch_templates(knowledge)
    return {
        "services": [
            {
                "hook": hook,
                "title": service.title,
                "description": service.description,
                "id": service.id,
                "prefetch": templates,
                "usageRequirements": service.usage,
            }
            for hook in service.hooks
        ]
    }


def prefetch_templates(knowledge: Knowledge) -> Mapping[str, str]:
    """One FHIR query per prefetch key, within the portable subset of CDS Hooks 2.0."""
    return {key: _template(knowledge, requirement) for key, requirement in knowledge.requirements.items()}


def _template(knowledge: Knowledge, requirement: Requirement) -> str:
    if requirement.resource == "Patient":
        return "Patient/{{context.patientId}}"
    query = f"{requirement.resource}?patient={{{{context.patientId}}}}"
    if requirement.codes_of:
        codes = dict.fromkeys(c.code for s in requirement.codes_of for c in knowledge.value_sets[s].concepts)
        query += "&code=" + ",".join(f"{c.system}|{c.value}" for c in codes)
    if requirement.sort:
        query += f"&_sort={requirement.sort}"
    if requirement.count:
        query += f"&_count={requirement.count}"
    return query
