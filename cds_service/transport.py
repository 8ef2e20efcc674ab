"""HTTP that goes straight to one server and ends when its time is up. The transport of every query of ours.

A timeout of `requests` holds for one read from the socket, so a server that sends a byte a second is never late. Each call
therefore has a line of its own to every connection that works for it: when its time is up, it cuts them.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

LARGEST_CALL = 8 * 1024 * 1024  # bytes for all queries of one call, as much as a body may bring
_CHUNK = 8 * 1024
# It writes whole URLs, and with them patient ids.
logging.getLogger("urllib3").propagate = False


class Underway:
    """What one call has under way: until when, how many bytes it may still take in, and the connections that work for it."""

    def __init__(self, until: float) -> None:
        self.until = until
        self._room = LARGEST_CALL
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._held: dict[int, Any] = {}

    @property
    def left(self) -> float:
        """The seconds that are left; 0 when the call is over."""
        return 0.0 if self._over.is_set() else max(0.0, self.until - time.monotonic())

    def begin(self) -> None:
        """The connections that this thread opens and uses from now on work for this call."""
        _MINE.underway = self

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the call is over."""
        self._over.wait(seconds)

    def take(self, count: int) -> bool:
        """Count bytes that came in; False if they are more than one call may bring."""
        with self._lock:
            self._room -= count
            return self._room >= 0

    def hold(self, connection: Any) -> None:
        """A connection works for this call from now on. Raises TimeoutError if the call is over."""
        with self._lock:
            if self._over.is_set():
                raise TimeoutError
            connection.works_for = self
            self._held[threading.get_ident()] = connection

    def release(self) -> None:
        """The connection of this thread works for this call no longer."""
        with self._lock:
            self._held.pop(threading.get_ident(), None)

    def cut(self) -> None:
        """End the call: whatever still waits for a byte wakes up with an error."""
        with self._lock:
            self._over.set()
            for connection in self._held.values():
                if connection.wire is not None and connection.works_for is self:  # and not, by way of the pool, for another call already
                    with suppress(OSError):
                        socket.socket.shutdown(connection.wire, socket.SHUT_RDWR)
            self._held.clear()


_MINE = threading.local()  # .underway: the call that this thread works for


class _Cuttable:
    """A connection that tells the call for which it works, so that the call can cut it.

    `wire` is its socket, which http.client forgets while it still reads from it if the server will close.
    """

    sock: socket.socket | None
    wire: socket.socket | None = None

    def connect(self) -> None:
        """Open the socket."""
        _MINE.underway.hold(self)
        super().connect()  # type: ignore[misc]
        self.wire = self.sock
        _MINE.underway.hold(self)  # the call may have ended meanwhile

    def request(self, *arguments: Any, **named: Any) -> None:
        """Send a request."""
        _MINE.underway.hold(self)
        super().request(*arguments, **named)  # type: ignore[misc]


class _Connection(_Cuttable, HTTPConnection):
    """HTTP."""


class _SecureConnection(_Cuttable, HTTPSConnection):
    """HTTPS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DirectAdapter(HTTPAdapter):
    """The transport without a session: it follows no redirect, keeps no cookie, and reads no proxy or netrc from the environment."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Pools whose connections can be cut."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class Unanswered(Exception):
    """A small answer could not be had: late, unreachable or too-large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WholeAdapter(DirectAdapter):
    """The transport for small answers: each is brought whole, as it was sent, within `seconds` and of at most `most` bytes."""

    def __init__(self, seconds: float, most: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._seconds = seconds
        self._most = most

    def send(self, request: requests.PreparedRequest, *_usual: Any, verify: bool | str = True, **_named: Any) -> requests.Response:
        """One answer, whatever its status. Raises Unanswered."""
        underway = Underway(time.monotonic() + self._seconds)
        timer = threading.Timer(self._seconds, underway.cut)
        timer.daemon = True
        timer.start()
        underway.begin()
        try:
            response = super().send(request, stream=True, timeout=self._seconds, verify=verify)
            with response:
                body = self._body(response)
        except (requests.RequestException, HTTPError, OSError) as error:
            late = not underway.left or isinstance(error, requests.Timeout)
            raise Unanswered("late" if late else "unreachable") from None
        finally:
            timer.cancel()
            underway.release()
        if not underway.left:
            raise Unanswered("late")  # what was cut may look whole
        response.raw = BytesIO(body)
        return response

    def _body(self, response: requests.Response) -> bytes:
        """The body as it is sent, in pieces that together may not grow too large."""
        body = b""
        for piece in response.raw.stream(_CHUNK, decode_content=False):
            body += piece
            if len(body) > self._most:
                raise Unanswered("too-large")
        return body
