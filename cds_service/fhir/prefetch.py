"""What a prefetch key holds: the five states, and the entries of a usable one."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from cds_service.fhir import resources as fhir
from cds_service.record.facts import Issue, Source

_BUNDLE = msgspec.json.Decoder(fhir.Bundle)
_COMPANIONS = ("Medication", "Patient")  # may come beside what was searched for
_MOST_ENTRIES = 20_000
_LARGEST_CHART = 100_000  # entries of a whole chart that are read, so that its time has a bound
_KIND = re.compile(r"[A-Z][A-Za-z]{1,60}")
_NUMBER = msgspec.json.Decoder(float, strict=False)
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EMPTY_ENTRY = frozenset({"resource", "fullUrl", "search", "link"})
_TYPE = msgspec.json.Decoder(fhir.TypeOnly)
_ENTRY = msgspec.json.Decoder(fhir.Entry)
_LINKS = msgspec.json.Decoder(list[fhir.Link])
_PLACE = re.compile(r" - at `\$\.?([A-Za-z0-9_.\[\]]{0,80})")
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class _SearchMode(fhir.Element):
    """Bundle.entry.search: why an entry is there."""

    mode: str | None = None


class _Searched(fhir.Element):
    """Only why an entry is there, and the type of its resource."""

    resource: fhir.TypeOnly | None = None
    search: _SearchMode | None = None


_SEARCHED = msgspec.json.Decoder(_Searched)


class Prefetched(NamedTuple):
    """A prefetch key as it was read: how far it may be trusted, its entries (each a resource and its full URL), and its issues.

    `more` says that there are further pages, `next` where; `total` how many matches the server knows of. `lacking` says
    that the EHR has nothing of the kind to send.
    """

    source: Source
    entries: Sequence[Any] = ()
    issues: tuple[Issue, ...] = ()
    more: bool = False
    next: str = ""
    total: int = 0
    lacking: bool = False


_OVERLAP = Issue("warning", "pages of the EHR's FHIR server repeat each other; data may be missing between them", "Fill the prefetch keys.")
CHART = "Bundle"  # in place of a key: a whole chart has none
_PART = Issue("warning", "the Bundle is not the whole chart; it names more than it holds", "Give a Bundle with every page of the search.")
NOTHING = Prefetched(Source.READ)  # searched, and nothing there


class Fetched(NamedTuple):
    """What asking the EHR's server brought: for each key its pages as one, and why others are not there.

    `by_kind` says that the first key of each kind holds everything of that kind, so that a loss may concern them all.
    """

    found: Mapping[str, Prefetched] = MappingProxyType({})
    issues: tuple[Issue, ...] = ()
    by_kind: bool = False


# Asks for keys: from the beginning (None), or from the page that a link names.
Ask = Callable[[Mapping[str, str | None]], Fetched]


def kind_of(resource: Any) -> str:
    """The FHIR type of a resource as it was read."""
    return resource.kind if isinstance(resource, fhir.Unread) else type(resource).__name__


def unpack(key: str, wanted: str, sent: Any, partial: frozenset[str] = frozenset()) -> Prefetched:
    """Tell apart absent (UNSET), null, empty, refused and filled with the wanted type.

    `sent` is raw, or what one pass over the whole request made of it; `partial` are codes of an OperationOutcome that
    say that the rest is not all. Whether further pages are missed is for `judged` to say.
    """
    if sent is msgspec.UNSET:
        return Prefetched(Source.UNAVAILABLE, (), (Issue("information", f"'{key}' was not sent", "Configure this prefetch key."),))
    if sent is None:
        return NOTHING
    if not isinstance(sent, msgspec.Raw):
        return _of_whole(key, sent)
    if bytes(memoryview(sent)[:1]) == b"n":
        return NOTHING
    try:
        whole = fhir.WHOLE_DECODERS[wanted].decode(sent) if wanted in fhir.WHOLE_DECODERS else None
    except UNREADABLE:
        whole = None
    if whole is not None:
        return _of_whole(key, whole)
    try:
        kind = _TYPE.decode(sent)
        if kind.resourceType == "OperationOutcome":
            refused = Issue("warning", f"the query for '{key}' failed in the EHR", "Check access rights for this query.")
            return Prefetched(Source.UNAVAILABLE, (), (refused,))
        if kind.resourceType != "Bundle":
            held = fhir.Held(_resource(sent))
            right = kind_of(held.resource) == wanted
            return Prefetched(Source.READ, (held,)) if right else Prefetched(Source.UNAVAILABLE, (held,), (_stranger(key, wanted),))
        return _of_bundle(key, wanted, _BUNDLE.decode(sent), partial)
    except UNREADABLE:
        return Prefetched(Source.UNAVAILABLE, (), (Issue("warning", f"'{key}' could not be read", "Send a FHIR R4 Bundle or resource."),))


def whole_chart(bundle: fhir.Chart) -> Prefetched:
    """The entries of a Bundle that is all there is of a chart; incomplete where it leads to more than it holds."""
    found = _of_entries(CHART, bundle, frozenset(), _LARGEST_CHART)
    if found.more or (found.total and found.total > sum(map(_is_match, bundle.entry[:_LARGEST_CHART]))):
        return found._replace(source=Source.INCOMPLETE, issues=(*found.issues, _PART))
    return found


def _is_match(raw: msgspec.Raw) -> bool:
    """Whether an entry is what a search was for, and not what came along."""
    try:
        entry = _SEARCHED.decode(raw)
    except UNREADABLE:
        return False
    mode = entry.search.mode if entry.search else None
    return entry.resource is not None and entry.resource.resourceType != "OperationOutcome" and mode in (None, "match")


def is_bundle(body: bytes) -> bool:
    """Whether a body is a Bundle, as the answer to a search has to be."""
    try:
        return _TYPE.decode(body).resourceType == "Bundle"
    except UNREADABLE:
        return False


def joined(pages: Sequence[Prefetched]) -> Prefetched:
    """The pages of one search as one; the last says whether there are more.

    Where a page repeats what stood on one before, the server's list has moved meanwhile, and something else may be on none.
    """
    first, last = pages[0], pages[-1]
    if len(pages) == 1:
        return first
    source = Source.READ if all(p.source is Source.READ for p in pages) else Source.INCOMPLETE
    entries = [e for p in pages for e in p.entries]
    issues = tuple(dict.fromkeys(issue for p in pages for issue in p.issues))
    names = [name for p in pages for name in {(kind_of(e.resource), e.resource.id) for e in p.entries} if name[0] not in _COMPANIONS and name[1]]
    if len(set(names)) < len(names):
        source, issues = Source.INCOMPLETE, (*issues, _OVERLAP)
    return Prefetched(source, entries, issues, last.more, last.next, max(p.total for p in pages))


def judged(key: str, wanted: str, found: Prefetched, page: int | None) -> Prefetched:
    """Incomplete where older data may be missing: there are more pages, more matches than entries, or one page of `page` entries is full."""
    if found.more or (page is not None and len(found.entries) >= page) or found.total > len(found.entries) or _fewer(found, wanted):
        return found._replace(source=Source.INCOMPLETE, issues=(*found.issues, _full(key)))
    return found


def _of_whole(key: str, sent: Any) -> Prefetched:
    """A resource by itself, or the entries of a Bundle in which nothing is odd."""
    if isinstance(sent, fhir.Resource):
        return Prefetched(Source.READ, (fhir.Held(sent),))
    entries = sent.entry or ()
    more, following = _next(sent.link) if sent.link else (False, "")
    if len(entries) > _MOST_ENTRIES:
        return Prefetched(Source.INCOMPLETE, entries[:_MOST_ENTRIES], (_too_many(key, _MOST_ENTRIES),), more, following, sent.total or 0)
    return Prefetched(Source.READ, entries, (), more, following, sent.total or 0)


def _next(links: Sequence[fhir.Link]) -> tuple[bool, str]:
    """Whether a Bundle links to a further page, and where that is."""
    for link in links:
        if (link.relation or "").lower() == "next":
            return True, link.url or ""
    return False, ""


def _fewer(found: Prefetched, wanted: str) -> bool:
    """Whether fewer entries hold what was asked for than the server knows of."""
    kind = fhir.KINDS[wanted]
    if found.total <= [type(e.resource) for e in found.entries].count(kind):
        return False
    return found.total > [kind_of(e.resource) for e in found.entries].count(wanted)


def _of_bundle(key: str, wanted: str, bundle: fhir.Bundle, partial: frozenset[str]) -> Prefetched:
    found = _of_entries(key, bundle, partial, _MOST_ENTRIES)
    kinds = [kind_of(e.resource) for e in found.entries]
    if wanted not in kinds and any(kind not in _COMPANIONS for kind in kinds):
        return found._replace(source=Source.INCOMPLETE, issues=(*found.issues, _stranger(key, wanted)))
    return found


def _of_entries(key: str, bundle: fhir.Bundle, partial: frozenset[str], most: int) -> Prefetched:
    """Each entry read by itself, so that one that cannot be read takes no other with it."""
    entries: list[fhir.Held] = []
    listed = bundle.entry or []
    issues = [_too_many(key, most)] if len(listed) > most else []
    damaged = failed = part = nested = False
    for raw in listed[:most]:
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
            part = part or not partial.isdisjoint(codes_of(entry.resource))
        elif kind == "Bundle":
            nested = True
        elif _KIND.fullmatch(kind):
            entries.append(entry)
        else:
            damaged = True
    if damaged:
        issues.append(unreadable("resource", key))
    if failed:
        issues.append(Issue("warning", f"the EHR reported an error within '{key}'", "Check access rights for this query."))
    if part:
        issues.append(Issue("warning", f"the EHR says that '{key}' is not all there is", "Check access rights for this query."))
    if nested:
        issues.append(Issue("warning", f"a Bundle inside '{key}' was not read", "Send its resources as entries of one Bundle."))
    source = Source.INCOMPLETE if issues else Source.READ
    return Prefetched(source, tuple(entries), tuple(issues), *_links(bundle.link), _total(bundle.total))


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
    try:
        kind = fhir.KIND.decode(raw)
    except UNREADABLE as error:
        return fhir.Unread(_TYPE.decode(raw).resourceType or "", None, place_of(error))
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


def _links(raw: msgspec.Raw) -> tuple[bool, str]:
    """Whether a Bundle links to a further page, and where; links that cannot be read may."""
    if bytes(memoryview(raw)[:1]) in (b"", b"n"):
        return False, ""
    try:
        return _next(_LINKS.decode(raw))
    except UNREADABLE:
        return True, ""


def _total(raw: msgspec.Raw) -> int:
    """How many matches a search says there are; 0 if it does not say, and more than can be if that cannot be read."""
    if bytes(memoryview(raw)[:1]) in (b"", b"n"):
        return 0
    try:
        return math.ceil(_NUMBER.decode(raw))
    except (msgspec.DecodeError, OverflowError):
        return sys.maxsize


def _too_many(key: str, most: int) -> Issue:
    return Issue("warning", f"'{key}' holds more than {most} entries; the rest was not read", "Ask for less with this query.")


def _full(key: str) -> Issue:
    return Issue("warning", f"'{key}' holds a full page; older data may be missing", "Raise the page size of this query.")


def _stranger(key: str, wanted: str) -> Issue:
    return Issue("warning", f"'{key}' holds something else than {wanted}", f"Send a searchset of {wanted} under this key.")


def _failed(outcome: Any) -> bool:
    """Whether an OperationOutcome is an error; servers also use it to say that nothing was found."""
    if isinstance(outcome, fhir.Unread):
        return True
    return any(issue.severity in ("error", "fatal") for issue in outcome.issue or ())


def codes_of(outcome: Any) -> frozenset[str]:
    """The codes that an OperationOutcome gives in its details."""
    if not isinstance(outcome, fhir.OperationOutcome):
        return frozenset()
    return frozenset(c.code for issue in outcome.issue or () if issue.details for c in issue.details.coding or () if c.code)


def unreadable(kind: str, key: str, place: str = "") -> Issue:
    """The issue of one resource that could not be read; the others of its Bundle still count."""
    where = f" at {place}" if place else ""
    return Issue("warning", f"{with_article(kind)} in '{key}' could not be read{where} and was not used", "Send it as valid FHIR R4.")


def with_article(kind: str) -> str:
    """A kind of resource as one of its kind."""
    return f"an {kind}" if kind[0] in "AEIOaeio" else f"a {kind}"
