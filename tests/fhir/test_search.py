"""The queries of each dialect stay within what servers and gateways take."""

from __future__ import annotations

import pytest

from cds_service.dialects import DIALECTS
from cds_service.fhir.search import resolved, searches
from tests.fixtures_.charts import KNOWLEDGE

MOST_CODES, LONGEST = 20, 1800


@pytest.mark.parametrize("dialect", DIALECTS)
def test_asks_for_few_codes_at_a_time(dialect):
    """No query asks for more than 20 codes, or is longer than 1,800 characters with the longest patient id."""
    for search in searches(KNOWLEDGE, DIALECTS[dialect]).values():
        assert len((search.get("code") or "").split(",")) <= MOST_CODES
        assert len(resolved(str(search), "x" * 64)) <= LONGEST


@pytest.mark.parametrize("dialect", DIALECTS)
def test_asks_for_one_patient_alone(dialect):
    """Every query names the patient, once."""
    for search in searches(KNOWLEDGE, DIALECTS[dialect]).values():
        assert 1 == str(search).count("{{context.patientId}}")
        assert "{" not in resolved(str(search), "p1")
