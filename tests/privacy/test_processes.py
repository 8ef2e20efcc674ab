"""The service as it is started: what its processes say and leave behind while they are called, refused, stopped and killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests import build
from tests.docs.pages import ROOT
from tests.fakes import check_answer
from tests.faults.servers import serving
from tests.integration.server import wait_until_ready
from tests.privacy.canaries import ELSEWHERE, WORDS, feedback, for_server, found, request
from tests.privacy.liars import Liar
from tests.smoke import free_port
from tests.trust.minting import entry, registered


@contextmanager
def started(folder: Path, said: list[str], **settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The base URL of a service that works in a folder, and its process; what it said is known when it has ended."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    environment = {**kept, "PYTHONPATH": str(ROOT), "CDS_PORT": str(port), **settings}
    command = [sys.executable, "-c", "from cds_service.cli import main; main(['serve'])"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with requests.Session() as session:
            wait_until_ready(session, f"http://127.0.0.1:{port}/cds-services")
        yield f"http://127.0.0.1:{port}", process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        said.append(process.communicate(timeout=30)[0])


@pytest.fixture
def liar() -> Iterator[Liar]:
    """A FHIR server that can be told how to behave."""
    liar = Liar()
    with serving(liar.behave) as liar.running:
        yield liar


@pytest.fixture
def working(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    folder = tmp_path / "working"
    folder.mkdir()
    return folder


def call(base: str, path: str, value: object) -> tuple[int, bytes]:
    """The status and body of the answer to a value, or to bytes."""
    body = value if isinstance(value, bytes) else build.body_of(value)
    headers = {"Content-Type": "application/json", "User-Agent": f"{ELSEWHERE['header']} {WORDS}", "Connection": "close"}
    response = requests.post(base + path, data=body, headers=headers, timeout=30)
    check_answer("POST", urlsplit(path).path, response.status_code, response.headers["Content-Type"], response.content)
    return response.status_code, response.content


def files(folder: Path) -> dict[str, set[str]]:
    """The canaries in each file of a folder."""
    return {path.name: found(path.name + path.read_bytes().decode("latin-1")) for path in folder.rglob("*") if path.is_file()}


def test_says_and_keeps_nothing_of_anybody(tmp_path, working, liar):
    """Answered, refused and asked for feedback over real HTTP, it prints its events, and keeps in its folder what a clinician typed."""
    clients, said = registered(tmp_path, entry("north", fhir_server=liar.running.base)), []
    named = for_server(liar.running.base)
    with started(working, said, CDS_CLIENTS=str(clients)) as (base, _):
        good = call(base, build.SERVICE, request(build.suspect(), **named))
        asked = call(base, build.SERVICE, request({"documents": build.bundle()}, hookInstance=build.OTHER_CALL, **named))
        liar.how = "refuses"
        lacking = call(base, build.SERVICE, request(None, **named))
        broken = call(base, build.SERVICE, build.body_of(request(build.suspect()))[:-9])
        card = json.loads(good[1])["cards"][0]["uuid"]
        told = [call(base, f"{build.SERVICE}/feedback", {"feedback": [one]}) for one in (feedback(card), feedback(WORDS))]

    assert [200, 200, 412, 400, 200, 400] == [status for status, _ in (good, asked, lacking, broken, *told)]
    assert {"patient"} == found((good[1] + asked[1]).decode())
    assert set() == found(b"".join(body for _, body in (lacking, broken, *told)).decode())
    assert {"service.ready", "hook.answered", "hook.refused", "feedback.taken"} == set(re.findall(r'"event":"([a-z.]+)"', said[0]))
    assert set() == found(said[0])
    assert {"cds-service.db", "cds-service.db.key"} <= files(working).keys()
    assert {} == {name: leaked for name, leaked in files(working).items() if leaked and name not in ("cds-service.db", "cds-service.db-wal")}
    assert "patient" not in files(working)["cds-service.db"]


@pytest.mark.parametrize("kill", [psutil.Process.kill, lambda process: process.send_signal(signal.SIGABRT)], ids=["killed", "aborted"])
def test_dies_without_a_word_of_anybody(tmp_path, working, liar, kill: Callable[[psutil.Process], None]):
    """A worker that is ended in the middle of a call, while a FHIR server is asked, leaves nothing of it behind."""
    clients, said = registered(tmp_path, entry("north", fhir_server=liar.running.base)), []
    liar.how = "hangs"
    with started(working, said, CDS_CLIENTS=str(clients), CDS_DEADLINE="20") as (base, process):
        gone: list[str] = []

        def waits() -> None:
            """Call, and see the connection end."""
            try:
                call(base, build.SERVICE, request({"documents": build.bundle()}, **for_server(liar.running.base)))
            except requests.ConnectionError:
                gone.append("gone")

        thread = threading.Thread(target=waits)
        thread.start()
        until = time.monotonic() + 20
        while not liar.running.asked and time.monotonic() < until:
            time.sleep(0.02)
        for worker in psutil.Process(process.pid).children(recursive=True):
            kill(worker)
        thread.join(20)

    assert ["gone"] == gone
    assert {"patient", "FHIR access token"} <= found(repr(liar.running.asked))
    assert set() == found(said[0])
    assert {} == {name: leaked for name, leaked in files(working).items() if leaked}
