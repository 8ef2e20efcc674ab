"""The SMART app of a registration: what may stand there, and where its secrets lie."""

from __future__ import annotations

import re
import subprocess

import pytest

from cds_service.errors import SettingsError
from cds_service.record.secret import Secret
from cds_service.trust import clients
from cds_service.trust.app import public_keys
from cds_service.trust.sealing import LONGEST, Seal
from tests.build import KNOWLEDGE
from tests.smart.ehr import private_key
from tests.trust.minting import entry, pinned

SERVER = "https://fhir.north.example/r4"


def registered(folder, smart: str, **members):
    """The client of a registration with an app."""
    path = folder / "clients.toml"
    path.write_text(f"{entry('north', **{'fhir_server': SERVER, **members})}\n[client.smart]\n{smart}\n", encoding="utf-8")
    return clients.load(path, clients.ours(KNOWLEDGE)).registered[0]


def said(folder, smart: str, **members) -> str:
    """Why a registration is refused."""
    with pytest.raises(SettingsError) as refused:
        registered(folder, smart, **members)
    return str(refused.value).removeprefix(f"{folder / 'clients.toml'}: ")


def key_of(folder, *options: str) -> str:
    """A line that names a key."""
    return f'client_id = "app"\nprivate_key_file = "{private_key(folder, *options)}"'


def test_is_public_unless_told_otherwise(tmp_path):
    """A client id is enough; no page of another origin may show the app."""
    app = registered(tmp_path, 'client_id = "app"').app

    assert (None, None, (), False, ()) == (app.secret, app.key_file, app.scopes, app.openid, app.framed_by)


def test_is_left_out_where_it_is_not_registered(tmp_path):
    """A client without smart has no app."""
    path = tmp_path / "clients.toml"
    path.write_text(entry("north", fhir_server=SERVER), encoding="utf-8")

    assert clients.load(path, clients.ours(KNOWLEDGE)).registered[0].app is None


def test_keeps_its_secret_from_prints(tmp_path):
    """The secret is read from its file, without the line end, and shown by no representation."""
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")

    app = registered(tmp_path, f'client_id = "app"\nclient_secret_file = "{tmp_path / "secret"}"').app

    assert isinstance(app.secret, Secret)
    assert "s3cret" == app.secret.reveal()
    assert "s3cret" not in repr(app)


def test_publishes_the_public_half_of_its_key(tmp_path):
    """With the kid by which its assertions name it, which is the same whenever the file is read."""
    app = registered(tmp_path, key_of(tmp_path)).app

    (key,) = public_keys(app)["keys"]

    assert {"kty": "EC", "crv": "P-384", "alg": "ES384", "use": "sig"} == {name: key[name] for name in ("kty", "crv", "alg", "use")}
    assert "d" not in key
    assert key == public_keys(app)["keys"][0]


def test_takes_the_authorities_of_its_client_unless_it_has_its_own(tmp_path):
    """A hospital's own authority holds for its sign-in, too."""
    for name in ("one.pem", "other.pem"):
        (tmp_path / name).write_text("", encoding="utf-8")
    one, other = str(tmp_path / "one.pem"), str(tmp_path / "other.pem")

    both = registered(tmp_path, f'client_id = "app"\nca_file = "{other}"', ca_file=one).app
    client = registered(tmp_path, 'client_id = "app"', ca_file=one).app

    assert [other, one] == [both.ca_file, client.ca_file]


@pytest.mark.parametrize(
    ("smart", "told"),
    [
        ("", "client[0].smart: Object missing required field `client_id`"),
        ('client_id = ""', "smart: client_id is empty"),
        ('client_id = "a b"', "smart: client_id is empty, or has a blank"),
        ('client_id = "app"\nsecret = "x"', "Object contains unknown field `secret`"),
        ('client_id = "app"\nclient_secret_file = "/nowhere"', "client_secret_file /nowhere cannot be read: No such file or directory"),
        ('client_id = "app"\nprivate_key_file = "/nowhere"', "private_key_file /nowhere cannot be read: No such file or directory"),
        ('client_id = "app"\nca_file = "/nowhere"', "smart: ca_file /nowhere is no file"),
        ('client_id = "app"\nclient_secret_file = "/a"\nprivate_key_file = "/b"', "smart has client_secret_file and private_key_file"),
        ('client_id = "app"\nscopes = ["patient/*.rs user/*.rs"]', "scopes has 'patient/*.rs user/*.rs'"),
        ('client_id = "app"\nscopes = ["offline_access"]', "scopes has 'offline_access'"),
        ('client_id = "app"\nscopes = ["launch"]', "scopes has 'launch'"),
        ('client_id = "app"\nscopes = [""]', "scopes has ''"),
        ('client_id = "app"\nframed_by = ["*"]', "framed_by has '*', which is no https origin"),
        ('client_id = "app"\nframed_by = ["http://ehr.example.org"]', "framed_by has 'http://ehr.example.org'"),
        ('client_id = "app"\nframed_by = ["https://ehr.example.org/page"]', "framed_by has 'https://ehr.example.org/page'"),
        ('client_id = "app"\nframed_by = ["https://a.example; script-src *"]', "framed_by has 'https://a.example; script-src *'"),
    ],
)
def test_refuses_what_would_not_work_or_not_be_safe(tmp_path, smart, told):
    """Each with file, client and remedy."""
    assert told in said(tmp_path, smart)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    "options",
    [
        ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"),
        ("-algorithm", "ED25519"),
    ],
)
def test_refuses_a_key_that_smart_has_no_algorithm_for(tmp_path, options):
    """ES384 and RS384 are those that every server has to know; RSA has 2048 bits at least."""
    assert "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384" in said(tmp_path, key_of(tmp_path, *options))


def test_refuses_a_public_key(tmp_path):
    """Nobody could sign with it."""
    private = private_key(tmp_path)
    private.write_bytes(subprocess.run(["openssl", "pkey", "-in", str(private), "-pubout"], capture_output=True, check=True).stdout)

    assert "holds no private key" in said(tmp_path, f'client_id = "app"\nprivate_key_file = "{private}"')


@pytest.mark.parametrize("text", ["", "two words", "a\nb", "\N{SNOWMAN}"])
def test_refuses_a_secret_that_is_none(tmp_path, text):
    """And does not repeat it."""
    (tmp_path / "secret").write_text(text, encoding="utf-8")

    told = said(tmp_path, f'client_id = "app"\nclient_secret_file = "{tmp_path / "secret"}"')

    assert re.search(r"client_secret_file \S+ does not hold one secret", told)
    assert not text or text not in told.replace(str(tmp_path), "")


def test_needs_a_server_to_which_a_token_may_travel(tmp_path):
    """By its address a launch is known, and a token never travels in clear."""
    keys = pinned(tmp_path)
    (tmp_path / "clients.toml").write_text(f"{entry('north', issuer='https://ehr.example', jwks_file=keys)}\n[client.smart]\nclient_id = 'app'\n")

    with pytest.raises(SettingsError, match="smart needs fhir_server"):
        clients.load(tmp_path / "clients.toml", clients.ours(KNOWLEDGE))
    assert "smart: fhir_server is http" in said(tmp_path, 'client_id = "app"', fhir_server="http://fhir.north.example/r4", open=True)


def test_seals_what_a_browser_carries():
    """It can be opened by the same key and by no other, and not if a character is changed."""
    seal = Seal(b"k" * 32)
    closed = seal.closed(b"state")

    assert b"state" == seal.opened(closed)
    assert "state" not in closed
    spoilt = [f"{closed[:-3]}AAA", closed[:-1], f"{closed}.", closed.replace(".", "..", 1), "", "a.b.c.d.e", "x" * (LONGEST + 1), "\N{SNOWMAN}"]
    assert [None] * 9 == [Seal(b"x" * 32).opened(closed), *map(seal.opened, spoilt)]


def test_seals_nothing_twice_alike():
    """What is carried cannot be compared."""
    seal = Seal(b"k" * 32)

    assert seal.closed(b"state") != seal.closed(b"state")
