"""Settings from the environment, read once; a wrong one stops the start with a sentence."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cds_service.errors import SettingsError

SANDBOXES = ("smart", "hapi")  # trust/sandboxes.toml
SIMULATED = "simulator"  # whose calls are nobody's; those on a registered server stand under `simulator:` and the client's name
SHORTEST_TOKEN = 20
_WAITING = 3  # for each that is answered
_LEAST_WAITING = 16
_TO_REFUSE = 4
SANDBOX_ORIGIN = "https://sandbox.cds-hooks.org"
# Scheme, host, port and path of RFC 3986; a base URL has no user, query or fragment.
_URL = re.compile(r"https?://(\w[\w.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/([\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?", re.ASCII)


class Settings(NamedTuple):
    """Everything that may be set from outside.

    CDS_HOST              address to listen on (127.0.0.1)
    CDS_PORT              port to listen on (8080)
    CDS_ALLOW_OPEN        1 allows an address beyond loopback although callers are not authenticated
    CDS_AUTHENTICATE_DISCOVERY  1 asks for a token at discovery, too, where CDS_CLIENTS says by which tokens its clients are known
    CDS_BASE_URL          public URL of the service, as clients see it (http://CDS_HOST:CDS_PORT)
    CDS_WORKERS           server processes (1)
    CDS_THREADS           calls that each answers at once; 1 costs the least, where the calls bring all their data (16)
    CDS_TIME_ZONE         time zone that decides what "today" is (UTC)
    CDS_CORS_ORIGINS      comma-separated origins of browser clients, or * (the public CDS Hooks sandbox)
    CDS_KNOWLEDGE         folder of the knowledge module (the one that is shipped)
    CDS_CLIENTS           clients.toml: the CDS clients, by which tokens they are known, and whose FHIR servers may be asked (none)
    CDS_SANDBOX           smart or hapi: the one public FHIR server that may be asked instead (none)
    CDS_DEADLINE          seconds within which an answer leaves, queries included (2.0)
    CDS_DATABASE          where decisions and feedback are kept: sqlite:///file or postgresql://user:password@host/name (sqlite:///cds-service.db)
    CDS_PSEUDONYM_KEY_FILE  file with the key by which patients get their pseudonyms (with SQLite: beside the database, written at the first start)
    CDS_FIXTURES          folder of constructed patients, one FHIR Bundle a file, that the pages show (fixtures/fhir, if it is there)
    CDS_GOVERNANCE_TOKEN_FILE  file with the token that opens /governance; without one it is open, on a loopback address only (none)
    """

    host: str = "127.0.0.1"
    port: int = 8080
    allow_open: bool = False
    authenticate_discovery: bool = False
    base_url: str = "http://127.0.0.1:8080"
    workers: int = 1
    threads: int = 16
    time_zone: str = "UTC"
    cors_origins: tuple[str, ...] = (SANDBOX_ORIGIN,)
    knowledge: Path | None = None
    clients: Path | None = None
    sandbox: str | None = None
    deadline: float = 2.0
    database: str = "sqlite:///cds-service.db"
    pseudonym_key_file: Path | None = None
    fixtures: Path = Path("fixtures/fhir")
    governance_token_file: Path | None = None

    @property
    def waiting(self) -> int:
        """How many calls may wait for a place."""
        return max(_LEAST_WAITING, _WAITING * self.threads)

    @property
    def server_threads(self) -> int:
        """Threads of a process: those that answer, those that wait, and a few that tell all others to come back."""
        return self.threads + self.waiting + _TO_REFUSE

    @property
    def governance_open(self) -> bool:
        """Whether the governance page may be seen without a token: on this machine only."""
        return self.governance_token_file is None and is_loopback(self.host)

    @property
    def governance_token(self) -> str | None:
        """The token that opens the governance page. Raises SettingsError for a file that holds none."""
        return _token(self.governance_token_file) if self.governance_token_file else None

    def now(self) -> dt.datetime:
        """This moment, in UTC."""
        return dt.datetime.now(dt.UTC)

    def today(self) -> dt.date:
        """The date in the configured time zone; the only clock of the service."""
        return dt.datetime.now(ZoneInfo(self.time_zone)).date()


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read settings from CDS_* variables. Raises SettingsError naming the variable and the remedy."""
    port = _number(environment, "CDS_PORT", 8080, 1, 65535)
    allow_open = _switch(environment, "CDS_ALLOW_OPEN")
    # With a clients.toml it is not known yet whether callers are authenticated: see require_known_callers.
    host = _host(environment, allow_open=allow_open or bool(environment.get("CDS_CLIENTS", "").strip()))
    zone = environment.get("CDS_TIME_ZONE", "UTC").strip()
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"CDS_TIME_ZONE={zone} is no time zone. Write for example UTC or Europe/Berlin.") from None
    folder = environment.get("CDS_KNOWLEDGE", "").strip()
    if folder and not (Path(folder) / "module.yaml").is_file():
        raise SettingsError(f"CDS_KNOWLEDGE={folder} holds no module.yaml. Name the folder of a knowledge module.")
    clients, sandbox = environment.get("CDS_CLIENTS", "").strip(), environment.get("CDS_SANDBOX", "").strip()
    if sandbox and sandbox not in SANDBOXES:
        raise SettingsError(f"CDS_SANDBOX={sandbox} is no public sandbox. Use one of {', '.join(SANDBOXES)}, or leave it out.")
    if clients and not Path(clients).is_file():
        raise SettingsError(f"CDS_CLIENTS={clients} is no file. Name a clients.toml, or leave it out.")
    if clients and sandbox:
        raise SettingsError("CDS_CLIENTS and CDS_SANDBOX are both set. Use one of them.")
    fixtures = environment.get("CDS_FIXTURES", "").strip()
    if fixtures and not Path(fixtures).is_dir():
        raise SettingsError(f"CDS_FIXTURES={fixtures} is no folder. Name the folder that holds FHIR Bundles as *.json, or leave it out.")
    shown = f"[{host}]" if ":" in host else host
    return Settings(
        host=host,
        port=port,
        allow_open=allow_open,
        authenticate_discovery=_switch(environment, "CDS_AUTHENTICATE_DISCOVERY"),
        base_url=_base_url(environment, f"http://{shown}:{port}"),
        workers=_number(environment, "CDS_WORKERS", 1, 1, 64),
        threads=_number(environment, "CDS_THREADS", 16, 1, 64),
        time_zone=zone,
        cors_origins=_origins(environment),
        knowledge=Path(folder) if folder else None,
        clients=Path(clients) if clients else None,
        sandbox=sandbox or None,
        deadline=_seconds(environment, "CDS_DEADLINE", 2.0, 0.2, 30.0),
        database=_database(environment),
        pseudonym_key_file=_key_file(environment),
        fixtures=Path(fixtures) if fixtures else Settings().fixtures,
        governance_token_file=_token_file(environment),
    )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(environment: Mapping[str, str], *, allow_open: bool) -> str:
    """The address to listen on. The server takes no names, so localhost becomes its address and others are refused."""
    host = environment.get("CDS_HOST", "127.0.0.1").strip()
    if host.lower() == "localhost":
        return "127.0.0.1"
    if not is_loopback(host) and not allow_open:
        raise _too_open(host)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise SettingsError(f"CDS_HOST={host} is no IP address. Write for example 127.0.0.1.") from None
    return host


def require_known_callers(settings: Settings, *, authenticated: bool) -> None:
    """Raises SettingsError for a service that strangers could call, or a discovery that nobody could."""
    if not authenticated and not is_loopback(settings.host) and not settings.allow_open:
        raise _too_open(settings.host)
    if not authenticated and settings.authenticate_discovery:
        raise SettingsError(
            "CDS_AUTHENTICATE_DISCOVERY=1, and no client has tokens. Register clients with an issuer in CDS_CLIENTS, or leave it out."
        )


def require_safe_way_back(settings: Settings) -> None:
    """Raises SettingsError where the code of a SMART login would come back in clear."""
    parts = urlsplit(settings.base_url)
    if parts.scheme != "https" and parts.hostname != "localhost" and not is_loopback(parts.hostname or ""):
        raise SettingsError(
            f"CDS_BASE_URL={settings.base_url} is http, and a client has smart, so the code of a sign-in would come back in clear. "
            "Use https, or leave smart out."
        )


def _too_open(host: str) -> SettingsError:
    return SettingsError(
        f"CDS_HOST={host} reaches beyond this machine, and callers are not authenticated. Listen on 127.0.0.1, "
        "register clients with an issuer in CDS_CLIENTS, or set CDS_ALLOW_OPEN=1 if something in front of the service decides who may call."
    )


def _database(environment: Mapping[str, str]) -> str:
    url = environment.get("CDS_DATABASE", "").strip()
    if url and not url.startswith(("sqlite://", "postgresql://")):
        # It may hold a password, so it is not repeated.
        raise SettingsError("CDS_DATABASE is no URL of a database. Write sqlite:///path/file.db or postgresql://user:password@host/name.")
    return url or Settings().database


def _key_file(environment: Mapping[str, str]) -> Path | None:
    path = environment.get("CDS_PSEUDONYM_KEY_FILE", "").strip()
    if path and not Path(path).is_file():
        raise SettingsError(f"CDS_PSEUDONYM_KEY_FILE={path} is no file. Write one with openssl rand -hex 32, or leave it out with SQLite.")
    return Path(path) if path else None


def _token_file(environment: Mapping[str, str]) -> Path | None:
    path = environment.get("CDS_GOVERNANCE_TOKEN_FILE", "").strip()
    if path:
        _token(Path(path))
    return Path(path) if path else None


def _token(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"CDS_GOVERNANCE_TOKEN_FILE={path} cannot be read. Write one with openssl rand -hex 32, or leave it out.") from None
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(f"CDS_GOVERNANCE_TOKEN_FILE={path} holds fewer than {SHORTEST_TOKEN} characters. Write one with openssl rand -hex 32.")
    return token


def _number(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not low <= int(text) <= high:
        raise SettingsError(f"{name}={text} is not a number from {low} to {high}. Correct it or leave it out.")
    return int(text)


def _seconds(environment: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text, re.ASCII) or not low <= float(text) <= high:
        raise SettingsError(f"{name}={text} is not a number of seconds from {low:g} to {high:g}. Correct it or leave it out.")
    return float(text)


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name, "").strip()
    if text not in ("", "0", "1"):
        raise SettingsError(f"{name}={text} is neither 0 nor 1. Correct it or leave it out.")
    return text == "1"


def _base_url(environment: Mapping[str, str], default: str) -> str:
    url = environment.get("CDS_BASE_URL", "").strip().rstrip("/")
    if url and not _URL.fullmatch(url):
        raise SettingsError(f"CDS_BASE_URL={url} is no absolute http(s) URL of host, port and path. Write for example https://cds.example.org.")
    return url or default


def _origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.get("CDS_CORS_ORIGINS")
    if text is None:
        return (SANDBOX_ORIGIN,)
    origins = tuple(o.strip().rstrip("/") for o in text.split(",") if o.strip())
    for origin in origins:
        if origin != "*" and not origin.startswith(("http://", "https://")):
            raise SettingsError(f"CDS_CORS_ORIGINS: '{origin}' is no origin. Write for example {SANDBOX_ORIGIN}.")
    return origins
