"""Fetches a JWK Set of the registered URL, over in two seconds whatever the server does."""

from __future__ import annotations

import threading
import time

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from cds_service.transport import DirectAdapter, Underway

LARGEST_SET = 64 * 1024
SECONDS = 2.0
_CHUNK = 8 * 1024
_HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity", "Connection": "close"}


class KeySetUnavailable(Exception):
    """A JWK Set could not be had: late, unreachable, redirected, refused, too-large or unreadable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def fetch(url: str, ca_file: str | None = None, seconds: float = SECONDS) -> bytes:
    """The body at a URL; `ca_file` replaces the usual certificate authorities. Raises KeySetUnavailable."""
    request = requests.PreparedRequest()
    request.method, request.url, request.headers = "GET", url, CaseInsensitiveDict(_HEADERS)
    underway, adapter = Underway(time.monotonic() + seconds), DirectAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
    timer = threading.Timer(seconds, underway.cut)
    timer.daemon = True
    timer.start()
    underway.begin()
    try:
        with adapter.send(request, stream=True, timeout=seconds, verify=ca_file or True) as response:
            body = _body(response)
    except (requests.RequestException, HTTPError, OSError) as error:
        late = not underway.left or isinstance(error, requests.Timeout)
        raise KeySetUnavailable("late" if late else "unreachable") from None
    finally:
        timer.cancel()
        underway.release()
        adapter.close()
    if not underway.left:
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
