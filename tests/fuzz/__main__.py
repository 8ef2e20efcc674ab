"""`make fuzz`: send so many requests to the service, by Schemathesis and by Hypothesis, and fail for any that is not answered as it should be."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.fuzz.campaigns import campaigns
from tests.fuzz.running import BY_DOCUMENT, DOCUMENTED, Tally, run
from tests.fuzz.served import MODES, served
from tests.fuzz.witness import read

CASES = 100_000


def main() -> None:
    """Send, print what came of it, and end with 1 for any fault, or for fewer different requests than were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--only", help="the name of one campaign")
    parser.add_argument("--repeat", type=Path, help="send the request of this file again")
    asked = parser.parse_args()
    sys.exit(repeated(asked.repeat) if asked.repeat else fuzzed(asked.cases, asked.seed, asked.only))


def fuzzed(cases: int, seed: int, only: str | None = None) -> int:
    """Run every campaign with its share of the cases; 0 if nothing was wrong."""
    print(f"seed {seed}", flush=True)
    started, jobs = time.monotonic(), [job for job in shares(cases) if only in (None, job[0])]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        tallies = []
        for tally in pool.map(run, *zip(*((name, quota, seed) for name, quota in jobs), strict=True)):
            tallies.append(tally)
            print(told(tally), flush=True)
    distinct, sent = sum(t.distinct for t in tallies), sum(t.sent for t in tallies)
    faults = [fault for tally in tallies for fault in tally.faults]
    print(f"{distinct} different requests of {sent} sent, in {time.monotonic() - started:.0f} s: {len(faults)} faults, seed {seed}")
    if distinct < cases and only is None:
        print(f"fewer different requests than the {cases} that were asked for")
    return int(bool(faults) or (distinct < cases and only is None))


def shares(cases: int) -> list[tuple[str, int]]:
    """How many different requests each campaign has to send: Schemathesis first, since it may fall short, and what it lacks is not made up silently."""
    parts = {**{BY_DOCUMENT + mode: share for mode, share in DOCUMENTED.items()}, **{name: c.share for name, c in campaigns()}}
    whole = sum(parts.values())
    return [(name, -(-cases * share // whole)) for name, share in parts.items()]


def told(tally: Tally) -> str:
    """A line for each campaign, and what was wrong in it."""
    statuses = ", ".join(f"{number} x {status}" for status, number in sorted(tally.statuses.items()))
    lines = [f"{tally.name}: {tally.distinct} different of {tally.sent} sent, {tally.seconds:.0f} s of CPU: {statuses}"]
    lines += [f"  WRONG: {fault}" for fault in tally.faults]
    if tally.saved:
        lines.append(f"  send it again: make fuzz FUZZ_REPEAT={tally.saved}")
    return "\n".join(lines)


def repeated(path: Path) -> int:
    """Send a saved request to a new service; 1 if it is still answered wrongly."""
    mode, sent = read(path)
    assert mode in MODES
    fault = served(mode).send(sent)
    print(f"{sent.method} {sent.path}: {fault or 'answered as it should be'}")
    return int(fault is not None)


if __name__ == "__main__":
    main()
