"""Strict FHIR R4B, for what we emit and ship; never for what we receive (fhir.resources has no R4, and R5 refuses R4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir.resources.R4B import get_fhir_model_class


def faults(resource: Mapping[str, Any]) -> Iterator[str]:
    """What makes a resource invalid FHIR R4B, as sentences with the place."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        yield "resourceType is missing"
        return
    try:
        get_fhir_model_class(kind).model_validate(dict(resource))
    except (ValueError, KeyError, TypeError) as error:
        yield f"{kind}/{resource.get('id', '')}: {error}"
