"""The straight line of one request: bytes in, cards out. Knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec import structs

from cds_service.cards.compose import Composer
from cds_service.errors import InvalidRequest, UnknownService
from cds_service.fhir.gather import gather
from cds_service.fhir.resources import whole_prefetch
from cds_service.hooks import HOOKS
from cds_service.knowledge.loader import Knowledge
from cds_service.protocol.request import CDSRequest, quick, read_request
from cds_service.protocol.response import encode
from cds_service.reasoning.assess import Reasoner
from cds_service.record.dates import Day
from cds_service.record.facts import PatientRecord


class Answer(NamedTuple):
    """A response's bytes, with what the log may say of it."""

    body: bytes
    topics: tuple[str, ...]
    issues: int


class Service:
    """One CDS service with its knowledge, ready to be called."""

    def __init__(self, knowledge: Knowledge, base_url: str, today: Callable[[], Day]) -> None:
        self.knowledge = knowledge
        self.base_url = base_url
        self.reasoner = Reasoner(knowledge)
        self.composer = Composer(knowledge, base_url)
        self._today = today
        self._schemas = {name: HOOKS[name].schema for name in knowledge.module.service.hooks}
        kinds = {key: requirement.resource for key, requirement in knowledge.requirements.items()}
        self._quick = quick(whole_prefetch(kinds), kinds, {name: HOOKS[name].shape for name in self._schemas})

    def call(self, service_id: str, body: bytes) -> Answer:
        """Answer one hook call. Raises CDSServiceError for what cannot be answered."""
        service = self.knowledge.module.service
        if service_id != service.id:
            raise UnknownService("There is no such CDS service. GET /cds-services lists them.")
        request = self.read(body)
        if request.hook not in service.hooks:
            raise InvalidRequest(f"This service answers the hooks {', '.join(service.hooks)}. Send one of them.", place="/hook")
        today = self._today()
        record = self.chart(request, today)
        assessment = self.reasoner.evaluate(record, today)
        response = self.composer.compose(assessment, record, request.hook_instance)
        return Answer(encode(response), assessment.topics, len(assessment.issues))

    def read(self, body: bytes) -> CDSRequest:
        """The request in a body. Raises RequestError."""
        return read_request(body, self._schemas, self.knowledge.requirements, self._quick)

    def chart(self, request: CDSRequest, today: Day) -> PatientRecord:
        """The record of the patient whom a request is about. Raises CDSServiceError for data that cannot be evaluated."""
        context = HOOKS[request.hook].parse_context(request.context)
        record = gather(self.knowledge.requirements, request.prefetch, context.patient_id, today)
        odd = (*request.issues, *context.issues)
        return structs.replace(record, issues=(*odd, *record.issues)) if odd else record
