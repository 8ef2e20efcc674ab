"""More calls than can be answered, and more headers than anybody needs: refused at once, while the service lives on."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests import build
from tests.fakes import check_answer
from tests.faults.servers import serving
from tests.trust.minting import entry, registered
from tests.trust.test_serving import started

pytestmark = pytest.mark.long

DEADLINE = 1.0
CROWD = 40


async def hangs(_asked, _writer):
    """A FHIR server that never answers."""
    await asyncio.sleep(60)
    return False


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service that answers one call at a time, the URL of a FHIR server that hangs, and what the service said in the end."""
    folder, said = tmp_path_factory.mktemp("overload"), []
    with serving(hangs) as ehr:
        clients = registered(folder, entry("north", fhir_server=ehr.base, open=True))
        settings = {"CDS_THREADS": "1", "CDS_DEADLINE": str(DEADLINE), "CDS_CLIENTS": str(clients), "CDS_DATABASE": f"sqlite:///{folder}/cds.db"}
        with started(said, **settings) as base:
            yield base, ehr.base


def answered(url, body, headers=None):
    """The checked answer to a call on a connection of its own, and the seconds that it took."""
    began = time.monotonic()
    sent = {"Content-Type": "application/json", "Connection": "close", **(headers or {})}
    response = requests.post(url, data=body, headers=sent, timeout=30)
    check_answer("POST", build.SERVICE, response.status_code, response.headers["Content-Type"], response.content)
    return response, time.monotonic() - began


def slow_call(ehr):
    """A call that has to ask the FHIR server."""
    sent = {"patient": build.patient(), "conditions": build.bundle(build.condition())}
    return json.dumps({**build.request(sent), "fhirServer": ehr, "prefetch": sent}).encode()


@pytest.fixture(scope="module")
def crowd(service):
    """What forty calls at once get that each take a second, and after how long."""
    base, ehr = service
    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(lambda _: answered(f"{base}{build.SERVICE}", slow_call(ehr)), range(CROWD)))


def test_tells_a_crowd_to_come_back(crowd):
    """Some are answered in time, the others get 503 before, and none waits in a queue."""
    statuses = [response.status_code for response, _ in crowd]
    refused = [(response, took) for response, took in crowd if response.status_code == 503]
    assert {200, 503} == set(statuses)
    assert CROWD - 3 <= len(refused)
    assert {("overloaded", "1")} == {(r.json()["issue"][0]["details"]["text"], r.headers["Retry-After"]) for r, _ in refused}
    assert max(took for _, took in crowd) < 2 * DEADLINE


def test_counts_whom_it_sent_back(service, crowd):
    """Metrics tell of it; and the next call is answered."""
    base, _ = service

    response, _ = answered(f"{base}{build.SERVICE}", json.dumps(build.request(build.suspect())).encode())
    told = requests.get(f"{base}/metrics", timeout=10).text

    assert (200, 1) == (response.status_code, len(response.json()["cards"]))
    refused = [response.status_code for response, _ in crowd].count(503)
    assert f'cds_calls_refused_total{{code="overloaded"}} {refused:.1f}' in told


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({f"X-Header-{n}": "1" for n in range(60)}, 200),
        ({f"X-Header-{n}": "1" for n in range(120)}, 431),
        ({"X-Header": "a" * 32_000}, 200),
        ({"X-Header": "a" * 250_000}, 431),
    ],
    ids=["many", "too many", "long", "too long"],
)
def test_takes_as_many_headers_as_anybody_needs(service, headers, status):
    """What goes beyond is refused by the server before the service sees it."""
    base, _ = service
    body = json.dumps(build.request(build.healthy())).encode()

    response = requests.post(f"{base}{build.SERVICE}", data=body, headers={"Content-Type": "application/json", **headers}, timeout=10)

    assert status == response.status_code


def test_answers_the_next_call_on_the_connection(service):
    """A call that is refused unseen, large as it may be, costs the next one on the same connection nothing."""
    base, _ = service
    statuses = []
    with requests.Session() as session:
        for _ in range(50):
            refused = session.post(f"{base}{build.SERVICE}", data=b" " * 2_000_000, headers={"Content-Type": "text/plain"}, timeout=10)
            statuses += [refused.status_code, session.get(f"{base}/livez", timeout=10).status_code]

    assert [415, 200] * 50 == statuses
