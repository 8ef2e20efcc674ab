"""Values as charts write them: quantities, and strings such as "104 fL", "<0.5 mg/L" or "GT 45"."""

from __future__ import annotations

import re
from typing import NamedTuple

from cds_service.fhir.resources import Quantity, Range

_WORDS = {"LT": "<", "GT": ">", "LE": "<=", "GE": ">="}
_COMPARATORS = frozenset({"<", "<=", ">", ">="})
# A unit stands after a blank (and may then begin with a digit, as 10*9/L does) or begins with a letter, % or /letter.
_CHARACTER = r"[^\s<>=:,;]"
_SPACED = rf"\s+({_CHARACTER}{{1,24}}(?: {_CHARACTER}{{1,24}})?)"
_JOINED = rf"((?:/?[A-Za-z\u00b5\u03bc]|%){_CHARACTER}{{0,24}})"
_TEXT = re.compile(rf"\s*(<=|>=|<|>|LT|GT|LE|GE)?\s*([0-9]{{1,9}}(?:[.,][0-9]{{1,6}})?)(?:{_SPACED}|{_JOINED})?\s*", re.IGNORECASE)


class Number(NamedTuple):
    """A number with its comparator and unit as written."""

    value: float
    comparator: str
    unit: str


def of_quantity(quantity: Quantity) -> Number | None:
    """The number in a Quantity; its UCUM code where there is one, else its unit."""
    if quantity.value is None:
        return None
    comparator = (quantity.comparator or "").strip()
    if comparator and comparator not in _COMPARATORS:
        return None
    return Number(quantity.value, comparator, (quantity.code or quantity.unit or "").strip())


def of_text(text: str) -> Number | None:
    """The number in a string that is nothing but a number with comparator and unit; None for any other words."""
    match = _TEXT.fullmatch(text[:80])
    if not match or len(text) > len(match.group()):
        return None
    sign, digits, spaced, joined = match.groups()
    if "," in digits and len(digits.rpartition(",")[2]) == 3:
        return None  # 1,234 may be a thousand or a fraction: never a guess
    comparator = _WORDS.get((sign or "").upper(), sign or "")
    return Number(float(digits.replace(",", ".")), comparator, (spaced or joined or "").strip())


def upper_limit(ranges: list[Range] | None, unit: str) -> float | None:
    """The laboratory's upper limit of normal, if it is given in the unit of the result; 0 stands for none."""
    for one in ranges or ():
        high = one.high
        if high is not None and high.value is not None and high.value > 0:
            written = high.code or high.unit or unit
            if written == unit or written.strip().lower() == unit.lower():
                return high.value
    return None
