"""Settings from the environment: each is read, and a wrong one stops the start with a remedy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import cds_service.knowledge
from cds_service.errors import SettingsError
from cds_service.settings import SANDBOX_ORIGIN, Settings, from_environment

ANYWHERE = "0.0.0.0"  # noqa: S104
MODULE = Path(cds_service.knowledge.__file__).parent / "vexas"


def refusal(**variables: str) -> str:
    """The sentence with which settings are refused."""
    with pytest.raises(SettingsError) as caught:
        from_environment(variables)
    return caught.value.public


def test_starts_with_nothing_set():
    """Without any variable the service listens on this machine alone, in UTC, for the public sandbox."""
    assert Settings() == from_environment({})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1"])
def test_listens_on_loopback_without_leave(host):
    """An address that only this machine reaches needs no permission."""
    assert host == from_environment({"CDS_HOST": host}).host


@pytest.mark.parametrize(
    "host", [ANYWHERE, "::", "192.168.1.5", "10.0.0.1", "cds.example.org", "localhost.example.org", "", "127.0.0.1.example.org", "*"]
)
def test_refuses_to_be_open_by_accident(host):
    """An address beyond loopback, or one that cannot be told, needs CDS_ALLOW_OPEN=1."""
    said = refusal(CDS_HOST=host)

    assert "CDS_ALLOW_OPEN=1" in said
    assert "CDS_HOST" in said


@pytest.mark.parametrize("host", ["localhost", "LocalHost", " localhost "])
@pytest.mark.parametrize("allow_open", ["0", "1"])
def test_turns_localhost_into_its_address(host, allow_open):
    """The server takes addresses only, so localhost is 127.0.0.1, also in the public URL."""
    found = from_environment({"CDS_HOST": host, "CDS_ALLOW_OPEN": allow_open})

    assert ("127.0.0.1", "http://127.0.0.1:8080") == (found.host, found.base_url)


@pytest.mark.parametrize("host", ["cds.example.org", "localhost.example.org", "*", "", "127.0.0.1:8080", "[::1]", "127.1"])
def test_refuses_a_name_even_where_it_may_be_open(host):
    """The server takes no other names, so they are refused before it fails on them."""
    assert "no IP address" in refusal(CDS_HOST=host, CDS_ALLOW_OPEN="1")


def test_may_be_open_on_purpose():
    """CDS_ALLOW_OPEN=1 allows any address."""
    found = from_environment({"CDS_HOST": ANYWHERE, "CDS_ALLOW_OPEN": "1"})

    assert (ANYWHERE, True) == (found.host, found.allow_open)


@pytest.mark.parametrize("word", ["0", ""])
def test_stays_closed_where_it_says_so(word):
    """CDS_ALLOW_OPEN=0 is the same as leaving it out."""
    assert "CDS_HOST" in refusal(CDS_HOST="::", CDS_ALLOW_OPEN=word)


@pytest.mark.parametrize("word", ["true", "yes", "2", "on", "-1"])
def test_refuses_a_switch_that_is_neither_0_nor_1(word):
    """A switch is 0 or 1, so that nobody opens a service with a word for no."""
    assert "CDS_ALLOW_OPEN" in refusal(CDS_ALLOW_OPEN=word)


@pytest.mark.parametrize(("text", "port"), [("1", 1), ("8080", 8080), ("65535", 65535), (" 80 ", 80), ("", 8080)])
def test_reads_a_port(text, port):
    """Ports are from 1 to 65535."""
    assert port == from_environment({"CDS_PORT": text}).port


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80.0", "http", "0x50", "\u0668\u0660", "1e3", "9" * 5000])
def test_refuses_what_is_no_port(text):
    """Anything else stops the start with the variable's name."""
    assert "CDS_PORT" in refusal(CDS_PORT=text)


@pytest.mark.parametrize("text", ["0", "65", "two"])
def test_refuses_an_odd_number_of_workers(text):
    """Workers are from 1 to 64."""
    assert "CDS_WORKERS" in refusal(CDS_WORKERS=text)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_takes_a_time_zone(zone):
    """Today is the date in the configured zone."""
    found = from_environment({"CDS_TIME_ZONE": zone})

    assert zone == found.time_zone
    assert abs((found.today() - dt.datetime.now(dt.UTC).date()).days) <= 1


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "Europe", "UTC\x00", "x" * 300])
def test_refuses_what_is_no_time_zone(zone):
    """Anything else stops the start with the variable's name and an example."""
    said = refusal(CDS_TIME_ZONE=zone)

    assert "CDS_TIME_ZONE" in said
    assert "Europe/Berlin" in said


def test_names_the_public_url_of_its_address():
    """Without CDS_BASE_URL the URL follows host and port; IPv6 stands in brackets."""
    found = [from_environment({"CDS_HOST": host, "CDS_PORT": "9000"}).base_url for host in ("127.0.0.1", "::1")]

    assert ["http://127.0.0.1:9000", "http://[::1]:9000"] == found


def test_takes_a_public_url_without_its_last_slash():
    """CDS_BASE_URL is what clients see."""
    assert "https://cds.example.org/a" == from_environment({"CDS_BASE_URL": " https://cds.example.org/a/ "}).base_url


@pytest.mark.parametrize(
    "url",
    ["http://h", "http://127.0.0.1:8080", "https://[::1]:9000/a", "https://cds_service:8080", "https://xn--mnchen-3ya.example/~cds/v1.0/%C3%A9"],
)
def test_takes_any_public_url_of_host_port_and_path(url):
    """Names, addresses, ports and paths, as RFC 3986 writes them."""
    assert url == from_environment({"CDS_BASE_URL": url}).base_url


@pytest.mark.parametrize(
    "url", ["cds.example.org", "ftp://x", "javascript:alert(1)", "//x", "http://", "https:///a", "http://:80", "http://[::1", "x"]
)
def test_refuses_what_is_no_public_url(url):
    """A base URL is absolute and http or https."""
    assert "CDS_BASE_URL" in refusal(CDS_BASE_URL=url)


@pytest.mark.parametrize(
    "rest",
    [
        " b",
        "/a b",
        "/a\tb",
        "/a\nb",
        "/<b>",
        '/"',
        "/a\\b",
        "/{a}",
        "/a|b",
        "/é",
        "/%zz",
        "/%4",
        "/a?b=c",
        "/#a",
        ":port",
        ":123456",
        "\u00a0x",
        ".\u0661",
    ],
)
def test_refuses_a_public_url_with_what_no_url_holds(rest):
    """Blanks, other characters that no URL has, and a query or fragment stop the start."""
    assert "CDS_BASE_URL" in refusal(CDS_BASE_URL=f"https://cds.example.org{rest}")


def test_refuses_a_user_in_the_public_url():
    """A public URL carries no name and no password."""
    assert "CDS_BASE_URL" in refusal(CDS_BASE_URL="https://user:word@cds.example.org")


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        (None, (SANDBOX_ORIGIN,)),
        ("", ()),
        ("*", ("*",)),
        ("https://a.example", ("https://a.example",)),
        (" https://a.example/ , http://localhost:3000,", ("https://a.example", "http://localhost:3000")),
    ],
)
def test_reads_origins(text, origins):
    """Origins are a list; an empty one allows no browser client."""
    assert origins == from_environment({} if text is None else {"CDS_CORS_ORIGINS": text}).cors_origins


@pytest.mark.parametrize("text", ["a.example", "https://a.example,evil", "null", "*.example.org"])
def test_refuses_what_is_no_origin(text):
    """An origin has a scheme; patterns are not understood, so they are refused."""
    assert "CDS_CORS_ORIGINS" in refusal(CDS_CORS_ORIGINS=text)


def test_takes_the_folder_of_a_knowledge_module():
    """CDS_KNOWLEDGE names a folder with a module.yaml."""
    assert from_environment({"CDS_KNOWLEDGE": str(MODULE)}).knowledge == MODULE


def test_refuses_a_folder_without_a_module(tmp_path):
    """Any other folder stops the start."""
    assert "module.yaml" in refusal(CDS_KNOWLEDGE=str(tmp_path))


@pytest.mark.parametrize(
    "variables", [{"CDS_HOST": ANYWHERE}, {"CDS_PORT": "x"}, {"CDS_TIME_ZONE": "x"}, {"CDS_CORS_ORIGINS": "x"}, {"CDS_BASE_URL": "x"}]
)
def test_ends_a_refusal_with_a_remedy(variables):
    """A refusal is two sentences at least: what is wrong, and what to do."""
    said = refusal(**variables)

    assert said.count(". ") >= 1
    assert said.endswith(".")


def test_has_every_setting_in_its_words():
    """Every CDS_ variable that is read is listed in the docstring of Settings."""
    listed = {line.split()[0] for line in (Settings.__doc__ or "").splitlines() if line.strip().startswith("CDS_")}

    assert {
        "CDS_HOST",
        "CDS_PORT",
        "CDS_ALLOW_OPEN",
        "CDS_AUTHENTICATE_DISCOVERY",
        "CDS_BASE_URL",
        "CDS_WORKERS",
        "CDS_THREADS",
        "CDS_TIME_ZONE",
        "CDS_CORS_ORIGINS",
        "CDS_KNOWLEDGE",
        "CDS_CLIENTS",
        "CDS_SANDBOX",
        "CDS_DEADLINE",
        "CDS_DATABASE",
        "CDS_PSEUDONYM_KEY_FILE",
        "CDS_FIXTURES",
        "CDS_GOVERNANCE_TOKEN_FILE",
    } == listed


@pytest.mark.parametrize("url", ["mysql://a/b", "cds.db", "/tmp/cds.db", "http://127.0.0.1", "postgres://a/b"])  # noqa: S108
def test_refuses_what_is_no_database(url):
    """Two kinds of database are known; the URL is not repeated, since it may hold a password."""
    said = refusal(CDS_DATABASE=url)

    assert said.startswith("CDS_DATABASE is no URL of a database")
    assert url not in said


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///x/cds.db", "postgresql://a:b@c/d"])
def test_takes_a_database(url):
    """SQLite in memory or in a file, or PostgreSQL."""
    assert url == from_environment({"CDS_DATABASE": url}).database


def test_takes_the_file_of_a_key(tmp_path):
    """A key file that is there is taken; one that is not stops the start."""
    key = tmp_path / "key"
    key.touch()

    assert key == from_environment({"CDS_PSEUDONYM_KEY_FILE": str(key)}).pseudonym_key_file
    assert "is no file" in refusal(CDS_PSEUDONYM_KEY_FILE=str(tmp_path / "other"))


def test_takes_the_folder_of_constructed_patients(tmp_path):
    """A folder that is there is taken; one that is not stops the start. Without the setting it is the project's own."""
    assert tmp_path == from_environment({"CDS_FIXTURES": str(tmp_path)}).fixtures
    assert "fixtures/fhir" == str(from_environment({}).fixtures)
    assert "is no folder" in refusal(CDS_FIXTURES=str(tmp_path / "other"))


def test_reads_the_token_of_the_governance_page(tmp_path):
    """The token is what the file holds, without the newline that editors put behind it; without a file there is none."""
    path = tmp_path / "token"
    path.write_text(f" {'é' * 20}\n", encoding="utf-8")

    assert "é" * 20 == from_environment({"CDS_GOVERNANCE_TOKEN_FILE": f" {path} "}).governance_token
    assert [None, None] == [from_environment(some).governance_token for some in ({}, {"CDS_GOVERNANCE_TOKEN_FILE": " "})]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "fewer than 20 characters"),
        (b"t" * 19 + b"\n", "fewer than 20 characters"),
        (b" " * 40, "fewer than 20 characters"),
        (b"\xff" * 40, "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_refuses_a_token_that_is_none(tmp_path, content, sentence):
    """A short token could be guessed; the sentence names the file and not what it holds."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)

    said = refusal(CDS_GOVERNANCE_TOKEN_FILE=str(path))

    assert said.startswith(f"CDS_GOVERNANCE_TOKEN_FILE={path} ")
    assert sentence in said
    assert "tttt" not in said


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        (Settings(), True),
        (Settings(host="::1"), True),
        (Settings(host="127.8.9.1"), True),
        (Settings(host=ANYWHERE, allow_open=True), False),
        (Settings(host="::", allow_open=True), False),
        (Settings(host="192.168.1.5", allow_open=True), False),
        (Settings(governance_token_file=Path("token")), False),
        (Settings(host=ANYWHERE, governance_token_file=Path("token")), False),
    ],
)
def test_opens_governance_without_a_token_on_this_machine_alone(settings, is_open):
    """Whoever can reach the service from elsewhere needs the token."""
    assert is_open == settings.governance_open


def test_names_one_public_sandbox():
    """A sandbox is named by its short name, and no other is."""
    assert "smart" == from_environment({"CDS_SANDBOX": "smart"}).sandbox
    assert "Use one of smart, hapi" in refusal(CDS_SANDBOX="epic")


def test_refuses_a_sandbox_beside_clients(tmp_path):
    """Either clients are registered or one sandbox is tried."""
    (tmp_path / "clients.toml").touch()

    assert "both set" in refusal(CDS_SANDBOX="hapi", CDS_CLIENTS=str(tmp_path / "clients.toml"))


@pytest.mark.parametrize(("text", "seconds"), [("", 2.0), ("0.5", 0.5), ("2", 2.0), ("30", 30.0), ("0.2", 0.2)])
def test_takes_a_deadline_in_seconds(text, seconds):
    """The deadline may have parts of a second."""
    assert seconds == from_environment({"CDS_DEADLINE": text}).deadline


@pytest.mark.parametrize("text", ["0.1", "31", "-1", "nan", "inf", "1e1", "2s", "1,5", "0.5000"])
def test_refuses_a_deadline_that_is_none(text):
    """A deadline that no clinician waits for, or that no server can keep, stops the start."""
    assert "from 0.2 to 30" in refusal(CDS_DEADLINE=text)
