"""Three-valued truth: what is not known is neither present nor absent (Kleene's strong logic)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """Whether something is so in this patient."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        """Refuse to be read as yes or no."""
        raise TypeError("a Truth is not a bool: compare it with PRESENT, ABSENT or UNKNOWN")


def truth_of(holds: bool | None) -> Truth:  # noqa: FBT001 - a conversion
    """Answer PRESENT for True, ABSENT for False, UNKNOWN for None."""
    if holds is None:
        return Truth.UNKNOWN
    return Truth.PRESENT if holds else Truth.ABSENT


def negation(truth: Truth) -> Truth:
    """Swap PRESENT and ABSENT; UNKNOWN stays."""
    return {Truth.PRESENT: Truth.ABSENT, Truth.ABSENT: Truth.PRESENT}.get(truth, Truth.UNKNOWN)


def at_least(n: int, truths: Iterable[Truth]) -> Truth:
    """PRESENT when n are present, ABSENT when n can no longer be reached, else UNKNOWN."""
    present = unknown = 0
    for truth in truths:
        present += truth is Truth.PRESENT
        unknown += truth is Truth.UNKNOWN
    if present >= n:
        return Truth.PRESENT
    return Truth.UNKNOWN if present + unknown >= n else Truth.ABSENT


def any_of(truths: Iterable[Truth]) -> Truth:
    """PRESENT when one is."""
    return at_least(1, truths)


def all_of(truths: Iterable[Truth]) -> Truth:
    """PRESENT when all are; ABSENT as soon as one is."""
    listed = list(truths)
    return at_least(len(listed), listed)
