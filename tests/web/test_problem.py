"""The page of an error: for people who asked for a page, and for nobody else."""

from __future__ import annotations

import re

import pytest

from cds_service.settings import Settings
from tests import build
from tests.fakes import BrokenClock, checked_app
from tests.web.screen import browser

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
WORDS = "<b>words of a patient</b>"


@pytest.mark.parametrize("path", ["/nothing", "/about/red-flags/nothing", "/about/nothing/nothing", "/about/value-sets/nothing", "/evidence/nothing"])
def test_leads_on_from_where_nothing_is(app, path):
    """A wrong address shows a page that says so and leads to another."""
    answer = browser(app).get(path, headers=BROWSER)

    assert (404, "text/html") == (answer.status_code, answer.mimetype)
    assert "There is no such page" in answer.text or "Nothing can be shown" in answer.text
    assert re.search(r'<a href="/(evidence)?">', answer.text)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/evidence/test-sweet-macrocytosis", "/governance", "/simulator"])
def test_tells_a_defect_by_its_reference(path, log):
    """A page that fails says so, with the reference that stands in the log, and repeats no word of the error."""
    app = checked_app(Settings(), BrokenClock(WORDS))

    answer = browser(app).get(path, headers=BROWSER)

    (reference,) = re.findall(r"Reference (\w{32})", answer.text)
    assert (500, "text/html", False) == (answer.status_code, answer.mimetype, "words of" in answer.text)
    assert any(reference in line and "RuntimeError" in line for line in log.lines)
    assert [] == [line for line in log.lines if "words of" in line]


def test_tells_which_methods_a_page_takes(app):
    """A form that is sent to a page that takes none gets a page, with the methods that it takes."""
    answer = browser(app).post("/about", headers=BROWSER)

    assert (405, "text/html") == (answer.status_code, answer.mimetype)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("accepted", ["*/*", "application/json", "application/fhir+json", "application/json, text/html", ""])
def test_is_for_nobody_who_prefers_data(app, accepted):
    """A program gets an OperationOutcome, whatever the path."""
    answer = app.test_client().get("/nothing", headers={"Accept": accepted})

    assert (404, "OperationOutcome") == (answer.status_code, answer.json["resourceType"])


def test_is_for_no_call(app):
    """A call is answered as a call, whatever it says that it would like."""
    client = app.test_client()

    answers = [
        client.post("/cds-services/nothing", json={}, headers=BROWSER),
        client.post(build.SERVICE, json={}, headers=BROWSER),
        client.post(f"{build.SERVICE}/feedback", json={}, headers=BROWSER),
        client.get(build.SERVICE, headers=BROWSER),
        client.post("/livez", headers=BROWSER),
        client.get("/metrics/nothing", headers=BROWSER),
    ]

    assert [404, 400, 400, 405, 405, 404] == [a.status_code for a in answers]
    assert {"application/json"} == {a.mimetype for a in answers}
