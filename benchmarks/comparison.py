"""The same call against several servers in alternation: medians of speed, waiting time and CPU, and the ratio of the last."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.load import drive
from benchmarks.servers import Running, Server, running

CONNECTIONS = (1, 8)


class Run(NamedTuple):
    """One run against one server: calls a second, milliseconds of waiting, and CPU microseconds for each call."""

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float


class Line(NamedTuple):
    """The medians of all runs of one server with one body and so many connections."""

    server: str
    size: str
    connections: int
    median: Run
    spread: float  # highest over lowest CPU of the runs


def compare(servers: Sequence[Server], bodies: Mapping[str, bytes], *, runs: int, seconds: float) -> Iterator[Line]:
    """Drive each body against each server in turn, several times, at each number of connections."""
    with ExitStack() as stack:
        started = [stack.enter_context(running(server)) for server in servers]
        for size, body in bodies.items():
            for connections in CONNECTIONS:
                found: dict[str, list[Run]] = {server.name: [] for server in servers}
                for _ in range(runs):
                    for one in started:
                        found[one.server.name].append(_run(one, body, connections, seconds))
                for name, every in found.items():
                    medians = Run(*(statistics.median(column) for column in zip(*every, strict=True)))
                    yield Line(name, size, connections, medians, max(r.cpu for r in every) / min(r.cpu for r in every))


def _run(one: Running, body: bytes, connections: int, seconds: float) -> Run:
    before = one.cpu_seconds()
    found = drive(one.port, one.server.path, body, one.server.card, connections=connections, seconds=seconds)
    cpu = (one.cpu_seconds() - before) / (found.calls + found.warm_up) * 1e6
    return Run(found.rate, found.p50, found.p95, found.p99, cpu)


def ratio(lines: Sequence[Line], server: str, other: str, size: str, connections: int) -> float:
    """The CPU of one server for each call, as a multiple of another's."""
    cpu = {line.server: line.median.cpu for line in lines if (line.size, line.connections) == (size, connections)}
    return cpu[server] / cpu[other]


def table(lines: Sequence[Line]) -> Iterator[str]:
    """The lines as a Markdown table."""
    yield "| body | connections | server | calls/s | p50 ms | p95 ms | p99 ms | CPU µs/call | spread |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for line in lines:
        run = line.median
        numbers = f"{run.rate:,.0f} | {run.p50:.2f} | {run.p95:.2f} | {run.p99:.2f} | {run.cpu:,.0f} | {line.spread:.2f}"
        yield f"| {line.size} | {line.connections} | {line.server} | {numbers} |"
