"""The table of OWASP ASVS is whole, in order and honest: each row has a proof that is there, or a reason."""

from __future__ import annotations

import pytest

from tests.conformance.asvs import COUNTED, OWED, Row, faults, read_rows, section

THIS = "tests/conformance/test_asvs.py"


def faults_with(**members: str) -> list[str]:
    """The faults of the table when its first row has other members."""
    first, *others = read_rows()
    return list(faults([first._replace(**members), *others]))


def test_has_a_proof_or_a_reason_for_every_requirement():
    """Ids in order and once, levels 1 and 2, as many rows in each chapter as the standard has, and nothing that is not there."""
    assert [] == list(faults(read_rows()))


def test_counts_as_the_standard_does():
    """Of the standard's 345 requirements 70 are of level 1 and 183 of level 2."""
    assert (70, 183) == tuple(sum(numbers) for numbers in zip(*COUNTED.values(), strict=True))


def test_shows_everything_that_is_owed():
    """The page has each row that is owed or proved in part, with its note."""
    shown = section(read_rows())

    missing = [
        row.id for row in read_rows() if row.status in (OWED, "partly") and f"| {row.id} | {row.level} | {row.subject} | {row.note} |" not in shown
    ]

    assert [] == missing


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": "1.1.2"}, "An id is none, stands twice or out of order."),
        ({"id": "V1.1.1"}, "An id is none, stands twice or out of order."),
        ({"level": "1"}, "The standard has"),
        ({"level": "3"}, "The standard has"),
        ({"status": "done"}, "1.1.1: status 'done'"),
        ({"subject": ""}, "1.1.1: status"),
        ({"tests": ""}, "1.1.1: it is said to be proved and names no test."),
        ({"status": "partly", "tests": ""}, "1.1.1: it is said to be proved and names no test."),
        ({"status": "partly", "note": ""}, "1.1.1: it has no note."),
        ({"status": "not applicable", "note": ""}, "1.1.1: it has no note."),
        ({"status": "owed", "note": "Not yet."}, "1.1.1: it is owed and names tests."),
        ({"status": "by design", "note": "It is so."}, "1.1.1: its note names no file."),
        ({"status": "operator", "note": "The proxy."}, "1.1.1: its note names no file."),
        ({"tests": f"{THIS}::test_that_is_none"}, f"1.1.1: {THIS}::test_that_is_none is no test."),
        ({"tests": f"{THIS}::faults_with"}, f"1.1.1: {THIS}::faults_with is no test."),
        ({"tests": "tests/conformance/test_none.py"}, "1.1.1: tests/conformance/test_none.py is no test."),
        ({"tests": "tests/build.py"}, "1.1.1: tests/build.py is no test."),
        ({"note": "See `docs/none.md`."}, "1.1.1: `docs/none.md` is no file."),
    ],
)
def test_finds_what_does_not_hold(members, expected):
    """Each kind of dishonesty is a fault that is told."""
    assert faults_with(**members)[0].startswith(expected)


def test_finds_a_row_that_is_missing():
    """A requirement that is left out is missed in its chapter."""
    [fault] = faults(read_rows()[1:])

    assert fault.startswith("The standard has")


def test_takes_a_row_with_two_proofs():
    """A file and a test of it may stand beside each other."""
    assert [] == faults_with(tests=f"{THIS}; {THIS}::test_takes_a_row_with_two_proofs")
    assert [THIS, f"{THIS}::test_x"] == Row("1.1.1", "1", "x", "proved", f"{THIS}; {THIS}::test_x", "").proofs
