"""Fetches a small document of a URL that is known to be right, such as a JWK Set; over in two seconds whatever the server does."""

from __future__ import annotations

import requests
from requests.structures import CaseInsensitiveDict

from cds_service.transport import Unanswered, WholeAdapter

LARGEST_SET = 64 * 1024
SECONDS = 2.0
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
    adapter = WholeAdapter(seconds, LARGEST_SET)
    try:
        response = adapter.send(request, verify=ca_file or True)
    except Unanswered as error:
        raise KeySetUnavailable(error.reason) from None
    finally:
        adapter.close()
    if response.status_code != requests.codes.ok:
        raise KeySetUnavailable("redirected" if 300 <= response.status_code < 400 else "refused")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise KeySetUnavailable("unreadable")
    return response.content
