"""Words of a page: values, units and days in one form, and what a card says without its markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from cds_service.cards.wording import evidence_text
from cds_service.knowledge.model import Flag
from cds_service.reasoning.findings import Evidence
from cds_service.record.dates import Moment

_MARKUP = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~:@$^='])")
_POWER = re.compile(r"\b(?:x ?)?10(?:\*|\^|[eE])(\d+)/([A-Za-z]+)")
_WHOLE = 1000  # from here on without decimals
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def unmarked(text: str) -> str:
    """The words of a card's sentence as a page shows them: without what makes them inert in markdown, units as they are read."""
    return readable(html.unescape(_MARKUP.sub(r"\1", text)))


def readable(text: str) -> str:
    """A text whose units are as people write them: ×10⁹/L, °C."""
    powers = _POWER.sub(lambda m: f"×10{m[1].translate(_RAISED)}/{m[2].replace('uL', 'µL')}", text)
    return re.sub(r"\[(\w+)\]", r"\1", re.sub(r"\bCel\b", "°C", powers))


def fact(evidence: Evidence, flag: Flag | None = None) -> str:
    """One fact with value, unit and day, as on a card."""
    return unmarked(evidence_text(evidence, flag))


def day(when: Moment | None) -> str:
    """A day as far as the chart gives it: 2026-11-01, 2026-11 or 2026."""
    return when.day.isoformat()[: {"year": 4, "month": 7}.get(when.precision, 10)] if when else "no date"


def number(value: float, limits: Iterable[float] = ()) -> str:
    """A value in four digits, or as many more as keep it on its own side of each limit; a large one whole."""
    for digits in range(4, 10):
        written = f"{value:.{digits}g}" if abs(value) < _WHOLE else f"{value:.0f}"
        if all((float(written) > limit, float(written) < limit) == (value > limit, value < limit) for limit in limits):
            break
    return written


def amount(value: float, unit: str, limits: Iterable[float] = ()) -> str:
    """A value with its unit."""
    return readable(f"{number(value, limits)} {unit}".strip())
