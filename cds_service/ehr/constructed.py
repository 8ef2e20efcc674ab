"""The constructed patients in their folder, each chart moved so that it ends today."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from cds_service.ehr.files import read_json
from cds_service.ehr.prefetch import shifted
from cds_service.errors import UnknownService
from cds_service.record.dates import Day

# The day on which the fixtures are true.
FIXTURE_DAY = dt.date(2026, 11, 22)


def names(folder: Path) -> list[str]:
    """The names of the patients; none where there is no such folder."""
    return sorted(path.stem for path in folder.glob("*.json"))


def chart(folder: Path, name: str, today: Day) -> Any:
    """One patient's Bundle as of a day. Raises UnknownService for a name that is none of them."""
    if name not in names(folder):
        raise UnknownService("There is no constructed patient of this name. GET /evidence lists them.")
    return shifted(read_json(folder / f"{name}.json"), (today - FIXTURE_DAY).days)
