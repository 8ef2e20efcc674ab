"""Which cases prove a part of the module: they expect it, and would fail without it."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.reasoning.casebook import Outcome

# The kinds that a case can prove, with what such a case says; the rest are words.
PROVED_BY_CASES = {
    "findings": "Add one with expect: {{{0}: present}}.",
    "rules": "Add one with expect: {{{0}: present}}.",
    "recommendations": "Add one with recommends: [{0}].",
    "orders": "Add one with offers: [{0}].",
}


def proofs(outcomes: Sequence[Outcome], kind: str, name: str) -> list[Outcome]:
    """The cases that expect a finding or rule to be present, a recommendation to be given or an order to be offered."""
    if kind in ("findings", "rules"):
        return [o for o in outcomes if o.case.expect.get(name) == "present"]
    return [o for o in outcomes if name in {"recommendations": o.case.recommends, "orders": o.case.offers}.get(kind, ())]
