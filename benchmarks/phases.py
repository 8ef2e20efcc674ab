"""Where the time of one call goes: read, chart, reason, compose, encode, in one process without a server."""

from __future__ import annotations

import datetime as dt
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks import workload
from cds_service.invocation import Service
from cds_service.knowledge.loader import load
from cds_service.protocol.response import encode

PHASES = ("read", "chart", "reason", "compose", "encode")


def profile(service: Service, body: bytes, today: dt.date, seconds: float = 1.0) -> dict[str, float]:
    """Median microseconds of CPU for each phase of a call, repeated for about so many seconds."""
    spent: dict[str, list[int]] = {phase: [] for phase in PHASES}
    until = time.perf_counter() + seconds
    gc.collect()
    while time.perf_counter() < until or len(spent["read"]) < 5:
        clock = _Laps()
        request = clock.lap(spent["read"], lambda: service.read(body))
        record = clock.lap(spent["chart"], lambda: service.chart(request, today))
        assessment = clock.lap(spent["reason"], lambda: service.reasoner.evaluate(record, today))
        response = clock.lap(spent["compose"], lambda: service.composer.compose(assessment, record, request.hook_instance))
        clock.lap(spent["encode"], lambda: encode(response))
    return {phase: statistics.median(found) / 1000 for phase, found in spent.items()}


class _Laps:
    """Process time between laps, in nanoseconds."""

    def lap(self, into: list[int], work: Callable[[], Any]) -> Any:
        started = time.perf_counter_ns()
        result = work()
        into.append(time.perf_counter_ns() - started)
        return result


def main() -> None:
    """Print the phases at every size."""
    today = dt.date.today()
    service = Service(load(None), "http://127.0.0.1:8080", lambda: today)
    print(f"{'labs':>6} {'kB':>7} {'decode':>8} " + " ".join(f"{p:>8}" for p in PHASES) + f" {'all':>9}  (median µs)")
    for labs, body in workload.growing(today):
        found = profile(service, body, today)
        everything = msgspec.json.Decoder()
        t = time.perf_counter_ns()
        for _ in range(5):
            everything.decode(body)
        full = (time.perf_counter_ns() - t) / 5000
        print(f"{labs:>6} {len(body) / 1000:>7.1f} {full:>8.0f} " + " ".join(f"{found[p]:>8.0f}" for p in PHASES) + f" {sum(found.values()):>9.0f}")


if __name__ == "__main__":
    main()
