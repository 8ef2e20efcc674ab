"""Trying a service that wants to know who calls: a key is made, registered, and signs each call."""

from __future__ import annotations

import pytest

from cds_service.cli import main
from tests import build
from tests.ehr.store import running
from tests.integration.server import serving
from tests.trust.minting import ISSUER, entry, registered

pytestmark = pytest.mark.long

PATIENT = "test-sweet-macrocytosis"


def said(capsys, *arguments) -> tuple[int, str]:
    """The exit status of a command, and what it says."""
    status = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return status, out + err


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A key of a trial client, a FHIR server with one patient, and a service that knows the client by that key."""
    folder = tmp_path_factory.mktemp("signed")
    main(["client", "key", str(folder / "trial")])
    charts = folder / "charts"
    charts.mkdir()
    (charts / f"{PATIENT}.json").write_bytes((build.FIXTURES / f"{PATIENT}.json").read_bytes())
    with running() as store:
        main(["load-fixtures", "--fhir-server", store.base, "--from", str(charts)])
        known = entry("trial", issuer=ISSUER, jwks_file=str(folder / "trial" / "jwks.json"), fhir_server=store.base, open=True)
        with serving(CDS_CLIENTS=str(registered(folder, known)), CDS_DEADLINE="20") as base:
            yield ("fire", "--fhir-server", store.base, "--service", base + build.SERVICE, "--all"), folder / "trial" / "private.jwk.json"


def test_signs_each_call(places, capsys):
    """The card comes, call after call, since each has a token of its own."""
    fire, key = places

    answers = [said(capsys, *fire, "--key", key, "--issuer", ISSUER) for _ in range(2)]

    assert [0, 0] == [status for status, _ in answers]
    assert all("UBA1" in text for _, text in answers)


def test_shows_who_is_turned_away(places, capsys, tmp_path):
    """Without a token, as somebody else, and with another key nothing is answered; it is said, and the command fails."""
    fire, key = places
    main(["client", "key", str(tmp_path / "other")])

    answers = [
        said(capsys, *fire),
        said(capsys, *fire, "--key", key, "--issuer", "https://other.example"),
        said(capsys, *fire, "--key", tmp_path / "other" / "private.jwk.json", "--issuer", ISSUER),
    ]

    assert [1, 1, 1] == [status for status, _ in answers]
    assert all("not authenticated" in text for _, text in answers)


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        (None, ("--issuer", ISSUER), "cannot be read"),
        ("{", ("--issuer", ISSUER), "is no JWK. Make one with cds-service client key FOLDER."),
        ('{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}', ("--issuer", ISSUER), "is no private EC or RSA key with a kid"),
        ("{}", (), "Signed calls need both --key FILE and --issuer URL"),
    ],
    ids=["no file", "no JSON", "a shared secret", "no issuer"],
)
def test_refuses_what_cannot_sign(places, capsys, tmp_path, text, more, sentence):
    """What is wrong with a key is said before anything is sent."""
    fire, _ = places
    key = tmp_path / "key.json"
    if text is not None:
        key.write_text(text, encoding="utf-8")

    status, words = said(capsys, *fire, "--key", key, *more)

    assert 2 == status
    assert sentence in words


def test_keeps_the_key_to_its_owner(places):
    """Nobody else on the machine may read it."""
    _, key = places

    assert 0o600 == key.stat().st_mode & 0o777


def test_overwrites_no_key(places, capsys):
    """A second key in the same folder would take the first one's place, so it is refused."""
    _, key = places
    before = key.read_bytes()

    status, words = said(capsys, "client", "key", key.parent)

    assert (2, before) == (status, key.read_bytes())
    assert "there is a private.jwk.json already" in words
