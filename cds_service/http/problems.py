"""Every error as one shape: an OperationOutcome, or a page for people, that names place and remedy and echoes nothing of the patient."""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from cds_service.errors import CDSServiceError, MethodNotAllowed, PayloadTooLarge, RequestError, Unauthenticated, UnknownService
from cds_service.http.body import discard
from cds_service.protocol.response import encode, operation_outcome
from cds_service.telemetry import event

_JSON, _HTML = "application/json", "text/html"
_FOR_PROGRAMS = ("/cds-services", "/livez", "/readyz", "/metrics", "/openapi.json")


def register(app: Flask, page: Callable[[CDSServiceError], Response]) -> None:
    """Answer every error of the application: with a page where one was asked for, else as an OperationOutcome."""

    @app.errorhandler(Exception)
    def answered(raised: Exception) -> Response:
        error = _noted(understood(raised))
        response = with_headers(page(error), error) if _is_for_people() else _outcome(error)
        if isinstance(raised, HTTPException) and raised.code == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers.extend({k: v for k, v in raised.get_headers() if k.lower() == "allow"})
        return response


def refusal(error: CDSServiceError) -> Response:
    """The answer to a program that is refused; the log has it, too."""
    return _outcome(_noted(error))


def understood(raised: Exception) -> CDSServiceError:
    """Whatever was raised, as an error that may be told; of a defect the log has the place."""
    if isinstance(raised, CDSServiceError):
        return raised
    return _of_http(raised) if isinstance(raised, HTTPException) else _unforeseen(raised)


def with_headers(response: Response, error: CDSServiceError) -> Response:
    """What an error's answer says besides its text: when to come again, how to sign in, and that an unread body ends the connection."""
    if not discard(request):
        response.headers["Connection"] = "close"
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _noted(error: CDSServiceError) -> CDSServiceError:
    if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:  # a defect is in the log by now
        why = {"reason": error.reason, **error.said} if isinstance(error, Unauthenticated) else {}
        event("hook.refused", status=error.status, code=error.code, **why)
    return error


def _outcome(error: CDSServiceError) -> Response:
    body = encode(operation_outcome(error.code, error.issue_type, error.public, error.place))
    return with_headers(Response(body, status=error.status, content_type="application/json"), error)


def _is_for_people() -> bool:
    """Whether a browser asked, and for no path of programs."""
    return not request.path.startswith(_FOR_PROGRAMS) and request.accept_mimetypes.best_match([_JSON, _HTML]) == _HTML


def _of_http(error: HTTPException) -> CDSServiceError:
    """Werkzeug's own errors in our words."""
    known: dict[int | None, CDSServiceError] = {
        404: UnknownService("There is nothing at this path. GET /cds-services lists the services."),
        405: MethodNotAllowed("This path does not take this method. Discovery takes GET, a service takes POST."),
        413: PayloadTooLarge("The body is too large. Send less prefetch."),
    }
    return known.get(error.code) or RequestError("The request cannot be understood as HTTP. Correct it and send it again.")


def _unforeseen(error: Exception) -> CDSServiceError:
    """The last resort: the caller gets a reference, the log gets where it happened, nobody gets the data."""
    reference = uuid.uuid4().hex
    frame = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" if frame else "unknown"
    event("hook.failed", status=500, error=type(error).__name__, where=where, reference=reference)
    return CDSServiceError(f"The service failed; nothing was evaluated. Reference {reference}.")
