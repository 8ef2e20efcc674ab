"""The cases of the shipped module all hold."""

from __future__ import annotations

from cds_service.reasoning import casebook
from tests.reasoning.charts import KNOWLEDGE


def test_holds_in_every_case():
    """Every case of the shipped module comes out as it says; the first that does not is named."""
    wrong = next(((outcome.place, outcome.faults) for outcome in casebook.run(KNOWLEDGE) if outcome.faults), None)

    assert wrong is None
