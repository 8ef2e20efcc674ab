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


class _Top(msgspec.Struct):
    """A body with its prefetch taken apart in the same pass."""

    prefetch: dict[str, msgspec.Raw] = {}
    hook: msgspec.Raw = msgspec.Raw()
    hookInstance: msgspec.Raw = msgspec.Raw()  # noqa: N815 - CDS Hooks' own names
    fhirServer: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fhirAuthorization: msgspec.Raw = msgspec.Raw()  # noqa: N815
    context: msgspec.Raw = msgspec.Raw()
    extension: msgspec.Raw = msgspec.Raw()


_TOP = msgspec.json.Decoder(_Top)
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
        top = _members(body)
        envelope = {name: _ANY.decode(top[name]) for name in _MEMBERS if name in top}
        prefetch = _prefetch(top["prefetch"], keys)
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


def _members(body: bytes) -> dict[str, Any]:
    """The members of a body that are read, raw, and the prefetch by key. Raises InvalidRequest or msgspec's errors."""
    try:
        top = _TOP.decode(body)
        return {name: raw for name in _MEMBERS if memoryview(raw := getattr(top, name))} | {"prefetch": top.prefetch}
    except msgspec.ValidationError:
        found: dict[str, Any] = dict(_RAW.decode(body))  # raises again if it is no object
        try:
            found["prefetch"] = _RAW.decode(found["prefetch"]) if "prefetch" in found else {}
        except msgspec.ValidationError:
            raise InvalidRequest("/prefetch: must be of type object.", place="/prefetch") from None
        return found


def _prefetch(prefetch: Mapping[str, msgspec.Raw], keys: Collection[str]) -> Mapping[str, msgspec.Raw]:
    """The prefetch, in which each value is null or an object and stays raw."""
    for key, value in prefetch.items():
        if bytes(memoryview(value)[:1]) not in (b"{", b"n"):
            # A key of the caller's own may hold anything, so only ours are repeated.
            place = f"/prefetch/{key}" if key in keys else "/prefetch"
            raise InvalidRequest(f"{place}: a value must be null or a FHIR resource.", place=place)
    return prefetch
