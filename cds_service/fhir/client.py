"""Reads from one registered FHIR server: over HTTP, within a deadline, never elsewhere. The only door to an EHR."""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec
import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from cds_service.errors import FHIRServerError
from cds_service.fhir import resources as fhir
from cds_service.fhir.prefetch import codes_of
from cds_service.record.secret import Secret
from cds_service.transport import DirectAdapter, Underway

LARGEST_PAGE = 2 * 1024 * 1024  # so that one key that floods leaves room for the others
_CHUNK = 64 * 1024
_LARGEST_OUTCOME = 64 * 1024
LEAST = 0.01  # seconds that a query must have left to be sent
_JITTER = (0.02, 0.08)  # seconds before the one retry
_JSON = "application/fhir+json, application/json;q=0.9"
_REFUSALS = {401: "refused", 403: "refused", 404: "missing", 410: "missing"}
_PASSING = frozenset({500, 502, 503, 504})  # may be better a moment later
_OUTCOME = msgspec.json.Decoder(fhir.OperationOutcome)


class FHIRClient:
    """GETs from one server, safe to use from several threads; `ca_file` replaces the usual certificate authorities."""

    def __init__(
        self,
        origin: str,
        *,
        connections: int,
        ca_file: str | None = None,
        headers: Mapping[str, str] | None = None,
        final: frozenset[str] = frozenset(),
    ) -> None:
        self._origin = origin
        self._verify: str | bool = ca_file or True
        self._headers = {"Accept": _JSON, **(headers or {})}
        self._final = final
        self._adapter = DirectAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def close(self) -> None:
        """Close every idle connection."""
        self._adapter.close()

    def get(self, target: str, token: Secret | None, underway: Underway, *, request_id: str) -> bytes:
        """The body of a 200 answer to `target`, which stands behind the origin; tried once more where that may help.

        Both tries carry the same X-Request-Id. Raises FHIRServerError with the reason.
        """
        headers = {**self._headers, "X-Request-Id": request_id}
        if token:
            headers["Authorization"] = f"Bearer {token.reveal()}"
        try:
            return self._once(target, headers, underway)
        except FHIRServerError as error:
            pause = error.retry_after if error.retry_after is not None else random.uniform(*_JITTER)  # noqa: S311 - no secret
            if not error.passing or underway.left < pause + LEAST:
                raise
        underway.pause(pause)
        return self._once(target, headers, underway)

    def _once(self, target: str, headers: Mapping[str, str], underway: Underway) -> bytes:
        left = underway.left
        if left < LEAST:
            raise FHIRServerError("late")
        underway.begin()
        try:
            response = self._adapter.send(self._request(target, headers), stream=True, timeout=left, verify=self._verify)
            with response:
                if response.status_code == requests.codes.ok:
                    return self._body(response, underway)
                raise self._refusal(response, underway)
        except (requests.Timeout, TimeoutError):
            raise FHIRServerError("late") from None
        except requests.exceptions.SSLError:
            raise FHIRServerError("unreachable") from None
        except (requests.exceptions.ContentDecodingError, requests.exceptions.InvalidHeader):
            raise FHIRServerError("unreadable") from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            if underway.left < LEAST:
                raise FHIRServerError("late") from None  # it was cut
            raise FHIRServerError("unreachable", passing=True) from None
        except (OSError, HTTPError):
            raise FHIRServerError("unreachable") from None  # no name or no certificate that can be used
        finally:
            underway.release()

    def _request(self, target: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
        """A request that is ready as it stands, since its target is encoded; preparing it once more takes a fifth of a query's time."""
        request = requests.PreparedRequest()
        request.method, request.url, request.headers = "GET", self._origin + target, CaseInsensitiveDict(headers)
        return request

    def _body(self, response: requests.Response, underway: Underway) -> bytes:
        """The decoded body, in pieces, none of which may come late or make it too large. Raises FHIRServerError."""
        pieces, size = [], 0
        for piece in response.iter_content(_CHUNK):
            size += len(piece)
            if size > LARGEST_PAGE or not underway.take(len(piece)):
                raise FHIRServerError("too-large")
            pieces.append(piece)
        if not underway.left:
            raise FHIRServerError("late")  # what was cut may look whole
        return b"".join(pieces)

    def _refusal(self, response: requests.Response, underway: Underway) -> FHIRServerError:
        """Why an answer is none: by its status, and by the codes in its OperationOutcome."""
        status = response.status_code
        if status in _PASSING or status == requests.codes.too_many_requests:
            wait = response.headers.get("Retry-After", "")
            seconds = int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 6 else None
            if status == requests.codes.too_many_requests:
                return FHIRServerError("busy", passing=seconds is not None, retry_after=seconds)
            final = not self._final.isdisjoint(self._codes(response, underway))
            return FHIRServerError("closed" if final else "failed", passing=not final and (seconds is not None or not wait), retry_after=seconds)
        return FHIRServerError(_REFUSALS.get(status, "redirected" if 300 <= status < 400 else "rejected"))

    def _codes(self, response: requests.Response, underway: Underway) -> frozenset[str]:
        """The codes of the OperationOutcome in an answer."""
        text = b""
        for piece in response.iter_content(_CHUNK):
            text += piece
            if len(text) > _LARGEST_OUTCOME or not underway.left:
                return frozenset()
        try:
            return codes_of(_OUTCOME.decode(text))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return frozenset()
