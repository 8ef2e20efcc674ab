"""The request body: counted before it is read, never inflated. JSON, or a form whose files stay in memory."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

from cds_service.errors import MalformedBody, PayloadTooLarge, UnsupportedMediaType

_READ = "cds_service.body_read"
LARGEST_BODY = 8 * 1024 * 1024
_MOST_DISCARDED = 2 * LARGEST_BODY
_CHUNK = 64 * 1024
_JSON = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})


def read_body(request: Request) -> bytes:
    """The bytes of a body. Raises UnsupportedMediaType, PayloadTooLarge or MalformedBody."""
    if request.environ.get("CONTENT_TYPE") != "application/json" and request.mimetype not in _JSON:
        raise UnsupportedMediaType("Send the body as application/json.")
    body = _content(request)
    if not body:
        raise MalformedBody("The body is empty. Send JSON.")
    return body


def read_form(request: Request) -> Mapping[str, bytes]:
    """The fields and files of a form. Raises UnsupportedMediaType, PayloadTooLarge or MalformedBody."""
    content = _content(request)
    parser = FormDataParser(_in_memory, max_form_memory_size=LARGEST_BODY, silent=False)
    try:
        _, fields, files = parser.parse(BytesIO(content), request.mimetype, len(content), request.mimetype_params)
    except (ValueError, HTTPException):
        raise MalformedBody("The form cannot be read. Send it from the page that holds it.") from None
    texts = {name: value.encode("utf-8", "replace") for name, value in fields.items()}
    found = {**texts, **{name: file.read() for name, file in files.items()}}
    return {name: value for name, value in found.items() if isinstance(name, str)}  # a part of a form need not have a name


def _in_memory(*_arguments: Any, **_named: Any) -> BytesIO:
    """Where a file goes that is sent with a form: to no disk."""
    return BytesIO()


def _content(request: Request) -> bytes:
    environ = request.environ
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
        raise UnsupportedMediaType("Send the body without Content-Encoding; compressed bodies are not read.")
    length = request.content_length
    if length is not None and length > LARGEST_BODY:
        raise _too_large()
    body = environ["wsgi.input"].read(LARGEST_BODY + 1)
    environ[_READ] = len(body) <= LARGEST_BODY
    within_limit(body)
    if length is not None and len(body) < length:
        raise MalformedBody("The body is shorter than its Content-Length. Send the whole body.")
    return bytes(body)


def discard(request: Request) -> bool:
    """Read what nobody has read and forget it; False if that is too much, so that the connection has to end.

    A server that answers and closes while a proxy still sends is taken for a broken one: its answer may never arrive.
    """
    environ = request.environ
    if environ.get(_READ) or not (request.content_length or "HTTP_TRANSFER_ENCODING" in environ):
        return True
    left = _MOST_DISCARDED
    while left > 0 and (chunk := environ["wsgi.input"].read(_CHUNK)):
        left -= len(chunk)
    return left > 0


def within_limit(body: bytes) -> bytes:
    """A body that is not too large. Raises PayloadTooLarge."""
    if len(body) > LARGEST_BODY:
        raise _too_large()
    return body


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is larger than {LARGEST_BODY} bytes. Send less of the chart.")
