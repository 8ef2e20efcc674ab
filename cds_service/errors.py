"""Every error this service raises.

CDSServiceError                      code (stable), status, public sentence; the detail goes to the log only
├── RequestError 400
│   ├── MalformedBody 400            not JSON, too deep, not text
│   ├── InvalidRequest 400           names the place as a JSON pointer
│   ├── PatientMismatch 400          the prefetched Patient is not the context's
│   ├── UnknownService 404
│   ├── MethodNotAllowed 405
│   ├── PayloadTooLarge 413
│   └── UnsupportedMediaType 415
├── Unauthenticated 401              one sentence for every reason; the reason goes to the log, as a code
├── ClientNotAllowed 403             the token's client may not call for this FHIR server
├── TooManyRequests 429              with Retry-After: more often than the registration allows
├── Overloaded 503                   with Retry-After: more calls at once than can be answered in time
├── DataError
│   └── RequiredDataUnavailable 412  names the prefetch keys
├── LoginFailed 400                  the SMART app was not opened; a page says why, by a reason of smart/reasons.py
│   └── LoginUnavailable 502         because the EHR's authorization server does not do its part
├── StorageUnavailable 503           with Retry-After: nothing was stored
│   └── TokensUnchecked 503          whether a token was used before cannot be looked up, so nobody is let in
├── KnowledgeError                   at start-up only: names file, line and remedy
└── SettingsError                    at start-up only: names the setting and remedy
    └── DatabaseUnreachable          the database does not answer; a process that takes the place of another waits for it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class CDSServiceError(Exception):
    """An error with a stable code and a sentence that may be shown to anyone."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    issue_type: ClassVar[str] = "exception"

    def __init__(self, public: str, *, place: str = "", retry_after: int = 0) -> None:
        super().__init__(public)
        self.public = public
        self.place = place
        self.retry_after = retry_after  # in seconds; 0 if it does not help to wait


class RequestError(CDSServiceError):
    """The caller sent something we cannot take."""

    code = "bad-request"
    status = 400
    issue_type = "invalid"


class MalformedBody(RequestError):
    """The body is not JSON that we accept."""

    code = "malformed-body"
    issue_type = "structure"


class InvalidRequest(RequestError):
    """The body is JSON, but not a CDS Hooks request for this service."""

    code = "invalid-request"


class PatientMismatch(RequestError):
    """The prefetched Patient is another one than the context names."""

    code = "patient-mismatch"
    issue_type = "conflict"


class UnknownService(RequestError):
    """No such path or service id."""

    code = "unknown-service"
    status = 404
    issue_type = "not-found"


class MethodNotAllowed(RequestError):
    """The path exists, but not for this method."""

    code = "method-not-allowed"
    status = 405
    issue_type = "not-supported"


class PayloadTooLarge(RequestError):
    """The body is larger than the limit."""

    code = "payload-too-large"
    status = 413
    issue_type = "too-long"


class UnsupportedMediaType(RequestError):
    """The body is not sent as JSON, or is compressed."""

    code = "unsupported-media-type"
    status = 415
    issue_type = "not-supported"


class Unauthenticated(CDSServiceError):
    """No token came, or one that is not accepted.

    `reason` is a code of trust/reasons.py, for the log; `detail` is for an operator's own terminal and leaves nowhere else.
    """

    code = "unauthenticated"
    status = 401
    issue_type = "login"

    def __init__(self, reason: str, *, detail: str = "", said: Mapping[str, str] | None = None) -> None:
        super().__init__("The caller is not authenticated. Send Authorization: Bearer with a token for this URL, as CDS Hooks describes it.")
        self.reason = reason
        self.detail = detail
        self.said = said or {}


class ClientNotAllowed(CDSServiceError):
    """The token's client calls for a FHIR server that is not registered for it."""

    code = "client-not-allowed"
    status = 403
    issue_type = "forbidden"


class TooManyRequests(CDSServiceError):
    """The client calls more often than its registration allows."""

    code = "too-many-requests"
    status = 429
    issue_type = "throttled"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"This client calls more often than it may. Send it again in {retry_after} seconds, with a new token.", retry_after=retry_after
        )


class Overloaded(CDSServiceError):
    """So many calls are being answered that this one would be late."""

    code = "overloaded"
    status = 503
    issue_type = "transient"

    def __init__(self) -> None:
        super().__init__("Nothing was evaluated: too many calls at once. Send it again in 1 second.", retry_after=1)


class DataError(CDSServiceError):
    """The data needed for an answer cannot be had."""


class RequiredDataUnavailable(DataError):
    """Nothing can be evaluated without these prefetch keys."""

    code = "required-data-unavailable"
    status = 412
    issue_type = "required"


class LoginFailed(CDSServiceError):
    """The SMART app could not be opened, for a reason of smart/reasons.py."""

    code = "login-failed"
    status = 400
    issue_type = "login"

    def __init__(self, reason: str, public: str) -> None:
        super().__init__(public)
        self.reason = reason


class LoginUnavailable(LoginFailed):
    """The EHR's authorization server does not do its part."""

    code = "login-unavailable"
    status = 502
    issue_type = "transient"


class StorageUnavailable(CDSServiceError):
    """The database does not answer."""

    code = "storage-unavailable"
    status = 503
    issue_type = "transient"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Nothing was stored: the database does not answer. Send the same again in {retry_after} seconds.", retry_after=retry_after)


class TokensUnchecked(StorageUnavailable):
    """Whether a token was used before cannot be looked up, because the database does not answer."""

    code = "tokens-unchecked"

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.public = f"Nothing was evaluated: the database does not answer. Send it again in {retry_after} seconds, with a new token."


class KnowledgeError(CDSServiceError):
    """The knowledge module is not sound; the process does not start."""

    code = "knowledge"


class SettingsError(CDSServiceError):
    """A setting is missing or wrong; the process does not start."""

    code = "settings"


class DatabaseUnreachable(SettingsError):
    """The database does not answer: the service does not start, and a process of a service that runs waits for it."""


class FHIRServerError(Exception):
    """A query of the EHR's FHIR server brought nothing; it never leaves, but becomes an issue, or a 412 for the Patient.

    `reason` is a word of fhir/fallback.py; `passing` says that the same query may do better a moment later,
    `retry_after` how many seconds later, if the server said so.
    """

    def __init__(self, reason: str, *, passing: bool = False, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing
        self.retry_after = retry_after
