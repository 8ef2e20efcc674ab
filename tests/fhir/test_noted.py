"""Each query that is sent is noted once it has ended: by the id that it carried, and with the patient still open."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from cds_service.dialects import DIALECTS
from cds_service.dialects.dialect import Dialect
from cds_service.fhir.fallback import Fallback, Query
from cds_service.record.secret import Secret
from cds_service.trust.addresses import address
from cds_service.trust.clients import Client
from tests.faults.servers import Asked, answered, serving
from tests.fhir.asking import BREAKS_OFF, says
from tests.fhir.test_fallback import CONDITIONS, EMPTY, KNOWLEDGE, P1, TEMPLATES, TOKEN, paged

OPEN = TEMPLATES["conditions"]
OF_PATIENT = answered({"resourceType": "Patient", "id": P1})


class Asking(NamedTuple):
    """A way to ask for keys, and what was noted so far."""

    fallback: Fallback
    client: Client
    noted: list[Query]

    def __call__(self, wanted: Any, token: Secret | None = TOKEN) -> list[Query]:
        """Ask; what was noted by then."""
        self.fallback.ask(self.client, P1, token, wanted, note=self.noted.append)
        return self.noted


@contextmanager
def asking(base: str, deadline: float = 5.0, **members: Any) -> Iterator[Asking]:
    """Asks the server of one registered client."""
    client = Client(**{"name": "north", "dialect": DIALECTS["spec"], "server": address(base), **members})
    fallback = Fallback(KNOWLEDGE, [client], deadline)
    try:
        yield Asking(fallback, client, [])
    finally:
        fallback.close()


async def hangs(_asked: Asked, _writer: asyncio.StreamWriter) -> bool:
    """A server that never says a word."""
    await asyncio.sleep(30)
    return False


def test_notes_every_query():
    """One for each key, with its search as the prefetch template has it, and by the id that the server got."""
    with serving(says(EMPTY)) as running, asking(running.base) as ask:
        noted = ask(dict.fromkeys(key for key in TEMPLATES if key != "patient"))

    assert {(key, 1, running.base, t, "") for key, t in TEMPLATES.items() if key != "patient"} == {query[1:] for query in noted}
    assert sorted(asked.headers["x-request-id"] for asked in running.asked) == sorted(query.id for query in noted)


def test_gives_each_query_a_random_id():
    """It says nothing of anybody, and no two are the same."""
    with serving(paged(3)) as running, asking(running.base) as ask:
        noted = [*ask(CONDITIONS)]

    assert [4, 4, 4] == [uuid.UUID(query.id).version for query in noted]
    assert 3 == len({query.id for query in noted})


def test_notes_a_read():
    """The Patient is read by its id, which is left open."""
    with serving(says(OF_PATIENT)) as running, asking(running.base) as ask:
        noted = ask({"patient": None})

    assert ["Patient/{{context.patientId}}"] == [query.search for query in noted]


def test_notes_pages_by_their_numbers():
    """Of a next page its number is kept, and not the link by which the server names it."""
    with serving(paged(3)) as running, asking(running.base) as ask:
        noted = ask(CONDITIONS)

    assert [(1, OPEN), (2, OPEN), (3, OPEN)] == [(query.page, query.search) for query in noted]


def test_counts_a_page_that_was_sent():
    """The page behind one that the EHR sent is the second."""
    with serving(says(EMPTY)) as running, asking(running.base) as ask:
        noted = ask({"conditions": f"{running.base}?_getpages=abc"})

    assert [(2, OPEN)] == [(query.page, query.search) for query in noted]


def test_notes_a_page_of_a_key_that_the_vendor_has_no_query_for():
    """What is known of it is what it is a list of."""
    dialect = Dialect("no-problems", "An EHR without problems", adapt=lambda search: None if search.path == "Condition" else search)

    with serving(says(EMPTY)) as running, asking(running.base, dialect=dialect) as ask:
        noted = ask({"conditions": f"{running.base}?_getpages=abc"})

    assert [(2, "Condition")] == [(query.page, query.search) for query in noted]


@pytest.mark.parametrize("status", ["503 Service Unavailable", "breaks off"])
def test_notes_a_query_that_is_sent_twice_once(status):
    """Both tries carry the same id; how the second ends is noted."""
    first = BREAKS_OFF if status == "breaks off" else answered({}, status)

    with serving(says(first, EMPTY)) as running, asking(running.base) as ask:
        noted = ask(CONDITIONS)

    assert [""] == [query.reason for query in noted]
    assert [noted[0].id] * 2 == [asked.headers["x-request-id"] for asked in running.asked]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answered({}, "401 Unauthorized"), "refused"),
        (answered({}, "404 Not Found"), "missing"),
        (answered({}, "400 Bad Request"), "rejected"),
        (answered({}, "302 Found", Location="https://elsewhere.example.org"), "redirected"),
        (answered({}, "500 Internal Server Error"), "failed"),
        (answered(b"null"), "unreadable"),
        (answered(b"<html>"), "unreadable"),
        (OF_PATIENT, "unreadable"),
    ],
)
def test_notes_why_a_query_brought_nothing(answer, reason):
    """A query that failed was sent all the same."""
    with serving(says(answer)) as running, asking(running.base) as ask:
        noted = ask(CONDITIONS)

    assert [reason] == [query.reason for query in noted]


def test_notes_a_server_that_is_not_there():
    """Whether anything arrived there, nobody can tell from here."""
    with asking("http://127.0.0.1:9/r4") as ask:
        noted = ask(CONDITIONS)

    assert ["unreachable"] == [query.reason for query in noted]


def test_notes_what_is_given_up():
    """A query that the end of the call cuts is noted, if a moment later."""
    with serving(hangs) as running, asking(running.base, deadline=0.3) as ask:
        noted = ask(CONDITIONS)
        end = time.monotonic() + 5
        while not noted and time.monotonic() < end:
            time.sleep(0.01)

    assert ["late"] == [query.reason for query in noted]


def test_notes_nothing_that_was_not_sent():
    """What was still in line when the time was up, or needs a token that did not come, never left."""
    with serving(hangs) as running, asking(running.base, deadline=0.3, connections=1) as ask:
        ask(dict.fromkeys(TEMPLATES), None)
        before = len(ask.noted)
        ask(dict.fromkeys(TEMPLATES))
        ask.fallback.close()
        sent = len(running.asked)

    assert (0, 1, 1) == (before, sent, len(ask.noted))


def test_notes_nothing_of_a_page_that_stands_elsewhere():
    """A link to another server is not followed."""
    page = {"resourceType": "Bundle", "entry": [], "link": [{"relation": "next", "url": "https://elsewhere.example.org/r4?page=2"}]}

    with serving(says(answered(page))) as running, asking(running.base) as ask:
        noted = ask(CONDITIONS)

    assert [(1, "")] == [(query.page, query.reason) for query in noted]


def test_keeps_the_patient_out_of_what_is_noted():
    """Whatever the server calls its pages."""
    link = "{base}/Condition?patient=" + P1 + "&name=Zebulon&_page={number}"

    with serving(paged(2, link)) as running, asking(running.base) as ask:
        noted = ask(CONDITIONS)

    words = json.dumps([query._replace(id="") for query in noted])
    assert 2 == len(noted)
    assert ("Zebulon" not in words, f"={P1}" not in words) == (True, True)
