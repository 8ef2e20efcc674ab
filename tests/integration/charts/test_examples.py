"""Resources that HL7 published are read without a fault, and no card comes of them that ought not to."""

from __future__ import annotations

import datetime as dt
import re

from tests.integration import server
from tests.integration.answers import Service
from tests.integration.signs import with_signs


def test_answers_every_call_without_fault(examples):
    """Every answer has the status it must have, is valid, and brings no card to a child, to the dead, or for another gene."""
    assert [] == [*examples.tally.faults, *examples.renamed.faults, *examples.in_decimals.faults]


def test_sends_thousands_of_calls(examples):
    """The packages hold enough that the other tests say something."""
    assert sum(examples.tally.calls.values()) > 5_000


def test_refuses_only_what_has_no_patient_or_is_too_large(examples):
    """Each refusal says which of three things is to be mended."""
    expected = ("412 required-data-unavailable: The Patient", "413 payload-too-large: The body is larger than")

    assert [] == [refusal for refusal in examples.tally.refusals if not refusal.startswith(expected)]


def test_finds_the_gene_named_nowhere(examples):
    """No resource of the packages names the gene, the disease or their codes, so that none may confirm."""
    assert [] == examples.naming


def test_suggests_nothing_by_itself(examples):
    """No example patient and no single example resource gets a card, as none has what a tier needs."""
    unsigned = {way: topic for way, topic in examples.tally.cards if "with signs" not in way}

    assert {} == unsigned


def test_gives_the_card_that_the_signs_ask_for_whatever_stands_beside_them(examples):
    """Beside any example resource polychondritis, MCV 108, CRP 60 and platelets 120 give the card of the tiers, and a child none."""
    assert [] == examples.tally.surprises


def test_reads_results_of_others_once_they_are_about_the_gene(examples):
    """A result of another gene, renamed, is for review; with c.122T>C it confirms; a low allele fraction or a bare number does not."""
    assert [] == examples.renamed.surprises


def test_reads_an_allele_fraction_in_decimals(examples):
    """An allele fraction of 0.075 is below 10 %, whatever its unit is called."""
    assert [] == examples.in_decimals.surprises


def test_answers_the_same_as_a_started_server(examples, service: Service):
    """A started server answers over HTTP byte for byte what the application answers in process."""
    day = dt.datetime.now(dt.UTC).date()
    calls = [with_signs(call._replace(day=day)) for call in examples.sample]

    with server.started() as ask:
        over_http = [ask(call.body) for call in calls]

    days = {day, dt.datetime.now(dt.UTC).date()}
    for call, (status, body) in zip(calls, over_http, strict=True):
        here = [service.answer(call._replace(day=day)) for day in days]
        assert (status, without_address(body)) in [(one.status, without_address(one.body)) for one in here], call.label


def without_address(body: bytes) -> bytes:
    """An answer without the address that its cards point to."""
    return re.sub(rb'"url":"http://127\.0\.0\.1:\d+', b'"url":"', body)
