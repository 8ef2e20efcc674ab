"""A client's keys: which of a set are used, when they are fetched, and how long they are kept when they cannot be."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.trust.key_server import KeySetUnavailable
from cds_service.trust.keys import FRESH, KEPT, PAUSE, FetchedKeys, PinnedKeys, read_keys
from cds_service.trust.reasons import Refusal
from tests.trust.minting import EC, ED, ENCRYPTS, EPIC_KID, OTHER_EC, RSA, SECRET, WEAK, Clock, key_set

PUBLIC = EC.as_dict(private=False)


class Publisher:
    """A client's key server: what it has to say, and how often it was asked."""

    def __init__(self, *keys) -> None:
        self.body = key_set(*keys)
        self.asked = 0
        self.away = False
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> bytes:
        """The JWK Set, once the gate is open."""
        self.asked += 1
        self.gate.wait(10)
        if self.away:
            raise KeySetUnavailable("unreachable")
        return self.body


@pytest.fixture
def clock():
    """Noon."""
    return Clock()


@pytest.fixture
def publisher():
    """A server with one key."""
    return Publisher(EC)


@pytest.fixture
def keys(publisher, clock):
    """The keys of that server."""
    return FetchedKeys("north", publisher, clock.seconds)


def found(keys, kid=EPIC_KID) -> str:
    """The kid that was found, or why there is none."""
    try:
        return str(keys.find(kid)[0].kid)
    except Refusal as refusal:
        return refusal.reason


def settled(keys) -> None:
    """Wait until nobody fetches any more."""
    under_way = keys._under_way
    if under_way:
        assert under_way.wait(10)


# --- which keys are used ---


R = RSA.as_dict(private=False)
ODD = {
    "a kid that is null": {**PUBLIC, "kid": None},
    "an empty kid": {**PUBLIC, "kid": ""},
    "a kid that is a number": {**PUBLIC, "kid": 5},
    "no kid": {k: v for k, v in PUBLIC.items() if k != "kid"},
    "a key that encrypts": {**PUBLIC, "use": "enc"},
    "a use that is a number": {**PUBLIC, "use": 5},
    "a shared secret": {**PUBLIC, "kty": "oct", "k": "AAAA"},
    "a kind of tomorrow": {**PUBLIC, "kty": "AKP"},
    "a kind that is a list": {**PUBLIC, "kty": ["EC"]},
    "a curve of coins": {**PUBLIC, "crv": "secp256k1"},
    "no curve": {**PUBLIC, "crv": None},
    "a point off the curve": {**PUBLIC, "x": PUBLIC["y"]},
    "a point that is no base64": {**PUBLIC, "x": "!"},
    "an empty point": {**PUBLIC, "x": ""},
    "half a point": {k: v for k, v in PUBLIC.items() if k != "y"},
    "a curve that does not sign": {**ED.as_dict(private=False), "crv": "X25519"},
    "a modulus of three bytes": {**R, "n": "AQAB"},
    "a modulus that is a number": {**R, "n": 5},
    "a modulus beyond ASCII": {**R, "n": "\xe9"},
    "an exponent of one": {**R, "e": "AQ"},
    "an exponent beyond the modulus": {**R, "e": f"{R['n']}AAAA"},
    "operations that are a text": {**R, "key_ops": "verify", "use": "sig"},
    "1024 bits": WEAK,
    "one that encrypts": ENCRYPTS,
    "a secret": SECRET,
    "a text": "a text",
    "null": None,
    "a list": [],
}


@pytest.mark.parametrize("name", ODD)
def test_leaves_out_a_key_that_cannot_be_used_and_keeps_the_others(name):
    """An odd key costs only itself."""
    assert [EPIC_KID] == list(read_keys(json.dumps({"keys": [ODD[name], PUBLIC]}).encode()))


@pytest.mark.parametrize("more", [{}, {"use": "sig"}, {"alg": "ES384"}, {"key_ops": ["verify"]}, {"x5c": 5}, {"x5u": "x"}, {"ext": True}])
def test_takes_a_key_with_whatever_stands_beside_it(more):
    """Members that say nothing of signatures are not looked at."""
    assert [EPIC_KID] == list(read_keys(json.dumps({"keys": [{**PUBLIC, **more}]}).encode()))


def test_keeps_two_keys_of_one_kid():
    """Two kinds of key may share a kid; the token's alg tells which is meant."""
    both = read_keys(key_set(EC, {**RSA.as_dict(private=False), "kid": EPIC_KID}))

    assert ["EC", "RSA"] == [key.key_type for key in both[EPIC_KID]]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"keys":{}}', b"\xff", b"[" * 60_000, b'{"keys":null}', b"5"])
def test_refuses_what_is_no_key_set(body):
    """A page, or JSON of another kind, is no set."""
    with pytest.raises(ValueError, match="is no J"):
        read_keys(body)


def test_finds_a_pinned_key():
    """A pinned set never changes."""
    keys = PinnedKeys(read_keys(key_set(EC)))

    assert [EPIC_KID, "kid"] == [found(keys), found(keys, "other")]


# --- when they are fetched ---


def test_fetches_once_an_hour(keys, publisher, clock):
    """Within the hour a known key costs nothing; after it the set is fetched anew."""
    first = [found(keys) for _ in range(3)]
    clock.go(FRESH * 0.79)
    found(keys)
    asked = publisher.asked
    clock.go(FRESH * 0.21 + 1)
    last = found(keys)
    settled(keys)

    assert [EPIC_KID] * 4 == [*first, last]
    assert (1, 2) == (asked, publisher.asked)


def test_fetches_while_nobody_waits_before_the_hour_is_over(keys, publisher, clock):
    """In the last minutes of the hour a call starts the fetch and goes on with what is there."""
    found(keys)
    clock.go(FRESH * 0.9)
    publisher.gate.clear()

    answered = found(keys)
    publisher.gate.set()
    settled(keys)

    assert (EPIC_KID, 2) == (answered, publisher.asked)


def test_finds_a_new_key_at_once(keys, publisher, clock):
    """A client that rotates its keys is let in by the next fetch, and its old key no more."""
    found(keys)
    publisher.body = key_set(OTHER_EC)
    clock.go(PAUSE)

    assert ["other", "kid"] == [found(keys, "other"), found(keys)]
    assert 2 == publisher.asked


def test_fetches_once_a_minute_whatever_kids_are_made_up(keys, publisher, clock):
    """Tokens with made-up kids do not hammer the client's server."""
    for second in range(125):
        assert "kid" == found(keys, f"made-up-{second}")
        clock.go(1)

    assert 3 == publisher.asked


def test_goes_on_when_the_clock_was_set_back(keys, publisher, clock):
    """A clock that is set back does not stop the fetching until it has caught up."""
    found(keys)
    clock.go(-7200)

    assert "kid" == found(keys, "other")
    assert 2 == publisher.asked


def test_lets_one_thread_fetch_for_all(keys, publisher):
    """Eight calls at once lead to one fetch, and all of them get the key."""
    publisher.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(found, keys) for _ in range(8)]
        publisher.gate.set()
        answers = [one.result(10) for one in waiting]

    assert [EPIC_KID] * 8 == answers
    assert 1 == publisher.asked


# --- when they cannot be had ---


def test_keeps_the_last_good_set_for_a_day(keys, publisher, clock):
    """A client whose server fails is let in by its last keys for a day, and not a second longer."""
    found(keys)
    publisher.away = True

    clock.go(KEPT - 1)
    last = found(keys)
    clock.go(1)
    after = found(keys)

    assert (EPIC_KID, "keys") == (last, after)


def test_does_not_wait_for_a_server_that_failed_before(keys, publisher, clock):
    """One call after the hour finds out; the others go on with what is there."""
    found(keys)
    publisher.away = True
    clock.go(FRESH)
    found(keys)
    publisher.gate.clear()
    clock.go(PAUSE)

    answered = found(keys)
    publisher.gate.set()
    settled(keys)

    assert (EPIC_KID, 3) == (answered, publisher.asked)


def test_has_no_keys_before_it_had_any(keys, publisher, clock):
    """Nobody is let in without keys; a minute later they are asked for again."""
    publisher.away = True
    first = [found(keys) for _ in range(3)]
    publisher.away = False
    clock.go(PAUSE)

    assert ["keys", "keys", "keys", EPIC_KID] == [*first, found(keys)]
    assert 2 == publisher.asked


def test_keeps_the_set_when_the_server_sends_a_page(keys, publisher, clock):
    """A login page in place of the keys is a failure of the server."""
    found(keys)
    publisher.body = b"<html>Please log in</html>"
    clock.go(FRESH)

    assert EPIC_KID == found(keys)


def test_takes_an_empty_set_at_its_word(keys, publisher, clock):
    """A client that withdraws its keys is not let in by them any more."""
    found(keys)
    publisher.body = key_set()
    clock.go(FRESH)

    assert "kid" == found(keys)


def test_logs_what_became_of_a_fetch(keys, publisher, clock, log):
    """The log says whose keys came or did not, and why."""
    found(keys)
    publisher.away = True
    clock.go(FRESH)
    found(keys)

    told = [json.loads(line.removeprefix("cds_service ")) for line in dict.fromkeys(log.lines)]
    assert [("keys.fetched", "north", 1), ("keys.unavailable", "north", "unreachable")] == [
        (line["event"], line["client"], line.get("keys", line.get("code"))) for line in told
    ]
