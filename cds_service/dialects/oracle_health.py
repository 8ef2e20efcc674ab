"""Oracle Health."""

from __future__ import annotations

from cds_service.dialects.dialect import Dialect

DIALECT = Dialect("oracle_health", "Oracle Health (Cerner) Millennium")
