"""Signs of the disease put into charts of others, and the card that must come of them by the definition of the tiers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests import build
from tests.integration.calls import Call

PLATELETS = 120.0


def with_signs(call: Call, platelets: float | None = PLATELETS) -> Call:
    """The same call for a patient who has polychondritis, a high MCV, a high CRP and, if given, low platelets too."""
    on, subject = call.day.isoformat(), build.subject(call.patient_id)
    signs = {
        "conditions": [build.condition("M94.1", on, id="sign-chondritis", subject=subject)],
        "bloodCounts": [build.mcv(108, on=on, id="sign-mcv", subject=subject)],
        "inflammation": [build.crp(60, on=on, id="sign-crp", subject=subject)],
    }
    if platelets is not None:
        signs["bloodCounts"].append(build.platelets(platelets, on=on, id="sign-platelets", subject=subject))
    prefetch = {**call.prefetch, **{key: _more(call.prefetch.get(key), found) for key, found in signs.items()}}
    return call._replace(way=f"{call.way}, with signs", prefetch=prefetch)


def _more(bundle: dict[str, Any] | None, found: list[dict[str, Any]]) -> dict[str, Any]:
    before = bundle or build.bundle()
    return {**before, "entry": [*(before.get("entry") or ()), *({"resource": one} for one in found)]}


def expected_topics(sex: str | None, age: int | None, platelets: float) -> tuple[str, ...]:
    """The card for polychondritis, MCV 108 and CRP 60: criteria a, e, k and l of the tiers, for those who have nothing else."""
    if sex == "male" and age is not None and age >= 18 and platelets < 200:
        return ("vexas-test-uba1",)
    if sex == "female":
        return ("vexas-consider",) if age is not None and age >= 50 else ()
    if age is None or 40 <= age < 50:
        return ("vexas-consider",)
    return ("vexas-test-uba1",) if age >= 50 else ()


def age_of(patient: dict[str, Any], day: dt.date) -> int | None:
    """Completed years of a raw Patient on a day; a year counts as its 1 July, a month as its 15th."""
    text = patient.get("birthDate")
    if not text:
        return None
    whole = text[:10] if len(text) >= 10 else {4: f"{text}-07-01", 7: f"{text}-15"}[len(text)]
    born = dt.date.fromisoformat(whole)
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
