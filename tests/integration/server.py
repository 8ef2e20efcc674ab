"""The service started as a user starts it, and calls over real HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import requests

from tests import build
from tests.fakes import check_answer
from tests.smoke import free_port

LONGEST_START = 30.0


@contextmanager
def started() -> Iterator[Callable[[bytes], tuple[int, bytes]]]:
    """A way to ask a service that runs in a process of its own for as long as it is needed."""
    with serving() as base, requests.Session() as session:
        yield lambda body: ask(session, base + build.SERVICE, body)


@contextmanager
def serving(**settings: str) -> Iterator[str]:
    """The base URL of a service that runs with some settings in a process of its own for as long as it is needed."""
    with process(**settings) as (base, _):
        yield base


@contextmanager
def process(**settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The same with the process itself, which may end before."""
    port = free_port()
    command = [sys.executable, "-c", "from cds_service.cli import main; main(['serve'])"]
    running = subprocess.Popen(
        command,
        env={**os.environ, "CDS_DATABASE": "sqlite://", **settings, "CDS_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        with requests.Session() as session:
            wait_until_ready(session, f"{base}/cds-services")
        yield base, running
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=15)


def wait_until_ready(session: requests.Session, url: str) -> None:
    """Return as soon as discovery answers. Raises TimeoutError."""
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            session.get(url, timeout=5)
            return
        time.sleep(0.1)
    raise TimeoutError("the service did not answer")


def ask(session: requests.Session, url: str, body: bytes) -> tuple[int, bytes]:
    """The status and body of the answer to a hook call."""
    response = session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30)
    check_answer("POST", urlsplit(url).path, response.status_code, response.headers["Content-Type"], response.content)
    return response.status_code, response.content
