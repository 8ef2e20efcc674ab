"""Units as laboratories write them: every spelling leads to one canonical unit, an unknown one to nothing."""

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.loader import load
from cds_service.knowledge.model import Plausible, Quantity
from cds_service.knowledge.units import UnitTable, spelling


@pytest.fixture(scope="module")
def units():
    """The unit table of the shipped module."""
    return load().units


CELLS = [
    "10*9/L", "10^9/L", "x10^9/L", "x 10^9/L", "x10E9/L", "\u00d710^9/L", "10*3/uL", "10^3/uL", "x10^3/uL", "x10E3/uL", "X10E3/UL", "10e3/uL",
    "10*3/\u00b5L", "10^3/\u03bcL", "10*3/mcL", "K/uL", "K/ul", "K/\u00b5L", "k/mcl", "K/mm3", "K/cumm", "Thou/uL", "thou/mcL", "Th/uL", "G/L", "/nL",
    "10*3/mm3", "10^3/mm^3", "thousand/uL", "{10*3}/uL"[0:0] + "10*3/uL{cells}", "10*9/L {WBC}",
]  # fmt: skip
SINGLE = ["/uL", "/ul", "/\u00b5L", "/mcL", "/mm3", "/mm^3", "/cumm", "/cu mm", "cells/uL", "cells/mcL", "cells/mm3", "10*6/L", "x10^6/L"]


@pytest.mark.parametrize(
    ("quantity", "unit", "factor"),
    [
        *(("cells", unit, 1) for unit in CELLS),
        *(("cells", unit, 0.001) for unit in SINGLE),
        ("hemoglobin", "g/dL", 1),
        ("hemoglobin", "g/dl", 1),
        ("hemoglobin", "G/DL", 1),
        ("hemoglobin", "gm/dL", 1),
        ("hemoglobin", "g/L", 0.1),
        ("hemoglobin", "mmol/L", 1.611),
        ("c-reactive-protein", "mg/L", 1),
        ("c-reactive-protein", "mg/dL", 10),
        ("c-reactive-protein", "\u00b5g/mL", 1),
        ("mean-corpuscular-volume", "fL", 1),
        ("mean-corpuscular-volume", "fl", 1),
        ("mean-corpuscular-volume", "um3", 1),
        ("mean-corpuscular-volume", "\u00b5m^3", 1),
        ("mean-corpuscular-volume", "cu um", 1),
        ("sedimentation-rate", "mm/hr", 1),
        ("sedimentation-rate", "mm/h", 1),
        ("sedimentation-rate", "mm / hr", 1),
        ("vitamin-b12", "pg/mL", 1),
        ("vitamin-b12", "pmol/L", 1.355),
        ("thyrotropin", "mIU/L", 1),
        ("thyrotropin", "\u03bcIU/mL", 1),
        ("thyrotropin", "m[IU]/L", 1),
        ("body-weight", "kg", 1),
        ("body-weight", "[lb_av]", 0.45359237),
        ("temperature", "Cel", 1),
        ("temperature", "\u00b0C", 1),
        ("percentage", "%", 1),
    ],
)
def test_knows_the_unit_however_it_is_spelt(units, quantity, unit, factor):
    """Case, blanks, the sign for micro, the sign for powers and annotations make no difference."""
    found = units.factor(quantity, unit)

    assert factor == found


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [
        ("cells", ""),
        ("cells", "furlong"),
        ("cells", "10*12/L"),
        ("cells", "%"),
        ("cells", "L"),
        ("hemoglobin", "fL"),
        ("hemoglobin", "mg/dL"),
        ("c-reactive-protein", "g/L"),
        ("c-reactive-protein", "mg"),
        ("temperature", "[degF]"),
        ("unicorn", "fL"),
        ("cells", "{cells}"),
        ("cells", "10*9/L" * 50_000),
    ],
)
def test_never_guesses_an_unknown_unit(units, quantity, unit):
    """A unit that is not in the table, or not of this quantity, has no factor."""
    found = units.factor(quantity, unit)

    assert found is None


@pytest.mark.parametrize(("left", "right"), [("10*3/\u00b5L", "10*3/\u03bcL"), ("10^9/L", "10*9/l"), ("g / dL", "G/DL"), ("10*9/L{cells}", "10*9/L")])
def test_has_one_spelling_for_one_unit(left, right):
    """Two ways of writing a unit come to the same spelling."""
    assert spelling(left) == spelling(right)


@pytest.mark.parametrize(
    ("factors", "remedy"),
    [({"mL": 0.001}, "Add it"), ({"L": 1, "uX": 1, "\u00b5X": 2}, "Keep one"), ({"L": 2}, "Add it")],
)
def test_refuses_a_table_that_contradicts_itself(factors, remedy):
    """A quantity has factor 1 for its own unit, and one factor for each spelling."""
    quantity = Quantity(id="luck", unit="L", plausible=Plausible(low=0, high=1), factors=factors)

    with pytest.raises(KnowledgeError, match=remedy):
        UnitTable({"luck": quantity})


def test_holds_a_factor_for_every_canonical_unit(units):
    """Every quantity of the shipped module reads its own unit as it is."""
    knowledge = load()

    factors = {name: units.factor(name, quantity.unit) for name, quantity in knowledge.quantities.items()}

    assert dict.fromkeys(knowledge.quantities, 1) == factors
