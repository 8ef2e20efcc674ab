"""A registered FHIR server as the simulator reads a chart from it: each query leaves a record, as the service's own do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from cds_service.ehr.client import USER, resolved
from cds_service.ehr.server import FHIRServer
from cds_service.fhir.fallback import Note, Query
from cds_service.record.secret import Secret
from cds_service.trust.clients import Client

_SECONDS = 8.0  # that one query may take while a page is waited for


class NotedServer(FHIRServer):
    """The server of a client, asked for one patient; `searches` are the templates by their keys, and `note` is told of each query."""

    def __init__(self, client: Client, token: Secret | None, patient: str, searches: Mapping[str, str], note: Note) -> None:
        super().__init__(client.server or "", token=token, ca_file=client.ca_file, seconds=_SECONDS)
        context = {"userId": USER, "patientId": patient}
        self._keys = {resolved(search, context): key for key, search in searches.items()}
        self._searches = searches
        self._note = note

    def get(self, query: str, request_id: str = "") -> Any | None:
        """What the server has for a query of a key; None if it does not have it. Raises CDSServiceError."""
        request_id, reason = request_id or str(uuid.uuid4()), "failed"
        try:
            found = super().get(query, request_id)
            reason = "" if found is not None else "missing"
        finally:
            key = self._keys[query]
            self._note(Query(request_id, key, 1, self.base, self._searches[key], reason))
        return found
