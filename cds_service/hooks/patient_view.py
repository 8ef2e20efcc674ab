"""patient-view: a clinician opens a chart (CDS Hooks library, hook version 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from cds_service.hooks.context import Hook, HookContext
from cds_service.record.facts import Issue


class Context(msgspec.Struct, gc=False):
    """userId and patientId, and where known encounterId."""

    userId: Annotated[str, msgspec.Meta(pattern=r"^(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9.-]{1,64}\Z")]  # noqa: N815
    patientId: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,64}\Z")]  # noqa: N815
    encounterId: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,64}\Z")] | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    extension: msgspec.UnsetType = msgspec.UNSET


def parse_context(context: Mapping[str, Any]) -> HookContext:
    """The patient of the chart. Some clients send Patient/id where the standard has the bare id."""
    raw = str(context["patientId"])
    patient_id = raw.removeprefix("Patient/")
    issues = () if patient_id == raw else (Issue("information", "context.patientId is given as Patient/id", "Send the bare id, as the hook asks."),)
    return HookContext(patient_id, issues)


HOOK = Hook("patient-view", "hook-request.patient-view.schema.json", Context, parse_context)
