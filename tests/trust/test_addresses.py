"""Addresses of FHIR servers: one form for each, tricks refused, and no link that leads away."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from cds_service.trust.addresses import Address, address, same, target_on

SERVER = address("https://ehr.example.org/r4")
SERVERS = (SERVER, *map(address, ("http://127.0.0.1:8080/fhir", "https://[2001:db8::1]:9443/a/b", "https://fhir.example.org")))
STEADY = settings(deadline=None, derandomize=True, database=None, max_examples=120)
# RFC 3986, appendix B.
_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("https://ehr.example.org/r4", "https://ehr.example.org/r4"),
        ("https://ehr.example.org/r4/", "https://ehr.example.org/r4"),
        ("https://ehr.example.org", "https://ehr.example.org"),
        ("https://ehr.example.org/", "https://ehr.example.org"),
        ("HTTPS://EHR.Example.ORG/r4", "https://ehr.example.org/r4"),
        ("https://ehr.example.org:443/r4", "https://ehr.example.org/r4"),
        ("https://ehr.example.org:0443/r4", "https://ehr.example.org/r4"),
        ("https://ehr.example.org:/r4", "https://ehr.example.org/r4"),
        ("http://ehr.example.org:80/r4", "http://ehr.example.org/r4"),
        ("http://ehr.example.org:443/r4", "http://ehr.example.org:443/r4"),
        ("https://ehr.example.org:80/r4", "https://ehr.example.org:80/r4"),
        ("https://ehr.example.org/R4", "https://ehr.example.org/R4"),
        ("https://ehr.example.org/a/B_c/~d/e-1.0", "https://ehr.example.org/a/B_c/~d/e-1.0"),
        ("https://xn--mnchen-3ya.example/r4", "https://xn--mnchen-3ya.example/r4"),
        ("http://localhost:8090/fhir", "http://localhost:8090/fhir"),
        ("http://127.0.0.1:8090/fhir", "http://127.0.0.1:8090/fhir"),
        ("https://[2001:DB8::1]/r4", "https://[2001:db8::1]/r4"),
        ("https://[2001:db8::1]:443/r4", "https://[2001:db8::1]/r4"),
        ("https://[::1]:9443/r4/", "https://[::1]:9443/r4"),
    ],
)
def test_has_one_form_for_each_server(text, form):
    """Case of scheme and host, the default port and the last slash make no difference; the case of the path does."""
    found = address(text)

    assert form == found
    assert found == address(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ehr.example.org/r4",
        "//ehr.example.org/r4",
        "ftp://ehr.example.org/r4",
        "file:///r4",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:ehr.example.org/r4",
        "https:/ehr.example.org/r4",
        "https:///ehr.example.org/r4",
        "https://",
        "https://:443/r4",
        "https://user@ehr.example.org/r4",
        "https://user:word@ehr.example.org/r4",
        "https://@ehr.example.org/r4",
        "https://ehr.example.org@evil.example/r4",
        "https://ehr.example.org:443@evil.example/r4",
        "https://ehr.example.org%40evil.example/r4",
        "https://ehr.example.org\\@evil.example/r4",
        "https://ehr.example.org\\r4",
        "https:\\\\ehr.example.org/r4",
        "https://ehr.example.org./r4",
        "https://.ehr.example.org/r4",
        "https://ehr..example.org/r4",
        "https://-ehr.example.org/r4",
        "https://ehr_1.example.org/r4",
        "https://*.example.org/r4",
        "https://ehr.example.org:99999/r4",
        "https://ehr.example.org:-1/r4",
        "https://ehr.example.org:+443/r4",
        "https://ehr.example.org:https/r4",
        "https://ehr.example.org:4 43/r4",
        "https://ehr.example.org:443:443/r4",
        "https://ehr.example.org/r4?x=1",
        "https://ehr.example.org/r4?",
        "https://ehr.example.org?/r4",
        "https://ehr.example.org/r4#x",
        "https://ehr.example.org/r4#",
        "https://ehr.example.org#@evil.example/r4",
        "https://ehr.example.org/../r4",
        "https://ehr.example.org/x/../r4",
        "https://ehr.example.org/./r4",
        "https://ehr.example.org/r4/.",
        "https://ehr.example.org/r4/..",
        "https://ehr.example.org/%2e%2e/r4",
        "https://ehr.example.org/%2E/r4",
        "https://ehr.example.org/%72%34",
        "https://ehr.example.org/r4%2f",
        "https://ehr.example.org/r4%00",
        "https://ehr.example.org//r4",
        "https://ehr.example.org/a//r4",
        "https://ehr.example.org/r4//",
        "https://ehr.example.org//",
        "https://ehr.example.org/r4;x=1",
        "https://ehr.example.org/r4;",
        "https://ehr.example.org/r4|",
        "https://ehr.example.org/{r4}",
        " https://ehr.example.org/r4",
        "https://ehr.example.org/r4 ",
        "https://ehr.example.org/r4\n",
        "\nhttps://ehr.example.org/r4",
        "https://ehr.example.org/r\t4",
        "ht\ntps://ehr.example.org/r4",
        "https://ehr.exa\r\nmple.org/r4",
        "\x00https://ehr.example.org/r4",
        "\x1fhttps://ehr.example.org/r4",
        "https://ehr.example.org/r4\x00",
        "https://ehr.example.org\x7f/r4",
        "https://\u00ebhr.example.org/r4",
        "https://ehr.ex\u0430mple.org/r4",
        "https://ehr.example\u3002org/r4",
        "https://ehr.example.org\uff0fr4",
        "https://ehr.example.org:\u0664\u0664\u0663/r4",
        "https://ehr.example.org/r4\u200b",
        "https://\u2100.example.org/r4",
        "https://[::1/r4",
        "https://::1/r4",
        "https://[::1]x/r4",
        "https://[::1%25eth0]/r4",
        "https://[ehr.example.org]/r4",
        "https://[::1]@evil.example/r4",
        f"https://ehr.example.org/{'r' * 2000}",
        f"https://{'a' * 64}.example.org/r4",
        f"https://{'a.' * 130}example.org/r4",
    ],
)
def test_refuses_what_is_more_or_less_than_host_port_and_path(text):
    """Anything else has no form, is equal to no server, and is refused in words that repeat nothing of it."""
    with pytest.raises(ValueError) as caught:
        address(text)

    assert str(caught.value).startswith(("is no ", "has a "))
    assert not any(same(server, text) for server in SERVERS)


def test_knows_its_origin_and_host():
    """The origin is scheme, host and port; the host stands without its port and brackets."""
    found = [(address(text).origin, address(text).host) for text in ("https://ehr.example.org/r4", "http://127.0.0.1:8080/a/b", "https://[::1]:9443")]

    assert [
        ("https://ehr.example.org", "ehr.example.org"),
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("https://[::1]:9443", "::1"),
    ] == found


@pytest.mark.parametrize(
    "text",
    [
        "http://ehr.example.org/r4",
        "https://ehr.example.org:444/r4",
        "https://ehr.example.org:80/r4",
        "https://ehr.example.org.evil.example/r4",
        "https://evil-ehr.example.org/r4",
        "https://evil.ehr.example.org/r4",
        "https://xehr.example.org/r4",
        "https://example.org/r4",
        "https://ehr.example.or/r4",
        "https://ehr.example.org/R4",
        "https://ehr.example.org/r4x",
        "https://ehr.example.org/r4/x",
        "https://ehr.example.org/r",
        "https://ehr.example.org",
        "https://evil.example/https://ehr.example.org/r4",
        "https://evil.example/ehr.example.org/r4",
    ],
)
def test_tells_another_server_apart(text):
    """Another scheme, host, port or path is another server, also where the registered name is a part of it."""
    assert not same(SERVER, text)


@pytest.mark.parametrize("text", ["https://ehr.example.org/r4", "HTTPS://EHR.EXAMPLE.ORG:443/r4/"])
def test_knows_a_server_by_any_plain_spelling(text):
    """What differs in spelling alone means the same server."""
    assert same(SERVER, text)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("https://ehr.example.org/r4?page=2", "/r4?page=2"),
        ("https://ehr.example.org/r4/Observation?a=1&b=2", "/r4/Observation?a=1&b=2"),
        ("HTTPS://EHR.example.org:443/r4?page=2", "/r4?page=2"),
        ("https://ehr.example.org/pages/2", "/pages/2"),
        ("https://ehr.example.org?page=2", "/?page=2"),
        ("https://ehr.example.org", "/"),
        ("Observation?page=2", "/r4/Observation?page=2"),
        ("?page=2", "/r4/?page=2"),
        ("/r4/Observation?page=2", "/r4/Observation?page=2"),
        ("../pages/2", "/pages/2"),
        ("../../../pages/2", "/pages/2"),
        ("//ehr.example.org/r4?page=2", "/r4?page=2"),
        (
            "Observation?code=http://loinc.org%7C787-2&next=https://evil.example/",
            "/r4/Observation?code=http://loinc.org%7C787-2&next=https://evil.example/",
        ),
        ("Observation?code=a|b,c|d", "/r4/Observation?code=a|b,c|d"),
        ("https:Observation", "/r4/Observation"),
    ],
)
def test_follows_a_link_on_the_server(link, target):
    """A link to the registered origin, whole or relative, is a target behind it."""
    assert target == target_on(SERVER, link)


@pytest.mark.parametrize(
    "link",
    [
        "http://ehr.example.org/r4?page=2",
        "https://ehr.example.org:444/r4?page=2",
        "https://evil.example/r4?page=2",
        "//evil.example/r4",
        "//evil.example",
        "https://ehr.example.org.evil.example/r4",
        "https://evil-ehr.example.org/r4",
        "https://ehr.example.org@evil.example/r4",
        "https://ehr.example.org:443@evil.example/r4",
        "https://user:word@ehr.example.org/r4",
        "//ehr.example.org@evil.example/r4",
        "https://ehr.example.org\\@evil.example/r4",
        "\\\\evil.example\\r4",
        "/\\evil.example/r4",
        "https:\\\\evil.example/r4",
        "https://evil.example\\.ehr.example.org/r4",
        "https://evil.example;.ehr.example.org/r4",
        "https://ehr.example.org;evil.example/r4",
        "https://evil.example%2f@ehr.example.org/r4",
        "https://ehr.example.org%2eevil.example/r4",
        "https://ehr.example.org./r4?page=2",
        "http:Observation",
        "http:evil.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "gopher://ehr.example.org/r4",
        "https://[::1]/r4",
        "https://[::1",
        "https://ehr.example.org:port/r4",
        "https://ehr.example.org:99999/r4",
        "/r4#x",
        "#x",
        " /r4",
        "/r4 ",
        "/r 4",
        "/r4\n",
        "/r4\r\nX-Evil: 1",
        "\t//evil.example/r4",
        "/\t/evil.example/r4",
        "ht\ntps://evil.example/r4",
        "/r4\x00",
        "\x00//evil.example/r4",
        "/r4\x7f",
        "/r4/\u00e9",
        "//\u0435hr.example.org/r4",
        "https://ehr.example.org\uff0fr4",
        f"/{'r' * 8000}",
    ],
)
def test_follows_no_link_that_leads_away(link):
    """Another origin, or what is no plain link, has no target."""
    assert target_on(SERVER, link) is None


@pytest.mark.parametrize(
    "link", ["http:evil.example/r4", "http:/evil.example/r4", "http:///evil.example/r4", "http:////evil.example/r4", "////evil.example", "http://"]
)
def test_reads_a_link_without_a_host_as_one_on_the_server(link):
    """What names no host stays on the server, whatever its path looks like."""
    own = address("http://127.0.0.1:8080/fhir")

    target = target_on(own, link)

    assert target is None or own.origin == sent_to(own.origin, target)


def sent_to(origin: str, target: str) -> str:
    """The origin to which the transport sends what stands behind an origin."""
    parts = urlsplit(origin + target)
    return f"{parts.scheme}://{parts.netloc}"


# Pieces of which most tricks can be built, so that chance comes near the addresses and does not only make noise.
PIECES = st.sampled_from(
    (
        "https:", "http:", "ftp:", "//", "/", "\\", ":", "@", "?", "#", ";", "%", "%2e", "%2f", "%40", "%00", ".", "..", "/../", "[", "]", "|", " ", "\t", "\r\n", "\x00", "\x01",
        "\x7f", "\u00ad", "\uff0f", "\u3002", "ehr.example.org", "127.0.0.1", "[::1]", "evil.example", "//evil.example/", "@evil.example", ".evil.example", ":443", ":80", "a", "R4", "=2", "&",
    )
)  # fmt: skip


def mostly(usual: str, *others: str) -> st.SearchStrategy[str]:
    """One text more often than all others together."""
    return st.sampled_from((usual,) * (5 * len(others)) + others)


def spelt(server: Address) -> st.SearchStrategy[tuple[Address, str]]:
    """A server and a text that is like its address: each part mostly as it should be, then here and there a piece put in."""
    found = parse_url(server)
    scheme, host, port, path = str(found.scheme), str(found.host), f":{found.port}" if found.port else "", found.path or ""
    parts = st.tuples(
        mostly(scheme, scheme.upper(), "http", "https", "ftp", ""),
        mostly("://", "//", ":/", ":", ":///", ":\\\\", ""),
        mostly("", "user@", "user:word@", "@", f"{host}@", "evil.example\\@"),
        mostly(host, host.upper(), f"{host}.", f"evil.{host}", f"{host}.evil.example", "evil.example", ""),
        mostly(port, ":443", ":80", ":", ":0443", ":8080", ":x"),
        mostly(path, path.upper(), f"{path}x", f"/x/..{path}", f"/{path}", f"/%2e{path}", ""),
        mostly("", "/", "//", "/..", "/Observation?page=2", "?page=2", "#x", ";x"),
    ).map("".join)
    put_in = st.lists(st.tuples(st.integers(0, 60), st.one_of(PIECES, st.characters())), max_size=2)
    texts = st.tuples(parts, st.one_of(st.just([]), put_in)).map(lambda drawn: with_pieces(*drawn))
    return st.tuples(st.just(server), st.one_of(texts, texts, texts, st.text(max_size=12), st.lists(PIECES, max_size=6).map("".join)))


def with_pieces(text: str, pieces: list[tuple[int, str]]) -> str:
    """A text with pieces put in at their places."""
    for place, piece in pieces:
        text = text[:place] + piece + text[place:]
    return text


SPELT = st.sampled_from(SERVERS).flatmap(spelt)


def means(server: Address, text: str) -> bool:
    """Whether a text means a server, by the grammar of RFC 3986 and by urllib3, without the code under test."""
    if not text.isascii() or not text.isprintable():
        return False
    found = _PARTS.fullmatch(text)
    scheme, authority, path, query, fragment = found.groups() if found else ("", "", "", None, None)
    own = parse_url(server)
    other = parse_url(text)
    default = {"https": 443, "http": 80}[own.scheme or ""]
    host, _, port = (
        (authority or "").rpartition(":") if re.search(r":\d*$", authority or "") and not (authority or "").endswith("]") else (authority, "", "")
    )
    return (
        (query, fragment) == (None, None)
        and (scheme or "").lower() == own.scheme == other.scheme
        and (host or "").lower() == own.host == (other.host or "").lower()
        and int(port or default) == (own.port or default) == (other.port or default)
        and path.removesuffix("/") == (own.path or "") == (other.path or "").removesuffix("/")
    )


@STEADY
@given(SPELT)
def test_takes_no_text_for_a_server_that_others_read_otherwise(spelling):
    """Whatever text comes, it is the server's address only if the grammar and urllib3 read the same scheme, host, port and path."""
    server, text = spelling

    assert not same(server, text) or means(server, text)


@STEADY
@given(SPELT)
def test_either_has_one_form_or_refuses(spelling):
    """Whatever text comes, its form is its own form, or it is refused with a ValueError."""
    text = spelling[1]
    try:
        found = address(text)
    except ValueError:
        return

    assert found == address(found)
    assert same(found, text)
    assert means(found, text)


@STEADY
@given(SPELT)
def test_never_leaves_the_origin(spelling):
    """Whatever link comes, its target behind the registered origin is read by urllib3, and sent, to the registered scheme, host and port."""
    server, link = spelling

    target = target_on(server, link)

    if target is not None:
        own = parse_url(server)
        read = parse_url(server.origin + target)
        assert target.startswith("/")
        assert target.isascii()
        assert not any(c.isspace() or not c.isprintable() for c in target)
        assert (own.scheme, own.host, own.port) == (read.scheme, read.host, read.port)
        assert server.origin == sent_to(server.origin, target)
