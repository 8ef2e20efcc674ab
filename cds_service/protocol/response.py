"""What the service answers: cards, suggestions, actions and OperationOutcomes, without null or empty members."""
# ruff: noqa: N815 - names are those of CDS Hooks

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

_ENCODER = msgspec.json.Encoder()


class Coding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """CDS Hooks Coding."""

    code: str
    system: str
    display: str | None = None


class Source(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a card's guidance comes from."""

    label: str
    url: str | None = None
    topic: Coding | None = None


class Action(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that accepting a suggestion does."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: Mapping[str, Any] | None = None


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something a clinician may accept."""

    label: str
    uuid: str
    isRecommended: bool | None = None
    actions: tuple[Action, ...] | None = None


class Link(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where more can be seen: a page, or a SMART app that the EHR launches."""

    label: str
    url: str
    type: Literal["absolute", "smart"]


class Card(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One card of at most 139 characters of summary."""

    uuid: str
    summary: str
    indicator: Literal["info", "warning"]
    source: Source
    detail: str | None = None
    suggestions: tuple[Suggestion, ...] | None = None
    selectionBehavior: Literal["at-most-one", "any"] | None = None
    overrideReasons: tuple[Coding, ...] | None = None
    links: tuple[Link, ...] | None = None


class Response(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to a hook; `extension` says what could not be had when there is no card to say it on."""

    cards: tuple[Card, ...]
    extension: Mapping[str, Any] | None = None


def encode(value: Any) -> bytes:
    """JSON bytes of a response, discovery listing or outcome."""
    return _ENCODER.encode(value)


def operation_outcome(code: str, issue_type: str, text: str, place: str = "", *, severity: str = "error") -> dict[str, Any]:
    """An OperationOutcome of one issue: our stable code, a sentence with the remedy, and the place."""
    issue: dict[str, Any] = {"severity": severity, "code": issue_type, "details": {"text": code}, "diagnostics": text}
    if place:
        issue["expression"] = [place]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def joined(outcomes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Several OperationOutcomes as one."""
    return {"resourceType": "OperationOutcome", "issue": [issue for outcome in outcomes for issue in outcome["issue"]]}
