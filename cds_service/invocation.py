"""The straight line of one request: bytes in, cards out. Knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec import structs

from cds_service.auditing import Accesses
from cds_service.cards.compose import Composer
from cds_service.cards.snooze import Answered, Snoozer
from cds_service.counting import Visit
from cds_service.errors import ClientNotAllowed, InvalidRequest, UnknownService
from cds_service.fhir.fallback import Fallback, unnoted
from cds_service.fhir.gather import gather
from cds_service.fhir.prefetch import Ask
from cds_service.fhir.resources import whole_prefetch
from cds_service.fhir.search import page_sizes
from cds_service.hooks import HOOKS
from cds_service.knowledge.loader import Knowledge
from cds_service.protocol.request import CDSRequest, quick, read_request
from cds_service.protocol.response import Card, Response, encode
from cds_service.reasoning.assess import Reasoner
from cds_service.reasoning.findings import Assessment
from cds_service.record.dates import Day
from cds_service.record.facts import Issue, PatientRecord
from cds_service.record.secret import Secret
from cds_service.recording import Call, Outcome, Recorder
from cds_service.storage import records
from cds_service.trust.clients import UNKNOWN, Client, Clients

_NOT_REGISTERED = Issue("information", "the FHIR server of this call was not asked: it is not registered", "Register it in clients.toml.")

_NOT_THEIRS = (
    "/fhirServer: it is not the FHIR server that is registered for the client of this token. Send the registered one, or have it registered."
)


class Answer(NamedTuple):
    """A response's bytes and the record that they rest on, with what the log may say of it and what is counted."""

    body: bytes
    topics: tuple[str, ...]
    issues: int
    visit: Visit
    record: PatientRecord
    trigger: str = ""


class Service:
    """One CDS service with its knowledge and its clients, ready to be called; a whole answer takes `deadline` seconds at most."""

    def __init__(
        self,
        knowledge: Knowledge,
        base_url: str,
        today: Callable[[], Day],
        clients: Clients | None = None,
        deadline: float = 2.0,
        recorder: Recorder | None = None,
        accesses: Accesses | None = None,
    ) -> None:
        self.knowledge = knowledge
        self.base_url = base_url
        self.reasoner = Reasoner(knowledge)
        self.composer = Composer(knowledge, base_url)
        self.snoozer = Snoozer(knowledge)
        self.clients = clients or Clients()
        self.fallback = Fallback(knowledge, self.clients.registered, deadline)
        dialects = {c.dialect.name: c.dialect for c in (UNKNOWN, *self.clients.registered)}
        self._pages = {name: page_sizes(knowledge, dialect) for name, dialect in dialects.items()}
        self.recorder = recorder
        self.accesses = accesses
        self._today = today
        self._schemas = {name: HOOKS[name].schema for name in knowledge.module.service.hooks}
        kinds = {key: requirement.resource for key, requirement in knowledge.requirements.items()}
        self._quick = quick(whole_prefetch(kinds), kinds, {name: HOOKS[name].shape for name in self._schemas})

    def call(self, service_id: str, body: bytes, caller: Client | None = None, waited: float = 0.0) -> Answer:
        """Answer one hook call of `caller`, where its token told who that is, that has waited so many seconds already.

        Raises CDSServiceError for what cannot be answered.
        """
        service = self.knowledge.module.service
        if service_id != service.id:
            raise UnknownService("There is no such CDS service. GET /cds-services lists them.")
        request = self.read(body)
        if request.hook not in service.hooks:
            raise InvalidRequest(f"This service answers the hooks {', '.join(service.hooks)}. Send one of them.", place="/hook")
        today = self._today()
        client = self._client(request, caller)
        record = self.chart(request, today, client, waited)
        assessment = self.reasoner.evaluate(record, today)
        response = self.composer.compose(assessment, record, request.hook_instance, client.name, client.order_codes, linked=client.app is not None)
        topics, made = assessment.topics, bool(response.cards)
        if response.cards and self.recorder:
            call = Call(client.name, request.hook, request.hook_instance, record.patient_id)
            outcomes = self.recorder.decide(call, assessment, partial(self._judged, client, assessment, response))
            topics = tuple(topic for topic, outcome in outcomes.items() if outcome.withheld is None)
            shown = tuple(outcomes[topic].card for topic in topics)
            silenced = {o.card.source.topic.code: o.snooze for o in outcomes.values() if o.snooze and o.card.source.topic}
            response = structs.replace(response, cards=shown) if shown else self.composer.nothing_shown(assessment, record, silenced)
        outcome = "shown" if response.cards else "withheld" if made else "nothing"
        visit = Visit(today, client.name, request.hook, record.patient_id, outcome, record.sources, assessment.genetics)
        return Answer(encode(_rendered(response, client)), topics, len(assessment.issues), visit, record, client.dialect.trigger(request.extension))

    def _judged(self, client: Client, assessment: Assessment, response: Response, before: Sequence[records.Answered]) -> dict[str, Outcome]:
        """The card of each topic, and whether it may leave: not if it was answered already, nor if its client is silent."""
        # Whoever is not registered is everybody: one patient's id may be another's elsewhere.
        answers = [] if client is UNKNOWN else [ours(a, self.knowledge, assessment.today) for a in before]
        evidence = tuple(sorted(self.snoozer.evidence(assessment)))
        outcomes = {}
        for topic, card in zip(assessment.topics, response.cards, strict=True):
            snooze = self.snoozer.judged(topic, assessment, answers)
            withheld = "silent" if topic in client.silent_topics else "answered" if snooze and snooze.silent else None
            shown = structs.replace(card, detail=f"{self.snoozer.back(snooze)}\n\n{card.detail}") if snooze else card
            outcomes[topic] = Outcome(shown, evidence, withheld, snooze if withheld == "answered" else None)
        return outcomes

    def read(self, body: bytes) -> CDSRequest:
        """The request in a body. Raises RequestError."""
        return read_request(body, self._schemas, self.knowledge.requirements, self._quick)

    def _client(self, request: CDSRequest, caller: Client | None) -> Client:
        """Whose call it is: the token's client, for its own FHIR server and no other; without tokens, the one of that server."""
        if caller is None:
            return self.clients.of(request.fhir_server)
        if request.fhir_server is not None and not caller.calls_for(request.fhir_server):
            raise ClientNotAllowed(_NOT_THEIRS, place="/fhirServer")
        return caller

    def chart(self, request: CDSRequest, today: Day, client: Client | None = None, waited: float = 0.0) -> PatientRecord:
        """The record of the patient whom a client's request is about. Raises CDSServiceError for data that cannot be evaluated."""
        client = client or self.clients.of(request.fhir_server)
        context = HOOKS[request.hook].parse_context(request.context)
        prefetch = _ours(request.prefetch, client.keys) if client.keys else request.prefetch
        ask = self.asks(client, request.hook, context.patient_id, request.token, waited=waited) if client.server else None
        record = self.gathered(client, context.patient_id, today, prefetch, ask)
        odd = (*request.issues, *context.issues)
        if client is UNKNOWN and request.fhir_server and not self.knowledge.requirements.keys() <= prefetch.keys():
            odd = (*odd, _NOT_REGISTERED)
        return structs.replace(record, issues=(*odd, *record.issues)) if odd else record

    def asks(self, client: Client, why: str, patient_id: str, token: Secret | None, *, waited: float = 0.0, seconds: float | None = None) -> Ask:
        """Asks a client's server about a patient; each query is noted, with the hook or whatever else it is for."""
        note = partial(self.accesses.add, client.name, why, patient_id) if self.accesses else unnoted
        return partial(self.fallback.ask, client, patient_id, token, waited=waited, seconds=seconds, note=note)

    def gathered(self, client: Client, patient_id: str, today: Day, prefetch: Mapping[str, Any], ask: Ask | None) -> PatientRecord:
        """The record of a patient from what a client sent and, for the rest, from its server. Raises DataError or PatientMismatch."""
        return gather(
            self.knowledge.requirements,
            prefetch,
            patient_id,
            today,
            pages=self._pages[client.dialect.name],
            partial=client.dialect.partial,
            ask=ask,
        )


def ours(answered: records.Answered, knowledge: Knowledge, today: Day) -> Answered:
    """What was answered, with its reason only if it is one of ours, and not later than today."""
    reason = answered.reason if answered.reason_system == knowledge.module.override_reasons.system else None
    return Answered(answered.topic, min(answered.at.date(), today), reason, answered.evidence)


def _ours(prefetch: Mapping[str, Any], keys: Mapping[str, str]) -> Mapping[str, Any]:
    """A prefetch under our keys; what stands under the client's own name for one holds against what stands under ours."""
    return {**{k: v for k, v in prefetch.items() if k not in keys}, **{keys[k]: v for k, v in prefetch.items() if k in keys}}


def _rendered(response: Response, client: Client) -> Response:
    """A response in the client's dialect: its topics have the form that the EHR takes."""
    if client.dialect.topic_code is str:
        return response
    return structs.replace(response, cards=tuple(_topical(card, client.dialect.topic_code) for card in response.cards))


def _topical(card: Card, form: Callable[[str], str]) -> Card:
    """A card whose topic has another form."""
    topic = card.source.topic
    return structs.replace(card, source=structs.replace(card.source, topic=structs.replace(topic, code=form(topic.code)))) if topic else card
