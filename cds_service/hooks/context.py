"""What every hook has: a name, a schema, and the way from its context to the patient it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cds_service.record.facts import Issue


class HookContext(NamedTuple):
    """The patient a hook is about, and what was odd about its context."""

    patient_id: str
    issues: tuple[Issue, ...] = ()


class Hook(NamedTuple):
    """One hook of the CDS Hooks library."""

    name: str
    schema: str
    parse_context: Callable[[Mapping[str, Any]], HookContext]
