"""What discovery says: one entry per service and hook, with portable prefetch templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.knowledge.loader import Knowledge


def listing(knowledge: Knowledge, templates: Mapping[str, str]) -> dict[str, Any]:
    """The body of GET /cds-services, with the FHIR query of each prefetch key."""
    service = knowledge.module.service
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
