"""Whose data it is: only what names the patient of the request counts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cds_service.fhir.prefetch import Entry
from cds_service.fhir.resources import Reference

_PATIENT = re.compile(r"(?:https?://[^?#\s]+/)?Patient/([^/?#\s]+)(?:/_history/[^/?#\s]+)?/?")


class Subject:
    """The patient of a request, in every way a chart may refer to it."""

    def __init__(self, patient_id: str, entries: Iterable[Entry] = ()) -> None:
        self.patient_id = patient_id
        entries = [e for e in entries if e.kind == "Patient" and e.full_url and e.full_url.startswith("urn:uuid:")]
        mine = {e.full_url.lower() for e in entries if e.full_url and e.id == patient_id}
        others = {e.full_url.lower() for e in entries if e.full_url and e.id != patient_id}
        self._names = ({f"Patient/{patient_id}", f"urn:uuid:{patient_id.lower()}"} | mine) - others

    def is_meant_by(self, reference: Reference | None) -> bool | None:
        """True for this patient, False for another one, None when nobody is named."""
        if reference is None or not reference.reference:
            return None
        text = reference.reference.strip()
        if text in self._names or text.lower() in self._names:
            return True
        match = _PATIENT.fullmatch(text)
        return match is not None and match.group(1) == self.patient_id
