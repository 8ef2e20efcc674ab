"""What a prefetch key holds: the five states, and the entries of a usable one."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from cds_service.fhir import resources as fhir
from cds_service.record.facts import Issue, Source

_NO_RAW = msgspec.Raw()
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
_OUTCOME = msgspec.json.Decoder(fhir.OperationOutcome)


class Entry(NamedTuple):
    """One resource of a prefetch key: decoded with its whole Bundle, or still raw where something in the Bundle is odd."""

    kind: str
    id: str | None
    full_url: str | None
    raw: msgspec.Raw
    resource: Any = None

    def content(self) -> bytes:
        """The resource's bytes, to tell two versions apart whatever their order."""
        return bytes(self.raw) if self.resource is None else msgspec.json.encode(self.resource)


class Prefetched(NamedTuple):
    """A prefetch key as it was read: how far it may be trusted, its entries, and what was wrong with it."""

    source: Source
    entries: tuple[Entry, ...] = ()
    issues: tuple[Issue, ...] = ()


def unpack(key: str, wanted: str, raw: msgspec.Raw | None, page: int | None = None) -> Prefetched:
    """Tell apart absent, null, empty, refused and filled with the wanted type; `page` is the size of a full page."""
    if raw is None:
        return Prefetched(Source.UNAVAILABLE, (), (Issue("information", f"'{key}' was not sent", "Configure this prefetch key."),))
    if bytes(memoryview(raw)[:1]) == b"n":
        return Prefetched(Source.READ)
    whole = _whole(wanted, raw)
    if whole is not None:
        return _of_whole(key, wanted, whole, page)
    try:
        kind = _TYPE.decode(raw)
        if kind.resourceType == "OperationOutcome":
            refused = Issue("warning", f"the query for '{key}' failed in the EHR", "Check access rights for this query.")
            return Prefetched(Source.UNAVAILABLE, (), (refused,))
        if kind.resourceType != "Bundle":
            entry = Entry(kind.resourceType or "", fhir.KIND.decode(raw).id, None, raw)
            return Prefetched(Source.READ, (entry,)) if entry.kind == wanted else Prefetched(Source.UNAVAILABLE, (entry,), (_stranger(key, wanted),))
        return _of_bundle(key, wanted, _BUNDLE.decode(raw), page)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Prefetched(Source.UNAVAILABLE, (), (Issue("warning", f"'{key}' could not be read", "Send a FHIR R4 Bundle or resource."),))


def _whole(wanted: str, raw: msgspec.Raw) -> Any:
    """A Bundle decoded in one go, as nearly every one can be; None if one of its members is not as FHIR has it."""
    decoder = fhir.WHOLE.get(wanted)
    if decoder is None:
        return None
    try:
        bundle = decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return bundle if len(bundle.entry or ()) <= _MOST_ENTRIES else None


def _of_whole(key: str, wanted: str, bundle: Any, page: int | None) -> Prefetched:
    """The entries of a Bundle in which nothing is odd."""
    listed = bundle.entry or ()
    entries = tuple(Entry(type(e.resource).__name__, e.resource.id, e.fullUrl, _NO_RAW, e.resource) for e in listed)
    more = any((link.relation or "").lower() == "next" for link in bundle.link or ())
    matches = sum(e.kind == wanted for e in entries)
    if more or (bundle.total or 0) > matches or (page is not None and len(entries) >= page):
        return Prefetched(Source.INCOMPLETE, entries, (_full(key),))
    return Prefetched(Source.READ, entries)


def _of_bundle(key: str, wanted: str, bundle: fhir.Bundle, page: int | None) -> Prefetched:
    entries: list[Entry] = []
    issues: list[Issue] = []
    source = Source.READ
    listed = bundle.entry or []
    if len(listed) > _MOST_ENTRIES:
        source = Source.INCOMPLETE
        issues.append(Issue("warning", f"'{key}' holds more than {_MOST_ENTRIES} entries; the rest was not read", "Ask for less with this query."))
    damaged = failed = False
    for raw in listed[:_MOST_ENTRIES]:
        try:
            entry = _entry(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            damaged = True
            continue
        if entry is None:
            continue
        if entry.kind == "OperationOutcome":
            failed = failed or _failed(entry.raw)
        elif _KIND.fullmatch(entry.kind) and entry.kind != "Bundle":
            entries.append(entry)
        else:
            damaged = True
    if damaged:
        issues.append(unreadable("resource", key))
    if failed:
        issues.append(Issue("warning", f"the EHR reported an error within '{key}'", "Check access rights for this query."))
    if damaged or failed:
        source = Source.INCOMPLETE
    strangers = [e for e in entries if e.kind not in (wanted, *_COMPANIONS)]
    if strangers and not any(e.kind == wanted for e in entries):
        source = Source.INCOMPLETE
        issues.append(_stranger(key, wanted))
    matches = sum(e.kind == wanted for e in entries)
    if _has_more(bundle.link) or _total(bundle.total) > matches or (page is not None and len(entries) >= page):
        source = Source.INCOMPLETE
        issues.append(_full(key))
    return Prefetched(source, tuple(entries), tuple(dict.fromkeys(issues)))


def _entry(raw: msgspec.Raw) -> Entry | None:
    """One entry with the type of its resource; None for an empty one. Raises msgspec.DecodeError if it holds something else."""
    if bytes(memoryview(raw)[:1]) == b"n":
        return None
    entry = _ENTRY.decode(raw)
    if bytes(memoryview(entry.resource)[:1]) in (b"", b"n") and _RAW.decode(raw).keys() <= _EMPTY_ENTRY:
        return None
    kind = fhir.KIND.decode(entry.resource)
    return Entry(kind.resourceType or "", kind.id, entry.fullUrl, entry.resource)


def _has_more(raw: msgspec.Raw) -> bool:
    """Whether a Bundle links to a further page; links that cannot be read may."""
    if bytes(memoryview(raw)[:1]) in (b"", b"n"):
        return False
    try:
        return any((link.relation or "").lower() == "next" for link in _LINKS.decode(raw))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return True


def _total(raw: msgspec.Raw) -> int:
    """How many matches a search says there are; 0 if it does not say."""
    try:
        return _INT.decode(raw) if memoryview(raw) else 0
    except msgspec.DecodeError:
        return 0


def _full(key: str) -> Issue:
    return Issue("warning", f"'{key}' holds a full page; older data may be missing", "Raise the page size of this query.")


def _stranger(key: str, wanted: str) -> Issue:
    return Issue("warning", f"'{key}' holds something else than {wanted}", f"Send a searchset of {wanted} under this key.")


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
