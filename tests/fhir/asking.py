"""Ways to ask a server in this process, and servers that answer one thing after another."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from cds_service.errors import FHIRServerError
from cds_service.fhir.client import FHIRClient
from cds_service.record.secret import Secret
from cds_service.transport import Underway
from tests.faults.servers import Asked, Behaviour, Running, answered

AUTHORITY = str(Path(__file__).with_name("authority.pem"))
TARGET = "/r4/Patient/p1"
REQUEST = "5f0c6a1e-77b0-4c53-8d2f-2b5f0f7d9a11"
OK = answered({"resourceType": "Patient", "id": "p1"})
CLOSES = b""  # instead of an answer: the connection ends without a word
BREAKS_OFF = OK[:-10]


class Got(NamedTuple):
    """What a query brought: the body, or the reason why there is none."""

    body: bytes = b""
    reason: str = ""
    seconds: float = 0.0


def says(*answers: bytes) -> Behaviour:
    """A server that gives one answer after another, and the last again and again."""
    left = list(answers)

    async def behave(_asked: Asked, writer: asyncio.StreamWriter) -> bool:
        answer = left.pop(0) if len(left) > 1 else left[0]
        writer.write(answer)
        await writer.drain()
        return answer not in (CLOSES, BREAKS_OFF)

    return behave


def drips(first: bytes, again: bytes, gone: threading.Event) -> Behaviour:
    """A server that says something, then a little again and again without end, and notices when nobody listens any more."""

    async def behave(_asked: Asked, writer: asyncio.StreamWriter) -> bool:
        writer.write(first)
        try:
            while True:
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            gone.set()
            return False

    return behave


def origin_of(running: Running) -> str:
    """Scheme, host and port of a server."""
    return running.base.removesuffix("/r4")


def client_of(running: Running, **members: object) -> FHIRClient:
    """A client of a server."""
    return FHIRClient(origin_of(running), **{"connections": 4, **members})


def got(client: FHIRClient, *, seconds: float = 5.0, token: Secret | None = None, target: str = TARGET, underway: Underway | None = None) -> Got:
    """One query within some seconds."""
    started = time.monotonic()
    try:
        body = client.get(target, token, underway or Underway(started + seconds), request_id=REQUEST)
    except FHIRServerError as error:
        return Got(reason=error.reason, seconds=time.monotonic() - started)
    return Got(body, seconds=time.monotonic() - started)


class SecureServer(ThreadingHTTPServer):
    """An HTTPS server whose certificate only tests/fhir/authority.pem vouches for; it keeps the headers of each request."""

    daemon_threads = True

    def __init__(self, *chunks: bytes, breath: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Secure)
        self.chunks, self.breath = chunks, breath
        self.asked: list[dict[str, str]] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(AUTHORITY)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"https://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no fault."""


class _Secure(BaseHTTPRequestHandler):
    server: SecureServer

    def do_GET(self) -> None:
        """Send the server's chunks, with a breath between them."""
        self.server.asked.append({name.lower(): value for name, value in self.headers.items()})
        for chunk in self.server.chunks:
            self.wfile.write(chunk)
            self.wfile.flush()
            time.sleep(self.server.breath)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@contextmanager
def serving_securely(*chunks: bytes, breath: float = 0.0) -> Iterator[SecureServer]:
    """An HTTPS server for as long as it is needed."""
    server = SecureServer(*chunks, breath=breath)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="test-secure-server")
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
