"""The queries of each dialect stay within what servers and gateways take."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from cds_service.dialects import DIALECTS
from cds_service.fhir.search import resolved, searches
from tests import build
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


@pytest.mark.parametrize("odd", ["p1&code=a", "p1%26code=a", "..%2F..", "p1|x", "p1,p2", "p 1", "p1#x", "ü", "a/b?c=d"])
def test_takes_a_patient_id_for_nothing_else(odd):
    """What has a meaning in a URL has none in an id: the query keeps its parameters, and the id comes out as it went in."""
    template = str(searches(build.KNOWLEDGE)["bloodCounts"])
    path, _, query = resolved(template, odd).partition("?")
    parameters = parse_qsl(query, strict_parsing=True)

    assert "Observation" == path
    assert ["patient", "code", "_sort", "_count"] == [name for name, _ in parameters]
    assert odd == dict(parameters)["patient"]
