"""A FHIR server as an EHR uses it: read, search, list patients, write and remove; plain JSON in and out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests

from cds_service.ehr.files import is_deep, too_deep
from cds_service.errors import CDSServiceError
from cds_service.record.secret import Secret

_JSON = "application/fhir+json"
_SECONDS = 30.0
_PAGE = 100
_SAFE = "/?&=,:|$._-~"


class FHIRServer:
    """One FHIR R4 server at a base URL, asked with a token if it needs one; `ca_file` replaces the usual certificate authorities."""

    def __init__(self, base: str, *, token: Secret | None = None, ca_file: str | None = None, seconds: float = _SECONDS) -> None:
        self.base = base.rstrip("/")
        self._seconds = seconds
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept"] = _JSON
        self._session.verify = ca_file or True
        if token:
            self._session.headers["Authorization"] = f"Bearer {token.reveal()}"

    def get(self, query: str, request_id: str = "") -> Any | None:
        """The resource or searchset of a query below the base; None if the server does not have it. Raises CDSServiceError."""
        return self._sent("GET", f"{self.base}/{quote(query, safe=_SAFE)}", missing=True, request_id=request_id)

    def patients(self, most: int | None = None) -> Iterator[str]:
        """The ids of the patients, page by page, at most so many."""
        url: str | None = f"{self.base}/Patient?_count={_PAGE}"
        seen: set[str] = set()
        while url and url not in seen:
            seen.add(url)
            page = _object(self._sent("GET", url))
            for entry in _objects(page.get("entry")):
                resource = _object(entry.get("resource"))
                if resource.get("resourceType") == "Patient" and isinstance(resource.get("id"), str):
                    if most is not None and most <= 0:
                        return
                    most = most - 1 if most is not None else None
                    yield resource["id"]
            url = self._next(page)

    def put(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Write resources under their own ids in one transaction; a second time changes nothing. Raises CDSServiceError."""
        entries = [{"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in resources]
        self._transact(entries)

    def delete(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Take resources off in one transaction. Raises CDSServiceError."""
        entries = [{"request": {"method": "DELETE", "url": f"{r['resourceType']}/{r['id']}"}} for r in resources]
        self._transact(entries)

    def _transact(self, entries: list[dict[str, Any]]) -> None:
        done = self._sent("POST", self.base, {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        if _object(done).get("resourceType") != "Bundle":
            raise CDSServiceError(f"{self.base}: the transaction was not answered with a Bundle. Is this the base URL of a FHIR server?")

    def _next(self, page: Mapping[str, Any]) -> str | None:
        """The next page, which must stand on this server. Raises CDSServiceError if it does not."""
        link = next((link.get("url") for link in _objects(page.get("link")) if link.get("relation") == "next"), None)
        if link is None:
            return None
        try:
            url = urljoin(f"{self.base}/", str(link))
            own = urlsplit(url)[:2] == urlsplit(self.base)[:2]
        except ValueError:
            own = False
        if not own:
            raise CDSServiceError(f"{self.base}: the next page of patients stands elsewhere and is not read. Use the address that it names.")
        return url

    def _sent(self, method: str, url: str, body: Any = None, *, missing: bool = False, request_id: str = "") -> Any | None:
        data = None if body is None else json.dumps(body).encode()
        headers = {**({"Content-Type": _JSON} if data else {}), **({"X-Request-Id": request_id} if request_id else {})}
        try:
            answer = self._session.request(method, url, data=data, headers=headers, timeout=self._seconds, allow_redirects=False)
        except requests.RequestException as error:
            raise CDSServiceError(
                f"{self.base}: no answer ({type(error).__name__}). Is this the base URL of a FHIR server that can be reached?"
            ) from None
        if missing and answer.status_code in (404, 410):
            return None
        if not answer.ok or answer.is_redirect:
            raise CDSServiceError(f"{self.base}: {method} was answered with {answer.status_code}. {_told(answer)}".rstrip())
        if is_deep(answer.content):
            raise too_deep(self.base)
        try:
            return answer.json(parse_constant=_number, parse_float=_number) if answer.content else None
        except (ValueError, RecursionError):
            raise CDSServiceError(f"{self.base}: the answer is no JSON. Is this the base URL of a FHIR server?") from None


def _number(text: str) -> float:
    """A number that JSON can say. Raises ValueError for NaN, and for what no computer holds."""
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _told(answer: requests.Response) -> str:
    """What an OperationOutcome says of its first issue."""
    try:
        issue = answer.json()["issue"][0]
        return str(issue.get("diagnostics") or issue.get("details", {}).get("text") or "")[:300]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""


def _object(value: Any) -> dict[str, Any]:
    """An object; an empty one instead of anything else."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
