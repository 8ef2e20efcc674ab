"""What a call lacks is asked of its registered server and of no other: with its token, within its time, page by page."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from cds_service.dialects import DIALECTS
from cds_service.dialects.dialect import Dialect, Search
from cds_service.ehr.prefetch import hook_request
from cds_service.errors import CDSServiceError, RequiredDataUnavailable
from cds_service.fhir.fallback import Fallback
from cds_service.fhir.prefetch import Fetched
from cds_service.fhir.search import PATIENT_ID
from cds_service.invocation import Service
from cds_service.record.facts import Source
from cds_service.record.secret import Secret
from cds_service.trust.addresses import address
from cds_service.trust.clients import Client, Clients
from tests.fakes import answer_of
from tests.faults.servers import Asked, Behaviour, Chart, answered, serving
from tests.fhir.asking import BREAKS_OFF, CLOSES, drips, origin_of, says
from tests.fixtures_.charts import INSTANCE, KNOWLEDGE, TEMPLATES, TODAY, answer, bundle

P1 = "p1"
WORD = "canary.token-0815"
TOKEN = Secret(WORD)
EMPTY = answered({"resourceType": "Bundle", "type": "searchset", "total": 0})
CHART = "test-sweet-macrocytosis"
CONDITIONS: Mapping[str, str | None] = {"conditions": None}
EVERY: Mapping[str, str | None] = dict.fromkeys(TEMPLATES)


@contextmanager
def asker(base: str, deadline: float = 5.0, **members: Any) -> Iterator[Any]:
    """Asks the server of one registered client: `ask(wanted, token)` for patient p1."""
    client = Client(**{"name": "north", "dialect": DIALECTS["spec"], "server": address(base), **members})
    fallback = Fallback(KNOWLEDGE, [client], deadline)

    def ask(wanted: Mapping[str, str | None], token: Secret | None = TOKEN) -> Fetched:
        return fallback.ask(client, P1, token, wanted)

    try:
        yield ask
    finally:
        fallback.close()


@contextmanager
def service_of(base: str, deadline: float = 5.0, **members: Any) -> Iterator[Service]:
    """A service with one registered client."""
    client = Client(**{"name": "north", "dialect": DIALECTS["spec"], "server": address(base), **members})
    service = Service(KNOWLEDGE, "https://cds.example.org", lambda: TODAY, Clients([client]), deadline)
    try:
        yield service
    finally:
        service.fallback.close()


def call(server: str | None = None, *, name: str = CHART, sent: object = (), token: str | None = WORD) -> dict[str, Any]:
    """A call for a fixture's patient that names a FHIR server, with some keys of its prefetch."""
    whole = hook_request(bundle(name), TEMPLATES, "patient-view", INSTANCE)
    prefetch = {key: value for key, value in whole["prefetch"].items() if key in sent}
    authorization = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "vexas"}
    return {
        **{k: v for k, v in whole.items() if k != "prefetch"},
        **({"prefetch": prefetch} if prefetch else {}),
        **({"fhirServer": server} if server else {}),
        **({"fhirAuthorization": authorization} if server and token else {}),
    }


def said(service: Service, request: Mapping[str, Any]) -> str:
    """The text of an answer, or of a refusal."""
    try:
        return answer_of(service, json.dumps(request).encode()).body.decode()
    except CDSServiceError as error:
        return error.public


def condition(identity: str) -> dict[str, Any]:
    """A problem of p1."""
    return {"resource": {"resourceType": "Condition", "id": identity, "subject": {"reference": f"Patient/{P1}"}}}


def paged(pages: int, link: str = "{base}/Condition?_page={number}") -> Behaviour:
    """A server whose searches have so many pages of one problem each; `link` is how each names the next."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        number = int((re.findall(r"_page=(\d+)", asked.target) or ["1"])[0])
        page: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": [condition(f"c{number}")]}
        if number < pages:
            page["link"] = [{"relation": "next", "url": link.format(base=f"http://{asked.headers['host']}/r4", number=number + 1)}]
        writer.write(answered(page))
        await writer.drain()
        return True

    return behave


def warnings(fetched: Fetched) -> list[str]:
    """What is said of a fetch."""
    return [issue.what for issue in fetched.issues if issue.level == "warning"]


# --- what is asked ---


def test_asks_for_every_key_that_was_not_sent():
    """Each key is one query, the prefetch template with the patient's id."""
    with serving(says(EMPTY)) as running, asker(running.base) as ask:
        found = ask(EVERY)

    assert sorted(f"/r4/{t.replace(PATIENT_ID, P1)}" for t in TEMPLATES.values()) == sorted(asked.target for asked in running.asked)
    assert (EVERY.keys(), ()) == (found.found.keys(), found.issues)


def test_asks_for_nothing_that_was_sent():
    """With the whole prefetch the server is not asked; without two keys it gets two queries."""
    keys = list(TEMPLATES)

    with serving(Chart(bundle(CHART)).honest) as running, service_of(running.base) as service:
        said(service, call(running.base, sent=keys))
        before = len(running.asked)
        said(service, call(running.base, sent=[key for key in keys if key not in ("conditions", "reports")]))

    assert 0 == before
    assert ["/r4/Condition", "/r4/DiagnosticReport"] == sorted(asked.target.partition("?")[0] for asked in running.asked)


def test_answers_as_if_all_had_been_sent():
    """What the server has leads to the same cards as the same data in the prefetch."""
    with serving(Chart(bundle(CHART)).honest) as running, service_of(running.base) as service:
        cards = json.loads(said(service, call(running.base)))["cards"]

    assert [(c["summary"], c["detail"]) for c in answer(CHART)["cards"]] == [(c["summary"], c["detail"]) for c in cards]


def test_asks_for_no_key_that_the_vendor_has_no_query_for():
    """A key without a query in the client's dialect is not asked, and that is no fault."""
    dialect = Dialect("no-problems", "An EHR without problems", adapt=lambda search: None if search.path == "Condition" else search)

    with serving(says(EMPTY)) as running, asker(running.base, dialect=dialect) as ask:
        found = ask({**CONDITIONS, "reports": None})

    assert ["/r4/DiagnosticReport"] == [asked.target.partition("?")[0] for asked in running.asked]
    assert (True, Source.UNAVAILABLE, []) == (found.found["conditions"].lacking, found.found["conditions"].source, warnings(found))
    assert ["'conditions' was not sent, and the EHR knows no query for it"] == [issue.what for issue in found.issues]


@pytest.mark.parametrize("lacking", ["conditions", "medicationStatements", "medicationRequests", "genetics"])
def test_takes_a_key_without_a_query_for_one_that_was_not_sent(lacking):
    """What an EHR cannot be asked for is as unknown as what it did not send."""
    resource, code = KNOWLEDGE.requirements[lacking].resource, TEMPLATES[lacking].partition("code=")[2]

    def adapt(search: Search) -> Search | None:
        return None if search.path == resource and (search.get("code") or "") in code else search

    sent = [key for key in TEMPLATES if key != lacking]
    with serving(says(EMPTY)) as running, service_of(running.base, dialect=Dialect("x", "X", adapt=adapt)) as service:
        asked = service.chart(service.read(json.dumps(call(running.base, sent=sent)).encode()), TODAY)
        not_asked = service.chart(service.read(json.dumps(call(None, sent=sent)).encode()), TODAY)

    assert [] == running.asked
    assert not_asked.sources == asked.sources


def test_sends_the_headers_of_the_dialect():
    """Some servers answer from memory unless they are told not to."""
    with serving(says(EMPTY)) as running, asker(running.base, dialect=DIALECTS["hapi"]) as ask:
        ask(CONDITIONS)

    assert ["no-cache"] == [asked.headers.get("cache-control") for asked in running.asked]


def test_does_not_ask_again_for_a_chart_that_is_closed():
    """A code that the dialect calls final ends the asking, and the reason is told."""
    closed = {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [{"code": "x-1"}]}}]}

    with serving(says(answered(closed, "500 No"))) as running, asker(running.base, dialect=Dialect("x", "X", final=frozenset({"x-1"}))) as ask:
        found = ask(CONDITIONS)

    assert (1, ["the EHR keeps this chart closed for 'conditions'"]) == (len(running.asked), warnings(found))


# --- whom, and with what ---


def test_sends_the_token_with_every_query_and_page():
    """The registered server gets the call's token each time."""
    with serving(paged(3)) as running, asker(running.base) as ask:
        ask(CONDITIONS)

    assert [f"Bearer {WORD}"] * 3 == [asked.headers.get("authorization") for asked in running.asked]


def test_sends_no_token_in_clear():
    """A server that is reached by HTTP beyond this machine is asked without the token."""
    with serving(paged(2)) as running, asker(running.base, open=True, takes_token=False) as ask:
        ask(CONDITIONS)

    assert [None, None] == [asked.headers.get("authorization") for asked in running.asked]


def test_asks_an_open_server_without_a_token():
    """A server that is open needs none."""
    with serving(says(EMPTY)) as running, asker(running.base, open=True) as ask:
        found = ask(CONDITIONS, None)

    assert ([None], ()) == ([asked.headers.get("authorization") for asked in running.asked], found.issues)


def test_asks_nothing_without_a_token():
    """A server that is not open is not asked without a token, and that is said."""
    with serving(says(EMPTY)) as running, asker(running.base) as ask:
        found = ask(EVERY, None)

    assert ({}, []) == (found.found, running.asked)
    assert ["no access token came to ask for 'patient', 'conditions', 'bloodCounts' and 15 more"] == warnings(found)


def test_says_that_there_was_no_token():
    """The answer names the gap: on the card or beside it, and in a refusal too."""
    with serving(Chart(bundle(CHART)).honest) as running, service_of(running.base) as service:
        partly = said(service, call(running.base, sent=["patient", "documents"], token=None))
        nothing = said(service, call(running.base, token=None))

    assert "no access token came" in partly.lower()
    assert "no access token came" in nothing.lower()
    assert [] == running.asked


@pytest.mark.parametrize("token", ["two words", "line\r\nX-Evil: 1", "\u00fcber", "caf\u00e9", "a\x00b", "tab\t", "=", "\U0001f600"])
def test_takes_what_is_no_token_for_none(token):
    """What cannot stand in a header is not sent, neither as it is nor in part."""
    with serving(Chart(bundle(CHART)).honest) as running, service_of(running.base) as service:
        found = said(service, call(running.base, sent=["patient", "documents"], token=token))

    assert ([], True) == (running.asked, "no access token came" in found.lower())


@pytest.mark.parametrize(
    "link",
    [
        "{other}/r4/Condition?_page=2",
        "//{host}/r4/Condition?_page=2",
        "http://{own}@{host}/r4/Condition?_page=2",
        "http://user:word@{host}/r4/Condition?_page=2",
        "http://{host}\\@{own}/r4/Condition?_page=2",
        "\\\\{host}/r4/Condition?_page=2",
        "/\\{host}/r4/Condition?_page=2",
        "http://{host}#@{own}/r4/Condition?_page=2",
        "\t//{host}/r4",
        "ht\ntp://{host}/r4",
        "https://{own}/r4/Condition?_page=2",
        "http://[::1",
        "http://[x]/",
        "http://{own}:port/",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_asks_nobody_for_a_page_on_another_server(link):
    """A link to a further page is followed on the registered origin alone; what came before it still counts, as a part."""
    with serving(says(EMPTY)) as other:
        host = origin_of(other).partition("://")[2]

        async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
            url = link.format(other=origin_of(other), host=host, own=asked.headers["host"])
            page = {"resourceType": "Bundle", "entry": [condition("c1")], "link": [{"relation": "next", "url": url}]}
            writer.write(answered(page))
            await writer.drain()
            return True

        with serving(behave) as running, asker(running.base) as ask:
            found = ask(CONDITIONS)

    assert (1, []) == (len(running.asked), other.asked)
    assert (Source.INCOMPLETE, 1) == (found.found["conditions"].source, len(found.found["conditions"].entries))
    assert ["further pages stand on another server, which is not asked, for 'conditions'"] == warnings(found)


@pytest.mark.parametrize("link", ["http://[::1", "//evil.example/r4", "http://evil.example/r4?page=2", "javascript:alert(1)"])
def test_asks_nobody_for_a_page_that_a_call_names_elsewhere(link):
    """A link in the prefetch is no more to be trusted than one in an answer."""
    request = call("", sent=list(TEMPLATES))
    request["prefetch"]["conditions"]["link"] = [{"relation": "next", "url": link}]

    with serving(says(EMPTY)) as running, service_of(running.base, open=True) as service:
        found = said(service, {**request, "fhirServer": running.base})

    assert [] == running.asked
    assert '"cards":' in found


def test_asks_no_server_that_is_not_registered():
    """A call of anybody else is answered from its prefetch; nobody is asked, and the answer says so."""
    with serving(says(EMPTY)) as stranger, serving(says(EMPTY)) as running, service_of(running.base) as service:
        found = said(service, call(stranger.base, sent=["patient", "documents"]))

    assert ([], []) == (stranger.asked, running.asked)
    assert "not asked: it is not registered" in found


@pytest.mark.parametrize(
    "text",
    [
        "http://{own}@{host}/r4",
        "http://{host}/r4?{own}",
        "http://{host}/r4#{own}",
        "http://{host}\\@{own}/r4",
        "http://{own}\\@{host}/r4",
        "http://{own}.{host}/r4",
        "http://{host}/http://{own}/r4",
        "http://{own}/../r4",
        "http://{own}/r4/..//{host}",
        "http://{own}/%72%34",
        "http://{own}//r4",
        "http://{own}/r4?x",
        "http://{own}/r4#x",
        "https://{own}/r4",
        "http://user@{own}/r4",
        "http://localhost:{port}/r4",
        "http://127.1:{port}/r4",
        "http://2130706433:{port}/r4",
        "http://[::ffff:127.0.0.1]:{port}/r4",
        "http://{own}/R4",
        "http://{own}",
        "http://[::1",
    ],
)
def test_takes_no_odd_spelling_for_a_registered_server(text):
    """A spelling with which others might go elsewhere is not registered: neither host that it names is asked."""
    with serving(says(EMPTY)) as other, serving(says(EMPTY)) as running, service_of(running.base) as service:
        own, host = (origin_of(one).partition("://")[2] for one in (running, other))
        found = said(service, call(text.format(own=own, host=host, port=own.partition(":")[2]), sent=["patient", "documents"]))

    assert ([], []) == (running.asked, other.asked)
    assert "not asked: it is not registered" in found


@pytest.mark.parametrize("text", ["http://{own}/r4", "http://{own}/r4/"])
def test_asks_the_address_that_is_registered(text):
    """A plain spelling means the client, and the query goes to the address as it is registered."""
    with serving(says(EMPTY)) as running, service_of(running.base) as service:
        said(service, call(text.format(own=origin_of(running).partition("://")[2]), sent=["patient", "documents"]))

    assert len(running.asked) == len(TEMPLATES) - 2
    assert {True} == {asked.target.startswith("/r4/") for asked in running.asked}


def test_uses_no_more_connections_than_it_may():
    """The site says how many queries its server takes at once, from all calls together."""
    now: list[int] = [0]
    most: list[int] = []

    async def behave(_asked: Asked, writer: asyncio.StreamWriter) -> bool:
        now[0] += 1
        most.append(now[0])
        await asyncio.sleep(0.01)
        now[0] -= 1
        writer.write(EMPTY)
        await writer.drain()
        return True

    with serving(behave) as running, asker(running.base, connections=3) as ask, ThreadPoolExecutor(3) as pool:
        found = list(pool.map(ask, [EVERY] * 3))

    assert 3 == max(most)
    assert [()] * 3 == [one.issues for one in found]


# --- pages ---


@pytest.mark.parametrize(("pages", "times", "more"), [(1, 1, False), (2, 2, False), (3, 3, False), (4, 3, True), (9, 3, True)])
@pytest.mark.parametrize("link", ["{base}/Condition?_page={number}", "Condition?_page={number}", "/r4?_page={number}", "?_page={number}"])
def test_takes_three_pages_at_most(pages, times, more, link):
    """Further pages are followed, whole or relative; that there are more than three is remembered."""
    with serving(paged(pages, link)) as running, asker(running.base) as ask:
        found = ask(CONDITIONS).found["conditions"]

    assert (times, times, more) == (len(running.asked), len(found.entries), found.more)


@pytest.mark.parametrize(("pages", "times", "more"), [(2, 1, False), (3, 2, False), (4, 2, True)])
def test_takes_two_pages_after_one_that_was_sent(pages, times, more):
    """A first page in the prefetch counts as one of the three."""
    with serving(paged(pages)) as running, asker(running.base) as ask:
        found = ask({"conditions": f"{running.base}/Condition?_page=2"}).found["conditions"]

    assert (times, [f"c{n}" for n in range(2, 2 + times)], more) == (len(running.asked), [e.resource.id for e in found.entries], found.more)


def test_reads_the_pages_behind_one_that_was_sent():
    """A prefetch that ends in a link is read to its end on the registered server, with the call's token."""
    whole = call("", sent=list(TEMPLATES))
    entries = whole["prefetch"]["conditions"]["entry"]
    rest = answered({"resourceType": "Bundle", "entry": entries[1:]})

    with serving(says(rest)) as running, service_of(running.base) as service:
        expected = said(service, call(running.base, sent=list(TEMPLATES)))
        request = call(running.base, sent=list(TEMPLATES))
        request["prefetch"]["conditions"] = {
            "resourceType": "Bundle",
            "entry": entries[:1],
            "link": [{"relation": "next", "url": f"{running.base}?_getpages=abc"}],
        }
        found = said(service, request)

    assert expected == found
    assert [("/r4?_getpages=abc", f"Bearer {WORD}")] == [(asked.target, asked.headers.get("authorization")) for asked in running.asked]


@pytest.mark.parametrize("link", ["{base}/Condition?_page=1", "Condition?_page=1"])
def test_ends_where_pages_go_round(link):
    """A page that was seen is not asked for again, and the key is not all there is."""
    with serving(paged(9, link)) as running, asker(running.base) as ask:
        found = ask({"conditions": f"{running.base}/Condition?_page=1"})

    assert (1, Source.INCOMPLETE) == (len(running.asked), found.found["conditions"].source)


def test_keeps_the_pages_before_one_that_failed():
    """What came before a failure is used, and known not to be all."""
    first = answered({"resourceType": "Bundle", "entry": [condition("c1")], "link": [{"relation": "next", "url": "Condition?_page=2"}]})

    with serving(says(first, answered(b"", "403 Forbidden"))) as running, asker(running.base) as ask:
        found = ask(CONDITIONS)

    assert (Source.INCOMPLETE, 1) == (found.found["conditions"].source, len(found.found["conditions"].entries))
    assert ["the EHR refused 'conditions'"] == warnings(found)


# --- answers that are none ---

NO_FHIR = {
    "nothing": b"",
    "words": b"not now",
    "a word": b"no",
    "null": b"null",
    "null after a blank": b" null",
    "a list": b"[]",
    "a number": b"5",
    "a text": b'"Bundle"',
    "HTML": b"<html></html>",
    "bytes": b"\xff\xfe",
    "half a Bundle": b'{"resourceType": "Bundle", "entry": [',
    "an object": b"{}",
    "another resource": b'{"resourceType": "Basic", "id": "x"}',
    "a refusal": b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}',
    "a hundred thousand brackets": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("fault", NO_FHIR)
def test_never_takes_what_is_no_searchset_for_an_empty_one(fault):
    """A 200 with anything else says nothing of the patient: the key is unknown, and that is told."""
    with serving(says(answered(NO_FHIR[fault]))) as running, asker(running.base) as ask:
        found = ask(CONDITIONS)

    key = found.found["conditions"]
    assert Source.UNAVAILABLE is key.source
    assert [*warnings(found), *(issue.what for issue in key.issues)]


def test_never_takes_a_page_that_is_cut_for_an_empty_one():
    """Nor does a compressed answer that breaks off."""
    cut = answered(gzip.compress(b'{"resourceType": "Bundle"}')[:20], Content_Encoding="gzip")

    with serving(says(cut)) as running, asker(running.base) as ask:
        found = ask(CONDITIONS)

    assert Source.UNAVAILABLE is found.found["conditions"].source


@pytest.mark.parametrize("fault", NO_FHIR)
def test_says_that_data_are_missing_when_no_search_brings_any(fault):
    """An answer without cards is never a failure in disguise."""
    chart = Chart(bundle(CHART))

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if asked.is_read:
            return await chart.honest(asked, writer)
        writer.write(answered(NO_FHIR[fault]))
        await writer.drain()
        return True

    with serving(behave) as running, service_of(running.base) as service, pytest.raises(RequiredDataUnavailable):
        answer_of(service, json.dumps(call(running.base)).encode())


@pytest.mark.parametrize(
    ("answer_", "words"),
    [
        (answered(b"", "401 Unauthorized"), "The EHR refused 'patient'."),
        (answered(b"", "503 Service Unavailable"), "The EHR's FHIR server failed at 'patient'."),
        (answered(b"", "302 Found", Location="/x"), "The EHR sent the query elsewhere, which is not followed, for 'patient'."),
        (answered(b"", "429 Too Many Requests"), "The EHR asked to wait longer than there is time for 'patient'."),
        (answered(b"", "400 Bad Request"), "The EHR does not accept the query for 'patient'."),
        (answered(b"no"), "The EHR sent no FHIR for 'patient'."),
        (CLOSES, "The EHR's FHIR server could not be reached for 'patient'."),
        (BREAKS_OFF, "The EHR's FHIR server could not be reached for 'patient'."),
    ],
)
def test_tells_why_there_is_no_patient_and_nothing_else(answer_, words):
    """Without the Patient nothing else is of use: the refusal says what became of that query alone."""
    with serving(says(answer_)) as running, service_of(running.base) as service:
        found = said(service, call(running.base))

    assert f"The Patient is needed and was not sent. {words} Fill the prefetch key 'patient'." == found


def test_does_not_wait_for_the_rest_without_the_patient():
    """A Patient who cannot be had ends the call, although other queries are still under way."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if not asked.is_read:
            await asyncio.sleep(60)
        writer.write(answered(b"", "404 Not Found"))
        await writer.drain()
        return True

    with serving(behave) as running, service_of(running.base, deadline=20) as service:
        started = time.monotonic()
        said(service, call(running.base))
        spent = time.monotonic() - started

    assert spent < 5


# --- time ---


@pytest.mark.parametrize(
    ("first", "again"),
    [(b"", b""), (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"), (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 99999\r\n\r\n", b" ")],
    ids=["hangs", "drips headers", "drips a body and will close"],
)
def test_is_free_for_the_next_call_when_the_time_of_one_is_up(first, again):
    """A call ends at its deadline whatever its server does, and its few threads are there for the next within a second."""
    slow, gone = drips(first, again, threading.Event()), []

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if gone:
            writer.write(EMPTY)
            await writer.drain()
            return True
        return await slow(asked, writer)

    with serving(behave) as running, asker(running.base, deadline=0.5, connections=2) as ask:
        started = time.monotonic()
        late = ask({**CONDITIONS, "reports": None})
        spent = time.monotonic() - started
        gone.append(True)
        time.sleep(1 - (time.monotonic() - started - spent))
        found = ask({**CONDITIONS, "reports": None})

    assert ["the EHR did not answer in time for 'conditions', 'reports'"] == warnings(late)
    assert spent < 1.0
    assert ([Source.READ] * 2, ()) == ([key.source for key in found.found.values()], found.issues)


def test_takes_what_came_in_time():
    """One slow query costs its own key and no other."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        if asked.target.startswith("Condition"):
            await asyncio.sleep(60)
        writer.write(EMPTY)
        await writer.drain()
        return True

    with serving(behave) as running, asker(running.base, deadline=0.6) as ask:
        found = ask({**CONDITIONS, "reports": None})

    assert (Source.UNAVAILABLE, Source.READ) == (found.found["conditions"].source, found.found["reports"].source)


NAMES = (CHART, "confirmed-everything", "consider-woman-chondritis", "healthy-man-80")


def charts() -> Behaviour:
    """A slow server with the charts of several patients."""
    held = {next(e["resource"]["id"] for e in bundle(n)["entry"] if e["resource"]["resourceType"] == "Patient"): Chart(bundle(n)) for n in NAMES}

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(0.03)
        who = (re.findall(r"[?&]patient=([^&]+)", asked.target) or [asked.target.partition("/")[2]])[0]
        return await held[who].honest(asked, writer)

    return behave


def test_mixes_no_patients_up():
    """Calls at once over the same connections each get their own patient's chart, as if they had been alone."""
    with serving(charts()) as running, service_of(running.base, deadline=30, connections=8) as service, ThreadPoolExecutor(4) as pool:
        calls = [call(running.base, name=name) for name in NAMES]
        alone = [said(service, one) for one in calls]
        at_once = list(pool.map(lambda one: said(service, one), calls * 3))

    assert alone * 3 == at_once
    assert [[c["detail"] for c in answer(name)["cards"]] for name in NAMES] == [[c["detail"] for c in json.loads(one)["cards"]] for one in alone]


# --- silence ---

PATIENT = "canary-patient-4711"
WHATEVER = {
    "all is well": EMPTY,
    "a header that cannot be read": b"HTTP/1.1 500 No\r\nno header\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "it closes": CLOSES,
    "it breaks off": BREAKS_OFF,
    "its words": answered(f"{PATIENT} {WORD}".encode()),
    "its outcome": answered({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": f"{PATIENT} {WORD}"}]}),
    "a next page elsewhere": answered(
        {"resourceType": "Bundle", "link": [{"relation": "next", "url": f"https://evil.example/{PATIENT}?access_token={WORD}"}]}
    ),
    "a next page that is no URL": answered({"resourceType": "Bundle", "link": [{"relation": "next", "url": f"http://[{PATIENT}{WORD}"}]}),
    "another patient": answered({"resourceType": "Patient", "id": WORD}),
    "a resource that cannot be read": answered({"resourceType": "Condition", "id": 5, "subject": f"{PATIENT} {WORD}"}),
    **{
        line: answered(f"{PATIENT} {WORD}".encode(), line, Location=f"/{PATIENT}/{WORD}")
        for line in ("302 No", "400 No", "401 No", "404 No", "429 No", "503 No")
    },
}


@pytest.mark.parametrize("fault", WHATEVER)
@pytest.mark.parametrize("sent", ["nothing", "something"])
def test_says_nothing_of_patient_and_token_whatever_the_server_does(log, capfd, fault, sent):
    """No fault of a server brings the patient's id or the token into the log, onto the terminal or into the answer."""
    person = {"resourceType": "Patient", "id": PATIENT, "gender": "male", "birthDate": "1956-03-14"}
    prefetch = {"patient": person, "conditions": {"resourceType": "Bundle"}} if sent == "something" else {}

    async def behave(_asked: Asked, writer: asyncio.StreamWriter) -> bool:
        writer.write(WHATEVER[fault])
        await writer.drain()
        return False

    with serving(behave) as running, service_of(running.base, deadline=1.0) as service:
        context = {"userId": "Practitioner/example", "patientId": PATIENT}
        found = said(service, {**call(running.base), "context": context, "prefetch": prefetch})

    printed = capfd.readouterr()
    everything = " ".join([found, *log.lines, printed.out, printed.err])
    assert running.asked
    assert [] == [word for word in (PATIENT, WORD) if word in everything]


@pytest.mark.parametrize(("server", "name"), [("{base}", "north"), ("https://elsewhere.example/r4", "open"), (None, "open")])
def test_names_the_client_for_the_log(server, name):
    """Whose call it was stands in the log by the name in clients.toml, and by `open` for anybody else."""
    with serving(says(EMPTY)) as running, service_of(running.base) as service:
        request = call(server.format(base=running.base) if server else None, sent=["patient", "documents"])
        found = answer_of(service, json.dumps(request).encode())

    assert name == found.visit.client


def test_shows_nothing_of_the_token_in_a_request():
    """A request as it was read can be printed without its token."""
    with service_of("https://ehr.example.org/r4") as service:
        request = service.read(json.dumps(call("https://ehr.example.org/r4", sent=["patient"])).encode())

    assert WORD == request.token.reveal()
    assert WORD not in repr(request)
    assert WORD not in str(msgspec.structs.asdict(request))


# --- answers that look whole ---


def test_takes_a_resource_by_itself_for_no_searchset():
    """One problem instead of a Bundle is not the whole list of problems."""
    with serving(says(answered(condition("c1")["resource"]))) as running, asker(running.base) as ask:
        found = ask(CONDITIONS)

    assert Source.UNAVAILABLE is found.found["conditions"].source
    assert ["the EHR sent no FHIR for 'conditions'"] == warnings(found)


def test_takes_pages_that_repeat_each_other_for_incomplete():
    """A server whose list moves between two pages shows one problem twice, and another never."""
    pages = [{"resourceType": "Bundle", "entry": [condition("c1"), condition("c2")]}, {"resourceType": "Bundle", "entry": [condition("c2")]}]
    first = {**pages[0], "link": [{"relation": "next", "url": "Condition?_page=2"}]}

    with serving(says(answered(first), answered(pages[1]))) as running, asker(running.base) as ask:
        found = ask(CONDITIONS).found["conditions"]

    assert Source.INCOMPLETE is found.source
    assert ["pages of the EHR's FHIR server repeat each other; data may be missing between them"] == [issue.what for issue in found.issues]


@pytest.mark.parametrize("order", [("problemList", "conditions"), ("conditions", "problemList")])
def test_takes_the_name_that_the_client_registered(order):
    """A call that sends a key under both names is read by the client's own, in whatever order they come."""
    whole = call("http://127.0.0.1:9/r4", sent=list(TEMPLATES))
    problems = {"problemList": whole["prefetch"].pop("conditions"), "conditions": None}
    both = {**whole, "prefetch": {**whole["prefetch"], **{name: problems[name] for name in order}}}

    with service_of("http://127.0.0.1:9/r4", keys={"problemList": "conditions"}) as service:
        assert said(service, both) == said(service, call("http://127.0.0.1:9/r4", sent=list(TEMPLATES)))


@pytest.mark.parametrize(("dialect", "source"), [("epic", Source.INCOMPLETE), ("spec", Source.READ)])
def test_knows_a_full_page_by_the_size_that_the_dialect_asks_for(dialect, source):
    """A hundred problems are a full page of the vendor that is asked for a hundred."""
    problems = [{"resource": {**condition(f"c{n}")["resource"], "subject": {"reference": "Patient/p1"}}} for n in range(100)]
    prefetch = {"patient": {"resourceType": "Patient", "id": P1}, "conditions": {"resourceType": "Bundle", "type": "searchset", "entry": problems}}
    sent = {**call("http://127.0.0.1:9/r4", token=None), "prefetch": prefetch}
    sent["context"] = {**sent["context"], "patientId": P1}

    with service_of("http://127.0.0.1:9/r4", dialect=DIALECTS[dialect]) as service:
        record = service.chart(service.read(json.dumps(sent).encode()), TODAY)

    assert source is record.sources["conditions"]


def test_takes_a_page_that_is_gone_for_a_part_that_is_missing():
    """A first page without the next, which the server has forgotten, is no list that the EHR has not: what is not on it is unknown."""
    first = {"resourceType": "Bundle", "entry": [], "link": [{"relation": "next", "url": "MedicationStatement?_page=2"}]}

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        known = asked.target.startswith("MedicationStatement?patient")
        writer.write(answered(first) if known else answered(b"", "410 Gone"))
        await writer.drain()
        return True

    with serving(behave) as running, asker(running.base) as ask:
        fetched = ask({"medicationStatements": None})

    found = fetched.found["medicationStatements"]
    assert (Source.INCOMPLETE, False) == (found.source, found.lacking)
    assert ["the EHR's FHIR server failed at 'medicationStatements'"] == warnings(fetched)
