"""How long a server takes from its start to its first answer, several servers in alternation."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.servers import Running, Server, running

_TIMES = 3


class Line(NamedTuple):
    """The least of several starts of a server: seconds until it has answered, and CPU seconds of all its processes until then."""

    server: str
    seconds: float
    cpu: float


def measure(servers: Sequence[Server], body: bytes) -> list[Line]:
    """Start each server in turn, several times, and send it one call."""
    found: dict[str, list[tuple[float, float]]] = {server.name: [] for server in servers}
    for _ in range(_TIMES):
        for server in servers:
            began = time.monotonic()
            with running(server) as one:
                _answered(one, body)
                found[server.name].append((time.monotonic() - began, one.cpu_seconds()))
    return [Line(name, *map(min, zip(*every, strict=True))) for name, every in found.items()]


def _answered(one: Running, body: bytes) -> None:
    url = f"http://127.0.0.1:{one.port}{one.server.path}"
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        if one.server.card not in answer.read():
            raise RuntimeError(f"{one.server.name} answered without its card")


def ratio(lines: Sequence[Line], server: str, other: str) -> float:
    """The CPU of one server's start, as a multiple of another's."""
    cpu = {line.server: line.cpu for line in lines}
    return cpu[server] / cpu[other]


def table(lines: Sequence[Line]) -> Iterator[str]:
    """The lines as a Markdown table."""
    yield "| server | s to the first answer | CPU s until then |"
    yield "|---|---|---|"
    yield from (f"| {line.server} | {line.seconds:.2f} | {line.cpu:.2f} |" for line in lines)
