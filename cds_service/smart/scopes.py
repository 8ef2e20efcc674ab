"""What the app asks for, as little as it needs, and what it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from cds_service.fhir.prefetch import Ask, Fetched
from cds_service.knowledge.model import Requirement
from cds_service.record.facts import Issue, Source
from cds_service.trust.app import App

_FIRST = {"read": "rs", "*": "cruds", "write": "cud"}  # the permissions of SMART 1 in the letters of SMART 2


class Given(Enum):
    """How far a kind of resource may be read."""

    WHOLE = "whole"
    PART = "part"  # only where a query of the scope fits, so what is not there is not known
    NOT = "not"


def wanted(app: App, requirements: Iterable[Requirement], *, launched: bool, first: bool) -> str:
    """The scopes to ask for; `launched` by an EHR or alone, in the form of the `first` SMART or the second."""
    kinds = sorted({r.resource for r in requirements})
    reads = app.scopes or tuple(f"patient/{kind}.{'read' if first else 'rs'}" for kind in kinds)
    return " ".join(("launch" if launched else "launch/patient", *(("openid", "fhirUser") if app.openid else ()), *reads))


def given(scopes: str, kinds: Iterable[str]) -> Mapping[str, Given]:
    """How far each kind of resource may be read by what was granted."""
    parts = [part for scope in scopes.split() if (part := _read(scope))]
    return {kind: _of(kind, parts) for kind in kinds}


def _read(scope: str) -> tuple[str, str, bool] | None:
    """The kind, the permissions and whether a query narrows them."""
    plain, _, query = scope.partition("?")
    level, slash, rest = plain.partition("/")
    kind, dot, letters = rest.partition(".")
    if not slash or not dot or level not in ("patient", "user", "system"):
        return None
    return kind, _FIRST.get(letters, letters), bool(query)


def _of(kind: str, parts: Iterable[tuple[str, str, bool]]) -> Given:
    needed = "r" if kind == "Patient" else "s"
    mine = {narrowed for name, letters, narrowed in parts if name in (kind, "*") and needed in letters}
    return Given.NOT if not mine else Given.WHOLE if False in mine else Given.PART


def within(ask: Ask, requirements: Mapping[str, Requirement], granted: Mapping[str, Given]) -> Ask:
    """Asks only for what was granted, and says what was not, so that what is unknown is not taken for absent."""

    def asked(wanted: Mapping[str, str | None]) -> Fetched:
        of = {key: granted[requirements[key].resource] for key in wanted}
        brought = ask({key: link for key, link in wanted.items() if of[key] is not Given.NOT})
        found = {
            key: one._replace(source=Source.INCOMPLETE) if of[key] is Given.PART and one.source is Source.READ else one
            for key, one in brought.found.items()
        }
        return Fetched(found, (*brought.issues, *_told(of, requirements)))

    return asked


def _told(of: Mapping[str, Given], requirements: Mapping[str, Requirement]) -> Iterable[Issue]:
    for how, what in ((Given.NOT, "the EHR gave no access to"), (Given.PART, "the EHR gave access to a part only of")):
        kinds = sorted({requirements[key].resource for key, one in of.items() if one is how})
        if kinds:
            yield Issue("warning", f"{what} {', '.join(kinds)}", "Let the EHR grant the scopes that the page asks for.")
