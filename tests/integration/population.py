"""A synthetic population by carebundle: generated once in an environment of its own, then turned into hook calls."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cds_service.ehr.prefetch import hook_request
from cds_service.record.dates import age_on
from tests import build
from tests.integration.calls import Call
from tests.integration.packages import CACHE, Unfetchable

PATIENTS = 2_000
VISIT = dt.date(2026, 11, 20)
HERE = Path(__file__).parent
_PINNED, _GENERATOR = HERE / "carebundle.txt", HERE / "generate.py"


class Person(NamedTuple):
    """One generated patient: the chart, the same chart with defects, and what the raw chart says of what decides."""

    clean: dict[str, Any]
    dirty: dict[str, Any]
    defects: tuple[str, ...]

    @property
    def patient(self) -> dict[str, Any]:
        """The raw Patient."""
        return dict(next(e["resource"] for e in self.clean["entry"] if e["resource"]["resourceType"] == "Patient"))

    @property
    def age(self) -> int:
        """Completed years on the day of the calls."""
        return age_on(dt.date.fromisoformat(self.patient["birthDate"]), build.TODAY)

    @property
    def codes(self) -> set[str]:
        """The codes of the raw chart's conditions."""
        conditions = [e["resource"] for e in self.clean["entry"] if e["resource"]["resourceType"] == "Condition"]
        return {coding["code"] for condition in conditions for coding in condition["code"]["coding"]}

    def value(self, loinc: str) -> float | None:
        """The number of a LOINC code in the raw chart."""
        for resource in (e["resource"] for e in self.clean["entry"]):
            if resource["resourceType"] == "Observation" and resource["code"]["coding"][0]["code"] == loinc:
                return float(resource["valueQuantity"]["value"])
        return None


def population() -> Iterator[Person]:
    """Every patient, generated on the first run and read from the cache after that. Raises Unfetchable."""
    recipe = hashlib.sha256(_PINNED.read_bytes() + _GENERATOR.read_bytes() + f"{PATIENTS} {VISIT}".encode()).hexdigest()[:12]
    file = CACHE / f"population-{recipe}.ndjson.gz"
    if not file.exists():
        _generate(file)
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            chart = json.loads(line)
            yield Person(with_ids(chart["clean"]), with_ids(chart["dirty"]), tuple(chart["defects"]))


def _generate(file: Path) -> None:
    python = _environment()
    fresh = file.with_suffix(".new")
    _run(str(python), str(_GENERATOR), "--count", str(PATIENTS), "--day", VISIT.isoformat(), str(fresh))
    fresh.rename(file)


def _environment() -> Path:
    """The Python of an environment that holds carebundle and nothing of ours."""
    name = hashlib.sha256(_PINNED.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"carebundle-{name}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r", str(_PINNED))
        (folder / "complete").touch()
    return python


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if ran.returncode:
        raise Unfetchable(f"{' '.join(command[1:4])} failed: {ran.stderr.strip()[-500:]}")


def with_ids(bundle: dict[str, Any]) -> dict[str, Any]:
    """The transaction as a server keeps it: each resource has the id of its fullUrl; references stay as they were."""
    entries = [{**e, "resource": {**e["resource"], "id": e["fullUrl"].removeprefix("urn:uuid:")}} for e in bundle["entry"]]
    return {**bundle, "entry": entries}


def call_of(bundle: dict[str, Any], way: str) -> Call:
    """The hook call that an EHR with this chart would make."""
    request = hook_request(bundle, build.TEMPLATES, "patient-view", build.CALL)
    patient_id = request["context"]["patientId"]
    return Call(way, f"carebundle Patient/{patient_id}", build.TODAY, request["prefetch"], patient_id)
