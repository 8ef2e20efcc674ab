"""The page of the fault matrix has every cell, and what it says is what is expected."""

from __future__ import annotations

import re

from tests.faults import matrix
from tests.faults.page import PAGE, WORDS


def test_shows_the_expected_kind_in_every_cell():
    """Each row of the page is a fault, and each cell one of the kinds that were written down for it, within the deadline."""
    rows = [re.split(r" *\| *", line.strip("| ")) for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    shown = {
        (row[0], mode): re.fullmatch(r"(.+) \((\d\.\d\d)\)", cell).groups() for row in rows for mode, cell in zip(matrix.MODES, row[1:], strict=True)
    }

    assert [row["fault"] for row in matrix.EXPECTED] == [row[0] for row in rows]
    for row in matrix.EXPECTED:
        for mode in matrix.MODES:
            kind, seconds = shown[row["fault"], mode]
            assert kind in {WORDS[word] for word in str(row[mode]).split(" or ")}
            assert float(seconds) <= 2.0
