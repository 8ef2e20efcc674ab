"""An EHR for the browser: oidc-provider issues SMART launches, and its FHIR server has the constructed patients and demands its tokens.

Of what the registries have, oidc-provider is the one that is certified and kept, enforces PKCE and verifies private_key_jwt;
oauth2-mock-server says yes to every client and every code.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cds_service.trust.app_key import read_key
from tests.build import FIXTURES
from tests.ehr import store
from tests.integration.packages import CACHE, Unfetchable
from tests.integration.server import serving
from tests.integration.servers.process import running
from tests.smart.ehr import private_key
from tests.smoke import free_port

FOLDER = Path(__file__).parent / "authorization"
PATIENTS = ("test-sweet-macrocytosis", "confirmed-variant-observation", "healthy-man-80")
CHARTS = {name: json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8")) for name in PATIENTS}
IDS = {name: next(e["resource"]["id"] for e in chart["entry"] if e["resource"]["resourceType"] == "Patient") for name, chart in CHARTS.items()}
LAUNCHES = {**{f"of-{name}": patient for name, patient in IDS.items()}, "of-nobody": None}
LONGEST_START = 30.0
SECRET = secrets.token_hex(16)


class Hospital(NamedTuple):
    """An EHR, the service that it launches, and what stops the EHR."""

    ehr: str
    service: str
    stop: Callable[[], None]

    def fhir_server(self, client: str) -> str:
        """The base URL of a client's FHIR server."""
        return f"{self.ehr}/{client}/r4"

    def launch(self, client: str = "public", launch: str = f"of-{PATIENTS[0]}") -> str:
        """What the EHR opens."""
        return f"{self.service}/smart/launch?{urlencode({'iss': self.fhir_server(client), 'launch': launch})}"


@contextmanager
def hospital() -> Iterator[Hospital]:
    """Both for as long as they are needed. Raises Unfetchable or Unstartable."""
    port = free_port()
    ehr = f"http://localhost:{port}"
    with TemporaryDirectory() as folder, store.running() as charts:
        charts.held = {f"{e['resource']['resourceType']}/{e['resource']['id']}": e["resource"] for c in CHARTS.values() for e in c["entry"]}
        members = _members(Path(folder), ehr)
        clients = Path(folder) / "clients.toml"
        clients.write_text("\n".join(_entry(ehr, name, smart) for name, (smart, _) in members.items()), encoding="utf-8")
        with serving(CDS_CLIENTS=str(clients)) as service:
            known = [
                {"client_id": name, "redirect_uris": [f"{service}/smart/callback/{name}"], "id_token_signed_response_alg": "RS256", **theirs}
                for name, (_, theirs) in members.items()
            ]
            asked = {"port": port, "upstream": charts.base, "clients": known, "launches": LAUNCHES, "known": list(IDS.values())}
            with ExitStack() as authorization:
                authorization.enter_context(running(["node", "server.mjs", json.dumps(asked)], f"{ehr}/public/r4", _installed(), {}, LONGEST_START))
                yield Hospital(ehr, service, authorization.close)


def _members(folder: Path, ehr: str) -> Mapping[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Each client's own members of [client.smart], and what the EHR has of it."""
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    key = private_key(folder)
    keys = {"keys": [dict(read_key(key.read_bytes()).public)]}
    public = {"token_endpoint_auth_method": "none"}
    return {
        "public": ({}, public),
        "known": ({"openid": True}, public),
        "framed": ({"framed_by": [ehr]}, public),
        "secret": ({"client_secret_file": str(folder / "secret")}, {"client_secret": SECRET, "token_endpoint_auth_method": "client_secret_basic"}),
        "key": (
            {"private_key_file": str(key)},
            {"jwks": keys, "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES384"},
        ),
    }


def _entry(ehr: str, name: str, smart: Mapping[str, Any]) -> str:
    lines = [f"{member} = {json.dumps(value)}" for member, value in {"client_id": name, **smart}.items()]
    return "\n".join(["[[client]]", f'name = "{name}"', f'fhir_server = "{ehr}/{name}/r4"', "[client.smart]", *lines, ""])


def _installed() -> Path:
    """The folder with the server and its packages, from the cache or else from npm, as the lock file has them. Raises Unfetchable."""
    lock = (FOLDER / "package-lock.json").read_bytes()
    home = CACHE.with_name("authorization-server") / hashlib.sha256(lock).hexdigest()[:16]
    npm = shutil.which("npm")
    if npm is None:
        raise Unfetchable("npm was not found, and the authorization server is fetched with it. Install Node.js, which brings npm, and try again.")
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "server.mjs"):
        shutil.copy(FOLDER / name, home)
    if not (home / "whole").exists():
        ran = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home, capture_output=True, text=True, check=False, timeout=300
        )
        if ran.returncode:
            raise Unfetchable(f"npm could not fetch the authorization server: {ran.stderr.strip()[-500:]}")
        (home / "whole").touch()
    return home
