"""Oracle Health (Cerner Millennium). From its documents (FHIR R4 pages; CDS Hooks draft of 2021), as of 2026-11; not run against the vendor."""

from __future__ import annotations

from cds_service.dialects.dialect import Dialect, Search

# The largest page; the first one may be of another size all the same (FHIR R4 pages).
_MOST = 200


def _adapt(search: Search) -> Search | None:
    """None for MedicationStatement, which it has not in R4.

    Observations are always asked for by codes with their systems, since it takes neither a search by patient alone nor a code
    without one. There is no date in any query, which it would not take beside _lastUpdated, and no _sort, which its pages do
    not name.
    """
    if search.path == "MedicationStatement":
        return None
    count = search.get("_count")
    search = search.without("_sort")
    return search.with_("_count", str(min(int(count), _MOST))) if count else search


DIALECT = Dialect("oracle_health", "Oracle Health Millennium", adapt=_adapt)
