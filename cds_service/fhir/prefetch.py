"""What a prefetch key holds: the five states, and the entries of a usable one."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cds_service.fhir import resources as fhir
from cds_service.record.facts import Issue, Source

_BUNDLE = msgspec.json.Decoder(fhir.Bundle)
_OUTCOME = msgspec.json.Decoder(fhir.OperationOutcome)


class Entry(NamedTuple):
    """One resource of a prefetch key, still undecoded."""

    kind: str
    id: str | None
    full_url: str | None
    raw: msgspec.Raw


class Prefetched(NamedTuple):
    """A prefetch key as it was read: how far it may be trusted, its entries, and what was wrong with it."""

    source: Source
    entries: tuple[Entry, ...] = ()
    issues: tuple[Issue, ...] = ()


def unpack(key: str, raw: msgspec.Raw | None, page: int | None = None) -> Prefetched:
    """Tell apart absent, null, empty, refused and filled; `page` is the size at which a page is full."""
    if raw is None:
        return Prefetched(Source.UNAVAILABLE, (), (Issue("information", f"'{key}' was not sent", "Configure this prefetch key."),))
    if bytes(memoryview(raw)[:1]) == b"n":
        return Prefetched(Source.READ)
    try:
        kind = fhir.KIND.decode(raw)
        if kind.resourceType == "OperationOutcome":
            return Prefetched(
                Source.UNAVAILABLE, (), (Issue("warning", f"the query for '{key}' failed in the EHR", "Check access rights for this query."),)
            )
        if kind.resourceType != "Bundle":
            return Prefetched(Source.READ, (Entry(kind.resourceType or "", kind.id, None, raw),))
        bundle = _BUNDLE.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Prefetched(Source.UNAVAILABLE, (), (Issue("warning", f"'{key}' could not be read", "Send a FHIR R4 Bundle or resource."),))
    return _of_bundle(key, bundle, page)


def _of_bundle(key: str, bundle: fhir.Bundle, page: int | None) -> Prefetched:
    entries: list[Entry] = []
    issues: list[Issue] = []
    source = Source.READ
    for entry in bundle.entry or ():
        if entry is None or bytes(memoryview(entry.resource)[:1]) in (b"", b"n"):
            continue
        try:
            kind = fhir.KIND.decode(entry.resource)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            issues.append(unreadable("resource", key))
            source = Source.INCOMPLETE
            continue
        if kind.resourceType == "OperationOutcome":
            if _failed(entry.resource):
                source = Source.INCOMPLETE
                issues.append(Issue("warning", f"the EHR reported an error within '{key}'", "Check access rights for this query."))
            continue
        entries.append(Entry(kind.resourceType or "", kind.id, entry.fullUrl, entry.resource))
    more = any(link.relation == "next" for link in bundle.link or ())
    if more or (page is not None and len(entries) >= page):
        source = Source.INCOMPLETE
        issues.append(Issue("warning", f"'{key}' holds a full page; older data may be missing", "Raise the page size of this query."))
    return Prefetched(source, tuple(entries), tuple(dict.fromkeys(issues)))


def _failed(raw: msgspec.Raw) -> bool:
    """Whether an OperationOutcome is an error; servers also use it to say that nothing was found."""
    try:
        outcome = _OUTCOME.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return True
    return any(issue.severity in ("error", "fatal") for issue in outcome.issue or ())


def unreadable(kind: str, key: str, place: str = "") -> Issue:
    """The issue of one resource that could not be read; the others of its Bundle still count."""
    where = f" at {place}" if place else ""
    return Issue("warning", f"a {kind} in '{key}' could not be read{where} and was not used", "Send it as valid FHIR R4.")
