"""`python -m benchmarks.pages`: how long a browser waits for each kind of page, and how large it is.

The evidence page gets the chart of a patient with two thousand results; `--record` keeps the figures in docs/evidence.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import requests

from benchmarks import report, workload
from benchmarks.servers import OURS, running

_TIMES = 40
_RESULTS = 2000
_DAYS_BETWEEN_VISITS = {"ten tests on each of 200 days, over ten years": 18, "the same over three years": 5}
_PAGES = ("/", "/about", "/about/red-flags/macrocytosis", "/evidence/test-sweet-macrocytosis", "/governance")


class Line(NamedTuple):
    """How large a page is, and for how many milliseconds a browser waits: the first time, in the middle, and the slowest of twenty."""

    page: str
    size: int
    first: float
    median: float
    p95: float


def measure(base: str, session: requests.Session) -> Iterator[Line]:
    """Every page of a service that runs, one request after the other."""
    for said, days in _DAYS_BETWEEN_VISITS.items():
        chart = _bundle(days)
        page = f"`POST /evidence`, {_RESULTS:,} results ({said}), {len(chart) / 1e6:.1f} MB"
        yield _timed(page, partial(session.post, f"{base}/evidence", chart, headers={"Content-Type": "application/json"}))
    form: dict[str, tuple[None, str | bytes]] = {"source": (None, "bundle"), "bundle": (None, chart), "act": (None, "fire"), "kept": (None, "1")}
    yield _timed(f"`POST /simulator`, the same, {len(chart) / 1e6:.1f} MB", partial(session.post, f"{base}/simulator", files=form))
    for path in _PAGES:
        yield _timed(f"`{path}`", partial(session.get, f"{base}{path}", headers={"Accept": "text/html"}))


def _timed(page: str, ask: Callable[[], requests.Response]) -> Line:
    """One page."""
    waited: list[float] = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        answer = ask()
        waited.append((time.perf_counter() - begun) * 1000)
        if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
            raise RuntimeError(f"{page} answered {answer.status_code} {answer.headers['Content-Type']}")
    return Line(page, len(answer.content), waited[0], statistics.median(waited[1:]), statistics.quantiles(waited[1:], n=20)[-1])


def _bundle(days: int) -> bytes:
    """The chart of a call as one Bundle."""
    prefetch = json.loads(workload.body(_RESULTS, dt.datetime.now(dt.UTC).date(), days))["prefetch"]
    entries = [{"resource": prefetch.pop("patient")}, *(entry for found in prefetch.values() if found for entry in found["entry"])]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def table(lines: list[Line]) -> Iterator[str]:
    """The lines as a Markdown table."""
    yield "| page | kB | first ms | median ms | p95 ms |"
    yield "|---|---|---|---|---|"
    yield from (f"| {one.page} | {one.size / 1000:.0f} | {one.first:.0f} | {one.median:.0f} | {one.p95:.0f} |" for one in lines)


def main() -> int:
    """Run, print, and with `--record` write the figures down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the figures to docs/evidence.md")
    options = parser.parse_args()
    with running(OURS) as service, requests.Session() as session:
        lines = list(measure(f"http://127.0.0.1:{service.port}", session))
    how = f"{_TIMES} requests of each page, one after the other, to a process that has just begun."
    block = [next(report.conditions(_TIMES, 0)), how, "", *table(lines)]
    print("\n".join(block))
    if options.record:
        report.write(Path("docs/evidence.md"), "pages", block)
    return 0


if __name__ == "__main__":
    sys.exit(main())
