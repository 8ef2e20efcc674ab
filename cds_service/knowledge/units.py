"""Units as laboratories write them, to one canonical unit per quantity; an unknown unit is never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from cds_service.errors import KnowledgeError
from cds_service.knowledge.model import Quantity

_ANNOTATION = re.compile(r"\{[^{}]{0,40}\}")

_LONGEST_UNIT = 60


def spelling(unit: str) -> str:
    """One spelling for the ways of writing a unit: no spaces, no annotations, `u` for micro, `*` for powers."""
    text = _ANNOTATION.sub("", unit).replace(" ", "").replace("\u00b5", "u").replace("\u03bc", "u")
    return text.replace("^", "*").replace("\u00d7", "x").lower()


class UnitTable:
    """Factors from every known spelling to the canonical unit of each quantity."""

    def __init__(self, quantities: Mapping[str, Quantity]) -> None:
        self._factors: dict[tuple[str, str], float] = {}
        for quantity in quantities.values():
            if quantity.factors.get(quantity.unit) != 1:
                raise KnowledgeError(f"units.yaml: {quantity.id} has no factor 1 for its own unit {quantity.unit}. Add it.")
            for unit, factor in quantity.factors.items():
                key = (quantity.id, spelling(unit))
                if self._factors.setdefault(key, factor) != factor:
                    raise KnowledgeError(f"units.yaml: {quantity.id} has two factors for the spelling '{spelling(unit)}'. Keep one.")
        self._cached = lru_cache(maxsize=4096)(self._factor)

    def factor(self, quantity: str, unit: str) -> float | None:
        """The factor from a unit to the quantity's canonical unit, or None for a unit that is not known."""
        return self._cached(quantity, unit) if len(unit) <= _LONGEST_UNIT else None

    def _factor(self, quantity: str, unit: str) -> float | None:
        return self._factors.get((quantity, spelling(unit)))
