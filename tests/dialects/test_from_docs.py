"""Calls in the form of a vendor's documents: each is answered, and what was not sent is asked in that vendor's form.

None of them was run against the vendor; where each form was seen stands beside the request.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml

from cds_service.dialects import DIALECTS
from cds_service.protocol import schema
from cds_service.protocol.response import Coding
from cds_service.settings import Settings
from tests import build
from tests.fakes import answer_of, checked_app
from tests.faults import matrix
from tests.faults.servers import Asked, Chart, serving

FOLDER = build.FIXTURES.parent / "requests" / "from-docs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
DIALECT_OF = {"cds-hooks-sandbox-patient-view": "smart_sandbox", "epic-patient-view": "epic", "oracle-health-patient-view": "oracle_health"}
EPIC_KEYS = {"problemList": "conditions", "labsBloodCounts": "bloodCounts", "activeMedications": "medicationRequests"}
SITE = Coding(system="urn:com.epic.cdshooks.action.code.system.preference-list-item", code="123456", display="UBA1")


def call(name: str) -> dict[str, Any]:
    """The request as it stands in the file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def empty_chart(request: dict[str, Any]) -> Chart:
    """A server that has nothing but the patient of the request."""
    return Chart({"entry": [{"resource": request["prefetch"]["patient"]}]})


def answered(name: str, request: dict[str, Any] | None = None, **members: Any) -> tuple[dict[str, Any], list[Asked]]:
    """The answer to a request whose client has an honest server with nothing else on it, and what that was asked."""
    request = copy.deepcopy(request or call(name))
    if name == "epic-patient-view":
        members = {"keys": EPIC_KEYS, "order_codes": {"uba1-test": SITE}, **members}
    with serving(empty_chart(request).honest) as server:
        service = matrix.service_for(server.base, 10.0, dialect=DIALECTS[DIALECT_OF[name]], open="fhirAuthorization" not in request, **members)
        answer = json.loads(answer_of(service, json.dumps({**request, "fhirServer": server.base}).encode()).body)
        service.fallback.close()
    return answer, server.asked


def test_has_a_request_of_each_vendor():
    """The files and the vendors fit."""
    assert set(DIALECT_OF) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_is_a_call_of_the_hook(name):
    """Each request is valid against the schema of patient-view."""
    assert [] == list(schema.faults("hook-request.patient-view.schema.json", call(name)))


@pytest.mark.parametrize("name", NAMES)
def test_says_where_each_form_was_seen(name):
    """Each source points to a member of the request, and the file says that nothing was run against the vendor."""
    text = (FOLDER / f"{name}.sources.yaml").read_text(encoding="utf-8")
    sources = yaml.safe_load(text)

    assert "not run against the vendor" in text
    assert all(set(source) == {"at", "form", "source"} and source["source"] for source in sources)
    assert [] == [source["at"] for source in sources if not _there(call(name), source["at"])]


@pytest.mark.parametrize("name", NAMES)
def test_gets_the_card_of_its_patient(name):
    """Polychondritis with a high MCV and low platelets in a man is the published rule, in whatever form it comes."""
    answer, _ = answered(name)

    cards = answer["cards"]
    assert ["vexastestuba1" if name.startswith("epic") else "vexas-test-uba1"] == [card["source"]["topic"]["code"] for card in cards]
    assert "MCV 110 fL" in cards[0]["detail"]
    assert "Relapsing polychondritis" in cards[0]["detail"]
    assert "prednisone" in cards[0]["detail"].lower()


@pytest.mark.parametrize("name", NAMES)
def test_asks_for_what_was_not_sent_in_the_vendors_form(name):
    """Each absent key is one query, and none has a parameter that the vendor does not know."""
    request = call(name)
    dialect = DIALECT_OF[name]
    _, asked = answered(name)

    sent = {EPIC_KEYS.get(key, key) for key in request["prefetch"]}
    without = {"medicationStatements"} if dialect in {"epic", "oracle_health"} else set()
    assert len(set(build.TEMPLATES) - sent - without) == len(asked)
    if without:
        assert [] == [one.target for one in asked if "_sort" in one.target or "MedicationStatement" in one.target]
    if dialect == "oracle_health":
        counted = {one.target.split("?")[0] for one in asked if "_count" in one.target}
        assert counted.isdisjoint({"Condition", "Procedure", "Immunization", "AllergyIntolerance"})


def test_offers_one_action_a_suggestion():
    """Epic takes no more, and shows only the words of the action."""
    for suggestion in answered("epic-patient-view")[0]["cards"][0]["suggestions"]:
        assert 1 == len(suggestion["actions"])
        assert suggestion["actions"][0]["description"]


def test_puts_the_sites_own_code_first():
    """An order that the site has in its preference list carries that code, before the standard ones."""
    answer, _ = answered("epic-patient-view")

    orders = [suggestion["actions"][0]["resource"] for suggestion in answer["cards"][0]["suggestions"]]
    codings = [order["code"]["coding"][0] for order in orders if "coding" in order["code"]]
    assert [SITE.code] == [coding["code"] for coding in codings if coding["system"] == SITE.system]


@pytest.mark.parametrize("code", ["4119", "59204"])
def test_takes_part_of_a_record_for_a_part(code):
    """Epic says by a warning in a Bundle that looks whole that it is not; then what is not there is unknown."""
    request = call("epic-patient-view")
    coding = {"system": "urn:oid:1.2.840.114350.1.13.861.1.7.2.657369", "code": code}
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed", "details": {"coding": [coding]}}]}
    request["prefetch"]["inflammation"]["entry"].append({"search": {"mode": "outcome"}, "resource": outcome})
    before, after = (answered("epic-patient-view", one)[0]["cards"][0]["detail"] for one in (call("epic-patient-view"), request))

    assert "inflammation" not in _missing(before)
    assert "inflammation" in _missing(after)


def test_takes_nothing_found_for_an_answer():
    """Epic says 4101 where a search found nothing: that is known to be empty."""
    request = call("epic-patient-view")
    coding = {"system": "urn:oid:1.2.840.114350.1.13.861.1.7.2.657369", "code": "4101"}
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found", "details": {"coding": [coding]}}]}
    request["prefetch"]["inflammation"] = build.bundle(outcome)
    answer, _ = answered("epic-patient-view", request)

    assert "inflammation" not in _missing(answer["cards"][0]["detail"])


def test_tells_the_log_what_made_epic_call(log, tmp_path):
    """The trigger of the call stands in the log; nothing else of the extension does, and what is no trigger is left out."""
    extension = {"com.epic.cdshooks.request.bpa-trigger-action": "60", "internal.epic.cdshooks.request.epic-emp-id": "EMP-7"}
    request = {**call("epic-patient-view"), "extension": extension}
    with serving(empty_chart(request).honest) as server:
        clients = tmp_path / "clients.toml"
        clients.write_text(f'[[client]]\nname = "test"\nfhir_server = "{server.base}"\ndialect = "epic"\n', encoding="utf-8")
        client = checked_app(Settings(clients=clients), lambda: build.TODAY).test_client()
        client.post(build.SERVICE, json={**request, "fhirServer": server.base})

    answered_line = next(line for line in log.lines if "hook.answered" in line)
    assert '"trigger":"60"' in answered_line
    assert '"client":"test"' in answered_line
    assert "EMP-7" not in "".join(log.lines)
    assert "" == DIALECTS["epic"].trigger({"com.epic.cdshooks.request.bpa-trigger-action": {"a": 1}})


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_keeps_topics_apart(name, knowledge):
    """Whatever form the topics get, no two become one."""
    topics = knowledge.module.topics
    codes = [getattr(topics, field).code for field in topics.__struct_fields__ if hasattr(getattr(topics, field), "code")]
    formed = [DIALECTS[name].topic_code(code) for code in codes]

    assert len(codes) == len(set(formed))
    assert name != "epic" or all(code.isalnum() for code in formed)


def _missing(detail: str) -> str:
    return next((line for line in detail.splitlines() if line.startswith("**Not available**")), "")


def _there(value: Any, pointer: str) -> bool:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (LookupError, ValueError, TypeError):
            return False
    return True
