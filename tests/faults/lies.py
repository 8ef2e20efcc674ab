"""What a FHIR server may do wrong, one behaviour each, around the chart of a patient who would get a card."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.faults.servers import Asked, Behaviour, Chart, answered

_BREATH = 1.0  # seconds between two bytes of a dripping server
_LONG = 60.0  # longer than any call


_FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@cache
def _bomb() -> bytes:
    """A hundred million blanks in a hundred thousand bytes."""
    return gzip.compress(b" " * 100_000_000, 9)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def _found(chart: Chart, asked: Asked) -> bytes:
    return json.dumps(chart.answer(asked)).encode()


async def _hangs(_asked: Asked, _writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(_LONG)
    return False


async def _closes(_asked: Asked, _writer: asyncio.StreamWriter) -> bool:
    return False


async def _drips_headers(_asked: Asked, writer: asyncio.StreamWriter) -> bool:
    await _write(writer, b"HTTP/1.1 200 OK\r\n")
    for number in range(int(_LONG / _BREATH)):
        await _write(writer, f"X-{number}: 1\r\n".encode())
        await asyncio.sleep(_BREATH)
    return False


def _drips_body(chart: Chart) -> Behaviour:
    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        whole = answered(_found(chart, asked))
        head = whole.index(b"\r\n\r\n") + 4
        await _write(writer, whole[:head])
        for byte in whole[head : head + int(_LONG / _BREATH)]:
            await _write(writer, bytes([byte]))
            await asyncio.sleep(_BREATH)
        return False

    return behave


def _ends_early(chart: Chart) -> Behaviour:
    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        whole = answered(_found(chart, asked))
        await _write(writer, whole[: len(whole) // 2])
        return False

    return behave


def _says_wrong_length(chart: Chart) -> Behaviour:
    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        body = _found(chart, asked)
        await _write(writer, answered(body, Content_Length=str(len(body) - 10)))
        return False

    return behave


def _sends(body: bytes, status: str = "200 OK", **headers: str) -> Behaviour:
    whole = answered(body, status, **headers)

    async def behave(_asked: Asked, writer: asyncio.StreamWriter) -> bool:
        await _write(writer, whole)
        return True

    return behave


def _fails_once(chart: Chart) -> Behaviour:
    seen: set[str] = set()

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if asked.target in seen:
            return await chart.honest(asked, writer)
        seen.add(asked.target)
        await _write(writer, answered(b"", "503 Service Unavailable"))
        return True

    return behave


def _paged(chart: Chart, second: Callable[[str, str], bytes]) -> Behaviour:
    """An honest first page of one entry, which names a second; that one is what `second` makes of the base and the target."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        base = f"http://{asked.headers['host']}/r4"
        if "_page=" in asked.target:
            await _write(writer, second(base, asked.target))
            return True
        found = chart.answer(asked)
        if not asked.is_read:
            found = {**found, "entry": found["entry"][:1], "link": [{"relation": "next", "url": f"{base}/{asked.target.split('&')[0]}&_page=2"}]}
        await _write(writer, answered(found))
        return True

    return behave


def _loops(chart: Chart) -> Behaviour:
    def again(base: str, target: str) -> bytes:
        return answered({"resourceType": "Bundle", "link": [{"relation": "next", "url": f"{base}/{target}"}]})

    return _paged(chart, again)


def _points_away(chart: Chart) -> Behaviour:
    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        found: Any = chart.answer(asked)
        if not asked.is_read:
            found = {**found, "entry": found["entry"][:1], "link": [{"relation": "next", "url": "http://169.254.169.254/latest/meta-data"}]}
        await _write(writer, answered(found))
        return True

    return behave


def _floods(chart: Chart) -> Behaviour:
    entry = b'{"resource":{"resourceType":"Basic"}}'
    flood = b'{"resourceType":"Bundle","entry":[' + b",".join([entry] * 100_000) + b"]}"

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        await _write(writer, answered(chart.answer(asked) if asked.is_read else flood))
        return True

    return behave


def _mistakes(chart: Chart) -> Behaviour:
    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        patient = next(e["resource"]["id"] for e in chart.entries if e["resource"]["resourceType"] == "Patient")
        text = (
            json.dumps(chart.answer(asked))
            if asked.is_read
            else json.dumps(chart.answer(asked)).replace(f"Patient/{patient}", "Patient/somebody-else")
        )
        await _write(writer, answered(text.encode()))
        return True

    return behave


def behaviour(fault: str, chart: Chart) -> Behaviour:
    """How a server with a fault behaves. One that refuses the connection is none: nobody listens there."""
    return _LIES[fault](chart)


_LIES: dict[str, Callable[[Chart], Behaviour]] = {
    "hangs": lambda _chart: _hangs,
    "drips its headers": lambda _chart: _drips_headers,
    "drips its body": _drips_body,
    "ends in the middle": _ends_early,
    "says a wrong length": _says_wrong_length,
    "closes without a word": lambda _chart: _closes,
    "sends HTML with 200": lambda _chart: _sends(b"<html><title>Sign in</title></html>", Content_Type="text/html"),
    "sends a redirect to another host": lambda _chart: _sends(b"", "302 Found", Location="http://localhost:9/r4/Patient/x"),
    "refuses (401)": lambda _chart: _sends(b"", "401 Unauthorized"),
    "forbids (403)": lambda _chart: _sends(b"", "403 Forbidden"),
    "knows no such path (404)": lambda _chart: _sends(b"", "404 Not Found"),
    "asks to wait an hour (429)": lambda _chart: _sends(b"", "429 Too Many Requests", Retry_After="3600"),
    "fails (500)": lambda _chart: _sends(b"", "500 Internal Server Error"),
    "fails once, then answers": _fails_once,
    "refuses the second page (401)": lambda chart: _paged(chart, lambda _base, _target: answered(b"", "401 Unauthorized")),
    "names a page again and again": _loops,
    "names pages on another host": _points_away,
    "sends a gzip bomb": lambda _chart: _sends(_bomb(), Content_Encoding="gzip"),
    "sends 100,000 entries": _floods,
    "sends another patient's data": _mistakes,
    "sends a search that failed (200)": lambda _chart: _sends(json.dumps(_FAILED).encode()),
}
