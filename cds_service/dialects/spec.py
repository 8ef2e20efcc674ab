"""FHIR R4 and CDS Hooks 2.0.1 to the letter."""

from __future__ import annotations

from cds_service.dialects.dialect import Dialect

DIALECT = Dialect("spec", "the standards to the letter")
