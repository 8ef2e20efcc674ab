"""A call as a person reads it: its members and each prefetch key, as they were sent, and the line that sends the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from cds_service.ehr.client import body_of
from cds_service.ehr.files import json_in
from cds_service.errors import CDSServiceError

_WIDTH = 80
_MOST = 60_000  # characters of a request that a page shows; the whole of it is a file
_STEP = "  "
_HIDDEN = "(not shown)"


class Part(NamedTuple):
    """One prefetch key: what it holds, its bytes, and its JSON, or nothing where that is too much for a page."""

    key: str
    holds: str
    size: int
    text: str


class Request(NamedTuple):
    """A call without its prefetch, and each key of the prefetch. `left_out` are the keys that the service asks for and did not get."""

    envelope: str
    parts: tuple[Part, ...]
    left_out: tuple[str, ...]


class _Peek(msgspec.Struct, rename="camel"):
    resource_type: Any = "no FHIR"
    entry: list[msgspec.Raw] | None = None


_PEEK = msgspec.json.Decoder(_Peek)


def request(said: Mapping[str, Any], prefetch: Mapping[str, bytes], keys: Iterable[str]) -> Request:
    """A call without its prefetch, and the JSON of each prefetch key, as a page shows them: without access token."""
    room, parts = _MOST, []
    for key, body in prefetch.items():
        text = _text_within(room, body)
        room -= len(text)
        parts.append(Part(key, _holds(body), len(body), text))
    return Request(readable(without_token(said)), tuple(parts), tuple(key for key in keys if key not in prefetch))


def body(said: Mapping[str, Any], prefetch: Mapping[str, bytes]) -> bytes:
    """The body of a call, with the JSON of each prefetch key as it is."""
    members = {name: msgspec.Raw(body_of(value)) for name, value in said.items()}
    return msgspec.json.encode({**members, **({"prefetch": {key: msgspec.Raw(one) for key, one in prefetch.items()}} if prefetch else {})})


def without_token(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """A call whose access token is not told."""
    access = said.get("fhirAuthorization")
    return {**said, "fhirAuthorization": {**access, "access_token": _HIDDEN}} if access else said


def readable(value: Any, indent: int = 0) -> str:
    """JSON in lines that fit: what is short stays on one."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= _WIDTH or not isinstance(value, dict | list):
        return flat
    deeper = indent + len(_STEP)
    if isinstance(value, dict):
        inner = [f"{json.dumps(name, ensure_ascii=False)}: {readable(one, deeper)}" for name, one in value.items()]
    else:
        inner = [readable(one, deeper) for one in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    pad = " " * deeper
    return f"{opening}\n{pad}" + f",\n{pad}".join(inner) + f"\n{' ' * indent}{closing}"


def text_of(body: bytes) -> str:
    """JSON bytes in lines that fit; anything else as it is."""
    try:
        return readable(json.loads(body))
    except ValueError:
        return body.decode(errors="replace")


def _text_within(room: int, body: bytes) -> str:
    """JSON in lines that fit; nothing where it is more than there is room for, nested too deeply, or has a number that no computer holds."""
    try:
        return readable(json_in(body, "")) if len(body) <= room else ""
    except (CDSServiceError, msgspec.ValidationError):
        return ""


def _holds(body: bytes) -> str:
    """What a prefetch key holds, in a few words."""
    try:
        peek = _PEEK.decode(body)
    except msgspec.ValidationError:
        return "null" if body == b"null" else "no FHIR"
    if peek.resource_type != "Bundle":
        return str(peek.resource_type)
    count = len(peek.entry or ())
    return f"{count or 'no'} {'entry' if count == 1 else 'entries'}"
