"""Whatever stands in an Authorization header, a stranger gets in never, and an error never; a refusal takes the time of a check."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.dialects import DIALECTS
from cds_service.errors import Unauthenticated
from cds_service.trust.clients import Client, Clients
from cds_service.trust.identity import Identity
from cds_service.trust.keys import read_keys
from cds_service.trust.reasons import REASONS
from cds_service.trust.replay import InMemory
from cds_service.trust.tokens import Authenticator
from tests import build
from tests.trust.minting import BASE, EC, ISSUER, OTHER_EC, Clock, header, mint, payload, pinned

pytestmark = pytest.mark.long

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["alg", "kid", "typ", "jku", "crit", "iss", "aud", "exp", "iat", "nbf", "jti", "sub", "tenant", "x"])


@pytest.fixture(scope="module")
def authenticator(tmp_path_factory) -> Authenticator:
    """Knows one client."""
    identity = Identity(issuer=ISSUER, jwks_file=Path(pinned(tmp_path_factory.mktemp("keys"))))
    client = Client(name="north", dialect=DIALECTS["spec"], identity=identity)
    return Authenticator(Clients([client]), BASE, InMemory(), Clock())


def judged(authenticator: Authenticator, authorization: str) -> str:
    """Who is let in, or why nobody is."""
    try:
        return authenticator.authenticate(authorization, build.SERVICE).name
    except Unauthenticated as error:
        return error.reason


@given(st.text() | st.text(alphabet="aA0._-= ").map(lambda text: f"Bearer {text}"))
def test_refuses_any_text(authenticator, text):
    """A text that nobody signed has a reason of the list."""
    assert judged(authenticator, text) in REASONS


@given(st.dictionaries(NAMES, JSON, max_size=4), st.dictionaries(NAMES, JSON, max_size=4))
def test_refuses_any_token_of_a_stranger(authenticator, head, body):
    """Whatever a token says in whatever form, by another key it lets nobody in."""
    token = mint(json.dumps({**header(), **head}).encode(), json.dumps({**payload(), **body}).encode(), key=OTHER_EC)

    assert judged(authenticator, f"Bearer {token}") in REASONS


@given(st.dictionaries(NAMES, JSON, min_size=1, max_size=3))
@settings(max_examples=200)
def test_judges_any_claims_of_a_client(authenticator, body):
    """A client's own token of any form is let in or refused, and never fails."""
    token = mint(body=json.dumps({**payload(), **body}).encode())

    assert judged(authenticator, f"Bearer {token}") in {"north", *REASONS}


@given(st.data())
def test_refuses_a_token_of_which_one_letter_is_another(authenticator, data):
    """A good token with any letter changed lets nobody in."""
    token = mint()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCXYZabcxyz0189-_."))
    if letter != token[place]:
        assert judged(authenticator, f"Bearer {token[:place]}{letter}{token[place + 1 :]}") in REASONS


@given(JSON)
def test_reads_any_key_set(value):
    """A set whose keys are anything has the good one, and no error."""
    assert [EC.kid] == list(read_keys(json.dumps({"keys": [value, EC.as_dict(private=False)]}).encode()))


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "alg", "key_ops", "kid"]), JSON, min_size=1))
def test_reads_any_key(members):
    """A key whose members are anything is used or left out, and no error."""
    keys = read_keys(json.dumps({"keys": [{**EC.as_dict(private=False), **members}]}).encode())

    assert len(keys) <= 1


@pytest.mark.cost
def test_takes_the_time_of_a_check_for_every_refusal(authenticator):
    """By its time nobody can tell an issuer that is registered, or a kid that there is, from one that is not."""
    refusals = {
        "missing": "",
        "malformed": "Bearer x",
        "issuer": f"Bearer {mint(body=payload(iss='https://evil.example'))}",
        "kid": f"Bearer {mint(header(kid='nobody'))}",
        "signature": f"Bearer {mint(key=OTHER_EC)}",
        "audience": f"Bearer {mint(body=payload(aud='x'))}",
    }
    spent: dict[str, list[float]] = {reason: [] for reason in refusals}
    for _ in range(40):
        for reason, authorization in refusals.items():
            started = time.perf_counter()
            assert reason == judged(authenticator, authorization)
            spent[reason].append(time.perf_counter() - started)

    medians = [statistics.median(times) for times in spent.values()]

    assert max(medians) < 2 * min(medians)
