"""Numbers as charts write them in words; whatever is not plainly one number is none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.resources import Quantity, Range
from cds_service.fhir.values import Number, of_quantity, of_text, upper_limit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("104 fL", Number(104, "", "fL")),
        ("104fL", Number(104, "", "fL")),
        (" 104 ", Number(104, "", "")),
        ("104.5", Number(104.5, "", "")),
        ("<0.5", Number(0.5, "<", "")),
        ("< 0.5 mg/L", Number(0.5, "<", "mg/L")),
        ("<=5 mg/L", Number(5, "<=", "mg/L")),
        (">=200", Number(200, ">=", "")),
        ("GT 45", Number(45, ">", "")),
        ("gt45 mg/L", Number(45, ">", "mg/L")),
        ("LT 3 mg/L", Number(3, "<", "mg/L")),
        ("4,5 mg/L", Number(4.5, "", "mg/L")),
        ("38 %", Number(38, "", "%")),
        ("12 x10E3/uL", Number(12, "", "x10E3/uL")),
        ("250 10*9/L", Number(250, "", "10*9/L")),
        ("85 cu um", Number(85, "", "cu um")),
        ("0", Number(0, "", "")),
    ],
)
def test_reads_a_plain_number(text, expected):
    """A number with its comparator and unit is read, with a decimal point or comma."""
    found = of_text(text)

    assert expected == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "see note",
        "pending",
        "1,234",
        "1,234 10*3/uL",
        "12,345,678",
        "1.2.3",
        "1-2",
        "10 - 20 mg/L",
        "<",
        "fL",
        "-5",
        "+",
        "+++",
        "1/160",
        "1:160",
        "5 < 10",
        "104 fL 105 fL",
        "\u0661\u0660\u0664 fL",
        "\uff11\uff10\uff14",
        "\u00b2",
        "NaN",
        "Infinity",
        "1" * 1_000_000,
        "104 " + "x" * 1_000_000,
        " " * 1_000_000,
    ],
)
def test_takes_no_other_text_for_a_number(text):
    """Thousands that may be fractions, ranges, titres, foreign digits and endless texts are never guessed at."""
    found = of_text(text)

    assert found is None


@given(st.text(max_size=200))
def test_never_fails_on_any_text(text):
    """Any text is a number or none."""
    found = of_text(text)

    assert found is None or found.value >= 0


def test_reads_a_million_characters_in_no_time():
    """A hostile text costs no more than its first characters."""
    started = time.perf_counter()

    for _ in range(100):
        of_text("1" * 1_000_000)

    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (Quantity(value=104, unit="femtoliter", code="fL"), Number(104, "", "fL")),
        (Quantity(value=104, unit=" fL "), Number(104, "", "fL")),
        (Quantity(value=104), Number(104, "", "")),
        (Quantity(value=0.5, comparator="<", unit="mg/L"), Number(0.5, "<", "mg/L")),
        (Quantity(value=5, comparator="ad", unit="mg/L"), None),
        (Quantity(value=5, comparator="~", unit="mg/L"), None),
        (Quantity(unit="mg/L"), None),
    ],
)
def test_reads_a_quantity_by_its_code(quantity, expected):
    """The UCUM code names the unit, else the unit as written; an unknown comparator makes the number useless."""
    found = of_quantity(quantity)

    assert expected == found


@pytest.mark.parametrize(
    ("ranges", "unit", "expected"),
    [
        (None, "U/L", None),
        ([], "U/L", None),
        ([Range(high=Quantity(value=50, unit="U/L"))], "U/L", 50),
        ([Range(high=Quantity(value=50, code="U/L", unit="units"))], "u/l", 50),
        ([Range(high=Quantity(value=50))], "U/L", 50),
        ([Range(), Range(high=Quantity(value=60, unit="U/L"))], "U/L", 60),
        ([Range(high=Quantity(value=0.8, unit="ukat/L"))], "U/L", None),
        ([Range(high=Quantity(value=0, unit="U/L"))], "U/L", None),
        ([Range(high=Quantity(value=-1, unit="U/L"))], "U/L", None),
        ([Range(high=Quantity(value=0)), Range(high=Quantity(value=40))], "U/L", 40),
    ],
)
def test_takes_an_upper_limit_only_in_the_same_unit(ranges, unit, expected):
    """The laboratory's range helps only where it is given in the unit of the result; a limit of 0 is a placeholder."""
    found = upper_limit(ranges, unit)

    assert expected == found
