"""The end of a process: one that is told to stop answers what it has begun, and one that dies is replaced."""

from __future__ import annotations

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests

from tests import build
from tests.fakes import check_answer
from tests.faults.servers import Chart, serving
from tests.integration.server import process
from tests.trust.minting import entry, registered

pytestmark = pytest.mark.long

CALLS = 8
SLOW = 1.0  # seconds that the FHIR server takes
SETTLED = 6.0  # seconds after which a process that dies is not one that cannot start


def cards(base: str, body: bytes) -> int:
    """How many cards a call gets on a connection of its own."""
    response = requests.post(f"{base}{build.SERVICE}", data=body, headers={"Content-Type": "application/json", "Connection": "close"}, timeout=30)
    check_answer("POST", build.SERVICE, response.status_code, response.headers["Content-Type"], response.content)
    return len(response.json()["cards"])


def test_answers_what_it_has_begun(tmp_path):
    """Calls that wait for the FHIR server when SIGTERM comes get their cards; the process ends by itself, and takes nobody else in."""
    chart = Chart({"entry": [{"resource": r} for r in (build.patient(), build.condition(), build.mcv(), build.platelets())]}, delay=SLOW)
    with serving(chart.honest) as ehr:
        clients = registered(tmp_path, entry("north", fhir_server=ehr.base, open=True))
        call = json.dumps(build.request(None, fhirServer=ehr.base)).encode()
        with process(CDS_CLIENTS=str(clients), CDS_DEADLINE="10") as (base, running), ThreadPoolExecutor(CALLS) as crowd:
            calls = [crowd.submit(cards, base, call) for _ in range(CALLS)]
            until = time.monotonic() + 10
            while len(ehr.asked) < CALLS * len(build.TEMPLATES) and time.monotonic() < until:
                time.sleep(0.01)
            running.send_signal(signal.SIGTERM)
            answers = [one.result() for one in calls]
            status = running.wait(15)

            with pytest.raises(requests.ConnectionError):
                cards(base, call)

    assert ([1] * CALLS, 0) == (answers, status)


def test_replaces_a_process_that_dies():
    """After kill -9 of the process that answers another one does, on the same address."""
    body = json.dumps(build.request(build.suspect())).encode()
    with process() as (base, running):
        time.sleep(SETTLED)
        (worker,) = psutil.Process(running.pid).children()
        worker.kill()
        worker.wait(10)
        until, answered = time.monotonic() + 10, 0
        while not answered and time.monotonic() < until:
            try:
                answered = cards(base, body)
            except requests.ConnectionError:
                time.sleep(0.1)

    assert 1 == answered
