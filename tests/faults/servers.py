"""FHIR servers in this process, on loopback: one that answers as it should, and the raw sockets under it that tell every kind of lie."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from cds_service.ehr.prefetch import by_kind, searched


class Asked(NamedTuple):
    """One request as the server read it: what stands behind the base, and the headers by their small names."""

    target: str
    headers: Mapping[str, str]

    @property
    def is_read(self) -> bool:
        """Whether it is the read of the Patient and no search."""
        return "?" not in self.target


# Writes whatever it likes to the socket; the connection is closed when it returns False.
Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[bool]]


class Running:
    """A server under way: its base URL, and every request that it got."""

    def __init__(self) -> None:
        self.base = ""
        self.asked: list[Asked] = []


@contextmanager
def serving(behaviour: Behaviour, path: str = "/r4") -> Iterator[Running]:
    """A server on a free port that answers every request by a behaviour, for as long as it is needed."""
    running, ready, over = Running(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            more = True
            while more and (head := await _head(reader)):
                running.asked.append(head)
                more = await behaviour(Asked(head.target.removeprefix(f"{path}/"), head.headers), writer)
        writer.transport.abort()

    async def main() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=1 << 20)
        running.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"
        ready.set()
        await over.wait()
        await asyncio.sleep(0.02)  # until those who were let in before are at their tasks
        server.close()
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.sleep(0.01)  # until the transports are closed

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), name="test-fhir-server")
    thread.start()
    ready.wait(10)
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


async def _head(reader: asyncio.StreamReader) -> Asked | None:
    """The request line and headers of a GET; None at the end of the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1").rstrip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(unquote(first.split(" ")[1]), headers)


def answered(value: Any, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer with a JSON body, or with bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = {"Content-Type": "application/fhir+json", "Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
    head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


class Chart:
    """What an honest server has of one patient: reads, searches by patient and code, and pages of a size."""

    def __init__(self, bundle: Mapping[str, Any], page: int | None = None, delay: float = 0.0) -> None:
        self.entries = [e for e in bundle["entry"] if isinstance(e.get("resource"), dict)]
        self.page = page
        self.delay = delay

    def answer(self, asked: Asked, base: str = "") -> Any | None:
        """The resource or searchset of a request; None for a resource that is not there."""
        query, offset = _without_offset(asked.target)
        try:
            found = searched(by_kind(self.entries), query)
        except StopIteration:
            return None
        if found["resourceType"] != "Bundle" or self.page is None:
            return found
        every = found["entry"]
        shown: dict[str, Any] = {**found, "entry": every[offset : offset + self.page]}
        if offset + self.page < len(every):
            shown["link"] = [{"relation": "next", "url": f"{base}/{_with_offset(query, offset + self.page)}"}]
        return shown

    async def honest(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Answer as a server should."""
        await asyncio.sleep(self.delay)
        host = asked.headers["host"]
        found = self.answer(asked, f"http://{host}/r4")
        writer.write(answered(found) if found is not None else answered(_outcome("not-found"), "404 Not Found"))
        await writer.drain()
        return True


def _without_offset(target: str) -> tuple[str, int]:
    path, _, parameters = target.partition("?")
    pairs = parse_qsl(parameters)
    offset = int(dict(pairs).get("_offset", "0"))
    rest = "&".join(f"{name}={value}" for name, value in pairs if name != "_offset")
    return (f"{path}?{rest}" if rest else path), offset


def _with_offset(query: str, offset: int) -> str:
    parts = urlsplit(query)
    return f"{parts.path}?{urlencode([*parse_qsl(parts.query), ('_offset', str(offset))])}"


def _outcome(code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}
