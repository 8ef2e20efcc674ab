"""Oracle Health (Cerner Millennium). From its documents (FHIR R4 pages; CDS Hooks draft of 2021), as of 2026-11; not run against the vendor."""

from __future__ import annotations

from cds_service.dialects.dialect import Dialect, Search

# The largest page of Observations (content/millennium/r4 of its documentation).
_MOST = 200
# Resources whose pages list no _count.
_WITHOUT_COUNT = frozenset({"Condition", "Procedure", "Immunization", "AllergyIntolerance"})


def _adapt(search: Search) -> Search | None:
    """None for MedicationStatement, which it has not in R4: its MedicationRequests hold what patients report to take, too.

    Observations are always asked for by codes with their systems, since it takes no code without one. There is no date in
    any query, which it would not take beside _lastUpdated, and no _sort, which none of its pages lists.
    """
    if search.path == "MedicationStatement":
        return None
    search = search.without("_sort", *(["_count"] if search.path in _WITHOUT_COUNT else []))
    count = search.get("_count")
    return search.with_("_count", str(min(int(count), _MOST))) if count else search


DIALECT = Dialect("oracle_health", "Oracle Health Millennium", adapt=_adapt)
