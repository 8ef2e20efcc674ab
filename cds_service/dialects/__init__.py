"""Everything that one vendor does differently, one file each; add a vendor by adding a file and a line here."""

from __future__ import annotations

from cds_service.dialects import epic, hapi, oracle_health, smart_sandbox, spec
from cds_service.dialects.dialect import Dialect

DIALECTS: dict[str, Dialect] = {d.name: d for d in (spec.DIALECT, epic.DIALECT, oracle_health.DIALECT, hapi.DIALECT, smart_sandbox.DIALECT)}
