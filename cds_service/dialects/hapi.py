"""The HAPI FHIR server."""

from __future__ import annotations

from cds_service.dialects.dialect import Dialect

# HAPI gives the results of a search again for a minute, unless it is told not to: a result of this minute would be missed
# (its documentation, "Search Result Caching"; 2026-11).
DIALECT = Dialect("hapi", "HAPI FHIR", headers={"Cache-Control": "no-cache"})
