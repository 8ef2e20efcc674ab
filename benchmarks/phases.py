"""Where the time of one call goes: read, chart, reason, compose, encode; in one process without a server, at growing size."""

from __future__ import annotations

import datetime as dt
import gc
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson

from benchmarks import workload
from cds_service.invocation import Service
from cds_service.knowledge.loader import load
from cds_service.protocol.response import encode

PHASES = ("read", "chart", "reason", "compose", "encode")
_FEWEST = 5


class Profile(NamedTuple):
    """The least microseconds that each phase of a call took, and what decoding the whole body with orjson takes."""

    labs: int
    kilobytes: float
    decode: float
    phases: dict[str, float]

    @property
    def all(self) -> float:
        """Every phase together."""
        return sum(self.phases.values())


def profile(seconds: float) -> Iterator[Profile]:
    """The phases at each size, each measured for so many seconds."""
    today = dt.datetime.now(dt.UTC).date()
    service = Service(load(None), "http://127.0.0.1:8080", lambda: today)
    gc.collect()
    gc.freeze()
    for labs, body in workload.growing(today):
        yield Profile(labs, len(body) / 1000, _decode(body, seconds / 4), _phases(service, body, today, seconds))


def _phases(service: Service, body: bytes, today: dt.date, seconds: float) -> dict[str, float]:
    least: dict[str, float] = {}

    def lap(phase: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter_ns()
        result = work()
        spent = (time.perf_counter_ns() - started) / 1000
        least[phase] = min(spent, least.get(phase, spent))
        return result

    until, times = time.perf_counter() + seconds, 0
    while time.perf_counter() < until or times < _FEWEST:
        request = lap("read", lambda: service.read(body))
        record = lap("chart", lambda: service.chart(request, today))  # noqa: B023 - called at once
        assessment = lap("reason", lambda: service.reasoner.evaluate(record, today))  # noqa: B023
        response = lap("compose", lambda: service.composer.compose(assessment, record, request.hook_instance))  # noqa: B023
        lap("encode", lambda: encode(response))  # noqa: B023
        times += 1
    return least


def _decode(body: bytes, seconds: float) -> float:
    least, until, times = float("inf"), time.perf_counter() + seconds, 0
    while time.perf_counter() < until or times < _FEWEST:
        started = time.perf_counter_ns()
        orjson.loads(body)
        least = min(least, (time.perf_counter_ns() - started) / 1000)
        times += 1
    return least


def table(profiles: list[Profile]) -> Iterator[str]:
    """The profiles as a Markdown table."""
    yield f"| results | kB | orjson alone | {' | '.join(PHASES)} | all | µs for each result |"
    yield f"|---|---|---|{'---|' * len(PHASES)}---|---|"
    nothing = profiles[0]
    for one in profiles:
        each = f"{(one.all - nothing.all) / one.labs:.1f}" if one.labs else ""
        phases = " | ".join(f"{one.phases[p]:,.0f}" for p in PHASES)
        yield f"| {one.labs:,} | {one.kilobytes:,.0f} | {one.decode:,.0f} | {phases} | {one.all:,.0f} | {each} |"
