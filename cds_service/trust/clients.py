"""The CDS clients, as clients.toml registers them: whose FHIR server may be asked, and by which tokens they are known.

What a call names as its FHIR server is never used, only compared: a query goes to the registered address or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import structs

from cds_service.dialects import DIALECTS
from cds_service.dialects.dialect import Dialect
from cds_service.errors import SettingsError
from cds_service.knowledge.loader import Knowledge
from cds_service.protocol.response import Coding
from cds_service.settings import SIMULATED, is_loopback
from cds_service.trust.addresses import Address, address, same
from cds_service.trust.app import App, app
from cds_service.trust.entries import Entry, entries, text_of
from cds_service.trust.identity import Identity, identity

USUAL_RATE = 6000  # calls a minute
SANDBOXES = Path(__file__).with_name("sandboxes.toml")


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A CDS client: its name, its dialect, the FHIR server that may be asked for it, and what is the site's own.

    `takes_token` says that the way to the server is safe for access tokens, `open` that it answers without one.
    Cards of `silent_topics` are withheld: they are made and recorded, and do not leave.
    `calls_per_minute` is how often it may call, where its token tells who it is.
    `keys` has our prefetch key for each of the client's, `order_codes` the site's code for each draft order.
    `app` is our SMART app as it is registered there: without one no card links to it, and it cannot be launched.
    """

    name: str
    dialect: Dialect
    server: Address | None = None
    open: bool = False
    takes_token: bool = True
    connections: int = 64
    ca_file: str | None = None
    silent_topics: frozenset[str] = frozenset()
    keys: Mapping[str, str] = {}
    order_codes: Mapping[str, Coding] = {}
    identity: Identity | None = None
    calls_per_minute: int = USUAL_RATE
    app: App | None = None

    def calls_for(self, fhir_server: str) -> bool:
        """Whether a FHIR server that a call names is the registered one."""
        return self.server is not None and same(self.server, fhir_server)


# Whoever calls without a registered server: answered from what is sent along, and nothing is asked anywhere.
UNKNOWN = Client(name="open", dialect=DIALECTS["spec"])
# Whoever plays the EHR on the start page, with charts that are sent along.
SIMULATOR = Client(name=SIMULATED, dialect=DIALECTS["spec"])
_LONGEST_NAME = 40  # in the database


def simulated(client: Client) -> Client:
    """A client as the start page plays it: with its server and its ways, and a name by which nothing counts as its own."""
    return structs.replace(client, name=f"{SIMULATED}:{client.name}"[:_LONGEST_NAME], identity=None)


class Clients:
    """The registered clients. Where they have no tokens, one is found by the FHIR server that a call names."""

    def __init__(self, registered: Iterable[Client] = ()) -> None:
        self.registered = tuple(registered)

    @property
    def authenticated(self) -> bool:
        """Whether a call needs a token: all have one, or none."""
        return any(client.identity for client in self.registered)

    @property
    def known(self) -> tuple[Client, ...]:
        """Every client whose patients are its own, those of the simulator included."""
        return (*self.registered, SIMULATOR, *(simulated(client) for client in self.registered if client.server))

    def of(self, fhir_server: str | None) -> Client:
        """The client whose registered server a call names, or the one that stands for all others."""
        if fhir_server is None:
            return UNKNOWN
        return next((c for c in self.registered if c.calls_for(fhir_server)), UNKNOWN)


class Ours(NamedTuple):
    """What a registration may name: our prefetch keys, our draft orders, and our topics by their codes."""

    keys: frozenset[str]
    orders: frozenset[str]
    topics: Mapping[str, str]


def ours(knowledge: Knowledge) -> Ours:
    """What the registration of a client may name of a knowledge module."""
    codes = {word.code: name for name, word in knowledge.module.topics.words.items()}
    return Ours(frozenset(knowledge.requirements), frozenset(knowledge.orders), codes)


def load(path: Path | None, known: Ours, *, sandbox: str | None = None) -> Clients:
    """The clients of a file, or one public sandbox.

    Raises SettingsError with the file, the place and the remedy.
    """
    if sandbox is not None:
        return Clients([_client(SANDBOXES, entry, known) for entry in entries(SANDBOXES, text_of(SANDBOXES)) if entry.name == sandbox])
    return Clients() if path is None else parsed(path, text_of(path), known)


def parsed(path: Path, text: str, known: Ours) -> Clients:
    """The clients of a text that stands in a file, or is to stand there. Raises SettingsError as `load`."""
    clients = [_client(path, entry, known) for entry in entries(path, text)]
    for i, one in enumerate(clients):
        for other in clients[:i]:
            _check_apart(f"{path}: client '{one.name}'", one, other)
    bare = [client.name for client in clients if client.identity is None]
    if bare and len(bare) < len(clients):
        raise SettingsError(
            f"{path}: client '{bare[0]}': it has no issuer, and others have, so it could never call. "
            "Give it an issuer with jku or jwks_file, or take it out."
        )
    return Clients(clients)


def _check_apart(where: str, one: Client, other: Client) -> None:
    """Raises SettingsError if a call could be of either of two clients."""
    if one.name == other.name or (one.server is not None and one.server == other.server):
        what = "name" if one.name == other.name else "fhir_server"
        raise SettingsError(f"{where}: its {what} is that of '{other.name}'. Give each client its own.")
    if one.identity and other.identity and one.identity.overlaps(other.identity):
        raise SettingsError(f"{where}: its issuer is that of '{other.name}'. Give both of them tenants, and none of these twice.")


def sandboxes() -> Mapping[str, str]:
    """The public FHIR servers by their short names."""
    return {entry.name: entry.fhir_server or "" for entry in entries(SANDBOXES, text_of(SANDBOXES))}


def _client(path: Path, entry: Entry, known: Ours) -> Client:
    where = f"{path}: client '{entry.name}'"
    if entry.name in (UNKNOWN.name, SIMULATOR.name):
        whom = "callers who are not registered" if entry.name == UNKNOWN.name else "the simulator of the start page"
        raise SettingsError(f"{where}: this name stands for {whom}. Choose another.")
    dialect = DIALECTS.get(entry.dialect)
    if dialect is None:
        raise SettingsError(f"{where}: there is no dialect '{entry.dialect}'. Use one of {', '.join(DIALECTS)}.")
    known_by = identity(where, entry)
    server, safe = _server(where, entry, needed=known_by is None)
    _check_names(where, entry, known)
    return Client(
        name=entry.name,
        dialect=dialect,
        server=server,
        open=entry.open,
        takes_token=safe,
        connections=entry.connections,
        ca_file=entry.ca_file,
        silent_topics=_silent_topics(where, entry.silent, known.topics),
        keys={theirs: ours for ours, theirs in entry.prefetch.items()},
        order_codes={order: Coding(system=c.system, code=c.code, display=c.display) for order, c in entry.orders.items()},
        identity=known_by,
        calls_per_minute=_rate(where, entry.calls_per_minute, known=known_by is not None),
        app=app(where, entry.smart, server, entry.ca_file),
    )


def _check_names(where: str, entry: Entry, known: Ours) -> None:
    """Raises SettingsError for a file that is not there, and for keys and orders that are none of ours."""
    if entry.ca_file is not None and not Path(entry.ca_file).is_file():
        raise SettingsError(f"{where}: ca_file {entry.ca_file} is no file. Name a PEM file with the authorities that the server is signed by.")
    for ours in entry.prefetch:
        if ours not in known.keys:
            raise SettingsError(f"{where}: prefetch names '{ours}', which is no key of this service. Use {', '.join(sorted(known.keys))}.")
    if len(set(entry.prefetch.values())) < len(entry.prefetch) or not known.keys.isdisjoint(set(entry.prefetch.values()) - set(entry.prefetch)):
        raise SettingsError(f"{where}: prefetch gives one name to two keys. Give each key a name of its own.")
    for order in entry.orders:
        if order not in known.orders:
            raise SettingsError(f"{where}: orders names '{order}', which is no draft order of this service. Use {', '.join(sorted(known.orders))}.")


def _rate(where: str, per_minute: int | None, *, known: bool) -> int:
    """How often a client may call. Raises SettingsError for one whose calls cannot be told from others."""
    if per_minute is not None and not known:
        raise SettingsError(f"{where}: it has calls_per_minute and no issuer, so its calls cannot be told apart. Add its issuer, or leave it out.")
    return per_minute or USUAL_RATE


def _silent_topics(where: str, silent: bool | list[str], topics: Mapping[str, str]) -> frozenset[str]:  # noqa: FBT001 - as it stands in the file
    """The topics that do not leave: all, or those whose codes are listed. Raises SettingsError."""
    if isinstance(silent, bool):
        return frozenset(topics.values()) if silent else frozenset()
    for code in silent:
        if code not in topics:
            raise SettingsError(f"{where}: silent names '{code}', which is no topic. Use true, or some of {', '.join(sorted(topics))}.")
    return frozenset(topics[code] for code in silent)


def _server(where: str, entry: Entry, *, needed: bool) -> tuple[Address | None, bool]:
    """The address of an entry's FHIR server, and whether access tokens may travel there. Raises SettingsError."""
    if entry.fhir_server is None:
        if needed:
            raise SettingsError(f"{where}: it has neither fhir_server nor issuer. Name the FHIR server by which its calls are known, or its issuer.")
        return None, False
    try:
        server = address(entry.fhir_server)
    except ValueError as error:
        raise SettingsError(f"{where}: fhir_server {error}. Write for example https://fhir.example.org/r4.") from None
    safe = server.startswith("https://") or server.host == "localhost" or is_loopback(server.host)
    if not safe and not entry.open:
        raise SettingsError(f"{where}: fhir_server is http, so access tokens would travel in clear. Use https, or open = true if it takes none.")
    return server, safe
