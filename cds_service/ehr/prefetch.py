"""A hook request from a patient's Bundle, as an EHR would send it: each prefetch template resolved by a small search."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

MODES = ("full", "partial", "none")  # how much of the prefetch goes along with a call
# What the hook's schema takes as a patient id.
PATIENT_ID = re.compile(r"[^\s/?#\ud800-\udfff]+")  # and no lone surrogate, which no URL can hold
_DATES = (
    "effectiveDateTime",
    "effectiveInstant",
    "issued",
    "authoredOn",
    "recordedDate",
    "onsetDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "date",
)
# What a search of a resource goes by, of whatever type it is in a chart.
_Searched: Any = msgspec.defstruct("_Searched", [(name, Any, None) for name in ("resourceType", "id", "code", "component", "contained", *_DATES)])
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def chosen(keys: Iterable[str], mode: str) -> list[str]:
    """The prefetch keys that a mode sends along: all, every second one with the first, or none."""
    return {"full": list(keys), "partial": list(keys)[::2], "none": []}[mode]


def hook_request(bundle: Mapping[str, Any], templates: Mapping[str, str], hook: str, hook_instance: str) -> dict[str, Any]:
    """A call of a hook for the Bundle's patient with every prefetch key filled. Raises ValueError without a Patient."""
    held = by_kind(bundle.get("entry", []))
    patient = next((one.goes_by.id for one in held.get("Patient", ())), None)
    if patient is None:
        raise ValueError("the Bundle holds no Patient with an id")
    return {**call_for(patient, hook, hook_instance), "prefetch": filled(held, templates, patient)}


def call_for(patient: str, hook: str, hook_instance: str) -> dict[str, Any]:
    """A call of a hook for a patient, without prefetch."""
    return {"hook": hook, "hookInstance": hook_instance, "context": {"userId": "Practitioner/example", "patientId": patient}}


def filled(held: Mapping[str, list[Held]], templates: Mapping[str, str], patient: str) -> dict[str, Any]:
    """What stands under each prefetch key for a patient."""
    return {key: searched(held, template.replace("{{context.patientId}}", patient)) for key, template in templates.items()}


class _Entry(msgspec.Struct):
    resource: Any


class _RawEntry(msgspec.Struct):
    resource: msgspec.Raw


_ENTRY = msgspec.json.Decoder(_RawEntry)
_SEARCHED = msgspec.json.Decoder(_Searched)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder(Any)


class Held(NamedTuple):
    """An entry and its resource as they came, what a search of it goes by, and the codes by which it is found."""

    entry: Any
    resource: Any
    goes_by: Any
    codes: frozenset[str]


def by_kind(entries: Iterable[Any]) -> Mapping[str, list[Held]]:
    """Entries, each an object or the JSON of one (msgspec.Raw), by the type of their resource. Those without a resource are left out."""
    found: defaultdict[str, list[Held]] = defaultdict(list)
    for held in filter(None, map(_held, entries)):
        kind = held.goes_by.resourceType
        found[kind if isinstance(kind, str) else ""].append(held)
    return found


def _held(entry: Any) -> Held | None:
    try:
        if isinstance(entry, msgspec.Raw):
            resource: Any = _ENTRY.decode(entry).resource
            goes_by = _goes_by(resource)
        else:
            resource = msgspec.convert(entry, _Entry).resource
            goes_by = msgspec.convert(resource, _Searched)
    except msgspec.ValidationError:
        return None
    return Held(entry, resource, goes_by, _codes(goes_by))


def _goes_by(resource: msgspec.Raw) -> Any:
    """What a search of a resource goes by. A member with a number that no computer holds is as good as none. Raises ValidationError for no object."""
    try:
        return _SEARCHED.decode(resource)
    except msgspec.ValidationError:
        members, found = _MEMBERS.decode(resource), {}
    for name in members.keys() & set(_Searched.__struct_fields__):
        with suppress(msgspec.ValidationError):
            found[name] = _ANY.decode(members[name])
    return _Searched(**found)


def searched(held: Mapping[str, list[Held]], query: str) -> Any:
    """The resource of a read, or the searchset of a search by patient and code, newest first where asked for."""
    path, _, parameters = query.partition("?")
    kind, _, identity = path.partition("/")
    of_kind = held.get(kind, [])
    if identity:
        return next(one.resource for one in of_kind if one.goes_by.id == identity)
    wanted = dict(parse_qsl(parameters))
    codes = frozenset(wanted["code"].split(",")) if "code" in wanted else None
    matches = [one for one in of_kind if codes is None or not codes.isdisjoint(one.codes)]
    if wanted.get("_sort") == "-date":
        matches.sort(key=_when, reverse=True)
    page = [one.entry for one in matches[: int(wanted.get("_count", "1000"))]]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(matches), "entry": page}


def _codes(resource: Any) -> frozenset[str]:
    """The codes of a resource, of its components and of what it contains, as a search names them."""
    concepts = [resource.code, *[one.get("code") for held in (resource.component, resource.contained) for one in _objects(held)]]
    codings = [c for concept in concepts if isinstance(concept, dict) for c in _objects(concept.get("coding"))]
    return frozenset([f"{c.get('system')}|{c.get('code')}" for c in codings])


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _when(held: Held) -> str:
    """The first date of a resource that is one."""
    dates = (getattr(held.goes_by, name) for name in _DATES)
    return next((date for date in dates if isinstance(date, str)), "")


def shifted(value: Any, days: int) -> Any:
    """The same chart so many days later: every whole date in it moves, so that a fixture never grows old."""
    if isinstance(value, dict):
        return {k: shifted(v, days) for k, v in value.items()}
    if isinstance(value, list):
        return [shifted(v, days) for v in value]
    if isinstance(value, str) and _DATE.match(value) and days:
        try:
            moved = dt.date.fromisoformat(value[:10]) + dt.timedelta(days=days)
        except ValueError:
            return value
        return moved.isoformat() + value[10:]
    return value
