"""A key server that drips, floods, leads elsewhere or sends a page costs two seconds at most and brings nothing."""

from __future__ import annotations

import gzip
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.trust.key_server import LARGEST_SET, SECONDS, KeySetUnavailable, fetch
from cds_service.trust.keys import FetchedKeys
from cds_service.trust.reasons import Refusal
from tests.faults.servers import answered, serving
from tests.fhir.asking import AUTHORITY, CLOSES, drips, says, serving_securely
from tests.trust.minting import EC, Clock, key_set

SET = key_set(EC)
OK = answered(SET)


def brought(running, seconds=SECONDS) -> str | bytes:
    """What a fetch brings: the body, or why there is none."""
    try:
        return fetch(f"{running.base}/jwks.json?x=1", seconds=seconds)
    except KeySetUnavailable as error:
        return error.reason


def test_brings_the_set():
    """A plain answer is taken as it is; nothing is sent but the question."""
    with serving(says(OK)) as running:
        found = brought(running)

    (asked,) = running.asked
    assert SET == found
    assert "/r4/jwks.json?x=1" == asked.target
    assert {"host", "accept", "accept-encoding", "connection", "user-agent"} >= asked.headers.keys()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answered(b"", "302 Found", Location="http://127.0.0.1:9/jwks.json"), "redirected"),
        (answered(SET, "401 Unauthorized"), "refused"),
        (answered(SET, "404 Not Found"), "refused"),
        (answered(SET, "500 Internal Server Error"), "refused"),
        (answered(b" " * (LARGEST_SET + 1)), "too-large"),
        (answered(gzip.compress(SET), Content_Encoding="gzip"), "unreadable"),
        (CLOSES, "unreachable"),
        (b"nonsense\r\n\r\n", "unreachable"),
    ],
)
def test_refuses_what_is_no_plain_answer(answer, reason):
    """Redirects are not followed, floods not read, compressed answers not unpacked."""
    with serving(says(answer)) as running:
        assert reason == brought(running)

    assert 1 == len(running.asked)


def test_takes_a_set_of_just_the_size():
    """64 kB are enough for a hundred keys."""
    with serving(says(answered(b" " * LARGEST_SET))) as running:
        assert LARGEST_SET == len(brought(running))


@pytest.mark.parametrize(
    ("first", "again"),
    [(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" "), (b"", b"H")],
    ids=["headers", "body", "status"],
)
def test_cuts_a_server_that_drips(first, again):
    """A byte now and then is never late for a socket; the fetch ends all the same, and the server is let go."""
    gone = threading.Event()
    with serving(drips(first, again, gone)) as running:
        started = time.monotonic()
        found = brought(running, 0.3)
        spent = time.monotonic() - started
        assert gone.wait(5)

    assert found in {"late", "unreachable"}
    assert spent < 1.0


def test_ends_a_server_that_says_nothing():
    """A server that takes the question and is silent is late."""
    with serving(drips(b"", b"", threading.Event())) as running:
        assert "late" == brought(running, 0.2)


@pytest.mark.parametrize(("authority", "found"), [(AUTHORITY, SET), (None, "unreachable")])
def test_checks_the_certificate(authority, found):
    """Keys of a server that nobody vouches for are not taken."""
    with serving_securely(OK) as server:
        try:
            body: str | bytes = fetch(f"{server.origin}/jwks.json", authority)
        except KeySetUnavailable as error:
            body = error.reason

    assert found == body


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_reads_no_proxy_from_the_environment(monkeypatch, variable):
    """The way to the keys is in clients.toml, and nowhere else."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with serving(says(OK)) as running:
        assert SET == brought(running)


def test_waits_two_seconds_for_a_server_that_drips():
    """Eight calls that need a key wait together, and no longer than two seconds."""
    with serving(drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", threading.Event())) as running:
        keys = FetchedKeys("north", lambda: fetch(f"{running.base}/jwks.json"), Clock().seconds)

        def spent() -> float:
            """The time until nothing was found."""
            started = time.monotonic()
            with pytest.raises(Refusal):
                keys.find("a")
            return time.monotonic() - started

        with ThreadPoolExecutor(8) as pool:
            longest = max(one.result() for one in [pool.submit(spent) for _ in range(8)])

    assert longest < 2.5
    assert 1 == len(running.asked)
