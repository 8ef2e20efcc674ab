"""Tokens over HTTP: every bad one gets the same answer, its reason stands in the log, and three kinds of clients get in."""

from __future__ import annotations

import json

import pytest
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64encode

from cds_service.settings import Settings
from cds_service.trust.reasons import REASONS
from tests import build
from tests.fakes import checked_app
from tests.trust.minting import (
    EC,
    ED,
    EPIC_KID,
    ISSUER,
    NOW,
    OTHER_EC,
    RSA,
    SECRET,
    SERVICE_URL,
    Clock,
    bearer,
    entry,
    header,
    key_set,
    mint,
    payload,
    pinned,
    registered,
)

NOWHERE = "http://127.0.0.1:9/jwks.json"
STRICT, FAR, SANDBOX = "https://strict.example", "https://far.example", "https://sandbox.cds-hooks.org"
SHARED = OctKey.import_key(key_set(EC))  # what is public, taken for a secret
DEEP = b'{"iss":' + b"[" * 3000 + b"]" * 3000 + b"}"
GOOD = mint()
HEAD, BODY, SIGNATURE = GOOD.split(".")


def text(part: bytes) -> str:
    """Bytes as they stand in a token."""
    return urlsafe_b64encode(part).decode()


def twice(name: str, members: dict) -> bytes:
    """An object in which a member stands twice."""
    return b'{"%s":"a",' % name.encode() + json.dumps(members).encode()[1:]


def of(head: dict | None = None, **claims: object) -> str:
    """A header with a token that is rightly signed and has these members."""
    return f"Bearer {mint(header(**(head or {})), payload(**claims))}"


def strict(**claims: object) -> str:
    """A token of the client whose subject and tenant are registered."""
    return of(iss=STRICT, **{"sub": "ehr", "tenant": "t1", **claims})


BAD: dict[str, tuple[str | None, str]] = {
    "no header": (None, "missing"),
    "an empty header": ("", "missing"),
    "Basic": ("Basic dTpw", "scheme"),
    "a token without its scheme": (GOOD, "scheme"),
    "nothing after Bearer": ("Bearer", "malformed"),
    "a blank after Bearer": ("Bearer ", "malformed"),
    "two tokens": (f"Bearer {GOOD}, Bearer {GOOD}", "malformed"),
    "two parts": (f"Bearer {HEAD}.{BODY}", "malformed"),
    "four parts": (f"Bearer {GOOD}.{SIGNATURE}", "malformed"),
    "a header that is no base64url": (f"Bearer !{HEAD}.{BODY}.{SIGNATURE}", "malformed"),
    "a header with padding": (f"Bearer {HEAD}==.{BODY}.{SIGNATURE}", "malformed"),
    "a header that is no JSON": (f"Bearer {mint(b'ES384')}", "malformed"),
    "a header that is a list": (f"Bearer {mint([header()])}", "malformed"),
    "a payload that is no JSON": (f"Bearer {mint(body=b'iss')}", "malformed"),
    "a payload that is a list": (f"Bearer {mint(body=[payload()])}", "malformed"),
    "a payload in UTF-16": (f"Bearer {mint(body=json.dumps(payload()).encode('utf-16'))}", "malformed"),
    "no payload": (f"Bearer {HEAD}..{SIGNATURE}", "malformed"),
    "an exp that is NaN": (f"Bearer {mint(body=payload(exp=float('nan')))}", "malformed"),
    "an exp that is infinite": (f"Bearer {mint(body=payload(exp=float('inf')))}", "malformed"),
    "a claim that stands twice": (f"Bearer {mint(body=twice('iss', payload()))}", "malformed"),
    "an alg that stands twice": (f"Bearer {mint(twice('alg', header()))}", "malformed"),
    "a payload of many levels": (f"Bearer {mint(body=DEEP)}", "malformed"),
    "a token of 9 kB": (of(more="x" * 9000), "malformed"),
    "a token beyond ASCII": ("Bearer \xe4.\xe4.\xe4", "malformed"),
    "no alg": (of({"alg": None}), "malformed"),
    "no typ": (of({"typ": None}), "header"),
    "another typ": (of({"typ": "at+jwt"}), "header"),
    "a typ in small letters": (of({"typ": "jwt"}), "header"),
    "no kid": (of({"kid": None}), "header"),
    "an empty kid": (of({"kid": ""}), "header"),
    "a kid that is a number": (of({"kid": 5}), "header"),
    "an alg that is a list": (of({"alg": ["ES384"]}), "header"),
    "crit": (of({"crit": ["exp"]}), "embedded"),
    "an empty crit": (of({"crit": []}), "embedded"),
    "a key in the header": (of({"jwk": OTHER_EC.as_dict(private=False)}), "embedded"),
    "the URL of a certificate": (of({"x5u": "https://evil.example/c.pem"}), "embedded"),
    "a certificate": (of({"x5c": ["MIIB"]}), "embedded"),
    "a payload that is not encoded": (of({"b64": True}), "embedded"),
    "no signature and alg none": (f"Bearer {text(json.dumps(header(alg='none')).encode())}.{BODY}.", "algorithm"),
    "alg None": (of({"alg": "None"}), "algorithm"),
    "a public key as a secret, HS256": (f"Bearer {mint(header(alg='HS256'), key=SHARED, sign='HS256')}", "algorithm"),
    "a public key as a secret, HS384": (f"Bearer {mint(header(alg='HS384'), key=SHARED, sign='HS384')}", "algorithm"),
    "an alg that the client may not use": (f"Bearer {mint(header(alg='RS256', kid='rsa'), key=RSA, sign='RS256')}", "algorithm"),
    "no iss": (of(iss=None), "claims"),
    "an empty iss": (of(iss=""), "claims"),
    "an iss that is a list": (of(iss=[ISSUER]), "claims"),
    "an iss that nobody has": (of(iss="https://evil.example"), "issuer"),
    "an iss with a slash more": (of(iss=f"{ISSUER}/"), "issuer"),
    "an iss in other letters": (of(iss=ISSUER.upper()), "issuer"),
    "no aud": (of(aud=None), "claims"),
    "an aud that is an object": (of(aud={"url": SERVICE_URL}), "claims"),
    "an empty list of aud": (of(aud=[]), "audience"),
    "an aud of another service": (of(aud=f"{SERVICE_URL}2"), "audience"),
    "an aud that is our base": (of(aud=Settings().base_url), "audience"),
    "an aud with a slash more": (of(aud=f"{SERVICE_URL}/"), "audience"),
    "an aud that is the feedback's": (of(aud=f"{SERVICE_URL}/feedback"), "audience"),
    "several aud of others": (of(aud=["https://a.example", f"{SERVICE_URL}x"]), "audience"),
    "no exp": (of(exp=None), "claims"),
    "an exp that is a text": (of(exp=str(NOW + 300)), "claims"),
    "an exp that is true": (of(exp=True), "claims"),
    "an exp without end": (of(exp=10**400), "claims"),
    "exp of a minute ago": (of(iat=NOW - 300, exp=NOW - 60), "expired"),
    "no iat": (of(iat=None), "claims"),
    "an iat that is a text": (of(iat="now"), "claims"),
    "an iat more than a minute ahead": (of(iat=NOW + 61), "early"),
    "an nbf more than a minute ahead": (of(nbf=NOW + 61), "early"),
    "an nbf that is a text": (of(nbf="now"), "claims"),
    "a life of more than an hour": (of(exp=NOW + 3601), "lifetime"),
    "an end at the beginning": (of(iat=NOW, exp=NOW), "lifetime"),
    "an end before the beginning": (of(iat=NOW + 10, exp=NOW), "lifetime"),
    "no jti": (of(jti=None), "claims"),
    "an empty jti": (of(jti=""), "claims"),
    "a jti that is a number": (of(jti=5), "claims"),
    "another sub": (strict(sub="somebody"), "subject"),
    "no sub": (strict(sub=None), "subject"),
    "another tenant": (strict(tenant="t2"), "tenant"),
    "no tenant": (strict(tenant=None), "tenant"),
    "a tenant that is a list": (strict(tenant=["t1"]), "tenant"),
    "a kid that nobody has": (of({"kid": "nobody"}), "kid"),
    "a kid of a key that encrypts": (f"Bearer {mint(header(kid='encrypts'), key=OTHER_EC)}", "kid"),
    "a kid of a short RSA key": (f"Bearer {mint(header(alg='RS384', kid='weak'), key=RSA, sign='RS384')}", "kid"),
    "an RSA key for ES384": (of({"kid": "rsa"}), "key"),
    "an EC key for RS384": (f"Bearer {mint(header(alg='RS384'), key=RSA, sign='RS384')}", "key"),
    "another key": (f"Bearer {mint(key=OTHER_EC)}", "signature"),
    "another signature": (f"Bearer {HEAD}.{BODY}.{text(b'1' * 96)}", "signature"),
    "no signature": (f"Bearer {HEAD}.{BODY}.", "signature"),
    "half a signature": (f"Bearer {HEAD}.{BODY}.{SIGNATURE[:64]}", "signature"),
    "a signature that is no base64url": (f"Bearer {HEAD}.{BODY}.{SIGNATURE}!", "signature"),
    "a payload that was changed": (f"Bearer {HEAD}.{text(json.dumps(payload()).encode())}.{SIGNATURE}", "signature"),
    "another jku": (of({"jku": "https://evil.example/jwks.json"}, iss=FAR), "jku"),
    "a jku that is a list": (of({"jku": [NOWHERE]}, iss=FAR), "jku"),
    "keys that cannot be had": (of({"jku": NOWHERE}, iss=FAR), "keys"),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A service at noon that knows several clients by their tokens."""
    folder = tmp_path_factory.mktemp("tokens")
    keys = pinned(folder)
    clients = registered(
        folder,
        entry("north", issuer=ISSUER, jwks_file=keys),
        entry("strict", issuer=STRICT, jwks_file=keys, subject="ehr", tenants=["t1"]),
        entry("far", issuer=FAR, jku=NOWHERE),
        entry("sandbox", issuer=SANDBOX, jwks_file=keys),
        entry("edwards", issuer="https://ed.example", jwks_file=keys, algorithms=["EdDSA", "PS256"]),
    )
    return checked_app(Settings(clients=clients), lambda: build.TODAY, Clock()).test_client()


def call(client, authorization: str | None = None):
    """The answer to a call about a patient."""
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.post(build.SERVICE, json=build.request(build.suspect()), headers=headers)


def logged(log) -> list[dict[str, object]]:
    """The events of the log."""
    return [json.loads(line.removeprefix("cds_service ")) for line in log.lines]


@pytest.mark.parametrize("name", BAD)
@pytest.mark.requirement("cds-hooks_2.0@177", "cds-hooks_2.0@195", "cds-hooks_2.0@201", "cds-hooks_2.0@203")
def test_refuses_a_bad_token_in_the_same_words(client, log, name):
    """Each bad token gets the answer of a call without one, byte by byte, and its reason stands in the log only."""
    authorization, reason = BAD[name]
    expected = call(client)

    response = call(client, authorization)

    last = logged(log)[-1]
    assert (401, "Bearer") == (response.status_code, response.headers["WWW-Authenticate"])
    assert (expected.data, expected.headers) == (response.data, response.headers)
    assert ("hook.refused", 401, "unauthenticated", reason) == (last["event"], last["status"], last["code"], last["reason"])


@pytest.mark.parametrize("name", BAD)
def test_says_nothing_of_a_token_in_the_log(client, log, name):
    """Of a token the log has issuer, tenant and jti, and no part of it as it came."""
    authorization, _ = BAD[name]

    response = call(client, authorization)

    told = " ".join([*log.lines, response.get_data(as_text=True), str(response.headers)])
    parts = [part for part in (authorization or "").removeprefix("Bearer ").split(".") if len(part) > 20]
    assert [] == [part for part in parts if part in told]
    assert {"at", "event", "status", "code", "reason", "iss", "tenant", "jti"} >= logged(log)[-1].keys()
    assert "ehr" not in {logged(log)[-1].get(name) for name in ("iss", "tenant", "jti")}


def test_knows_every_reason():
    """The table of bad tokens has every reason of the closed list but the one that needs two calls."""
    assert set(REASONS) - {"replayed"} == {reason for _, reason in BAD.values()}


def test_does_not_log_what_is_no_plain_text(client, log):
    """A jti or an issuer with words in it is left out of the log."""
    call(client, of(jti="Jane Doe, born 1956", iss="Jane Doe", tenant="Jane Doe"))

    assert {"at", "event", "status", "code", "reason"} == logged(log)[-1].keys()


def test_logs_issuer_tenant_and_jti(client, log):
    """What a token says of itself helps to find the client; it names nobody."""
    call(client, strict(tenant="t2", jti="j-1"))

    last = logged(log)[-1]
    assert (STRICT, "t2", "j-1") == (last["iss"], last["tenant"], last["jti"])


def test_refuses_before_the_body_is_read(client):
    """A stranger learns nothing of what is wrong with a body, and makes nobody read it."""
    huge = client.post(build.SERVICE, data=b"x" * (9 << 20), content_type="application/json")
    strange = client.post(build.SERVICE, data=b"<a/>", content_type="text/xml", headers={"Content-Encoding": "gzip"})

    assert (401, 401) == (huge.status_code, strange.status_code)


EPIC = payload(iat=NOW, nbf=NOW - 300, exp=NOW + 900, sub="0f5c27a6-a04f-4d5a-8f0b-2d2a7e9c7a11")
LIKE = {
    "Epic": mint(header(alg="RS384", kid="rsa", jku="https://epic.example/jwks"), EPIC, key=RSA, sign="RS384"),
    "the CDS Hooks sandbox": mint(header(jku="https://sandbox.cds-hooks.org/.well-known/jwks.json"), payload(iss=SANDBOX)),
    "Inferno": mint(header(jku="https://inferno.example/custom/crd_server/jwks.json"), payload(jti="5" * 64)),
    "one with a list of aud": mint(body=payload(aud=["https://elsewhere.example", SERVICE_URL])),
    "one of an hour": mint(body=payload(exp=NOW + 3600)),
    "one that expired within the leeway": mint(body=payload(iat=NOW - 300, exp=NOW - 59)),
    "one whose clock is ahead": mint(body=payload(iat=NOW + 60, nbf=NOW + 60, exp=NOW + 360)),
    "one with fractions of seconds": mint(body=payload(iat=NOW + 0.5, exp=NOW + 300.25)),
    "one with headers of its own": mint(header(cty="x", vendor={"a": 1})),
    "one with a tenant that nobody asked for": mint(body=payload(tenant="t9", sub="x")),
    "one of a tenant": mint(body=payload(iss=STRICT, sub="ehr", tenant="t1")),
    "one of Ed25519": mint(header(alg="EdDSA", kid="ed"), payload(iss="https://ed.example"), key=ED, sign="EdDSA"),
    "one whose jti is no Unicode": mint(body=payload(jti="\ud800")),
    "one of RSA": mint(header(alg="RS384", kid="rsa"), key=RSA, sign="RS384"),
}


@pytest.mark.parametrize("name", LIKE)
@pytest.mark.requirement("cds-hooks_2.0@176", "cds-hooks_2.0@199", "cds-hooks_2.0@200", "cds-hooks_2.0@205")
def test_lets_a_good_token_in_once(client, log, name):
    """What real clients send is taken, and taken once; its keys were exchanged beforehand, so its jku leads nowhere."""
    first, second = (call(client, f"bearer {LIKE[name]}") for _ in range(2))

    assert (200, 401) == (first.status_code, second.status_code)
    assert 1 == len(first.json["cards"])
    assert "replayed" == logged(log)[-1]["reason"]


def test_counts_refusals_by_their_reason(tmp_path):
    """What Prometheus reads tells a client with a wrong clock from somebody who knocks at the door."""
    clients = registered(tmp_path, entry("north", issuer=ISSUER, jwks_file=pinned(tmp_path)))
    client = checked_app(Settings(clients=clients), lambda: build.TODAY, Clock()).test_client()
    for authorization in (None, None, of(iat=NOW + 100)):
        call(client, authorization)
    client.post(build.SERVICE, data=b"{", content_type="application/json", headers=bearer())

    told = client.get("/metrics").get_data(as_text=True)

    assert 'cds_auth_refused_total{reason="missing"} 2.0' in told
    assert 'cds_auth_refused_total{reason="early"} 1.0' in told
    assert 'cds_calls_refused_total{code="unauthenticated"} 3.0' in told
    assert 'cds_calls_refused_total{code="malformed-body"} 1.0' in told


def test_takes_no_key_that_was_published_with_its_secret(tmp_path):
    """A private key in a public set is nobody's any more, so nothing that it signs is taken."""
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set(EC, SECRET))
    clients = registered(tmp_path, entry("north", issuer=ISSUER, jwks_file=str(path)))
    client = checked_app(Settings(clients=clients), lambda: build.TODAY, Clock()).test_client()

    assert 401 == call(client, f"Bearer {mint(header(kid='other'), key=OTHER_EC)}").status_code
    assert 200 == call(client, f"Bearer {mint(header(kid=EPIC_KID))}").status_code
