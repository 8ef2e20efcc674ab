"""What was not sent is asked of the EHR's server: every query at once in a bounded pool, all within one deadline."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import NamedTuple

import msgspec

from cds_service.errors import FHIRServerError
from cds_service.fhir.client import LEAST, FHIRClient
from cds_service.fhir.prefetch import Fetched, Prefetched, is_bundle, joined, unpack
from cds_service.fhir.search import resolved, searches
from cds_service.knowledge.loader import Knowledge
from cds_service.record.facts import Issue, Source
from cds_service.record.secret import Secret
from cds_service.transport import Underway
from cds_service.trust.addresses import Address, target_on
from cds_service.trust.clients import Client

_MOST_PAGES = 3
_MOST_NAMED = 3
_TO_ANSWER = 0.1  # the part of a deadline that is kept for reasoning and cards

# Why a query brought nothing, or not all: what is said of the keys, and what mends it.
_REASONS = {
    "late": ("the EHR did not answer in time for", "Fill these prefetch keys, or look at the EHR's FHIR server."),
    "unreachable": ("the EHR's FHIR server could not be reached for", "Check its address, certificate and network in clients.toml."),
    "failed": ("the EHR's FHIR server failed at", "Fill these prefetch keys, or look at the EHR's FHIR server."),
    "refused": ("the EHR refused", "Check the scopes of the service's access token."),
    "closed": ("the EHR keeps this chart closed for", "Whoever opens the chart must break the glass first."),
    "rejected": ("the EHR does not accept the query for", "Fill these prefetch keys, or register the EHR's dialect."),
    "busy": ("the EHR asked to wait longer than there is time for", "Fill these prefetch keys, or raise the service's rate in the EHR."),
    "redirected": ("the EHR sent the query elsewhere, which is not followed, for", "Register the address that answers by itself."),
    "too-large": ("the EHR sent too much for", "Fill these prefetch keys with less."),
    "unreadable": ("the EHR sent no FHIR for", "Check that the registered address is that of the FHIR server."),
    "elsewhere": ("further pages stand on another server, which is not asked, for", "Let the EHR name its pages by the registered address."),
    "unknown-patient": ("the EHR has no Patient of this id under", "Name a patient of the registered FHIR server."),
    "no-token": ("no access token came to ask for", "Send fhirAuthorization with the call, or fill these prefetch keys."),
}


class Query(NamedTuple):
    """One query that was sent: for which key and page, and why it brought nothing, if so.

    `id` is the X-Request-Id that it carried, `search` what the key asks of the server, with the patient still open. Of a
    next page that is not what was sent: how it is named is the server's own, and may say anything of the patient.
    """

    id: str
    key: str
    page: int
    server: str
    search: str
    reason: str = ""


Note = Callable[[Query], None]  # told of each query once it has ended


def unnoted(_query: Query) -> None:
    """Nobody keeps a record."""


class _Part(NamedTuple):
    """The pages that came, and why not all did."""

    pages: tuple[Prefetched, ...]
    reason: str = ""


class _Server(NamedTuple):
    """One registered server: how it is asked, and the search of each key, with the patient still open."""

    address: Address
    client: FHIRClient
    pool: ThreadPoolExecutor
    searches: Mapping[str, str]
    partial: frozenset[str]


class _Call(NamedTuple):
    """What the queries of one call share."""

    server: _Server
    token: Secret | None
    underway: Underway
    note: Note


class Fallback:
    """Asks the registered servers of the CDS clients; `deadline` is the seconds that a whole answer may take."""

    def __init__(self, knowledge: Knowledge, clients: Iterable[Client], deadline: float) -> None:
        self._kinds = {key: requirement.resource for key, requirement in knowledge.requirements.items()}
        self._seconds = deadline * (1 - _TO_ANSWER)
        self._servers = {c.server: _server(knowledge, c, c.server) for c in clients if c.server is not None}

    def close(self) -> None:
        """Let go of every thread and connection."""
        for server in self._servers.values():
            server.pool.shutdown(cancel_futures=True)
            server.client.close()

    def ask(
        self,
        client: Client,
        patient_id: str,
        token: Secret | None,
        wanted: Mapping[str, str | None],
        *,
        waited: float = 0.0,
        seconds: float | None = None,
        note: Note = unnoted,
    ) -> Fetched:
        """The keys that a call lacks, from the client's server: each from its beginning (None) or from the page that a link names.

        `waited` seconds of the deadline are gone already, or there are so many `seconds` for what is no call; `note` is told of each query.
        """
        server = self._servers.get(client.server) if client.server else None
        if server is None:
            return Fetched()
        if token is None and not client.open:
            return Fetched({}, tuple(_told(dict.fromkeys(wanted, "no-token"))))
        call = _Call(server, token if client.takes_token else None, Underway(monotonic() + (seconds or self._seconds) - waited), note)
        jobs = {
            key: server.pool.submit(self._brought, call, key, link or resolved(server.searches[key], patient_id), later=bool(link))
            for key, link in wanted.items()
            if link or key in server.searches
        }
        parts = _awaited(jobs, [key for key in jobs if self._kinds[key] == "Patient"], call.underway)
        told = wanted if parts.keys() == jobs.keys() else parts
        return self._fetched({key: wanted[key] for key in told}, parts)

    def _brought(self, call: _Call, key: str, link: str, *, later: bool) -> _Part:
        """The pages of one key from a link on; `later` says that one came before. What cannot be had is a reason and never an exception."""
        pages: list[Prefetched] = []
        seen: set[str] = set()
        while link and len(pages) < _MOST_PAGES - later:
            target = target_on(call.server.address, link)
            if target is None or target in seen:
                return _Part(tuple(pages), "elsewhere")
            seen.add(target)
            body, reason = self._sent(call, key, target, len(pages) + later + 1)
            if reason:
                return _Part(tuple(pages), reason)
            pages.append(unpack(key, self._kinds[key], msgspec.Raw(body), call.server.partial))
            link = pages[-1].next
        return _Part(tuple(pages))

    def _sent(self, call: _Call, key: str, target: str, page: int) -> tuple[bytes, str]:
        """What one query brought, and why it is of no use, if so; it is noted, unless there is no time left to send it."""
        if call.underway.left < LEAST:
            return b"", "late"
        server, request_id = call.server, str(uuid.uuid4())
        try:
            body = server.client.get(target, call.token, call.underway, request_id=request_id)
            reason = "" if self._is_answer(key, body) else "unreadable"
        except FHIRServerError as error:
            body, reason = b"", error.reason
        call.note(Query(request_id, key, page, server.address, server.searches.get(key, self._kinds[key]), reason))
        return body, reason

    def _is_answer(self, key: str, body: bytes) -> bool:
        """Whether a body is of the kind that was asked for; "null", which says in a prefetch that nothing was found, is no answer here."""
        return body.lstrip().startswith(b"{") and (self._kinds[key] == "Patient" or is_bundle(body))

    def _fetched(self, wanted: Mapping[str, str | None], parts: Mapping[str, _Part]) -> Fetched:
        """What came as one for each key, and one issue for each reason why something did not."""
        found: dict[str, Prefetched] = {}
        reasons: dict[str, str] = {}
        for key, link in wanted.items():
            part = parts.get(key, _Part((), "missing"))
            if not part.reason:
                found[key] = joined(part.pages)
                continue
            some = joined(part.pages) if part.pages else Prefetched(Source.UNAVAILABLE)
            begun = bool(part.pages or link)
            reason = part.reason
            if reason == "missing" and (begun or self._kinds[key] == "Patient"):  # a page that is gone is no query that the EHR lacks
                reason = "failed" if begun else "unknown-patient"
            source = Source.INCOMPLETE if begun else Source.UNAVAILABLE
            found[key] = some._replace(source=source, more=False, total=0, lacking=reason == "missing")
            reasons[key] = reason
        return Fetched(found, tuple(_told(reasons)))


def _server(knowledge: Knowledge, client: Client, address: Address) -> _Server:
    dialect = client.dialect
    asked = {key: str(search) for key, search in searches(knowledge, dialect).items()}
    http = FHIRClient(address.origin, connections=client.connections, ca_file=client.ca_file, headers=dialect.headers, final=dialect.final)
    return _Server(address, http, ThreadPoolExecutor(client.connections, thread_name_prefix=f"fhir-{client.name}"), asked, dialect.partial)


def _awaited(jobs: Mapping[str, Future[_Part]], patient: Collection[str], underway: Underway) -> Mapping[str, _Part]:
    """What each job brought in time. Without the Patient nothing else is of use, so then only that is told."""
    try:
        wait([jobs[key] for key in patient], timeout=underway.left)
        failed = {key: _part(jobs[key]) for key in patient if _part(jobs[key]).reason}
        if failed:
            return failed
        wait(jobs.values(), timeout=underway.left)
        return {key: _part(job) for key, job in jobs.items()}
    finally:
        underway.cut()
        for job in jobs.values():
            job.cancel()


def _part(job: Future[_Part]) -> _Part:
    """What a job brought, if it is done."""
    return job.result() if job.done() else _Part((), "late")


def _told(reasons: Mapping[str, str]) -> Iterator[Issue]:
    """One issue for each reason, with all the keys that it holds for; that an EHR has no such data at all is less than a fault."""
    keys: dict[str, list[str]] = {}
    for key, reason in reasons.items():
        if reason == "missing":
            yield Issue("information", f"'{key}' was not sent, and the EHR knows no query for it", "Fill this prefetch key, if the EHR can.")
        else:
            keys.setdefault(reason, []).append(f"'{key}'")
    for reason, named in keys.items():
        what, remedy = _REASONS[reason]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        yield Issue("warning", f"{what} {', '.join(named[:_MOST_NAMED])}{more}", remedy)
