"""Epic."""

from __future__ import annotations

from cds_service.dialects.dialect import Dialect

DIALECT = Dialect("epic", "Epic")
