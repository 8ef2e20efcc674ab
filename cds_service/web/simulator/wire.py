"""A call as a person reads it: its members and each prefetch key, as they were sent, and the line that sends the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cds_service.ehr.client import body_of

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


def request(said: Mapping[str, Any], keys: Mapping[str, Any]) -> Request:
    """A call as a page shows it, without its access token."""
    prefetch = said.get("prefetch", {})
    envelope = {name: value for name, value in without_token(said).items() if name != "prefetch"}
    room, parts = _MOST, []
    for key, value in prefetch.items():
        size = len(body_of(value))
        text = readable(value) if size <= room else ""
        room -= len(text)
        parts.append(Part(key, _holds(value), size, text))
    return Request(readable(envelope), tuple(parts), tuple(key for key in keys if key not in prefetch))


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


def _holds(value: Any) -> str:
    """What a prefetch key holds, in a few words."""
    if not isinstance(value, dict):
        return "null" if value is None else "no FHIR"
    if value.get("resourceType") != "Bundle":
        return str(value.get("resourceType", "no FHIR"))
    count = len(value.get("entry") or ())
    return f"{count or 'no'} {'entry' if count == 1 else 'entries'}"
