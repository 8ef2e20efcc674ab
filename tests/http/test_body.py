"""The request body as bytes: a body that the client cut off is not read as if it were whole."""

from __future__ import annotations

import io

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from cds_service.errors import MalformedBody
from cds_service.http.body import LARGEST_BODY, read_body
from tests import build

BODY = b'{"hook": "patient-view"}'


def sent(body: bytes, length: str | None) -> Request:
    """A request as the server hands it over; `length` is its Content-Length."""
    environment = EnvironBuilder(method="POST", content_type="application/json").get_environ()
    environment["wsgi.input"] = io.BytesIO(body)
    environment.pop("CONTENT_LENGTH", None)
    if length is not None:
        environment["CONTENT_LENGTH"] = length
    return Request(environment)


@pytest.mark.parametrize("length", [str(len(BODY)), None])
def test_takes_a_whole_body(length):
    """A body as long as its Content-Length, or without one, is read."""
    assert BODY == read_body(sent(BODY, length))


@pytest.mark.parametrize("missing", [1, 10, len(BODY)])
def test_refuses_a_body_that_was_cut_off(missing):
    """A body shorter than its Content-Length is malformed, even where nothing of it came."""
    with pytest.raises(MalformedBody, match="shorter than its Content-Length"):
        read_body(sent(BODY[: len(BODY) - missing], str(len(BODY))))


@pytest.mark.parametrize("length", ["0", None])
def test_calls_an_empty_body_empty(length):
    """A body of which nothing was announced is empty, not cut off."""
    with pytest.raises(MalformedBody, match="empty"):
        read_body(sent(b"", length))


def test_answers_a_body_cut_off_with_400(client):
    """Even what is valid JSON by itself is refused if more was announced."""
    whole = build.body_of(build.request(build.suspect()))

    answer = client.post(
        build.SERVICE,
        input_stream=io.BytesIO(whole),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": str(len(whole) + 1)},
    )

    assert 400 == answer.status_code
    assert "malformed-body" == answer.json["issue"][0]["details"]["text"]


@pytest.mark.parametrize(
    ("length", "left"),
    [(1, 0), (LARGEST_BODY, 0), (2 * LARGEST_BODY - 1, 0), (2 * LARGEST_BODY + 1, 1)],
    ids=["a byte", "as much as is taken", "as much as is worth reading", "more"],
)
def test_reads_what_it_refuses_unseen(client, length, left):
    """The rest of a refused call is read and forgotten, so that the answer arrives; what is endless ends the connection."""
    body = io.BytesIO(b" " * length)

    answer = client.post(build.SERVICE, input_stream=body, content_type="text/plain", environ_overrides={"CONTENT_LENGTH": str(length)})

    assert (415, left) == (answer.status_code, length - body.tell())
    assert bool(left) == (answer.headers.get("Connection") == "close")
