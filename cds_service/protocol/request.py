"""A CDS Hooks request: bytes to a checked envelope and its prefetch.

A call that is as the standard has it is read in one pass. Any other is read member by member and judged by the JSON
Schemas, which also say what is wrong with it: a quick reading never accepts what the schemas refuse.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cds_service.errors import InvalidRequest, MalformedBody
from cds_service.protocol import schema
from cds_service.record.facts import Issue
from cds_service.record.secret import Secret

_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
_IS_UUID = re.compile(_UUID)
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # b64token of RFC 6750
_MEMBERS = ("hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "extension")

Text = Annotated[str, Meta(pattern=r"\S")]


class _Authorization(msgspec.Struct, gc=False):
    """fhirAuthorization: its form, and the token."""

    access_token: Text
    token_type: Literal["Bearer"]
    expires_in: int
    scope: Text
    subject: Text
    patient: Text | UnsetType = UNSET
    extension: UnsetType = UNSET


class _Call(msgspec.Struct, gc=False):
    """The envelope of a call that is as the standard has it."""

    hook: Text
    hookInstance: Annotated[str, Meta(pattern=_UUID)]  # noqa: N815 - CDS Hooks' own names
    context: msgspec.Raw
    fhirServer: Annotated[str, Meta(pattern=r"^https?://\S+$")] | UnsetType = UNSET  # noqa: N815
    fhirAuthorization: _Authorization | UnsetType = UNSET  # noqa: N815
    extension: UnsetType = UNSET


class _Top(msgspec.Struct):
    """A body with its prefetch taken apart in the same pass, its members raw."""

    prefetch: dict[str, msgspec.Raw] = {}
    hook: msgspec.Raw = msgspec.Raw()
    hookInstance: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fhirServer: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fhirAuthorization: msgspec.Raw = msgspec.Raw()  # noqa: N815
    context: msgspec.Raw = msgspec.Raw()
    extension: msgspec.Raw = msgspec.Raw()


_TOP = msgspec.json.Decoder(_Top)
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class CDSRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a hook. The FHIR server that it names is compared with registered ones and never used itself.

    The prefetch has only the keys that were sent; a value is raw bytes, or what the quick reading made of it (None for null).
    """

    hook: str
    hook_instance: str
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any]
    fhir_server: str | None = None
    token: Secret | None = None
    extension: Mapping[str, Any] = {}
    issues: tuple[Issue, ...] = ()


class Quick(NamedTuple):
    """How a call that is as the standard has it is read in one pass."""

    decoder: msgspec.json.Decoder[Any]
    keys: tuple[str, ...]
    contexts: Mapping[str, msgspec.json.Decoder[Any]]


def quick(prefetch: type, keys: Collection[str], contexts: Mapping[str, type]) -> Quick:
    """The quick reading of calls with a `prefetch` struct whose fields stand for `keys`; `contexts` has a struct for each hook."""
    call = msgspec.defstruct("QuickCall", [("prefetch", prefetch | UnsetType, UNSET)], bases=(_Call,), gc=False)
    return Quick(msgspec.json.Decoder(call), tuple(keys), {name: msgspec.json.Decoder(context) for name, context in contexts.items()})


def read_request(body: bytes, schemas: Mapping[str, str], keys: Collection[str] = (), by: Quick | None = None) -> CDSRequest:
    """Read a request body; `schemas` names the JSON Schema of each hook, `keys` the prefetch keys we ask for.

    Raises MalformedBody or InvalidRequest with the place and the remedy.
    """
    return (_quickly(body, by) if by else None) or _thoroughly(body, schemas, keys)


def _quickly(body: bytes, by: Quick) -> CDSRequest | None:
    """A call that is as the standard has it; None for any other."""
    try:
        call = by.decoder.decode(body)
        if call.hook not in by.contexts or (call.fhirAuthorization is not UNSET and call.fhirServer is UNSET):
            return None
        by.contexts[call.hook].decode(call.context)
        context = _ANY.decode(call.context)
    except _UNREADABLE:
        return None
    prefetch = {} if call.prefetch is UNSET else dict(zip(by.keys, msgspec.structs.astuple(call.prefetch), strict=True))
    sent = {key: value for key, value in prefetch.items() if value is not UNSET}
    return CDSRequest(
        hook=call.hook,
        hook_instance=call.hookInstance,
        context=context,
        prefetch=sent,
        fhir_server=None if call.fhirServer is UNSET else call.fhirServer,
        token=None if call.fhirAuthorization is UNSET else _token(call.fhirAuthorization.access_token),
    )


def _thoroughly(body: bytes, schemas: Mapping[str, str], keys: Collection[str]) -> CDSRequest:
    """Any call, member by member. Raises MalformedBody or InvalidRequest."""
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
    if not _IS_UUID.match(envelope["hookInstance"]):
        issues.append(Issue("information", "hookInstance is not a UUID", "Send a UUID, as CDS Hooks asks."))
    return CDSRequest(
        hook=envelope["hook"],
        hook_instance=envelope["hookInstance"],
        context=envelope["context"],
        prefetch=prefetch,
        fhir_server=envelope.get("fhirServer"),
        token=_token(envelope["fhirAuthorization"]["access_token"]) if "fhirAuthorization" in envelope else None,
        extension=envelope.get("extension", {}),
        issues=tuple(issues),
    )


def _token(text: str) -> Secret | None:
    """An access token that can stand in a header; any other is none."""
    return Secret(text) if _BEARER.fullmatch(text) else None


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
