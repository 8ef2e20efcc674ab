"""Writes a synthetic population, one patient a line; run by the environment that has carebundle, never by the tests themselves."""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from carebundle import Imperfection, generate_cohort, inject_defects, to_json

SEED = 20261122
MIX = {"healthy": 0.40, "hypertension": 0.25, "type2_diabetes": 0.15, "ckd_stage3": 0.10, "anaemia": 0.10}
DEFECTS = Imperfection(missing_field=0.1, duplicate_entry=0.05, out_of_order_timestamp=0.05, unparseable_value=0.1, unknown_code_system=0.05)


def population(count: int, day: date) -> Iterator[dict[str, Any]]:
    """Each patient's chart as it was generated, and once more with carebundle's own defects."""
    for index, bundle in enumerate(generate_cohort(count=count, seed=SEED, prevalence=MIX, age_range=(18, 95), reference_date=day)):
        clean = json.loads(to_json(bundle))
        dirty, defects = inject_defects(clean, DEFECTS, seed=SEED + index)
        yield {"clean": clean, "dirty": dirty, "defects": [defect.kind for defect in defects]}


def main() -> None:
    """Write the population to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--day", type=date.fromisoformat, required=True)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    with gzip.open(options.file, "wt", compresslevel=1, encoding="utf-8") as lines:
        for chart in population(options.count, options.day):
            lines.write(json.dumps(chart, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
