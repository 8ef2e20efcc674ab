"""Whose data it is: only what names the patient of the request counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from cds_service.fhir.resources import Reference

_PATIENT = re.compile(r"(?:https?://[^?#\s]+/)?Patient/([^/?#\s]+)(?:/_history/[^/?#\s]+)?/?")


class Subject:
    """The patient of a request, in every way a chart may refer to it.

    `entries` are those of Patients; a chart may refer to them by their full URL.
    """

    def __init__(self, patient_id: str, entries: Iterable[Any] = ()) -> None:
        self.patient_id = patient_id
        self.reference = f"Patient/{patient_id}"
        named = [e for e in entries if e.fullUrl and e.fullUrl[:4].lower() == "urn:"]
        mine = {e.fullUrl.lower() for e in named if e.resource.id == patient_id}
        others = {e.fullUrl.lower() for e in named if e.resource.id != patient_id}
        self._names = ({self.reference, f"urn:uuid:{patient_id.lower()}"} | mine) - others

    def is_meant_by(self, reference: Reference | None) -> bool | None:
        """True for this patient, False for another one, None when nobody is named."""
        if reference is None or not reference.reference:
            return None
        text = reference.reference.strip()
        if text in self._names or text.lower() in self._names:
            return True
        match = _PATIENT.fullmatch(text)
        return match is not None and match.group(1) == self.patient_id
