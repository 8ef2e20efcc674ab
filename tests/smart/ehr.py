"""An EHR in this process that launches SMART apps: discovery, sign-in, tokens, and a FHIR server that demands them."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from cds_service.ehr.prefetch import by_kind, searched
from tests.trust.minting import NOW

SIGNS = RSAKey.generate_key(2048, parameters={"kid": "ehr", "alg": "RS256", "use": "sig"})
SECRET = "the secret of the app, + and / and : too".replace(" ", "-")
WELL_KNOWN = "/r4/.well-known/smart-configuration"


class EHR:
    """What the EHR knows, and what a test makes it do wrong.

    `says` changes members of smart-configuration, `grants` those of the token response (None takes one off), `claims` those of
    the ID token. `answers` gives a whole answer, status, headers and body, for a path.
    """

    def __init__(self, bundle: dict[str, Any]) -> None:
        self.entries = [e for e in bundle["entry"] if isinstance(e.get("resource"), dict)]
        self.patient = next(e["resource"]["id"] for e in self.entries if e["resource"]["resourceType"] == "Patient")
        self.origin = ""
        self.secret: str | None = None
        self.keys: dict[str, Any] | None = None
        self.says: dict[str, Any] = {}
        self.grants: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self.asked: list[str] = []
        self.bodies: list[dict[str, str]] = []
        self.given: list[dict[str, Any]] = []

    def start_again(self) -> None:
        """Do everything right, and forget what was asked."""
        for kept in (self.says, self.grants, self.claims, self.answers, self.codes, self.tokens, self.asked, self.bodies, self.given):
            kept.clear()

    @property
    def base(self) -> str:
        """The base URL of the FHIR server."""
        return f"{self.origin}/r4"

    def configuration(self) -> dict[str, Any]:
        """What stands at .well-known/smart-configuration."""
        usual = {
            "issuer": self.origin,
            "jwks_uri": f"{self.origin}/jwks",
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "capabilities": ["launch-ehr", "launch-standalone", "permission-v2"],
            "code_challenge_methods_supported": ["S256"],
        }
        return {name: value for name, value in {**usual, **self.says}.items() if value is not None}

    def sign_in(self, location: str) -> dict[str, str]:
        """A clinician signs in where the app has led, and allows it: what comes back to the app."""
        assert f"{self.origin}/authorize" == location.partition("?")[0]
        asked = {name: one for name, (one,) in parse_qs(location.partition("?")[2]).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, body: dict[str, str], authorization: str | None) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint: it checks client, code, redirect URI and verifier, and takes a code once."""
        if not self._knows(body, authorization):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(body.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(body.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["redirect_uri"] != body.get("redirect_uri") or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant", "error_description": "<b>no</b>"}
        access = secrets.token_urlsafe(24)
        self.tokens.add(access)
        usual = {"access_token": access, "token_type": "Bearer", "expires_in": 300, "scope": asked["scope"], "patient": self.patient}
        if "openid" in asked["scope"].split():
            usual["id_token"] = self._id_token(asked)
        self.given.append({name: value for name, value in {**usual, **self.grants}.items() if value is not None})
        return 200, self.given[-1]

    def _id_token(self, asked: dict[str, str]) -> str:
        usual = {"iss": self.origin, "aud": asked["client_id"], "sub": "dr", "iat": NOW, "exp": NOW + 300, "nonce": asked["nonce"]}
        return jwt.encode({"alg": "RS256", "kid": "ehr"}, {**usual, **self.claims}, SIGNS, algorithms=["RS256"])

    def _knows(self, body: dict[str, str], authorization: str | None) -> bool:
        if self.secret is not None:
            return authorization == "Basic " + base64.b64encode(f"app:{self.secret}".encode()).decode()
        if self.keys is not None:
            assertion = jwt.decode(body["client_assertion"], KeySet.import_key_set(self.keys), algorithms=["ES384", "RS384"])
            claims = assertion.claims
            return claims["iss"] == claims["sub"] == "app" and claims["aud"] == f"{self.origin}/token" and claims["exp"] - claims["iat"] <= 300 + 3300
        return body.get("client_id") == "app" and authorization is None

    def chart(self, target: str, authorization: str | None) -> tuple[int, Any]:
        """The answer of the FHIR server."""
        if (authorization or "").removeprefix("Bearer ") not in self.tokens:
            return 401, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "login"}]}
        try:
            return 200, searched(by_kind(self.entries), unquote(target))
        except StopIteration:
            return 404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        plain = path.partition("?")[0]
        if plain in self.answers:
            return self.answers[plain]
        status, value = 404, {"error": "not here"}
        if path == WELL_KNOWN:
            status, value = 200, self.configuration()
        elif path == "/jwks":
            status, value = 200, {"keys": [SIGNS.as_dict(private=False)]}
        elif path == "/token":
            self.bodies.append({name: one for name, (one,) in parse_qs(body.decode(), keep_blank_values=True).items()})
            status, value = self.token(self.bodies[-1], headers.get("Authorization"))
        elif path.startswith("/r4/"):
            status, value = self.chart(path.removeprefix("/r4/"), headers.get("Authorization"))
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def running(bundle: dict[str, Any]) -> Iterator[EHR]:
    """An EHR with the chart of one patient that listens for as long as it is needed."""
    ehr = EHR(bundle)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            ehr.asked.append(self.path)
            status, headers, body = ehr.answer(self.path, self.headers, self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the base class looks for this name

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_arguments: Any) -> None:
            """Say nothing: whoever got enough may hang up."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    ehr.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield ehr
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def private_key(folder: Path, *options: str) -> Path:
    """A private key as docs/smart.md has it written."""
    path = folder / "app.pem"
    options = options or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
    path.write_bytes(subprocess.run(["openssl", "genpkey", *options], capture_output=True, check=True).stdout)
    return path


def path_of(location: str) -> str:
    """What stands behind the origin."""
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
