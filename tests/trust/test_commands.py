"""`cds-service client`: a registration is appended once it is sound, and a token is tried with the reason told."""

from __future__ import annotations

import datetime as dt
import io
import time

import pytest

from cds_service.cli import main
from cds_service.trust import clients
from cds_service.trust.reasons import REASONS
from tests import build
from tests.faults.servers import answered, serving
from tests.fhir.asking import says
from tests.trust.minting import BASE, EC, ISSUER, SERVICE_URL, entry, key_set, mint, payload, pinned, registered

JKU = "https://ehr.north.example/jwks"
MORE = ("--issuer", ISSUER, "--jku", JKU)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A clients.toml that is not there yet, and no other setting."""
    path = tmp_path / "clients.toml"
    monkeypatch.setenv("CDS_CLIENTS", str(path))
    return path


def run(capsys, *arguments: str) -> tuple[int, str]:
    """The exit status of a command, and what it says."""
    try:
        main(["client", *map(str, arguments)])
        status = 0
    except SystemExit as error:
        status = int(error.code or 0)
    said = capsys.readouterr()
    return status, said.out + said.err


def known(file) -> dict[str, str]:
    """The registered clients with their issuers."""
    found = clients.load(file, clients.ours(build.KNOWLEDGE)).registered
    return {one.name: one.identity.issuer if one.identity else "" for one in found}


# --- add ---


def test_makes_a_file_with_the_first_client(file, capsys, monkeypatch):
    """Without a file one is made, even where the service could not start without it, and the next step is told."""
    monkeypatch.setenv("CDS_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("CDS_AUTHENTICATE_DISCOVERY", "1")

    status, said = run(capsys, "add", "--name", "north", *MORE, "--fhir-server", "https://ehr.north.example/r4", "--dialect", "epic")

    assert 0 == status
    assert {"north": ISSUER} == known(file)
    assert f"{file}: 'north' is registered." in said
    assert "cds-service client test --client north TOKENFILE" in said


def test_appends_to_what_is_there(file, capsys):
    """What the file said before, comments and all, stays as it is; quotes in a value stay quotes."""
    before = "# ours\n" + entry("south", issuer="https://south.example", jku=JKU)
    file.write_text(before, encoding="utf-8")
    file.chmod(0o640)

    status, _ = run(capsys, "add", "--name", "north", "--issuer", 'urn:a"b\\c', "--jku", JKU, "--audience", "https://cds.example", "--audience", BASE)

    assert 0 == status
    assert {"south": "https://south.example", "north": 'urn:a"b\\c'} == known(file)
    assert file.read_text(encoding="utf-8").startswith(before)
    assert 'audiences = ["https://cds.example", "http://127.0.0.1:8080"]' in file.read_text(encoding="utf-8")
    assert 0o640 == file.stat().st_mode & 0o777
    assert [file] == list(file.parent.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--name", "South", *MORE), "client[1].name: Expected `str` matching regex"),
        (("--name", "south", *MORE), "client 'south': its name is that of 'south'."),
        (("--name", "north", "--issuer", "https://south.example", "--jku", JKU), "its issuer is that of 'south'."),
        (("--name", "north", "--issuer", ISSUER), "it needs exactly one of jku and jwks_file."),
        (("--name", "north", "--issuer", ISSUER, "--jku", "http://ehr.example/jwks"), "jku is http"),
        (("--name", "north", "--issuer", ISSUER, "--jwks-file", "/nowhere.json"), "jwks_file /nowhere.json cannot be read"),
        (("--name", "north", "--fhir-server", "https://ehr.north.example"), "it has no issuer, and others have"),
        (("--name", "north", *MORE, "--dialect", "epik"), "there is no dialect 'epik'"),
    ],
)
def test_adds_nothing_that_is_not_sound(file, capsys, arguments, sentence):
    """A fault is told as at the start, and the file stays as it is."""
    before = entry("south", issuer="https://south.example", jku=JKU)
    file.write_text(before, encoding="utf-8")

    status, said = run(capsys, "add", *arguments)

    assert 2 == status
    assert sentence in said
    assert before == file.read_text(encoding="utf-8")


def test_needs_a_file_to_add_to(monkeypatch, capsys):
    """Without CDS_CLIENTS nobody knows where to write."""
    monkeypatch.delenv("CDS_CLIENTS", raising=False)

    status, said = run(capsys, "add", "--name", "north", *MORE)

    assert 2 == status
    assert "CDS_CLIENTS is not set." in said


def test_says_where_it_may_not_write(tmp_path, monkeypatch, capsys):
    """A folder that is not there is no place for a file."""
    monkeypatch.setenv("CDS_CLIENTS", str(tmp_path / "no" / "clients.toml"))

    status, said = run(capsys, "add", "--name", "north", *MORE)

    assert 2 == status
    assert "cannot be written: No such file or directory." in said


# --- test ---


@pytest.fixture
def north(file):
    """One client with pinned keys."""
    registered(file.parent, entry("north", issuer=ISSUER, jwks_file=pinned(file.parent)))
    return file


def saved(file, text: str):
    """A file with a token."""
    path = file.parent / "token.txt"
    path.write_text(text, encoding="utf-8")
    return path


def fresh(**claims: object) -> str:
    """A token of this moment."""
    now = int(time.time())
    return mint(body=payload(**{"iat": now, "exp": now + 300, **claims}))


@pytest.mark.parametrize("form", ["{}", "{}\n", "Bearer {}", "Authorization: Bearer {}\n", "bearer {}"])
def test_lets_a_good_token_in(north, capsys, form):
    """However a token was copied, it is tried."""
    status, said = run(capsys, "test", "--client", "north", saved(north, form.format(fresh())))

    assert (0, True) == (status, said.startswith("let in as 'north'."))


def test_reads_a_token_from_stdin(north, capsys, monkeypatch):
    """With - the token need not be saved."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(fresh().encode())))

    assert 0 == run(capsys, "test", "--client", "north", "-")[0]


@pytest.mark.parametrize(
    ("token", "reason", "detail"),
    [
        ("", "missing", ""),
        ("nonsense", "malformed", ""),
        (fresh(iss="https://evil.example"), "issuer", f"iss is 'https://evil.example'; registered is '{ISSUER}'"),
        (fresh(aud=f"{SERVICE_URL}2"), "audience", f"aud is '{SERVICE_URL}2'; it should be {SERVICE_URL} or {SERVICE_URL}/feedback"),
        (fresh(exp=int(time.time()) - 100, iat=int(time.time()) - 200), "expired", "seconds ago by our clock"),
        (fresh(aud="a\x1b[31m\u202e"), "audience", "aud is 'a\\x1b[31m\\u202e'"),
    ],
    ids=["nothing", "nonsense", "issuer", "audience", "expired", "escapes"],
)
def test_says_why_a_token_is_refused_and_what_to_change(north, capsys, token, reason, detail):
    """On the operator's own machine the reason is told, with what was sent, what is registered, and the remedy."""
    status, said = run(capsys, "test", "--client", "north", saved(north, token))

    assert 1 == status
    assert said.startswith(f"refused: {reason}.")
    assert detail in said
    assert said.rstrip().endswith(REASONS[reason])


@pytest.mark.parametrize(
    ("endpoint", "status", "words"),
    [(f"{BASE}{build.SERVICE}", 0, "let in"), (f"{BASE}/cds-services", 1, "refused: audience"), ("https://cds.example/x", 2, "begins with none of")],
)
def test_tries_a_token_at_an_endpoint(north, capsys, endpoint, status, words):
    """The URL that the client calls decides which aud is right; one that is not ours is told."""
    found = run(capsys, "test", "--client", "north", "--endpoint", endpoint, saved(north, fresh()))

    assert (status, True) == (found[0], words in found[1])


@pytest.mark.parametrize(
    ("body", "status", "words"), [(key_set(EC), 0, "let in"), (b"<html>", 1, "refused: keys. unreadable. No keys of this client")]
)
def test_fetches_the_clients_keys(file, capsys, body, status, words):
    """The jku is asked as the service would ask it."""
    with serving(says(answered(body))) as running:
        registered(file.parent, entry("north", issuer=ISSUER, jku=f"{running.base}/jwks.json"))
        found = run(capsys, "test", "--client", "north", saved(file, fresh()))

    assert (status, True) == (found[0], words in found[1])


def test_knows_only_registered_clients(north, capsys):
    """A name that is none is told with those that are."""
    status, said = run(capsys, "test", "--client", "south", saved(north, fresh()))

    assert 2 == status
    assert "Use one of north." in said


def test_says_that_a_client_needs_no_token(file, capsys):
    """A client without an issuer calls as everybody may."""
    registered(file.parent, entry("north", fhir_server="https://ehr.north.example"))

    status, said = run(capsys, "test", "--client", "north", saved(file, fresh()))

    assert 2 == status
    assert "client 'north' has no issuer, so its calls need no token." in said


def test_uses_the_clock_of_the_machine(north, capsys):
    """A token that is good tomorrow is not good today."""
    tomorrow = int((dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).timestamp())

    assert "refused: early." in run(capsys, "test", "--client", "north", saved(north, fresh(iat=tomorrow, exp=tomorrow + 300)))[1]
