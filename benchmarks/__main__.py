"""`python -m benchmarks`: the service against a bare endpoint on the same server, and where its time goes.

`--short` takes two minutes and fails if the service takes much more CPU than the recorded commit, which is run beside it;
`--record` keeps the figures in docs/performance.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from benchmarks import comparison, fallback, phases, recorded, recording, report, starting, workload
from benchmarks.servers import BARE, OURS, SPARED, earlier

_RUNS, _SECONDS = 5, 3.0
_SHORT_RUNS, _SHORT_SECONDS = 3, 1.0


def main() -> int:
    """Run, print, and with `--record` write the figures down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few seconds a run; fails if the service has become much slower")
    parser.add_argument("--record", action="store_true", help="write the figures to docs/performance.md and benchmarks/recorded.json")
    options = parser.parse_args()
    if options.short and options.record:
        parser.error("a short run is compared with what is recorded and is not recorded itself: give one of the two")
    runs, seconds = (_SHORT_RUNS, _SHORT_SECONDS) if options.short else (_RUNS, _SECONDS)
    bodies = workload.sizes(dt.datetime.now(dt.UTC).date())
    before = [earlier(recorded.code())] if options.short else []
    lines = list(comparison.compare((BARE, SPARED, *before, OURS), bodies, runs=runs, seconds=seconds))
    starts = starting.measure((BARE, *before, OURS), next(iter(bodies.values())))
    profiles = list(phases.profile(seconds / 2))
    unsent = list(fallback.table(list(fallback.measure(runs, seconds))))
    kept = list(recording.table(list(recording.measure(2 * seconds))))
    ratios = {f"cpu ratio {size}": comparison.ratio(lines, OURS.name, BARE.name, size, 1) for size in bodies}
    others = {
        f"cpu ratio {size}, {other.name}, {c} connection{'s' * (c > 1)}": comparison.ratio(lines, OURS.name, other.name, size, c)
        for other in (SPARED, BARE)
        for size in bodies
        for c in comparison.CONNECTIONS
        if (other, c) != (BARE, 1)
    }
    block = [*report.conditions(runs, seconds), "", *comparison.table(lines), "", *phases.table(profiles)]
    print("\n".join([*block, "", *unsent, "", *kept, "", *starting.table(starts)]), end="\n\n")
    if options.record:
        recorded.record(ratios)
        report.write(Path("docs/performance.md"), "fallback", [*report.conditions(runs, seconds), "", *unsent])
        report.write(Path("docs/performance.md"), "recording", [*report.conditions(runs, seconds), "", *kept])
        report.write(Path("docs/performance.md"), "starting", [next(report.conditions(runs, seconds)), "", *starting.table(starts)])
        report.write(Path("docs/performance.md"), "comparison", [*block, "", *(f"- {n}: {v:.2f}" for n, v in {**others, **ratios}.items())])
    # What is slower at one connection and at several is slower; what is so at one of them only is the hour.
    since = {size: min(comparison.ratio(lines, OURS.name, one.name, size, c) for c in comparison.CONNECTIONS) for one in before for size in bodies}
    for one in before:
        since["start"] = starting.ratio(starts, OURS.name, one.name)
    others |= {f"cpu ratio {size}, service as recorded": value for size, value in since.items()}
    others["cpu ratio start, bare endpoint"] = starting.ratio(starts, OURS.name, BARE.name)
    faults = list(recorded.slower(since))
    print("\n".join([*faults, *(f"{name}: {value:.2f}" for name, value in {**others, **ratios}.items())]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
