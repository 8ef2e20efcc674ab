"""A whole chart in one Bundle, read as a record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cds_service.ehr.files import decoded
from cds_service.ehr.prefetch import PATIENT_ID, Held
from cds_service.errors import CDSServiceError, InvalidRequest, RequiredDataUnavailable
from cds_service.fhir.gather import gather
from cds_service.fhir.prefetch import Fetched, Prefetched, kind_of, whole_chart
from cds_service.fhir.resources import Chart, Medication, MedicationRequest
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Requirement
from cds_service.record.dates import Day
from cds_service.record.facts import PatientRecord

_UUID = "urn:uuid:"
_CHART = msgspec.json.Decoder(Chart)


def entries(chart: Any, name: str) -> dict[str, Any]:
    """A Bundle whose entries are objects. Raises InvalidRequest, which says what to do with `name`."""
    if not isinstance(chart, dict) or chart.get("resourceType") != "Bundle" or not isinstance(chart.get("entry"), list):
        raise _no_bundle(name)
    return {**chart, "entry": [e for e in chart["entry"] if isinstance(e, dict)]}


def patient_id(held: Mapping[str, list[Held]], name: str) -> str:
    """The id of the one patient among entries by their kind. Raises InvalidRequest."""
    return _only_id([one.goes_by.id for one in held.get("Patient", ())], name)


def chart_in(content: bytes, name: str, error: type[CDSServiceError] = CDSServiceError) -> Chart:
    """The Bundle of a chart, its entries unread. Raises InvalidRequest for another shape or a history, and `error` where it is no JSON."""
    try:
        bundle = decoded(content, _CHART, name, error)
    except msgspec.ValidationError:
        raise _no_bundle(name) from None
    if bundle.type == "history":
        raise InvalidRequest(f"{name}: a history, which holds what was deleted, too. Give the chart as it stands.", place="/type")
    return bundle


def record_of(content: bytes, knowledge: Knowledge, today: Day, name: str, error: type[CDSServiceError] = CDSServiceError) -> PatientRecord:
    """The record of the one patient of a Bundle. Raises CDSServiceError, and `error` where the content is no JSON.

    The Bundle is the server that is asked for every key: what is not in it is not there, unless it says itself that it is not all.
    """
    chart = whole_chart(chart_in(content, name, error))
    patients = [e for e in chart.entries if kind_of(e.resource) == "Patient"]
    for entry in patients:
        entry.resource.id = entry.resource.id or _id_in(entry.fullUrl)
    whose = _only_id([e.resource.id for e in patients], name)
    asked = Fetched(_by_kind(chart, knowledge.requirements), chart.issues, by_kind=True)
    try:
        return gather(knowledge.requirements, {}, whose, today, ask=lambda _wanted: asked)
    except RequiredDataUnavailable as unavailable:
        raise RequiredDataUnavailable(unavailable.public, place="/entry") from None


def _id_in(full_url: str | None) -> str | None:
    """What a Patient without an id is called by the references of its Bundle: documents have no ids."""
    return full_url[len(_UUID) :] if full_url and full_url[: len(_UUID)].lower() == _UUID else None


def _by_kind(chart: Prefetched, requirements: Mapping[str, Requirement]) -> dict[str, Prefetched]:
    """Everything of a type under the first key that takes it; drugs stand with their orders."""
    kinds: defaultdict[str, list[Any]] = defaultdict(list)
    for entry in chart.entries:
        kind = kind_of(entry.resource)
        kinds[MedicationRequest.__name__ if kind == Medication.__name__ else kind].append(entry)
    return {key: Prefetched(chart.source, tuple(kinds.pop(requirement.resource, ()))) for key, requirement in requirements.items()}


def _only_id(ids: Iterable[Any], name: str) -> str:
    every = list(ids)
    usable = [i for i in every if isinstance(i, str) and PATIENT_ID.fullmatch(i)]
    found = set(usable)
    if len(found) != 1 or len(usable) != len(every):
        text = f"{len(every)} Patients with {len(found)} usable ids. Give a Bundle of one patient, with an id without blanks, / ? or #."
        raise InvalidRequest(f"{name}: {text}", place="/entry")
    return found.pop()


def _no_bundle(name: str) -> InvalidRequest:
    return InvalidRequest(f"{name}: no FHIR Bundle with entries. Give a Bundle that holds the Patient and the chart.", place="/entry")
