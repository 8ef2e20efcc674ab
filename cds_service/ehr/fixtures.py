"""The constructed patients on a FHIR server: put there in one transaction each, under their own ids, and taken off again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cds_service.ehr.prefetch import shifted
from cds_service.ehr.server import FHIRServer
from cds_service.errors import CDSServiceError

# What is loaded is tagged so, that nobody else's patient of the same id is ever overwritten or removed.
_CODE = "constructed-patient"


def charts(folder: Path, days: int, system: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each fixture's name and resources, moved by so many days and tagged in a system. Raises CDSServiceError if there is none."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise CDSServiceError(f"{folder}: no FHIR Bundles here. Name the folder that holds them with --from.")
    for path in paths:
        try:
            bundle = json.loads(path.read_text(encoding="utf-8"))
            resources = [shifted(entry["resource"], days) for entry in bundle["entry"]]
        except (OSError, ValueError, LookupError, TypeError, OverflowError):
            raise CDSServiceError(f"{path}: no FHIR Bundle with entries. Give a Bundle of one patient.") from None
        if not all(isinstance(r, dict) and r.get("id") and r.get("resourceType") for r in resources):
            raise CDSServiceError(f"{path}: a resource has no id. Give each one its own.")
        if not any(r["resourceType"] == "Patient" for r in resources):
            raise CDSServiceError(f"{path}: there is no Patient. Give a Bundle of one patient.")
        yield path.stem, [_tagged(resource, system) for resource in resources]


def put(server: FHIRServer, resources: list[dict[str, Any]]) -> None:
    """Write one patient's chart. Raises CDSServiceError, also where somebody else's patient has the id."""
    _refuse_strangers(server, resources)
    server.put(resources)


def remove(server: FHIRServer, resources: list[dict[str, Any]]) -> None:
    """Take one patient's chart off again, if it is there."""
    if _refuse_strangers(server, resources):
        server.delete(resources)


def _refuse_strangers(server: FHIRServer, resources: list[dict[str, Any]]) -> bool:
    """Whether the chart's Patient is there; refuses one that was not loaded from here."""
    patient = next(r for r in resources if r["resourceType"] == "Patient")
    there = server.get(f"Patient/{patient['id']}")
    if there is None:
        return False
    ours = patient["meta"]["tag"][-1]
    if not _has_tag(there, ours):
        raise CDSServiceError(f"{server.base}: Patient/{patient['id']} is there and was not loaded from here. It is left alone; use another server.")
    return True


def _has_tag(there: Any, ours: Mapping[str, Any]) -> bool:
    """Whether what a server holds carries our tag; what cannot be read does not."""
    try:
        return any(
            (tag["system"], tag["code"]) == (ours["system"], ours["code"]) for tag in there["meta"]["tag"] if "system" in tag and "code" in tag
        )
    except (LookupError, TypeError):
        return False


def _tagged(resource: Mapping[str, Any], system: str) -> dict[str, Any]:
    meta = resource.get("meta") or {}
    return {**resource, "meta": {**meta, "tag": [*(meta.get("tag") or ()), {"system": system, "code": _CODE}]}}
