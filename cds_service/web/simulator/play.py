"""Plays the EHR: a chart becomes a call, the call goes the way of every other, and what was done with a card is reported."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cds_service.cards.snooze import Snooze
from cds_service.ehr import constructed
from cds_service.ehr.client import CDSService, body_of, request_for
from cds_service.ehr.prefetch import PATIENT_ID, Held, by_kind, call_for, chosen, filled
from cds_service.errors import CDSServiceError, InvalidRequest, MalformedBody, StorageUnavailable
from cds_service.evidence.bundle import chart_in, entries, patient_id
from cds_service.fhir.fallback import unnoted
from cds_service.fhir.search import prefetch_templates
from cds_service.http.body import within_limit
from cds_service.http.calls import Calls
from cds_service.http.problems import refusal
from cds_service.protocol.response import encode
from cds_service.record.dates import Day
from cds_service.record.facts import PatientRecord
from cds_service.snoozes import Snoozes
from cds_service.trust.clients import SIMULATOR, Client, simulated
from cds_service.web.simulator import wire
from cds_service.web.simulator.form import BUNDLE, CHOSEN, SERVER, Deed, Wanted
from cds_service.web.simulator.served import NotedServer

_TOKEN_SECONDS = 300
_TYPED = "The Bundle"


class Call(NamedTuple):
    """A call that is ready to be sent: whose it is, whose chart, what it says, the JSON of each prefetch key, and all of that as it is sent."""

    client: Client
    patient: str
    said: Mapping[str, Any]
    prefetch: Mapping[str, bytes]
    body: bytes


class Fired(NamedTuple):
    """A call and what came back. `record` is what it was answered from; there is none where it was refused."""

    call: Call
    status: int
    response: bytes
    spent: float = 0.0
    record: PatientRecord | None = None


class Reported(NamedTuple):
    """Feedback and what came back."""

    deed: Deed
    body: bytes
    status: int
    response: bytes


class Simulator:
    """An EHR that has the constructed patients, any Bundle that it is given, and the FHIR servers of registered clients."""

    def __init__(self, calls: Calls, snoozes: Snoozes, fixtures: Path, today: Callable[[], Day], now: Callable[[], dt.datetime]) -> None:
        self._calls = calls
        self._knowledge = calls.service.knowledge
        self._snoozes = snoozes
        self._fixtures = fixtures
        self._today = today
        self._now = now
        self.servers = {client.name: simulated(client) for client in snoozes.clients.registered if client.server}

    @property
    def constructed(self) -> list[str]:
        """The names of the constructed patients."""
        return constructed.names(self._fixtures)

    def call(self, wanted: Wanted) -> Call:
        """The call that a form asks for. Raises CDSServiceError with the place and the remedy."""
        hooks = self._knowledge.module.service.hooks
        hook = wanted.hook if wanted.hook in hooks else hooks[0]
        instance = wanted.instance or str(uuid.uuid4())
        return self._of_a_server(wanted, hook, instance) if wanted.source == SERVER else self._of_a_chart(wanted, hook, instance)

    def fire(self, call: Call) -> Fired:
        """The answer to a call, or its refusal."""
        try:
            answered = self._calls.hook(self._knowledge.module.service.id, lambda: call.client, partial(within_limit, call.body))
        except CDSServiceError as error:
            answer = refusal(error)
            return Fired(call, answer.status_code, answer.get_data())
        return Fired(call, 200, answered.answer.body, answered.spent, answered.answer.record)

    def report(self, wanted: Wanted, deed: Deed) -> Reported:
        """Feedback on a card, and what the service says to it."""
        client, _ = self.whose(wanted)
        body = encode({"feedback": [self._entry(deed)]})
        try:
            response, status = self._calls.feedback(self._knowledge.module.service.id, lambda: client, lambda: body)
        except CDSServiceError as error:
            answer = refusal(error)
            response, status = answer.get_data(), answer.status_code
        return Reported(deed, body, status, response)

    def silent(self, client: Client, patient: str) -> list[tuple[str, Snooze]] | None:
        """What is silent for a patient, by the topic's code; None if that cannot be looked up."""
        try:
            return self._snoozes.running(client.name, patient, self._today())
        except StorageUnavailable:
            return None

    def lift(self, client: Client, patient: str) -> int:
        """Let what was answered silence nothing any more. Raises StorageUnavailable."""
        return self._snoozes.lift(client.name, patient, self._now())

    def whose(self, wanted: Wanted) -> tuple[Client, str]:
        """The client and the patient that a form names. Raises CDSServiceError."""
        if wanted.source == SERVER:
            return self._server(wanted), _patient(wanted)
        return SIMULATOR, patient_id(self._chart(wanted), _TYPED)

    def _of_a_chart(self, wanted: Wanted, hook: str, instance: str) -> Call:
        templates = prefetch_templates(self._knowledge)
        chart = self._chart(wanted)
        patient = patient_id(chart, _TYPED)
        said = call_for(patient, hook, instance)
        found = filled(chart, {key: templates[key] for key in _keys(wanted, templates)}, patient)
        prefetch = {key: msgspec.json.encode(value) for key, value in found.items()}
        return Call(SIMULATOR, patient, said, prefetch, wire.body(said, prefetch))

    def _of_a_server(self, wanted: Wanted, hook: str, instance: str) -> Call:
        client, patient = self._server(wanted), _patient(wanted)
        token = wanted.token if client.takes_token else None
        if token and not token.reveal().isascii():
            raise InvalidRequest("The access token has characters that no token has. Copy it again.", place="token")
        templates = prefetch_templates(self._knowledge, client.dialect)
        accesses = self._calls.service.accesses
        note = partial(accesses.add, client.name, hook, patient) if accesses else unnoted
        chart = NotedServer(client, token, patient, templates, note)
        service = CDSService("", hook, "", templates)
        said = request_for(service, chart, patient, instance, _keys(wanted, templates))
        prefetch = {key: body_of(value) for key, value in said.pop("prefetch", {}).items()}
        if token:
            scope = {"token_type": "Bearer", "expires_in": _TOKEN_SECONDS, "scope": "user/*.read", "subject": client.name}
            said = {**said, "fhirAuthorization": {"access_token": token.reveal(), **scope}}
        return Call(client, patient, said, prefetch, wire.body(said, prefetch))

    def _server(self, wanted: Wanted) -> Client:
        if wanted.server not in self.servers:
            raise InvalidRequest("There is no registered FHIR server of this name. Choose one of the list.", place="server")
        return self.servers[wanted.server]

    def _chart(self, wanted: Wanted) -> Mapping[str, list[Held]]:
        """The entries of the Bundle that a form names or brings, by their kind. Raises CDSServiceError."""
        if wanted.source != BUNDLE:
            return by_kind(entries(constructed.chart(self._fixtures, wanted.constructed, self._today()), "The file")["entry"])
        if not wanted.bundle.strip():
            raise MalformedBody("No Bundle was sent. Choose a file, or paste a FHIR R4 Bundle.", place="bundle")
        chart = chart_in(wanted.bundle.encode(errors="surrogateescape"), _TYPED, MalformedBody)
        # Without its blanks, which an EHR would not send either.
        return by_kind(msgspec.Raw(msgspec.json.format(bytes(entry), indent=-1)) for entry in chart.entry)

    def _entry(self, deed: Deed) -> dict[str, Any]:
        """What was done with a card, as CDS Hooks has it."""
        entry = {"card": deed.card, "outcomeTimestamp": self._now().strftime("%Y-%m-%dT%H:%M:%SZ")}
        if deed.act == "accept":
            return {**entry, "outcome": "accepted", "acceptedSuggestions": [{"id": one} for one in deed.suggestions]}
        override = dict(_override(self._knowledge.module.override_reasons, deed))
        return {**entry, "outcome": "overridden", **({"overrideReason": override} if override else {})}


def _override(reasons: Any, deed: Deed) -> Iterator[tuple[str, Any]]:
    """The members of an override's reason that were given."""
    for reason in reasons.reasons:
        if reason.code == deed.reason:
            yield "reason", {"code": reason.code, "system": reasons.system, "display": reason.display}
    if deed.comment:
        yield "userComment", deed.comment


def _keys(wanted: Wanted, templates: Mapping[str, str]) -> list[str]:
    return [key for key in templates if key in wanted.keys] if wanted.mode == CHOSEN else chosen(templates, wanted.mode)


def _patient(wanted: Wanted) -> str:
    if not PATIENT_ID.fullmatch(wanted.patient):
        raise InvalidRequest("No patient is named. Type the id that the Patient has on this FHIR server, without blanks, / ? or #.", place="patient")
    return wanted.patient
