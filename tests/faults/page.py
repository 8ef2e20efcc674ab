"""The matrix as a page: for each fault and fullness of the prefetch the kind of answer and the longest time that it took."""

from __future__ import annotations

from collections.abc import Mapping

from tests.docs.pages import ROOT
from tests.faults import matrix

PAGE = ROOT / "docs" / "faults.md"
WORDS = {
    "card": "the card",
    "gaps": "the card, and what is missing",
    "none": "no card, and what is missing",
    "412": "412, and why",
}
_TIMES = 3


def measured() -> Mapping[tuple[str, str], matrix.Cell]:
    """Each cell as the slowest of several calls, with the deadline that the service has by default."""
    found: dict[tuple[str, str], matrix.Cell] = {}
    for row in matrix.EXPECTED:
        for mode in matrix.MODES:
            with matrix.server_that(row["fault"]) as base:
                service = matrix.service_for(base, deadline=2.0)
                cells = [matrix.asked(service, matrix.call_for(base, mode)) for _ in range(_TIMES)]
                service.fallback.close()
            found[row["fault"], mode] = max(cells, key=lambda cell: cell.seconds)
    return found


def page(cells: Mapping[tuple[str, str], matrix.Cell]) -> str:
    """The page of all cells."""
    rows = [f"| {row['fault']} | {' | '.join(_cell(cells[row['fault'], mode]) for mode in matrix.MODES)} |" for row in matrix.EXPECTED]
    table = "\n".join(["| the FHIR server | full prefetch | partial | none |", "|---|---|---|---|", *rows])
    return f"""<!-- Written by `make docs`; the expectations stand in tests/faults/expected.yaml. -->

# What happens when the EHR's FHIR server fails

The patient's chart gets a card when all of it is there. With a full prefetch the server is not asked. With a partial one the Patient, the problems and the blood counts are sent, and all else is asked. With none everything is.

Each cell says what the answer was and the longest of {_TIMES} calls, in seconds, with the deadline of 2 seconds that the service has by default (queries get nine tenths of it). The kinds were written down by hand before the first run and are checked by every `make test`, as is that no thread, no socket and no memory is left behind; the times are of one run on a shared machine. No answer is ever empty without saying what is missing.

{table}
"""


def _cell(cell: matrix.Cell) -> str:
    return f"{WORDS[cell.kind]} ({cell.seconds:.2f})"


def main() -> None:
    """Measure and write the page."""
    PAGE.write_text(page(measured()), encoding="utf-8")


if __name__ == "__main__":
    main()
