"""A load of calls that differ only in their hookInstance, over a few kept-alive connections, each timed from first byte out to last byte in."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from typing import NamedTuple, cast

from benchmarks.workload import INSTANCE

_INSTANCE = INSTANCE.encode()
_WARM_UP = 10  # calls on each connection


class Round(NamedTuple):
    """One run: how many calls a second, and how long they took in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    calls: int
    warm_up: int


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection that sends the same call again and again, each time as one of its own."""

    def __init__(self, call: bytes, expected: bytes) -> None:
        self._call = call
        self._expected = expected
        self._buffer = bytearray()
        self._needed = -1
        self._answered: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect one answer; it must be a 200 with the card that was asked for."""
        self._buffer += data
        if self._needed < 0 and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            if not head.startswith(b"http/1.1 200"):
                self._fail(f"the server answered {head[:40]!r}")
                return
            self._needed = end + 4 + int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        if 0 <= self._needed <= len(self._buffer) and self._answered and not self._answered.done():
            found = self._expected in self._buffer
            self._buffer.clear()
            self._needed = -1
            if found:
                self._answered.set_result(None)
            else:
                self._fail("the answer holds no card")

    def connection_lost(self, _error: Exception | None) -> None:
        """A connection that is closed under a call is a failure of the run."""
        self._fail("the server closed the connection")

    def _fail(self, why: str) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(ConnectionError(why))

    async def once(self) -> float:
        """Send one call and wait for its answer; the seconds it took."""
        self._answered = asyncio.get_running_loop().create_future()
        call = self._call.replace(_INSTANCE, str(uuid.uuid4()).encode(), 1)
        started = time.perf_counter()
        self._transport.write(call)
        await self._answered
        return time.perf_counter() - started

    def close(self) -> None:
        """Leave without a word."""
        self._answered = None
        self._transport.close()


def drive(port: int, path: str, body: bytes, expected: bytes, *, connections: int, seconds: float) -> Round:
    """Send calls for so many seconds and say how it went. Raises ConnectionError for any answer that is not a 200 with a card."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return asyncio.run(_drive(port, head.encode() + body, expected, connections, seconds))


async def _drive(port: int, call: bytes, expected: bytes, connections: int, seconds: float) -> Round:
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(lambda: _Connection(call, expected), "127.0.0.1", port))[1] for _ in range(connections)]
    warm_up = [await connection.once() for connection in opened for _ in range(_WARM_UP)]
    taken: list[float] = []
    started = time.perf_counter()
    until = started + seconds

    async def repeat(connection: _Connection) -> None:
        while time.perf_counter() < until:
            taken.append(await connection.once())

    await asyncio.gather(*(repeat(c) for c in opened))
    spent = time.perf_counter() - started
    for connection in opened:
        connection.close()
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    return Round(len(taken) / spent, cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000, len(taken), len(warm_up))
