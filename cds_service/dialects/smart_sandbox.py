"""The public SMART Health IT sandbox: constructed patients (Synthea), conditions in SNOMED CT, no token needed. It runs on HAPI FHIR."""

from __future__ import annotations

from cds_service.dialects import hapi

DIALECT = hapi.DIALECT._replace(name="smart_sandbox", title="SMART Health IT sandbox")
