"""What an EHR says of its authorization server, at the registered FHIR server and nowhere else; kept for an hour."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from cds_service.errors import LoginFailed
from cds_service.smart.reasons import failed
from cds_service.telemetry import event
from cds_service.trust.addresses import Address, key_address
from cds_service.trust.app import App, safe
from cds_service.trust.clients import Client
from cds_service.trust.key_server import KeySetUnavailable

FRESH = 60 * 60.0  # seconds for which it is used as it is
PAUSE = 10.0  # seconds after which one that failed is asked for again
PLACE = "/.well-known/smart-configuration"
Fetch = Callable[[str, str | None], bytes]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The members of smart-configuration that a launch needs."""

    authorization_endpoint: str
    token_endpoint: str
    capabilities: tuple[str, ...] = ()
    code_challenge_methods_supported: tuple[str, ...] = ()
    issuer: str | None = None
    jwks_uri: str | None = None
    authorization_response_iss_parameter_supported: bool = False

    @property
    def first_scopes(self) -> bool:
        """Whether scopes have the form of SMART 1, because those of SMART 2 are not understood."""
        return "permission-v1" in self.capabilities and "permission-v2" not in self.capabilities


def read(body: bytes, server: Address, app: App) -> Configuration:
    """What a body says. Raises LoginFailed unless a code, a token and the keys of ID tokens are safe with it."""
    try:
        found = msgspec.json.decode(body, type=Configuration)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise failed("configuration") from None
    for url in (found.authorization_endpoint, found.token_endpoint, *([found.jwks_uri or ""] if app.openid else [])):
        if not _plain(url, server):
            raise failed("endpoint")
    if app.openid and not found.issuer:
        raise failed("configuration")
    if "S256" not in found.code_challenge_methods_supported:
        raise failed("pkce")
    return found


def authorities(client: Client, app: App, url: str) -> str | None:
    """The certificate authorities for a URL: the client's own on the host of its FHIR server, the app's elsewhere."""
    own = client.server is not None and url.startswith(f"{client.server.origin}/")
    return client.ca_file if own else app.ca_file


def _plain(url: str, server: Address) -> bool:
    try:
        return "#" not in key_address(url) and safe(url, server)
    except ValueError:
        return False


class Configurations:
    """Those of every client: one fetch at a time for each, and a pause where it fails."""

    def __init__(self, fetch: Fetch, now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, tuple[float, Configuration | LoginFailed]] = {}

    def of(self, client: Client, server: Address, app: App) -> Configuration:
        """The configuration of a client's server. Raises LoginFailed."""
        with self._lock:
            mine = self._locks.setdefault(client.name, threading.Lock())
        with mine:
            since, found = self._known.get(client.name, (0.0, None))
            age = self._now() - since
            if found is None or not 0 <= age < (PAUSE if isinstance(found, LoginFailed) else FRESH):
                found = self._asked(client, server, app)
                self._known[client.name] = self._now(), found
        if isinstance(found, LoginFailed):
            raise failed(found.reason)
        return found

    def _asked(self, client: Client, server: Address, app: App) -> Configuration | LoginFailed:
        try:
            return read(self._fetch(f"{server}{PLACE}", client.ca_file), server, app)
        except KeySetUnavailable as error:
            event("login.unconfigured", client=client.name, code=error.reason)
            return failed("configuration")
        except LoginFailed as error:
            return error
