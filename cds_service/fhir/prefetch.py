"""What a prefetch key holds: the five states, and the entries of a usable one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from cds_service.fhir import resources as fhir
from cds_service.record.facts import Issue, Source

_BUNDLE = msgspec.json.Decoder(fhir.Bundle)
_COMPANIONS = ("Medication", "Patient")  # may come beside what was searched for
_MOST_ENTRIES = 20_000
_KIND = re.compile(r"[A-Z][A-Za-z]{1,60}")
_INT = msgspec.json.Decoder(int)
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EMPTY_ENTRY = frozenset({"resource", "fullUrl", "search", "link"})
_TYPE = msgspec.json.Decoder(fhir.TypeOnly)
_ENTRY = msgspec.json.Decoder(fhir.Entry)
_LINKS = msgspec.json.Decoder(list[fhir.Link])
_PLACE = re.compile(r" - at `\$\.?([A-Za-z0-9_.\[\]]{0,80})")
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class Prefetched(NamedTuple):
    """A prefetch key as it was read: how far it may be trusted, its entries (each a resource and its full URL), and its issues."""

    source: Source
    entries: Sequence[Any] = ()
    issues: tuple[Issue, ...] = ()


NOTHING = Prefetched(Source.READ)  # searched, and nothing there


def kind_of(resource: Any) -> str:
    """The FHIR type of a resource as it was read."""
    return resource.kind if isinstance(resource, fhir.Unread) else type(resource).__name__


def unpack(key: str, wanted: str, sent: Any, page: int | None = None) -> Prefetched:
    """Tell apart absent (UNSET), null, empty, refused and filled with the wanted type; `page` is the size of a full page.

    `sent` is raw, or what one pass over the whole request made of it.
    """
    if sent is msgspec.UNSET:
        return Prefetched(Source.UNAVAILABLE, (), (Issue("information", f"'{key}' was not sent", "Configure this prefetch key."),))
    if sent is None:
        return NOTHING
    if not isinstance(sent, msgspec.Raw):
        return _of_whole(key, wanted, sent, page)
    if bytes(memoryview(sent)[:1]) == b"n":
        return NOTHING
    try:
        whole = fhir.WHOLE_DECODERS[wanted].decode(sent) if wanted in fhir.WHOLE_DECODERS else None
    except UNREADABLE:
        whole = None
    if whole is not None:
        return _of_whole(key, wanted, whole, page)
    try:
        kind = _TYPE.decode(sent)
        if kind.resourceType == "OperationOutcome":
            refused = Issue("warning", f"the query for '{key}' failed in the EHR", "Check access rights for this query.")
            return Prefetched(Source.UNAVAILABLE, (), (refused,))
        if kind.resourceType != "Bundle":
            held = fhir.Held(_resource(sent))
            right = kind_of(held.resource) == wanted
            return Prefetched(Source.READ, (held,)) if right else Prefetched(Source.UNAVAILABLE, (held,), (_stranger(key, wanted),))
        return _of_bundle(key, wanted, _BUNDLE.decode(sent), page)
    except UNREADABLE:
        return Prefetched(Source.UNAVAILABLE, (), (Issue("warning", f"'{key}' could not be read", "Send a FHIR R4 Bundle or resource."),))


def _of_whole(key: str, wanted: str, sent: Any, page: int | None) -> Prefetched:
    """A resource by itself, or the entries of a Bundle in which nothing is odd."""
    if isinstance(sent, fhir.Resource):
        return Prefetched(Source.READ, (fhir.Held(sent),))
    entries = sent.entry or ()
    issues: tuple[Issue, ...] = ()
    if len(entries) > _MOST_ENTRIES:
        entries, issues = entries[:_MOST_ENTRIES], (_too_many(key),)
    more = any((link.relation or "").lower() == "next" for link in sent.link or ())
    if more or (page is not None and len(entries) >= page) or (sent.total and sent.total > _matches(entries, wanted)):
        issues = (*issues, _full(key))
    return Prefetched(Source.INCOMPLETE if issues else Source.READ, entries, issues)


def _matches(entries: Sequence[Any], wanted: str) -> int:
    """How many entries hold what was asked for."""
    kind = fhir.KINDS[wanted]
    return [type(e.resource) for e in entries].count(kind)


def _of_bundle(key: str, wanted: str, bundle: fhir.Bundle, page: int | None) -> Prefetched:
    entries: list[fhir.Held] = []
    issues: list[Issue] = []
    source = Source.READ
    listed = bundle.entry or []
    if len(listed) > _MOST_ENTRIES:
        source = Source.INCOMPLETE
        issues.append(_too_many(key))
    damaged = failed = False
    for raw in listed[:_MOST_ENTRIES]:
        try:
            entry = _entry(raw)
        except UNREADABLE:
            damaged = True
            continue
        if entry is None:
            continue
        kind = kind_of(entry.resource)
        if kind == "OperationOutcome":
            failed = failed or _failed(entry.resource)
        elif _KIND.fullmatch(kind) and kind != "Bundle":
            entries.append(entry)
        else:
            damaged = True
    if damaged:
        issues.append(unreadable("resource", key))
    if failed:
        issues.append(Issue("warning", f"the EHR reported an error within '{key}'", "Check access rights for this query."))
    if damaged or failed:
        source = Source.INCOMPLETE
    kinds = [kind_of(e.resource) for e in entries]
    matches = kinds.count(wanted)
    if not matches and any(kind not in _COMPANIONS for kind in kinds):
        source = Source.INCOMPLETE
        issues.append(_stranger(key, wanted))
    if _has_more(bundle.link) or _total(bundle.total) > matches or (page is not None and len(entries) >= page):
        source = Source.INCOMPLETE
        issues.append(_full(key))
    return Prefetched(source, tuple(entries), tuple(dict.fromkeys(issues)))


def _entry(raw: msgspec.Raw) -> fhir.Held | None:
    """One entry with its resource; None for an empty one. Raises msgspec.DecodeError if it holds something else."""
    if bytes(memoryview(raw)[:1]) == b"n":
        return None
    entry = _ENTRY.decode(raw)
    if bytes(memoryview(entry.resource)[:1]) in (b"", b"n") and _RAW.decode(raw).keys() <= _EMPTY_ENTRY:
        return None
    return fhir.Held(_resource(entry.resource), entry.fullUrl)


def _resource(raw: msgspec.Raw) -> Any:
    """A resource by itself; one that cannot be read keeps its type, its id and the place of the fault."""
    kind = fhir.KIND.decode(raw)
    decoder = fhir.READ.get(kind.resourceType or "")
    if decoder is None:
        return fhir.Unread(kind.resourceType or "", kind.id)
    try:
        return decoder.decode(raw)
    except UNREADABLE as error:
        return fhir.Unread(kind.resourceType or "", kind.id, place_of(error), _meta(raw))


def _meta(raw: msgspec.Raw) -> fhir.Meta | None:
    """When a resource that cannot be read was updated, if that can be read."""
    try:
        return fhir.UPDATED.decode(raw).meta
    except UNREADABLE:
        return None


def place_of(error: Exception) -> str:
    """Where in a resource the fault is, without any of its content."""
    match = _PLACE.search(str(error))
    return match.group(1) if match else ""


def _has_more(raw: msgspec.Raw) -> bool:
    """Whether a Bundle links to a further page; links that cannot be read may."""
    if bytes(memoryview(raw)[:1]) in (b"", b"n"):
        return False
    try:
        return any((link.relation or "").lower() == "next" for link in _LINKS.decode(raw))
    except UNREADABLE:
        return True


def _total(raw: msgspec.Raw) -> int:
    """How many matches a search says there are; 0 if it does not say."""
    try:
        return _INT.decode(raw) if memoryview(raw) else 0
    except msgspec.DecodeError:
        return 0


def _too_many(key: str) -> Issue:
    return Issue("warning", f"'{key}' holds more than {_MOST_ENTRIES} entries; the rest was not read", "Ask for less with this query.")


def _full(key: str) -> Issue:
    return Issue("warning", f"'{key}' holds a full page; older data may be missing", "Raise the page size of this query.")


def _stranger(key: str, wanted: str) -> Issue:
    return Issue("warning", f"'{key}' holds something else than {wanted}", f"Send a searchset of {wanted} under this key.")


def _failed(outcome: Any) -> bool:
    """Whether an OperationOutcome is an error; servers also use it to say that nothing was found."""
    if isinstance(outcome, fhir.Unread):
        return True
    return any(issue.severity in ("error", "fatal") for issue in outcome.issue or ())


def unreadable(kind: str, key: str, place: str = "") -> Issue:
    """The issue of one resource that could not be read; the others of its Bundle still count."""
    where = f" at {place}" if place else ""
    return Issue("warning", f"a {kind} in '{key}' could not be read{where} and was not used", "Send it as valid FHIR R4.")
