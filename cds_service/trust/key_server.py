"""The server of a client's keys: one GET of the registered URL, over in two seconds whatever the server does.

A timeout of `requests` holds for one read from the socket, so a server that sends a byte a second is never late. Each fetch
therefore knows its sockets, and a timer cuts them.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

LARGEST_SET = 64 * 1024
SECONDS = 2.0
_CHUNK = 8 * 1024
_HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity", "Connection": "close"}


class KeySetUnavailable(Exception):
    """A JWK Set could not be had: late, unreachable, redirected, refused, too-large or unreadable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Line:
    """The sockets that work for one fetch."""

    def __init__(self) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    def hold(self, wire: socket.socket) -> None:
        """A socket works for this fetch. Raises TimeoutError if its time is up."""
        with self._lock:
            if self.over:
                raise TimeoutError
            self._sockets.append(wire)

    def cut(self) -> None:
        """End the fetch: whoever waits for a byte wakes up with an error."""
        with self._lock:
            self.over = True
            for wire in self._sockets:
                with suppress(OSError):
                    socket.socket.shutdown(wire, socket.SHUT_RDWR)


_MINE = threading.local()  # .line: the fetch for which this thread works


class _Cuttable:
    """A connection that tells the fetch for which it works of its socket."""

    sock: socket.socket

    def connect(self) -> None:
        """Open the socket; a handshake of TLS has a deadline of its own."""
        super().connect()  # type: ignore[misc]
        _MINE.line.hold(self.sock)


class _Connection(_Cuttable, HTTPConnection):
    """HTTP, on this machine."""


class _SecureConnection(_Cuttable, HTTPSConnection):
    """HTTPS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """The transport without a session: it follows no redirect, keeps no cookie, and reads no proxy or netrc from the environment."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Pools whose connections can be cut."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def fetch(url: str, ca_file: str | None = None, seconds: float = SECONDS) -> bytes:
    """The body at a URL; `ca_file` replaces the usual certificate authorities. Raises KeySetUnavailable."""
    request = requests.PreparedRequest()
    request.method, request.url, request.headers = "GET", url, CaseInsensitiveDict(_HEADERS)
    line, adapter = _Line(), _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
    timer = threading.Timer(seconds, line.cut)
    timer.daemon = True
    timer.start()
    _MINE.line = line
    try:
        with adapter.send(request, stream=True, timeout=seconds, verify=ca_file or True) as response:
            body = _body(response)
    except (requests.RequestException, HTTPError, OSError) as error:
        late = line.over or isinstance(error, requests.Timeout)
        raise KeySetUnavailable("late" if late else "unreachable") from None
    finally:
        timer.cancel()
        adapter.close()
    if line.over:
        raise KeySetUnavailable("late")  # what was cut may look whole
    return body


def _body(response: requests.Response) -> bytes:
    """The body of a 200 answer, as it is sent, in pieces that together may not grow too large. Raises KeySetUnavailable."""
    if response.status_code != requests.codes.ok:
        raise KeySetUnavailable("redirected" if 300 <= response.status_code < 400 else "refused")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise KeySetUnavailable("unreadable")
    body = b""
    for piece in response.iter_content(_CHUNK):
        body += piece
        if len(body) > LARGEST_SET:
            raise KeySetUnavailable("too-large")
    return body
