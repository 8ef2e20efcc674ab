"""Which resource a reference inside a chart means: by type and id, by the full URL of its Bundle entry, or by its place in another."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from cds_service.record.facts import Report


class Links:
    """The names that resources have in the references of others."""

    def __init__(self) -> None:
        self._urls: dict[str, set[str]] = {}

    def add(self, full_url: str | None, kind: type[Any], identity: str) -> None:
        """Remember under which full URL a resource came; only a urn says more than type and id."""
        if full_url and full_url[:4].lower() == "urn:":
            self._urls.setdefault(full_url.lower(), set()).add(name_of(kind, identity))

    def linked(self, report: Report, name: str, holder: str) -> Report:
        """A report with its own name and the names of those it refers to; `holder` is the resource that what is contained stands in."""
        if not (report.derived_from or report.members or name != report.ref):
            return report
        derived = tuple(self._target(reference, holder) for reference in report.derived_from)
        members = tuple(self._target(reference, holder) for reference in report.members)
        return structs.replace(report, name=name, derived_from=derived, members=members)

    def _target(self, reference: str, holder: str) -> str:
        """The name that a reference means; a full URL that stands for two resources means neither."""
        if reference.startswith("#"):
            return f"{holder}{reference}"
        if reference[:4].lower() == "urn:":
            found = self._urls.get(reference.lower(), ())
            return next(iter(found)) if len(found) == 1 else reference
        parts = reference.split("/_history/", maxsplit=1)[0].rstrip("/").split("/")
        return "/".join(parts[-2:])


def name_of(kind: type[Any], identity: str) -> str:
    """The name of a resource: its type and its id, or what it has instead of one."""
    return f"{kind.__name__}/{identity}"
