"""Feedback as CDS Hooks 2.0.1 has it: what clinicians did with cards, one entry for each thing done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cds_service.errors import InvalidRequest, MalformedBody
from cds_service.protocol import schema
from cds_service.protocol.response import Coding

MOST_ENTRIES = 1000
_DEEPEST = 20
_OLDEST, _AHEAD = dt.timedelta(days=400), dt.timedelta(days=1)
_KNOWN = frozenset({"card", "outcome", "acceptedSuggestions", "overrideReason", "outcomeTimestamp"})


class Entry(NamedTuple):
    """What was done with one card, and when (UTC); `rest` are the members that the standard does not name."""

    card: str
    outcome: str
    at: dt.datetime
    accepted: tuple[str, ...] = ()
    reason: Coding | None = None
    comment: str | None = None
    rest: Mapping[str, Any] = {}


def read_feedback(body: bytes) -> list[Any]:
    """The entries of a body, not yet judged. Raises MalformedBody or InvalidRequest."""
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        raise MalformedBody("The body is nested too deeply. Feedback needs no more than a few levels.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedBody("The body is not valid JSON in UTF-8 (NaN, Infinity and lone surrogates are not JSON).") from None
    entries = value.get("feedback") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise InvalidRequest('/feedback: must be an array. Send {"feedback": [...]}, as CDS Hooks 2.0 has it.', place="/feedback")
    if not 1 <= len(entries) <= MOST_ENTRIES:
        raise InvalidRequest(f"/feedback: must have 1 to {MOST_ENTRIES} entries. Send them in several bodies.", place="/feedback")
    return entries


def card_of(entry: Any, place: str) -> str:
    """The card that an entry is about. Raises InvalidRequest."""
    card = entry.get("card") if isinstance(entry, dict) else None
    if not isinstance(card, str) or not card.strip():
        raise InvalidRequest(f"{place}/card: must be the uuid of a card.", place=f"{place}/card")
    return card


def read_entry(raw: Mapping[str, Any], place: str, received: dt.datetime) -> Entry:
    """One entry in the standard's form, of the last years and not of the future. Raises InvalidRequest with its place in the body."""
    if _depth(raw) > _DEEPEST:
        raise InvalidRequest(f"{place}: nested more than {_DEEPEST} levels deep. Send less in extensions.", place=place)
    found = schema.fault("feedback-entry.schema.json", raw)
    if found:
        raise InvalidRequest(f"{place}{found[0]}: {found[1]}.", place=f"{place}{found[0]}")
    at = _moment(raw["outcomeTimestamp"])
    if at is None:
        where = f"{place}/outcomeTimestamp"
        raise InvalidRequest(f"{where}: is no moment. Write it as 2026-11-26T10:15:00Z.", place=where)
    if not received - _OLDEST <= at <= received + _AHEAD:
        where = f"{place}/outcomeTimestamp"
        raise InvalidRequest(f"{where}: is in the future, or more than {_OLDEST.days} days ago. Correct the clock.", place=where)
    override = raw.get("overrideReason", {})
    reason = override.get("reason")
    return Entry(
        card=raw["card"].lower(),
        outcome=raw["outcome"],
        at=at,
        accepted=tuple(s["id"] for s in raw.get("acceptedSuggestions", ())),
        reason=Coding(code=reason["code"], system=reason["system"], display=reason.get("display")) if reason else None,
        comment=override.get("userComment"),
        rest=_rest(raw, override),
    )


def _rest(raw: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says beyond the members that are read."""
    rest = {k: v for k, v in raw.items() if k not in _KNOWN}
    besides = {k: v for k, v in override.items() if k not in ("reason", "userComment")}
    return {**rest, "overrideReason": besides} if besides else rest


def _depth(value: Any) -> int:
    """How many levels a value has, without recursion."""
    level, depth = [value], 0
    while level:
        depth += 1
        level = [inner for one in level if isinstance(one, dict | list) for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _moment(text: str) -> dt.datetime | None:
    """A moment of RFC 3339; None for a day or an hour that there is not."""
    try:
        at = dt.datetime.fromisoformat(text.upper())
        return at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
