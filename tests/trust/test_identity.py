"""clients.toml says by which tokens a client is known; a fault stops the start with its place and its remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_service.errors import SettingsError
from cds_service.trust.clients import Clients, Ours, load
from cds_service.trust.identity import ALGORITHMS, Identity
from tests.trust.minting import EC, ENCRYPTS, ISSUER, entry, key_set, pinned, registered

OURS = Ours(frozenset({"patient"}), frozenset(), {})
JKU = "https://ehr.north.example/.well-known/jwks.json"
SERVER = "https://ehr.north.example/r4"


def loaded(folder: Path, *entries: str) -> Clients:
    """The clients of a clients.toml."""
    return load(registered(folder, *entries), OURS)


def known(folder: Path, **members: object) -> Identity | None:
    """The identity of a client with these members."""
    (client,) = loaded(folder, entry("north", **{"issuer": ISSUER, "jku": JKU, **members})).registered
    return client.identity


def refusal(folder: Path, *entries: str) -> str:
    """What is said of a clients.toml, without its folder."""
    with pytest.raises(SettingsError) as caught:
        loaded(folder, *entries)
    return caught.value.public.replace(f"{folder}/", "")


def test_knows_nobody_by_tokens_unless_told(tmp_path):
    """A client without an issuer is known by its FHIR server, as before."""
    found = loaded(tmp_path, entry("north", fhir_server=SERVER))

    assert (None, False) == (found.registered[0].identity, found.authenticated)


def test_needs_an_issuer_and_its_keys(tmp_path):
    """Issuer and jku are enough: the rest is what CDS Hooks recommends, and no FHIR server is needed."""
    found = loaded(tmp_path, entry("north", issuer=ISSUER, jku=JKU))

    assert Identity(issuer=ISSUER, jku=JKU) == found.registered[0].identity
    assert (("ES384", "RS384"), 3600, 60) == tuple(getattr(found.registered[0].identity, name) for name in ("algorithms", "max_lifetime", "leeway"))
    assert (None, True) == (found.registered[0].server, found.authenticated)


def test_reads_every_member(tmp_path):
    """What a registration says of its tokens is kept; an audience loses the slash at its end."""
    path = pinned(tmp_path)
    text = entry(
        "north",
        issuer=ISSUER,
        jwks_file=path,
        audiences=["https://cds.example/", "https://10.0.0.5:8443/cds"],
        subject="ehr",
        tenants=["a", "b"],
        algorithms=["RS256"],
        max_lifetime=900,
        leeway=0,
    )

    (client,) = loaded(tmp_path, text).registered

    assert client.identity == Identity(
        issuer=ISSUER,
        jwks_file=Path(path),
        audiences=("https://cds.example", "https://10.0.0.5:8443/cds"),
        subject="ehr",
        tenants=frozenset({"a", "b"}),
        algorithms=("RS256",),
        max_lifetime=900,
        leeway=0,
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.requirement("cds-hooks_2.0@207")
def test_takes_every_signature_by_a_key_pair(tmp_path, algorithm):
    """Whatever the client signs with, as long as it is no shared secret."""
    found = known(tmp_path, algorithms=[algorithm])

    assert found
    assert (algorithm,) == found.algorithms


@pytest.mark.parametrize(
    "jku",
    [
        JKU,
        "http://127.0.0.1:8090/jwks",
        "http://localhost/jwks",
        "http://[::1]:1/a.json",
        "https://a.example:8443/k?set=1&x=%2F",
        "https://a.example",
    ],
)
def test_takes_the_url_of_keys(tmp_path, jku):
    """A jku is https, or stays on this machine; it is kept letter by letter, since tokens name it so."""
    found = known(tmp_path, jku=jku)

    assert found
    assert jku == found.jku


FAULTS: dict[str, tuple[dict[str, object], str, str]] = {
    "no issuer": ({"issuer": None}, "it has jku and no issuer", "or leave out jku."),
    "a life, and no issuer": ({"issuer": None, "jku": None, "max_lifetime": 60}, "it has max_lifetime and no issuer", "or leave out max_lifetime."),
    "no keys": ({"jku": None}, "it needs exactly one of jku and jwks_file", "or a file that holds it."),
    "two kinds of keys": ({"jwks_file": "x"}, "it needs exactly one of jku and jwks_file", "or a file that holds it."),
    "an empty issuer": ({"issuer": ""}, "issuer holds an empty text", "as its tokens have it."),
    "an issuer with a blank": ({"issuer": "a b"}, "issuer holds", "as its tokens have it."),
    "an empty subject": ({"subject": ""}, "subject holds", "as its tokens have it."),
    "an empty tenant": ({"tenants": ["a", ""]}, "tenants holds", "as its tokens have it."),
    "none": ({"algorithms": ["none"]}, "algorithms names 'none', which is not taken.", f"Use some of {', '.join(ALGORITHMS)}."),
    "a shared secret": ({"algorithms": ["HS256"]}, "algorithms names 'HS256'", f"Use some of {', '.join(ALGORITHMS)}."),
    "no algorithm": ({"algorithms": []}, "algorithms is empty", f"or list some of {', '.join(ALGORITHMS)}."),
    "a jku by http": ({"jku": "http://ehr.example/jwks"}, "jku is http, so whoever stands between", "https://ehr.example.org/jwks.json."),
    "a jku of another kind": ({"jku": "ftp://ehr.example/jwks"}, "jku is no http(s) URL", "https://ehr.example.org/jwks.json."),
    "a jku with a user": ({"jku": "https://a@ehr.example/jwks"}, "jku is no http(s) URL", "https://ehr.example.org/jwks.json."),
    "a jku with a fragment": ({"jku": "https://ehr.example/jwks#a"}, "jku is no plain URL", "https://ehr.example.org/jwks.json."),
    "a jku with dots": ({"jku": "https://ehr.example/a/../jwks"}, "jku is no plain URL", "https://ehr.example.org/jwks.json."),
    "a jku that is a path": ({"jku": "/jwks.json"}, "jku is no http(s) URL", "https://ehr.example.org/jwks.json."),
    "an audience that is no URL": ({"audiences": ["cds"]}, "audiences: 'cds' is no http(s) URL", "as the client calls it."),
    "a life of nothing": ({"max_lifetime": 0}, "client[0].max_lifetime: Expected `int` >= 1", "docs/clients.md shows every member."),
    "a life of two days": ({"max_lifetime": 172800}, "client[0].max_lifetime: Expected `int` <= 86400", "docs/clients.md shows every member."),
    "a leeway of an hour": ({"leeway": 3600}, "client[0].leeway: Expected `int` <= 600", "docs/clients.md shows every member."),
    "a leeway back in time": ({"leeway": -1}, "client[0].leeway: Expected `int` >= 0", "docs/clients.md shows every member."),
    "a member that is none": ({"jwks_uri": JKU}, "unknown field `jwks_uri`", "docs/clients.md shows every member."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_refuses_a_fault_with_its_place_and_remedy(tmp_path, name):
    """What is wrong stops the start with the file, the client, and what to write instead."""
    members, place, remedy = FAULTS[name]
    given = {"issuer": ISSUER, "jku": JKU, **members}

    said = refusal(tmp_path, entry("north", **{key: value for key, value in given.items() if value is not None}))

    assert said.startswith("clients.toml: client")
    assert place in said
    assert said.endswith(remedy)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"<html>", "is no JSON."),
        (json.dumps(EC.as_dict(private=False)).encode(), "is no JWK Set."),
        (key_set(), "holds no public key with a kid for signatures."),
        (key_set(ENCRYPTS), "holds no public key with a kid for signatures."),
        (key_set(EC.as_dict(private=True)), "holds no public key with a kid for signatures."),
    ],
)
def test_refuses_a_file_without_keys(tmp_path, body, said):
    """A pinned set is read at the start, so that nobody finds out by the first call."""
    path = tmp_path / "jwks.json"
    if body is not None:
        path.write_bytes(body)

    assert f"client 'north': jwks_file {path.name} {said}" in refusal(tmp_path, entry("north", issuer=ISSUER, jwks_file=str(path)))


def test_refuses_a_client_that_could_never_call(tmp_path):
    """Where one client has tokens all need them: half a configuration would be an open door, or a closed one."""
    said = refusal(tmp_path, entry("north", issuer=ISSUER, jku=JKU), entry("south", fhir_server=SERVER))

    assert said.startswith("clients.toml: client 'south': it has no issuer, and others have")
    assert said.endswith("or take it out.")


@pytest.mark.parametrize(("one", "other"), [([], []), (["a"], []), ([], ["a"]), (["a", "b"], ["b", "c"])])
def test_refuses_two_clients_that_a_token_cannot_tell_apart(tmp_path, one, other):
    """Clients of one issuer need tenants, and no tenant is of two."""
    said = refusal(tmp_path, entry("north", issuer=ISSUER, jku=JKU, tenants=one), entry("south", issuer=ISSUER, jku=JKU, tenants=other))

    assert "clients.toml: client 'south': its issuer is that of 'north'. Give both of them tenants, and none of these twice." == said


def test_lets_two_clients_share_an_issuer(tmp_path):
    """Sites that one vendor serves are told apart by their tenants."""
    found = loaded(
        tmp_path,
        entry("north", issuer=ISSUER, jku=JKU, tenants=["a"]),
        entry("south", issuer=ISSUER, jku=JKU, tenants=["b"]),
        entry("x", issuer="y", jku=JKU),
    )

    assert ["north", "south", "x"] == [client.name for client in found.registered]
