"""A CDS Hooks request: bytes to a checked envelope, with the prefetched resources still undecoded."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from cds_service.errors import InvalidRequest, MalformedBody
from cds_service.protocol import schema
from cds_service.record.facts import Issue

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MEMBERS = ("hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "extension")
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()


class CDSRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a hook. The access token is checked for its form and dropped."""

    hook: str
    hook_instance: str
    context: Mapping[str, Any]
    prefetch: Mapping[str, msgspec.Raw]
    issues: tuple[Issue, ...] = ()


def read_request(body: bytes, schemas: Mapping[str, str], keys: Collection[str] = ()) -> CDSRequest:
    """Read a request body; `schemas` names the JSON Schema of each hook, `keys` the prefetch keys we ask for.

    Raises MalformedBody or InvalidRequest with the place and the remedy.
    """
    try:
        top = _RAW.decode(body)
        envelope = {name: _ANY.decode(top[name]) for name in _MEMBERS if name in top}
        prefetch = _prefetch(top, keys)
    except RecursionError:
        raise MalformedBody("The body is nested too deeply. FHIR needs no more than a few dozen levels.") from None
    except msgspec.ValidationError:
        raise InvalidRequest("The body must be a JSON object with numbers in the range of JSON.", place="/") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedBody("The body is not valid JSON in UTF-8 (NaN, Infinity and lone surrogates are not JSON).") from None
    hook = envelope.get("hook")
    known = schemas.get(hook) if isinstance(hook, str) else None
    found = schema.fault(known or "hook-request.schema.json", envelope)
    if found:
        raise InvalidRequest(f"{found[0] or '/'}: {found[1]}.", place=found[0] or "/")
    issues = []
    if not _UUID.fullmatch(envelope["hookInstance"]):
        issues.append(Issue("information", "hookInstance is not a UUID", "Send a UUID, as CDS Hooks asks."))
    return CDSRequest(
        hook=envelope["hook"], hook_instance=envelope["hookInstance"], context=envelope["context"], prefetch=prefetch, issues=tuple(issues)
    )


def _prefetch(top: Mapping[str, msgspec.Raw], keys: Collection[str]) -> Mapping[str, msgspec.Raw]:
    """The prefetch by key; each value is null or an object, and stays raw."""
    raw = top.get("prefetch")
    if raw is None:
        return {}
    try:
        prefetch = _RAW.decode(raw)
    except msgspec.ValidationError:
        raise InvalidRequest("/prefetch: must be of type object.", place="/prefetch") from None
    for key, value in prefetch.items():
        if bytes(memoryview(value)[:1]) not in (b"{", b"n"):
            # A key of the caller's own may hold anything, so only ours are repeated.
            place = f"/prefetch/{key}" if key in keys else "/prefetch"
            raise InvalidRequest(f"{place}: a value must be null or a FHIR resource.", place=place)
    return prefetch
