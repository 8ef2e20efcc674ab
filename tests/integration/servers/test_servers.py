"""Real FHIR servers hold a fixture's chart and give it back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests import build
from tests.integration.servers.hapi import built
from tests.integration.servers.process import Unstartable, leash
from tests.integration.servers.upload import FHIR_JSON, put_chart

SERVERS = ("hapi_server", "sekmet_server")
CHART = json.loads((build.FIXTURES / "test-sweet-macrocytosis.json").read_text())
PATIENT = "fx-sweet-macrocytosis"
HEMOGLOBIN, MCV = "718-7", "787-2"
_STARTS_AND_WAITS = """
from tests.integration.servers.sekmet import sekmet
with sekmet() as base:
    print(base, flush=True)
    input()
"""


@pytest.fixture(params=SERVERS)
def base(request: pytest.FixtureRequest) -> str:
    """Each server in turn, with the chart."""
    server = str(request.getfixturevalue(request.param))
    put_chart(server, CHART)
    return server


def pages(url: str) -> Iterator[dict[str, Any]]:
    """A page and all that follow it."""
    following: str | None = url
    while following:
        answer = requests.get(following, headers={"Accept": FHIR_JSON}, timeout=60)
        answer.raise_for_status()
        page = answer.json()
        yield page
        following = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)


def test_gives_back_the_results_of_two_tests_by_pages_newest_first(base):
    """A search by patient and codes finds exactly the fixture's results, two a page, and each next link is to the server itself."""
    codes = f"{build.LOINC}|{HEMOGLOBIN},{build.LOINC}|{MCV}"
    found = list(pages(f"{base}/Observation?patient={PATIENT}&code={codes}&_count=2&_sort=-date"))

    results = [entry["resource"] for page in found for entry in page.get("entry", ())]
    dates = [result["effectiveDateTime"][:10] for result in results]
    assert sorted(result["id"] for result in results) == sorted(_ids({HEMOGLOBIN, MCV}))
    assert dates == sorted(dates, reverse=True)
    assert {2} == {len(page["entry"]) for page in found}
    assert all(link["url"].startswith(base) for page in found for link in page["link"])


def _ids(codes: set[str]) -> Iterator[str]:
    for resource in (entry["resource"] for entry in CHART["entry"]):
        if resource["resourceType"] == "Observation" and any(coding.get("code") in codes for coding in resource["code"].get("coding", ())):
            yield resource["id"]


def test_forgets_what_was_deleted(base):
    """A deleted resource is gone, and says so."""
    person = f"{base}/Patient/someone-else"
    requests.put(person, json={"resourceType": "Patient", "id": "someone-else"}, headers={"Content-Type": FHIR_JSON}, timeout=60).raise_for_status()

    requests.delete(person, timeout=60).raise_for_status()

    assert requests.get(person, timeout=60).status_code == 410


@pytest.mark.parametrize(("missing", "errors"), [(None, []), ("subject", ["ServiceRequest.subject: minimum required = 1, but only found 0"])])
def test_validates_an_order_against_r4(hapi_server, missing, errors):
    """HAPI finds nothing wrong with an order, and names what one lacks."""
    order = {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": {"text": "UBA1"}, "subject": build.subject()}
    sent = {name: value for name, value in order.items() if name != missing}

    answer = requests.post(f"{hapi_server}/ServiceRequest/$validate", json=sent, headers={"Content-Type": FHIR_JSON}, timeout=120)

    issues = answer.json()["issue"]
    assert errors == [issue["diagnostics"].partition(" (from ")[0] for issue in issues if issue["severity"] in ("error", "fatal")]


def test_holds_every_fixture(hapi_server, sekmet_server):
    """Both servers take all the charts and count the same resources of each person."""
    for path in sorted(build.FIXTURES.glob("*.json")):
        bundle = json.loads(path.read_text())
        for server in (hapi_server, sekmet_server):
            put_chart(server, bundle)
        patient = next(e["resource"]["id"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
        counts = {
            requests.get(f"{server}/Observation?patient={patient}&_summary=count", timeout=60).json()["total"]
            for server in (hapi_server, sekmet_server)
        }
        assert len(counts) == 1, path.name


def test_says_what_is_missing(tmp_path):
    """Without Maven, and with nothing in the cache, a sentence says what to install."""
    with pytest.raises(Unstartable, match=r"^mvn was not found, and HAPI needs it\. Install Java 17"):
        built(tmp_path, search=str(tmp_path))


def test_ends_with_the_run_that_started_it(sekmet_server):
    """A server does not outlive a test run that was killed, which takes setpriv of util-linux."""
    assert leash()
    command = [sys.executable, "-c", _STARTS_AND_WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        base = run.stdout.readline().strip()
        os.kill(run.pid, signal.SIGKILL)

    assert _is_gone(f"{base}/metadata")


def _is_gone(url: str) -> bool:
    for _ in range(100):
        try:
            requests.get(url, timeout=0.2)
        except requests.ConnectionError:
            return True
        except requests.Timeout:
            continue
    return False
