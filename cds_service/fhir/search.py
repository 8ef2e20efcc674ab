"""The queries that bring what a module needs: the same for a prefetch template and for asking the EHR's server."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from cds_service.dialects.dialect import Dialect, Search
from cds_service.dialects.spec import DIALECT as SPEC
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.model import Requirement

PATIENT_ID = "{{context.patientId}}"


def searches(knowledge: Knowledge, dialect: Dialect = SPEC) -> Mapping[str, Search]:
    """One search for each prefetch key in a vendor's form; a key that the vendor has no search for is left out."""
    found = {key: dialect.adapt(_search(knowledge, requirement)) for key, requirement in knowledge.requirements.items()}
    return {key: search for key, search in found.items() if search is not None}


def prefetch_templates(knowledge: Knowledge, dialect: Dialect = SPEC) -> Mapping[str, str]:
    """One FHIR query per prefetch key, within the portable subset of CDS Hooks 2.0."""
    return {key: str(search) for key, search in searches(knowledge, dialect).items()}


def page_sizes(knowledge: Knowledge, dialect: Dialect) -> Mapping[str, int]:
    """How many entries a full page of each key has, where the vendor's search says so."""
    return {key: int(count) for key, search in searches(knowledge, dialect).items() if (count := search.get("_count"))}


def resolved(template: str, patient_id: str) -> str:
    """A template for one patient as it goes over the wire: what has a meaning in a URL and stands in the id or in a code has none."""
    return quote(template.replace(PATIENT_ID, quote(patient_id, safe="")), safe="/?&=,:%._~-")


def _search(knowledge: Knowledge, requirement: Requirement) -> Search:
    if requirement.resource == "Patient":
        return Search(f"Patient/{PATIENT_ID}")
    search = Search(requirement.resource, (("patient", PATIENT_ID),))
    if requirement.codes_of:
        codes = dict.fromkeys(c.code for s in requirement.codes_of for c in knowledge.value_sets[s].concepts)
        search = search.with_("code", ",".join(f"{c.system}|{c.value}" for c in codes))
    if requirement.sort:
        search = search.with_("_sort", requirement.sort)
    if requirement.count:
        search = search.with_("_count", str(requirement.count))
    return search
