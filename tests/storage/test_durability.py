"""What was acknowledged is there, whatever happens to the process; two processes share one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import requests

from tests import build
from tests.fakes import check_answer
from tests.faults.servers import Chart, serving
from tests.integration.server import wait_until_ready
from tests.smoke import free_port
from tests.storage.samples import decision, rows, uuid_of

pytestmark = pytest.mark.long

POSTS = 1000
KILLED_AFTER = 300


@contextmanager
def process(url: str, key: str, **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A service of its own on a database; its URL and the process, which is killed at the end."""
    port = free_port()
    command = [sys.executable, "-c", "from cds_service.cli import main; main(['serve'])"]
    environment = {**os.environ, "CDS_DATABASE": url, "CDS_PSEUDONYM_KEY_FILE": key, "CDS_PORT": str(port), **settings}
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        with requests.Session() as session:
            wait_until_ready(session, f"{base}/cds-services")
        yield base + build.SERVICE + "/feedback", running
    finally:
        killed(running)


def killed(running: subprocess.Popen[bytes]) -> None:
    """End a process and its workers at once, with no chance to tidy up."""
    if running.poll() is None:
        for one in (*psutil.Process(running.pid).children(recursive=True), running):
            one.kill()
        running.wait(timeout=15)


def entry(number: int) -> dict[str, str]:
    """Feedback on the card of a decision."""
    return {"card": uuid_of(number), "outcome": "overridden", "outcomeTimestamp": "2026-11-22T12:00:00Z"}


def checked(response: requests.Response) -> int:
    """The status of an answer that is as it should be."""
    check_answer("POST", build.SERVICE + "/feedback", response.status_code, response.headers["Content-Type"], response.content)
    return response.status_code


def acknowledged(session: requests.Session, url: str, number: int) -> bool:
    """Whether the service says that an entry is stored; False also for a connection that breaks."""
    try:
        return checked(session.post(url, json={"feedback": [entry(number)]}, timeout=10)) == 200
    except requests.ConnectionError:
        return False


@pytest.fixture
def key(tmp_path):
    """The file of a pseudonym key."""
    path = tmp_path / "pseudonym.key"
    path.write_text("k" * 64, encoding="utf-8")
    return str(path)


@pytest.fixture
def issued(database):
    """As many cards as there will be posts."""
    database.work(lambda book: [book.record(decision(number)) for number in range(POSTS)])
    return database


def test_has_every_acknowledged_feedback_after_a_kill(url, issued, key):
    """The process is killed amid a thousand posts: what was acknowledged is there, and nothing stands twice when all are sent again."""
    told: list[int] = []
    with process(url, key) as (address, running), requests.Session() as session:
        for number in range(POSTS):
            if number == KILLED_AFTER:
                threading.Thread(target=killed, args=(running,)).start()
            if acknowledged(session, address, number):
                told.append(number)
    stored = {row["card"] for row in rows(issued, "feedback")}

    with process(url, key) as (address, _), requests.Session() as session:
        again = [number for number in range(POSTS) if acknowledged(session, address, number)]

    assert KILLED_AFTER <= len(told) < POSTS
    assert {uuid_of(number) for number in told} <= stored
    assert POSTS == len(again) == len(rows(issued, "feedback"))


def test_stores_once_what_two_processes_take_at_once(url, issued, key):
    """The same batch reaches two processes at the same time: each entry stands once, and both say that it is stored."""
    batch = json.dumps({"feedback": [entry(number) for number in range(200)]}).encode()
    answers: list[int] = []

    def send(address: str) -> None:
        answers.append(checked(requests.post(address, data=batch, headers={"Content-Type": "application/json"}, timeout=30)))

    with process(url, key) as (first, _), process(url, key) as (second, _):
        threads = [threading.Thread(target=send, args=(address,)) for address in (first, second, first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [200] * 4 == answers
    assert 200 == len(rows(issued, "feedback"))


def test_has_every_access_of_a_process_that_is_told_to_stop(url, database, key, tmp_path):
    """What waits to be written when SIGTERM comes is written before the process ends."""
    clients = tmp_path / "clients.toml"
    with serving(Chart({"entry": [{"resource": build.patient()}, {"resource": build.condition()}]}).honest) as ehr:
        clients.write_text(f'[[client]]\nname = "north"\nfhir_server = "{ehr.base}"\nopen = true\n', encoding="utf-8")
        with process(url, key, CDS_CLIENTS=str(clients)) as (address, running):
            call = build.request(None, fhirServer=ehr.base)
            answer = requests.post(address.removesuffix("/feedback"), json=call, timeout=10)
            running.terminate()
            running.wait(timeout=15)
        sent = sorted(asked.headers["x-request-id"] for asked in ehr.asked)
    check_answer("POST", build.SERVICE, answer.status_code, answer.headers["Content-Type"], answer.content)

    assert 200 == answer.status_code
    assert sent == sorted(row["id"] for row in rows(database, "access"))
    assert len(build.TEMPLATES) == len(sent)
