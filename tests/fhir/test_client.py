"""One query of a registered server: tried once more where that may help, kept to its host and its time, and silent about whom it was for."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from cds_service.errors import FHIRServerError
from cds_service.fhir.client import LARGEST_PAGE, FHIRClient
from cds_service.record.secret import Secret
from cds_service.transport import LARGEST_CALL, Underway
from tests.faults.servers import answered, serving
from tests.fhir.asking import AUTHORITY, BREAKS_OFF, CLOSES, OK, REQUEST, client_of, drips, got, origin_of, says, serving_securely

BODY = OK.partition(b"\r\n\r\n")[2]
PATIENT, WORD = "canary-patient-4711", "canary.token-0815"
DATE = "Wed, 21 Oct 2035 07:28:00 GMT"


def status(line: str, body: object = b"", **headers: str) -> bytes:
    """An answer with a status."""
    return answered(body, line, **headers)


def outcome(code: str, **members: object) -> dict[str, object]:
    """An OperationOutcome with a code in its details."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "processing", "details": {"coding": [{"code": code}]}}],
        **members,
    }


# --- asking again ---


@pytest.mark.parametrize(
    "first",
    [
        status("500 Internal Server Error"),
        status("502 Bad Gateway"),
        status("503 Service Unavailable"),
        status("504 Gateway Timeout"),
        CLOSES,
        BREAKS_OFF,
    ],
)
def test_asks_once_more_after_what_may_pass(first):
    """A failing server or a dropped connection is asked a second time."""
    with serving(says(first, OK)) as running:
        found = got(client_of(running))

    assert (BODY, "", 2) == (found.body, found.reason, len(running.asked))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status("500 Internal Server Error"), "failed"),
        (status("503 Service Unavailable"), "failed"),
        (status("429 Too Many Requests", Retry_After="0"), "busy"),
        (CLOSES, "unreachable"),
    ],
)
def test_never_asks_more_than_twice(answer, reason):
    """What fails twice is given up."""
    with serving(says(answer)) as running:
        found = got(client_of(running))

    assert (reason, 2) == (found.reason, len(running.asked))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("400 Bad Request", "rejected"),
        ("401 Unauthorized", "refused"),
        ("403 Forbidden", "refused"),
        ("404 Not Found", "missing"),
        ("405 Method Not Allowed", "rejected"),
        ("406 Not Acceptable", "rejected"),
        ("410 Gone", "missing"),
        ("422 Unprocessable Content", "rejected"),
        ("501 Not Implemented", "rejected"),
        ("505 HTTP Version Not Supported", "rejected"),
        ("202 Accepted", "rejected"),
        ("204 No Content", "rejected"),
        ("206 Partial Content", "rejected"),
    ],
)
def test_takes_an_answer_that_will_not_change(line, reason):
    """Any other status than 200 is final: the same query would be answered in the same way."""
    with serving(says(status(line), OK)) as running:
        found = got(client_of(running))

    assert (reason, 1) == (found.reason, len(running.asked))


@pytest.mark.parametrize("line", ["429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable"])
@pytest.mark.parametrize(
    ("wait_for", "times"),
    [("0", 2), ("1", 1), ("3600", 1), ("99999", 1), ("1000000", 1), ("9" * 30, 1), ("-1", 1), ("0.1", 1), ("soon", 1), (DATE, 1)],
)
def test_asks_again_only_if_the_wait_fits(line, wait_for, times):
    """Retry-After is a number of seconds that fits into the time that is left; a date, or anything else, is none."""
    with serving(says(status(line, Retry_After=wait_for), OK)) as running:
        found = got(client_of(running), seconds=0.9)

    assert (times, times == 2) == (len(running.asked), bool(found.body))
    assert found.seconds < 0.9


def test_waits_as_long_as_it_is_told():
    """A second that the server asks for, and that there is, goes by before it is asked again."""
    with serving(says(status("503 Service Unavailable", Retry_After="1"), OK)) as running:
        found = got(client_of(running))

    assert BODY == found.body
    assert 1.0 <= found.seconds


def test_does_not_press_a_server_that_says_it_is_too_much():
    """A 429 that names no time is not asked again."""
    with serving(says(status("429 Too Many Requests"), OK)) as running:
        found = got(client_of(running))

    assert ("busy", 1) == (found.reason, len(running.asked))


@pytest.mark.parametrize("line", ["500 Internal Server Error", "503 Service Unavailable"])
def test_asks_no_more_after_a_code_that_is_final(line):
    """An OperationOutcome can say that the chart stays closed: then a 500 is no fault that passes."""
    with serving(says(status(line, outcome("59204")), OK)) as running:
        found = got(client_of(running, final=frozenset({"59204"})))

    assert ("closed", 1) == (found.reason, len(running.asked))


@pytest.mark.parametrize(
    "body",
    [
        outcome("1"),
        outcome("59204", resourceType="Observation"),
        outcome("59204", text={"div": "x" * 70_000}),
        {"issue": 5},
        b"",
        b"<html>59204</html>",
        b"59204",
        b"[" * 10_000,
        b'{"issue": [{"details": {"coding": [{"code": "\xff"}]}}]}',
    ],
)
def test_asks_again_if_no_code_is_final(body):
    """Another code, or what is no OperationOutcome of a sensible size, is a fault like any other."""
    with serving(says(status("500 Internal Server Error", body), OK)) as running:
        found = got(client_of(running, final=frozenset({"59204"})))

    assert (BODY, 2) == (found.body, len(running.asked))


# --- to one host, by one way ---


@pytest.mark.parametrize("code", [300, 301, 302, 303, 304, 305, 307, 308])
def test_follows_no_redirect(code):
    """A redirect is no answer, and where it points nobody is asked."""
    with serving(says(OK)) as other, serving(says(status(f"{code} Elsewhere", Location=f"{other.base}/Patient/p1"))) as running:
        found = got(client_of(running), token=Secret(WORD))

    assert ("redirected", 1, []) == (found.reason, len(running.asked), other.asked)


def test_follows_no_redirect_on_the_same_host():
    """Also where it points to the server itself."""
    with serving(says(status("302 Found", Location="/r4/Patient/p2"), OK)) as running:
        found = got(client_of(running))

    assert ("redirected", 1) == (found.reason, len(running.asked))


def test_reads_no_proxy_and_no_netrc_from_the_environment(monkeypatch, tmp_path):
    """What the machine's environment says about proxies and passwords is not for this service."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with serving(says(OK)) as proxy, serving(says(OK)) as running:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, origin_of(proxy))
            monkeypatch.setenv(name.lower(), origin_of(proxy))
        found = got(client_of(running))

    assert (BODY, []) == (found.body, proxy.asked)
    assert ["authorization" in asked.headers for asked in running.asked] == [False]


def test_keeps_no_cookie():
    """What one patient's answer sets does not go with the query for the next."""
    with serving(says(answered(b"{}", Set_Cookie="session=1; Path=/"), OK)) as running:
        client = client_of(running)
        got(client)
        got(client)

    assert [False, False] == ["cookie" in asked.headers for asked in running.asked]


def test_sends_what_the_dialect_asks_for_and_no_more():
    """Each query asks for FHIR as JSON, with the dialect's headers and without a token of nobody."""
    with serving(says(OK)) as running:
        got(client_of(running, headers={"Cache-Control": "no-cache"}))

    headers = running.asked[0].headers
    assert {"host", "accept", "accept-encoding", "user-agent", "cache-control", "x-request-id"} == headers.keys()
    assert ("application/fhir+json, application/json;q=0.9", "no-cache", "identity") == tuple(
        headers[name] for name in ("accept", "cache-control", "accept-encoding")
    )


def test_forgets_a_token_after_its_query():
    """A token goes with the query that it came for, and with no other on the same connection."""
    with serving(says(OK)) as running:
        client = client_of(running)
        got(client, token=Secret(WORD))
        got(client)

    assert [f"Bearer {WORD}", None] == [asked.headers.get("authorization") for asked in running.asked]


# --- certificates ---


def test_trusts_the_authority_that_is_named():
    """A hospital's own certificate authority counts for the server that it is registered for."""
    with serving_securely(OK) as server:
        found = got(FHIRClient(server.origin, connections=1, ca_file=AUTHORITY), token=Secret(WORD))

    assert BODY == found.body
    assert [f"Bearer {WORD}"] == [headers.get("authorization") for headers in server.asked]


def test_sends_nothing_to_a_server_whose_certificate_nobody_vouches_for(monkeypatch):
    """Without that authority the server is not asked, whatever the environment names, and it is not tried again."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", AUTHORITY)
    monkeypatch.setenv("CURL_CA_BUNDLE", AUTHORITY)

    with serving_securely(OK) as server:
        found = got(FHIRClient(server.origin, connections=1), token=Secret(WORD))

    assert ("unreachable", []) == (found.reason, server.asked)


def test_sends_nothing_to_a_server_of_another_name():
    """A certificate holds for the names in it alone."""
    with serving_securely(OK) as server:
        found = got(FHIRClient(server.origin.replace("127.0.0.1", "localhost"), connections=1, ca_file=AUTHORITY), token=Secret(WORD))

    assert ("unreachable", []) == (found.reason, server.asked)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_asks_nobody_without_the_authority_that_is_named(tmp_path, content):
    """An authority's file that is gone or holds none is a server that cannot be reached, not one that is trusted anyway."""
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)

    with serving_securely(OK) as server:
        found = got(FHIRClient(server.origin, connections=1, ca_file=str(path)), token=Secret(WORD))

    assert ("unreachable", []) == (found.reason, server.asked)


# --- size ---


@pytest.mark.parametrize(("size", "reason"), [(LARGEST_PAGE - 1, ""), (LARGEST_PAGE, ""), (LARGEST_PAGE + 1, "too-large")])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_takes_a_page_up_to_its_limit(size, reason, encoding):
    """The limit counts what a page is when it is unpacked."""
    body = b" " * size
    answer = answered(gzip.compress(body) if encoding == "gzip" else body, Content_Encoding=encoding)

    with serving(says(answer)) as running:
        found = got(client_of(running))

    assert (reason, 0 if reason else size) == (found.reason, len(found.body))


def test_takes_no_more_for_one_call_than_a_body_may_bring():
    """All pages of a call together have a limit, too."""
    underway = Underway(time.monotonic() + 20)
    pages = LARGEST_CALL // LARGEST_PAGE

    with serving(says(answered(b" " * LARGEST_PAGE))) as running:
        client = client_of(running)
        found = [got(client, underway=underway).reason for _ in range(pages)]
        beyond = got(client, underway=underway).reason
        next_call = got(client).reason

    assert ([""] * pages, "too-large", "") == (found, beyond, next_call)


# --- time ---

DRIPS = {
    "its status line": (b"HTTP/1.1 200 O", b"K"),
    "its headers": (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"),
    "one long header": (b"HTTP/1.1 200 OK\r\nX: ", b"1"),
    "that it goes on": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "its body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "a body without an end": (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "its body, and will close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n", b" "),
    "the body of an old protocol": (b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "the size of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "the reason of a fault": (b"HTTP/1.1 500 X\r\nContent-Length: 100000\r\n\r\n", b" "),
}


@pytest.mark.parametrize("what", DRIPS)
def test_ends_when_its_time_is_up_although_bytes_still_come(what):
    """A byte now and then keeps no query alive: its thread is free, and its connection closed, within a second."""
    gone = threading.Event()
    with ThreadPoolExecutor(1) as pool, serving(drips(*DRIPS[what], gone)) as running:
        underway = Underway(time.monotonic() + 0.3)
        job = pool.submit(got, client_of(running, final=frozenset({"x"})), underway=underway)
        wait([job], timeout=underway.left)
        underway.cut()
        found = job.result(timeout=1)

        assert "late" == found.reason
        assert gone.wait(1)


def test_ends_when_its_time_is_up_although_nothing_comes():
    """A server that never answers is late as soon as the time is up."""
    with serving(drips(b"", b"", threading.Event())) as running:
        found = got(client_of(running), seconds=0.3)

    assert "late" == found.reason
    assert found.seconds < 1.3


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_ends_when_its_time_is_up_over_tls(version):
    """A connection is cut under its encryption, too, whether or not the server keeps it."""
    head = f"HTTP/{version} 200 OK\r\nContent-Length: 100000\r\n\r\n".encode()
    with ThreadPoolExecutor(1) as pool, serving_securely(head, *[b" "] * 60, breath=0.05) as server:
        underway = Underway(time.monotonic() + 0.4)
        job = pool.submit(got, FHIRClient(server.origin, connections=1, ca_file=AUTHORITY), underway=underway)
        wait([job], timeout=underway.left)
        underway.cut()
        found = job.result(timeout=1)

    assert "late" == found.reason


def test_ends_when_its_time_is_up_before_encryption_begins():
    """A server that takes the connection and never greets is late."""
    with serving(says(OK)) as running:
        found = got(FHIRClient(origin_of(running).replace("http:", "https:"), connections=1, ca_file=AUTHORITY), seconds=0.3)

    assert "late" == found.reason
    assert found.seconds < 1.3


def test_wakes_from_a_wait_when_the_call_is_over():
    """A query that waits to ask again does not outlive its call."""
    with ThreadPoolExecutor(1) as pool, serving(says(status("503 Service Unavailable", Retry_After="3"), OK)) as running:
        underway = Underway(time.monotonic() + 10)
        job = pool.submit(got, client_of(running), underway=underway)
        wait([job], timeout=0.3)
        underway.cut()
        found = job.result(timeout=1)

    assert ("late", 1) == (found.reason, len(running.asked))


def test_asks_nothing_when_the_call_is_over():
    """What still stood in line is never sent."""
    underway = Underway(time.monotonic() + 10)
    underway.cut()

    with serving(says(OK)) as running:
        found = got(client_of(running), underway=underway)

    assert ("late", []) == (found.reason, running.asked)


class RunningOut(Underway):
    """A call whose time runs out right after somebody saw that there is some."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.seen = [1.0]

    @property
    def left(self) -> float:
        """A second at first, then nothing."""
        return self.seen.pop() if self.seen else 0.0


def test_is_late_when_time_runs_out_as_it_is_sent():
    """No time at all is no fault of the query."""
    with serving(says(OK)) as running:
        found = got(client_of(running), underway=RunningOut())

    assert found.reason in ("", "late")


class Lent:
    """A connection as it lies in the pool between two calls."""

    def __init__(self, sock: socket.socket) -> None:
        self.wire = sock


def test_cuts_a_connection_that_is_closed_already():
    """That a query has ended by itself as it is cut is no fault."""
    underway = Underway(time.monotonic() + 10)
    with socket.socket() as closed:
        underway.hold(Lent(closed))
    underway.cut()

    assert 0.0 == underway.left


class CutAsItConnects(Underway):
    """A call that ends while a connection opens."""

    held = 0

    def hold(self, connection: object) -> None:
        """Hold the connection, and end the call before it is open."""
        super().hold(connection)
        self.held += 1
        if self.held == 2:  # once for the request, once for its connection
            self.cut()


def test_sends_nothing_on_a_connection_that_opens_too_late():
    """A call that ends while its connection opens asks nothing any more."""
    with serving(says(OK)) as running:
        client = client_of(running)
        found = [got(client, underway=underway).reason for underway in (CutAsItConnects(time.monotonic() + 10), None)]

    assert (["late", ""], 1) == (found, len(running.asked))


def test_cuts_no_connection_that_works_for_another_call():
    """A connection that went back to the pool, and from there to another call, stays whole."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection, one, other = Lent(ours), Underway(time.monotonic() + 10), Underway(time.monotonic() + 10)
        one.hold(connection)
        other.hold(connection)
        one.cut()

        assert 1 == ours.send(b"x")


def test_holds_nothing_for_a_call_that_is_over():
    """A connection that opens too late is given up."""
    underway = Underway(time.monotonic() + 10)
    underway.cut()

    with socket.socket() as sock, pytest.raises(TimeoutError):
        underway.hold(Lent(sock))


# --- answers that are none ---

BROKEN = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "no status line": b"hello\r\n\r\n",
    "a status in words": b"HTTP/1.1 fine OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a long status line": b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
    "a chunk of no size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a chunk that is cut": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}",
    "a body that is cut": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
    "gzip that is none": answered(b"{}", Content_Encoding="gzip"),
    "many encodings": answered(b"{}", Content_Encoding=", ".join(["gzip"] * 50)),
    "a change of protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
}


def closing(answer: bytes):
    """A server that says something and closes the connection."""

    async def behave(_asked, writer) -> bool:
        writer.write(answer)
        await writer.drain()
        return False

    return behave


@pytest.mark.parametrize("fault", BROKEN)
def test_gives_a_reason_for_whatever_is_no_answer(fault):
    """What is no HTTP, or breaks off, is a reason and never another error."""
    with serving(closing(BROKEN[fault])) as running:
        found = got(client_of(running))

    assert found.reason in ("unreachable", "unreadable", "rejected")
    assert b"" == found.body
    assert len(running.asked) <= 2


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:1", f"http://{'a' * 63}.invalid", f"http://{'a' * 64}.invalid", "http://[::ffff:0:0]:1", "http://127.0.0.1:0"]
)
def test_gives_a_reason_for_a_server_that_is_not_there(origin):
    """A name that nobody has, or a port at which nobody listens, is a reason."""
    assert "unreachable" == got(FHIRClient(origin, connections=1)).reason


# --- silence ---

FAILING = {
    **BROKEN,
    **{
        line: status(line, {"diagnostics": f"{PATIENT} {WORD}"})
        for line in ("400 No", "401 No", "403 No", "404 No", "429 No", "500 No", "503 No", "302 No")
    },
    "a header that cannot be read": b"HTTP/1.1 302 No\r\nno header\r\nX: 1\r\n\r\n",
    "nothing": CLOSES,
    "too much": answered(b" " * (LARGEST_PAGE + 1)),
}


@pytest.mark.parametrize("fault", FAILING)
def test_says_nothing_of_patient_and_token_when_it_fails(log, fault):
    """Neither an error nor any log line, of our own or of a library, holds the token or the id in the query."""
    with serving(closing(FAILING[fault])) as running, pytest.raises(FHIRServerError) as caught:
        client_of(running).get(f"/r4/Patient/{PATIENT}", Secret(WORD), Underway(time.monotonic() + 5), request_id=REQUEST)

    error = caught.value
    said = " ".join([str(error), repr(error), repr(error.__cause__), *log.lines])
    assert [] == [word for word in (PATIENT, WORD) if word in said]


def test_says_nothing_of_patient_and_token_when_it_succeeds(log):
    """Nor when all goes well."""
    with serving(says(OK)) as running:
        got(client_of(running), token=Secret(WORD), target=f"/r4/Patient/{PATIENT}")

    assert [] == [word for word in (PATIENT, WORD) if word in " ".join(log.lines)]


def test_shows_a_secret_to_those_who_ask_for_it_by_name():
    """A token is nowhere in what is shown of it."""
    secret = Secret(WORD)

    assert WORD == secret.reveal()
    assert ["Secret(...)"] * 4 == [str(secret), repr(secret), f"{secret}", f"{[secret]}".strip("[]")]
