"""The service as it is started: two processes that take each token once between them, and say whether callers are known."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from tests import build
from tests.fakes import check_answer
from tests.faults.servers import answered, serving
from tests.fhir.asking import says
from tests.integration.server import wait_until_ready
from tests.smoke import free_port
from tests.trust.minting import EC, ISSUER, SERVICE_URL, bearer, entry, key_set, mint, payload, registered

pytestmark = pytest.mark.long

BODY = json.dumps(build.request(build.healthy())).encode()


@contextmanager
def started(said: list[str], **settings: str) -> Iterator[str]:
    """The base URL of a service in processes of its own; what it said is known when it has ended."""
    port = free_port()
    environment = {**os.environ, **settings, "CDS_PORT": str(port), "CDS_BASE_URL": SERVICE_URL.removesuffix(build.SERVICE)}
    command = [sys.executable, "-c", "from cds_service.cli import main; main(['serve'])"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with requests.Session() as session:
            wait_until_ready(session, f"http://127.0.0.1:{port}/cds-services")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        said.append(process.communicate(timeout=15)[0])


def call(base: str, headers: dict[str, str]) -> int:
    """The status of a call, on a connection of its own so that any process may answer."""
    url = f"{base}{build.SERVICE}"
    response = requests.post(url, data=BODY, headers={"Content-Type": "application/json", "Connection": "close", **headers}, timeout=30)
    check_answer("POST", urlsplit(url).path, response.status_code, response.headers["Content-Type"], response.content)
    return response.status_code


def test_takes_each_token_once_between_two_processes(tmp_path):
    """Beyond loopback, with keys from a jku: good tokens get in once, and nothing of them is said."""
    now, said = int(time.time()), []
    tokens = [mint(body=payload(iat=now, exp=now + 300)) for _ in range(4)]
    with serving(says(answered(key_set(EC)))) as keys:
        clients = registered(tmp_path, entry("north", issuer=ISSUER, jku=f"{keys.base}/jwks.json"))
        settings = {"CDS_HOST": "0.0.0.0", "CDS_WORKERS": "2", "CDS_CLIENTS": str(clients), "CDS_DATABASE": f"sqlite:///{tmp_path}/cds.db"}  # noqa: S104
        with started(said, **settings) as base:
            stranger = call(base, {})
            statuses = [call(base, bearer(token)) for token in tokens for _ in range(3)]

    assert 401 == stranger
    assert [200, 401, 401] * 4 == statuses
    assert len(keys.asked) <= 2
    assert "Callers are authenticated: every call needs a token of north." in said[0]
    assert '"event":"service.ready","mode":"authenticated"' in said[0]
    assert [] == [part for token in tokens for part in token.split(".") if part in said[0]]


@pytest.mark.parametrize(
    ("text", "settings", "sentence"),
    [
        (entry("north", fhir_server="https://ehr.example"), {"CDS_HOST": "0.0.0.0"}, "callers are not authenticated"),  # noqa: S104
        (entry("north", issuer=ISSUER, jku="https://ehr.example"), {"CDS_WORKERS": "2", "CDS_DATABASE": "sqlite://"}, "or use one worker"),
        ("", {"CDS_AUTHENTICATE_DISCOVERY": "1"}, "no client has tokens"),
    ],
    ids=["open to all", "two memories", "closed to all"],
)
def test_does_not_start_half_closed(tmp_path, text, settings, sentence):
    """What would let strangers in, or nobody, stops the start with one sentence."""
    clients = registered(tmp_path, text)
    command = [sys.executable, "-c", "from cds_service.cli import main; main(['serve'])"]
    environment = {
        **os.environ,
        "CDS_PORT": str(free_port()),
        "CDS_CLIENTS": str(clients),
        "CDS_DATABASE": f"sqlite:///{tmp_path}/cds.db",
        **settings,
    }

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert (2, 1) == (done.returncode, done.stderr.count("\n"))
    assert sentence in done.stderr


def test_says_that_it_is_open(tmp_path):
    """The log says so, too, when it begins."""
    said: list[str] = []
    with started(said, CDS_DATABASE=f"sqlite:///{tmp_path}/cds.db") as base:
        assert 200 == call(base, {})

    assert '"event":"service.ready","mode":"open"' in said[0]
