"""Real calls and tokens with every trick of the table: whatever a call, a token or a server says, only the registered server is reached."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.faults.servers import Asked, Running, answered, serving
from tests.trust.minting import EC, EPIC_KID, ISSUER, OTHER_EC, Clock, bearer, entry, header, key_set, mint, payload, registered
from tests.trust.spy import watched
from tests.trust.tricks import REDIRECTS, TRICKS, spelt

WORD = "canary.token-4711"
EMPTY = {"resourceType": "Bundle", "type": "searchset"}
TOKEN = {"access_token": WORD, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "vexas"}
MOST = build.suspect()
del MOST["conditions"]  # so that the registered server is asked for it
# Links that lead to the registered server after all, by the rules of RFC 3986: what follows the host there can do no harm.
STAY = {
    "a path that goes up", "a path that goes up and comes back", "a path that goes up, encoded", "a path that goes up behind a parameter", "a path that is encoded",
    "a path that is encoded twice", "an empty segment", "another path", "a path in capitals", "another server in a query", "a header that is encoded",
    "a scheme without slashes", "a scheme with one slash", "a scheme with three slashes", "no scheme and many slashes",
}  # fmt: skip


class Speaker:
    """A server that answers each request by what it was told to say, and notes what it was asked."""

    def __init__(self) -> None:
        self.says = b""
        self.running = Running()

    def say(self, value: Any, status: str = "200 OK", **headers: str) -> None:
        """Say this from now on, on a connection of its own, so that each question is seen as one."""
        self.says = answered(value, status, Connection="close", **headers)

    async def behave(self, _asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Say it."""
        writer.write(self.says)
        await writer.drain()
        return True

    @property
    def host(self) -> str:
        """Host and port."""
        return self.running.base.removeprefix("http://").removesuffix("/r4")

    @property
    def tokens(self) -> set[str | None]:
        """What the requests brought in Authorization."""
        return {asked.headers.get("authorization") for asked in self.running.asked}


class Doors(NamedTuple):
    """The registered server, another one, and the services that know the first."""

    own: Speaker
    other: Speaker
    clock: Clock
    open: FlaskClient
    closed: FlaskClient

    def spelt(self, name: str) -> str:
        """A trick of the table."""
        return spelt(TRICKS[name], self.own.host, self.other.host)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Two services: one that is open, and one whose client has its keys behind a jku; for both the same server is registered."""
    own, other, clock = Speaker(), Speaker(), Clock()
    folder, closed = tmp_path_factory.mktemp("open"), tmp_path_factory.mktemp("closed")
    with serving(own.behave) as own.running, serving(other.behave) as other.running:
        base = own.running.base
        known = registered(folder, entry("north", fhir_server=base))
        signing = registered(closed, entry("north", issuer=ISSUER, jku=f"{base}/jwks.json", fhir_server=base, calls_per_minute=60_000))
        apps = [checked_app(Settings(clients=clients), lambda: build.TODAY, clock) for clients in (known, signing)]
        yield Doors(own, other, clock, *(app.test_client() for app in apps))


@pytest.fixture
def doors(started: Doors) -> Doors:
    """The same, with nothing asked yet; the other server has keys and data to offer."""
    started.own.running.asked.clear()
    started.other.running.asked.clear()
    started.own.say(EMPTY)
    started.other.say({"keys": [OTHER_EC.as_dict(private=False)], **EMPTY})
    started.clock.go(3601)  # the keys have to be fetched again
    return started


def call(server: str | None, **members: Any) -> dict[str, Any]:
    """A call that lacks one key of its prefetch and brings a token for the FHIR server that it names."""
    named = {"fhirServer": server, "fhirAuthorization": TOKEN} if server is not None else {}
    return build.request(MOST, **named, **members)


def reached(doors: Doors) -> set[str]:
    """The only place that may be reached."""
    return {doors.own.host}


# --- the spy itself ---


def test_sees_where_the_service_goes(doors):
    """A good call goes to the registered server, with its token, and the spy sees it."""
    with watched() as seen:
        response = doors.open.post(build.SERVICE, json=call(doors.own.running.base))

    assert 200 == response.status_code
    assert reached(doors) == seen
    assert {f"Bearer {WORD}"} == doors.own.tokens


def test_sees_where_anybody_goes(doors):
    """A connection and a lookup by whatever means are seen."""
    port = doors.other.host.partition(":")[2]

    with watched() as seen, socket.create_connection(("localhost", port), timeout=5):
        pass

    assert {f"localhost:{port}", doors.other.host} <= seen


def test_would_see_a_service_that_goes_elsewhere(doors, tmp_path):
    """Where the other server is the registered one, the same call reaches it: the spy tells both apart."""
    clients = registered(tmp_path, entry("south", fhir_server=doors.other.running.base))
    client = checked_app(Settings(clients=clients), lambda: build.TODAY).test_client()

    with watched() as seen:
        client.post(build.SERVICE, json=call(doors.other.running.base))

    assert {doors.other.host} == seen
    assert {f"Bearer {WORD}"} == doors.other.tokens


def test_has_a_trick_for_every_way():
    """The table is long enough, and no trick is there twice."""
    texts = {spelt(trick, "127.0.0.1:8080", "127.0.0.1:9090") for trick in TRICKS.values()}

    assert len(texts) == len(TRICKS) >= 40
    assert STAY <= TRICKS.keys()


# --- fhirServer ---


@pytest.mark.parametrize("name", TRICKS)
def test_asks_nobody_whom_a_call_names_by_a_trick(doors, name):
    """In an open service nobody is asked and no token leaves: the call is answered from its prefetch, or is no call."""
    with watched() as seen:
        response = doors.open.post(build.SERVICE, json=call(doors.spelt(name)))

    assert response.status_code in {200, 400}
    assert (set(), [], []) == (seen, doors.own.running.asked, doors.other.running.asked)


@pytest.mark.parametrize("name", TRICKS)
def test_asks_only_the_tokens_server_whatever_a_call_names(doors, name):
    """Of a client with a good token a call that names another server is refused; only its keys were fetched."""
    doors.own.say(key_set(EC))

    with watched() as seen:
        response = doors.closed.post(build.SERVICE, json=call(doors.spelt(name)), headers=bearer(iat=now(doors), exp=now(doors) + 300))

    assert response.status_code in {400, 403}
    assert reached(doors) == seen
    assert (["/r4/jwks.json"], []) == ([asked.target for asked in doors.own.running.asked], doors.other.running.asked)
    assert {None} == doors.own.tokens


def now(doors: Doors) -> int:
    """The time of the services."""
    return int(doors.clock.seconds())


# --- jku ---


@pytest.mark.parametrize("name", TRICKS)
def test_fetches_no_keys_from_where_a_token_says(doors, name):
    """A stranger's token whose jku leads to his own keys lets nobody in, and its jku is not looked at."""
    doors.own.say(key_set(EC))
    token = mint(header(kid="other", jku=doors.spelt(name)), payload(iat=now(doors), exp=now(doors) + 300), key=OTHER_EC)

    with watched() as seen:
        response = doors.closed.post(build.SERVICE, json=build.request(MOST), headers=bearer(token))

    assert 401 == response.status_code
    assert seen <= reached(doors)
    assert [] == doors.other.running.asked


@pytest.mark.parametrize("member", ["kid", "x5u", "jwk", "iss"])
@pytest.mark.parametrize("name", ["the other server", "the registered server as a user", "no scheme"])
def test_fetches_no_keys_from_another_member(doors, member, name):
    """Nor does any other member of a token that could hold a URL."""
    doors.own.say(key_set(EC))
    place = {member: doors.spelt(name)}
    head = header(**{"kid": "other", **(place if member != "iss" else {})})
    token = mint(head, payload(iat=now(doors), exp=now(doors) + 300, **(place if member == "iss" else {})), key=OTHER_EC)

    with watched() as seen:
        response = doors.closed.post(build.SERVICE, json=build.request(MOST), headers=bearer(token))

    assert 401 == response.status_code
    assert seen <= reached(doors)
    assert [] == doors.other.running.asked


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("name", ["the other server", "no scheme", "the registered server as a user", "localhost"])
def test_fetches_no_keys_from_where_the_key_server_sends_it(doors, status, name):
    """A key server that sends the question on has no keys."""
    doors.own.say(b"", status, Location=doors.spelt(name))
    token = mint(header(kid="other"), payload(iat=now(doors), exp=now(doors) + 300), key=OTHER_EC)

    with watched() as seen:
        response = doors.closed.post(build.SERVICE, json=build.request(MOST), headers=bearer(token))

    assert 401 == response.status_code
    assert reached(doors) == seen
    assert (1, []) == (len(doors.own.running.asked), doors.other.running.asked)


def test_knows_the_registered_jku(doors):
    """The same token with the registered jku and the registered key gets in."""
    doors.own.say(key_set(EC))
    token = mint(header(kid=EPIC_KID, jku=f"{doors.own.running.base}/jwks.json"), payload(iat=now(doors), exp=now(doors) + 300))

    with watched() as seen:
        response = doors.closed.post(build.SERVICE, json=build.request(build.healthy()), headers=bearer(token))

    assert 200 == response.status_code
    assert reached(doors) == seen


# --- next, and redirects ---


@pytest.mark.parametrize("name", TRICKS)
def test_asks_nobody_for_a_next_page_by_a_trick(doors, name):
    """A link to the next page in an answer of the registered server leads nowhere else, and nor does the token."""
    doors.own.say({**EMPTY, "link": [{"relation": "next", "url": doors.spelt(name)}]})

    with watched() as seen:
        response = doors.open.post(build.SERVICE, json=call(doors.own.running.base))

    assert 200 == response.status_code
    assert (reached(doors), []) == (seen, doors.other.running.asked)
    assert (name in STAY) == (len(doors.own.running.asked) > 1)
    assert {(f"Bearer {WORD}", doors.own.host)} == {(asked.headers["authorization"], asked.headers["host"]) for asked in doors.own.running.asked}


@pytest.mark.parametrize("name", TRICKS)
def test_asks_nobody_for_a_next_page_that_a_call_names(doors, name):
    """A link in the prefetch is no more to be trusted."""
    page = {**build.bundle(build.condition()), "link": [{"relation": "next", "url": doors.spelt(name)}]}
    whole = call(doors.own.running.base)
    whole["prefetch"] = {**MOST, "conditions": page}

    with watched() as seen:
        response = doors.open.post(build.SERVICE, json=whole)

    assert 200 == response.status_code
    assert seen <= reached(doors)
    assert [] == doors.other.running.asked
    assert (name in STAY) == bool(doors.own.running.asked)


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("name", TRICKS)
def test_follows_no_redirect(doors, status, name):
    """A registered server that sends a query on, to wherever, has not answered it."""
    where = doors.spelt(name).encode("ascii", "ignore").decode().translate({0: None, 10: None, 13: None})
    doors.own.say(b"", status, Location=where)

    with watched() as seen:
        response = doors.open.post(build.SERVICE, json=call(doors.own.running.base))

    assert 200 == response.status_code
    assert reached(doors) == seen
    assert (1, []) == (len(doors.own.running.asked), doors.other.running.asked)
