"""The public SMART Health IT sandbox."""

from __future__ import annotations

from cds_service.dialects.dialect import Dialect

DIALECT = Dialect("smart_sandbox", "SMART Health IT sandbox", headers={"Cache-Control": "no-cache"})
