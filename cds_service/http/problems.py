"""Every error as one shape: an OperationOutcome that names place and remedy and echoes nothing of the patient."""

from __future__ import annotations

import traceback
import uuid

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from cds_service.errors import CDSServiceError, MethodNotAllowed, PayloadTooLarge, RequestError, Unauthenticated, UnknownService
from cds_service.http.body import discard
from cds_service.protocol.response import encode, operation_outcome
from cds_service.telemetry import event


def register(app: Flask) -> None:
    """Answer every error of the application as an OperationOutcome."""
    app.register_error_handler(CDSServiceError, _told)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def _answer(error: CDSServiceError) -> Response:
    body = encode(operation_outcome(error.code, error.issue_type, error.public, error.place))
    response = Response(body, status=error.status, content_type="application/json")
    if not discard(request):
        response.headers["Connection"] = "close"
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _told(error: Exception) -> Response:
    return refusal(error) if isinstance(error, CDSServiceError) else _unforeseen(error)


def refusal(error: CDSServiceError) -> Response:
    """The answer to who is refused; the log has it, too."""
    why = {"reason": error.reason, **error.said} if isinstance(error, Unauthenticated) else {}
    event("hook.refused", status=error.status, code=error.code, **why)
    return _answer(error)


def _http(error: Exception) -> Response:
    """Werkzeug's own errors in our words."""
    status = error.code if isinstance(error, HTTPException) and error.code else 500
    known: dict[int, CDSServiceError] = {
        404: UnknownService("There is nothing at this path. GET /cds-services lists the services."),
        405: MethodNotAllowed("This path does not take this method. Discovery takes GET, a service takes POST."),
        413: PayloadTooLarge("The body is too large. Send less prefetch."),
    }
    found = known.get(status) or RequestError("The request cannot be understood as HTTP. Correct it and send it again.")
    response = refusal(found)
    if isinstance(error, HTTPException) and status == 405:
        response.headers.extend({k: v for k, v in error.get_headers() if k.lower() == "allow"})
    return response


def _unforeseen(error: Exception) -> Response:
    """The last resort: the caller gets a reference, the log gets where it happened, nobody gets the data."""
    reference = uuid.uuid4().hex
    frame = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" if frame else "unknown"
    event("hook.failed", status=500, error=type(error).__name__, where=where, reference=reference)
    text = f"The service failed; nothing was evaluated. Reference {reference}."
    return Response(encode(operation_outcome("internal", "exception", text)), status=500, content_type="application/json")
