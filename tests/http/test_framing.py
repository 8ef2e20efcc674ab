"""Where one request ends and the next begins, of the service as it is started: what two servers could read differently is refused."""

from __future__ import annotations

import json
import re
import socket
from urllib.parse import urlsplit

import pytest

from tests import build
from tests.fakes import check_answer
from tests.trust.test_serving import started

HEAD = f"POST {build.SERVICE} HTTP/1.1\r\nHost: cds\r\nContent-Type: application/json\r\n"
HIDDEN = "GET /livez HTTP/1.1\r\nHost: cds\r\nConnection: close\r\n\r\n"
BODY = json.dumps(build.request(build.healthy()))
CHUNKED = f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The host and port of a service in a process of its own."""
    folder = tmp_path_factory.mktemp("framing")
    with started([], CDS_DATABASE=f"sqlite:///{folder}/cds.db") as base:
        yield urlsplit(base).hostname, urlsplit(base).port


def statuses(service, text: str) -> list[int]:
    """The status of each answer to what is sent over one connection, until the service ends it or is silent for two seconds."""
    said = b""
    with socket.create_connection(service, timeout=2) as wire:
        wire.sendall(text.encode())
        try:
            while piece := wire.recv(65536):
                said += piece
        except (TimeoutError, ConnectionError):
            pass
    for body in re.findall(rb'\{"cards":.*?\}(?=HTTP/1|\Z)', said, re.DOTALL):
        check_answer("POST", build.SERVICE, 200, "application/json", body)
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3})", said)]


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: x-chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 5\r\n",
        "Header without a colon\r\n",
    ],
)
def test_refuses_a_body_without_a_plain_length(service, framing):
    """Two lengths, an odd one or an encoding that is none get 400, and what stands behind is no request."""
    found = statuses(service, f"{HEAD}{framing}\r\n{HIDDEN}")

    assert [400] == found


def test_lets_chunks_decide_over_a_length(service):
    """With Transfer-Encoding a Content-Length is not looked at, and the connection ends after the answer; without one the next is answered."""
    found = statuses(service, f"{HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKED}{HIDDEN}")

    assert [200] == found
    assert [200, 200] == statuses(service, f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{CHUNKED}{HIDDEN}")


def test_takes_a_request_inside_a_body_for_a_part_of_it(service):
    """What a length or a chunk holds is never a request of its own."""
    long = statuses(service, f"{HEAD}Content-Length: {len(HIDDEN)}\r\nConnection: close\r\n\r\n{HIDDEN}")
    chunk = statuses(service, f"{HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n")

    assert [400] == long == chunk
