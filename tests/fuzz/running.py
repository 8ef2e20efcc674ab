"""One campaign: requests until so many different ones were sent, and what was wrong with the answers in its smallest form."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded

from tests.fuzz.campaigns import Campaign, campaigns
from tests.fuzz.served import served
from tests.fuzz.witness import Sent, Witness

SAVED = Path(__file__).parents[2] / ".run" / "fuzz"
DOCUMENTED = {"open": 1, "signed": 1, "strangers": 1}  # the share of Schemathesis in each mode
BATCH = 1000
BY_DOCUMENT = "documented, "
_FEWEST_NEW, _MOST_ROUNDS = 0.02, 40
_USUAL = settings(
    database=None, deadline=None, phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
)


class Wrong(Exception):
    """An answer that must not be."""


class Tally(NamedTuple):
    """What came of one campaign."""

    name: str
    seed: int
    sent: int
    distinct: int
    statuses: Counter[int]
    seconds: float
    faults: tuple[str, ...]
    saved: Path | None = None


def run(name: str, quota: int, seed: int) -> Tally:
    """One campaign in this process."""
    crashes: list[str] = []
    threading.excepthook = lambda gone: crashes.append(f"a thread ended with {gone.exc_type}: {gone.exc_value}")
    by_document = name.startswith(BY_DOCUMENT)
    campaign = None if by_document else dict(campaigns())[name]
    mode = campaign.mode if campaign else name.removeprefix(BY_DOCUMENT)
    witness, started = served(mode), time.process_time()
    own = seed + crc32(name.encode())  # two campaigns of one strategy must not send the same
    faults = searched(campaign, witness, quota, own) if campaign else documented(witness, mode, quota, seed)
    return _tally(name, mode, seed, witness, [*faults, *crashes], time.process_time() - started)


def documented(witness: Witness, mode: str, quota: int, seed: int) -> list[str]:
    """What is wrong by Schemathesis: at the edges of each schema, then in example after example until so many different requests were sent."""
    from tests.fuzz.documented import explored  # not installed where the other tests run

    faults, number = explored(witness, mode, seed=seed), 0
    while not faults and witness.distinct < quota and number < _MOST_ROUNDS:
        number += 1
        faults = explored(witness, mode, seed=seed + number, examples=max(10, min(500, (quota - witness.distinct) // 12)))
    return faults


def searched(campaign: Campaign, witness: Witness, quota: int, seed: int) -> list[str]:
    """Send requests of a campaign until so many different ones were sent, or nearly nothing new comes; what was wrong, in its smallest form."""
    batch = 0
    while (before := witness.distinct) < quota:
        wanted = max(50, min(BATCH, quota - before))

        @seeded(seed * 10_000 + batch)
        @settings(_USUAL, max_examples=wanted, verbosity=Verbosity.quiet)
        @given(campaign.making)
        def answers_as_it_should(sent: Sent) -> None:
            fault = witness.send(sent)
            if fault:
                raise Wrong(fault)

        try:
            answers_as_it_should()
        except Wrong as wrong:
            return [str(wrong)]
        if witness.distinct - before < wanted * _FEWEST_NEW:
            return []
        batch += 1
    return []


def _tally(name: str, mode: str, seed: int, witness: Witness, faults: list[str], seconds: float) -> Tally:
    saved = None
    if witness.wrong:
        sent, fault = witness.wrong[-1]  # Hypothesis sends the smallest one last
        SAVED.mkdir(parents=True, exist_ok=True)
        saved = SAVED / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}.json"
        saved.write_text(sent.written(mode, fault), encoding="utf-8")
        faults = list(dict.fromkeys([*faults, fault]))
    return Tally(name, seed, witness.sent, witness.distinct, witness.statuses, seconds, tuple(faults), saved)
