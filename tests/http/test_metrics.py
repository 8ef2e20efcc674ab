"""What Prometheus reads: calls, missing data, refusals, feedback and losses, and nothing of a person."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app

MARK = "Mark-of-Somebody"


@pytest.fixture
def client():
    """A fresh service."""
    return checked_app(Settings(), lambda: build.TODAY).test_client()


def samples(client):
    """Every sample by its name and labels."""
    text = client.get("/metrics").get_data(as_text=True)
    return {(s.name, *sorted(s.labels.values())): s.value for family in text_string_to_metric_families(text) for s in family.samples}


def test_counts_calls_by_what_they_led_to(client):
    """Two calls with a card and one without; each stands in the histogram once."""
    for number, chart in enumerate((build.suspect(), build.suspect(), build.healthy())):
        client.post(build.SERVICE, json=build.request(chart, hookInstance=f"{build.CALL[:-1]}{number}"))

    found = samples(client)

    assert (2, 1) == (found["cds_calls_total", "open", "shown"], found["cds_calls_total", "nothing", "open"])
    assert 3 == found["cds_call_duration_seconds_count", "open"] == found["cds_call_duration_seconds_bucket", "+Inf", "open"]
    assert 0 < found["cds_call_duration_seconds_sum", "open"]


def test_counts_data_that_were_not_there(client):
    """A key that the EHR could not fill is counted by its kind of data."""
    client.post(build.SERVICE, json=build.request({**build.suspect(), "bloodCounts": build.outcome()}))

    assert 1 == samples(client)["cds_data_missing_total", "blood-counts", "open", "unavailable"]


def test_counts_refusals_by_their_code(client):
    """A body that is no request, and a service that is none."""
    client.post(build.SERVICE, data=b"{", content_type="application/json")
    client.post("/cds-services/none", json=build.request(build.healthy()))

    found = samples(client)

    assert (1, 1) == (found["cds_calls_refused_total", "malformed-body"], found["cds_calls_refused_total", "unknown-service"])


def test_counts_entries_of_feedback(client):
    """One that is stored, the same again, and one about a card that is none."""
    (card,) = client.post(build.SERVICE, json=build.request(build.suspect())).json["cards"]
    entry = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": f"{build.TODAY}T08:00:00Z"}
    for entries in ([entry], [entry, {**entry, "card": build.OTHER_CALL}]):
        client.post(f"{build.SERVICE}/feedback", json={"feedback": entries})

    found = samples(client)

    assert [1, 1, 1] == [found["cds_feedback_total", result] for result in ("stored", "known", "refused")]


def test_says_that_nothing_was_lost(client):
    """The loss of decisions is always there to be watched."""
    assert 0 == samples(client)["cds_decisions_lost_total",]


def test_names_nobody(client):
    """A patient's id, a service id and a server that callers make up reach no label."""
    request = build.request({**build.healthy(), "patient": build.patient(id=MARK)}, context={"userId": MARK, "patientId": MARK})
    client.post(build.SERVICE, json={**request, "fhirServer": f"https://{MARK}.example.org"})
    client.post(f"/cds-services/{MARK}", json=request)

    assert MARK.lower() not in client.get("/metrics").get_data(as_text=True).lower()
