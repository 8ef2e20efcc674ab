"""Which charts were read where: every query of a FHIR server is kept, by another thread, and names nobody."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from cds_service import auditing
from cds_service.auditing import Accesses
from cds_service.cli import cli
from cds_service.errors import SettingsError
from cds_service.fhir.fallback import Query
from cds_service.fhir.strict import faults
from cds_service.settings import Settings
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.storage.tables import METADATA
from tests import build
from tests.fakes import checked_app
from tests.faults.servers import Chart, answered, serving
from tests.fhir import balp
from tests.fhir.asking import says
from tests.storage.samples import NOON, rows, uuid_of

KEY, RETIRED = b"k" * 32, b"r" * 32
MARK = "Mark-of-Somebody"
WORD = "canary.token-0815"
NEVER = 3600.0  # seconds until a thread would write by itself
SERVER = "https://ehr.example.org/r4"
SEARCH = "Condition?patient={{context.patientId}}"
CHART = {"entry": [{"resource": build.patient()}, {"resource": build.condition()}]}


def begun(database, every=NEVER, now=lambda: NOON):
    """The accesses of a process of its own."""
    return Accesses(database, Pseudonyms(KEY), now, every)


@pytest.fixture
def accesses(database):
    """Accesses that are written when a test says so."""
    accesses = begun(database)
    yield accesses
    accesses.close()


def query(number=1, **members):
    """A search for problems that succeeded."""
    return Query(**{"id": uuid_of(number), "key": "conditions", "page": 1, "server": SERVER, "search": SEARCH, **members})


def noted(accesses, *numbers, client="north", patient="p1", **members):
    """Note a query for each number."""
    for number in numbers:
        accesses.add(client, "patient-view", patient, query(number, **members))


def everything(database):
    """All that stands in the database."""
    return json.dumps([rows(database, name) for name in METADATA.tables], default=str)


# --- what is kept, and when ---


def test_keeps_who_asked_whom_for_what(accesses, database):
    """Moment, client, hook, key, page and outcome stand in a row; what was asked in another, with the patient still open."""
    noted(accesses, 1)
    accesses.write()

    (row,), (asked,) = rows(database, "access"), rows(database, "access_query")
    assert (uuid_of(1), "north", "patient-view", "conditions", 1, "success") == tuple(
        row[name] for name in ("id", "client", "hook", "key", "page", "outcome")
    )
    assert str(row["at"]).startswith("2026-11-22 12:00:00")
    assert (row["query"], SERVER, SEARCH) == (asked["id"], asked["server"], asked["search"])


def test_keeps_a_reason_for_what_brought_nothing(accesses, database):
    """A query that failed was an access all the same."""
    noted(accesses, 1, reason="refused")
    accesses.write()

    assert ["refused"] == [row["outcome"] for row in rows(database, "access")]


def test_names_a_patient_as_the_decisions_do(accesses, database):
    """So that both are found by one id; nothing else tells who it is."""
    noted(accesses, 1, patient=MARK)
    accesses.write()

    assert [Pseudonyms(KEY).of("north", MARK)] == [row["patient"] for row in rows(database, "access")]
    assert MARK not in everything(database)


def test_keeps_what_was_asked_once(accesses, database):
    """However many patients it is asked for; another server's is another."""
    noted(accesses, 1, 2)
    noted(accesses, 3, patient="p2")
    noted(accesses, 4, server="https://other.example.org/r4")
    accesses.write()
    noted(accesses, 5)
    accesses.write()

    assert (5, 2) == (len(rows(database, "access")), len(rows(database, "access_query")))


def test_keeps_what_two_processes_ask(accesses, database, url):
    """They share what was asked, and each writes its own accesses."""
    elsewhere = Database(url)
    other = begun(elsewhere)
    noted(accesses, 1, 2)
    noted(other, 3)
    told = [accesses.write(), other.write()]
    other.close()
    elsewhere.close()

    assert [True, True] == told
    assert (3, 1) == (len(rows(database, "access")), len(rows(database, "access_query")))


def test_writes_more_than_one_batch(accesses, database):
    """Everything that waits is written, in transactions of a size."""
    number = 2 * auditing._AT_ONCE + 1
    noted(accesses, *range(number))
    accesses.write()

    assert number == len(rows(database, "access"))


def test_writes_by_itself_now_and_then(database):
    """Nobody has to ask."""
    accesses = begun(database, every=0.02)
    noted(accesses, 1)

    end = time.monotonic() + 5
    while not rows(database, "access") and time.monotonic() < end:
        time.sleep(0.01)
    found = rows(database, "access")
    accesses.close()

    assert 1 == len(found)


def test_writes_what_waits_when_it_is_closed(database):
    """A process that ends in order loses nothing."""
    accesses = begun(database)
    noted(accesses, 1)

    accesses.close()
    accesses.close()

    assert (1, 0) == (len(rows(database, "access")), accesses.lost)


# --- while the database is away ---


def test_waits_for_a_database_that_is_away(accesses, database):
    """What could not be written is written later, with the moment at which it was."""
    noted(accesses, 1)
    database.downgrade()
    away = accesses.write()
    noted(accesses, 2)
    database.upgrade()
    written = accesses.write()

    assert (False, True, 0) == (away, written, accesses.lost)
    assert {uuid_of(1), uuid_of(2)} == {row["id"] for row in rows(database, "access")}


def test_holds_up_nobody(accesses, database):
    """A query waits for no database."""
    database.downgrade()

    started = time.monotonic()
    noted(accesses, *range(1000))
    spent = time.monotonic() - started

    assert spent < 1


@pytest.mark.long
def test_counts_those_for_which_there_is_no_room(accesses, database, log):
    """What waits is bounded; what is beyond is lost, and the log says how many."""
    noted(accesses, *([1] * (auditing._MOST_WAITING + 3)))
    accesses.write()
    accesses.write()

    told = {json.loads(line.removeprefix("cds_service "))["lost"] for line in log.lines if "accesses.lost" in line}
    assert (3, {3}) == (accesses.lost, told)


def test_counts_what_a_process_could_not_write(database):
    """The end of a process waits for nobody."""
    accesses = begun(database)
    noted(accesses, 1, 2)
    database.downgrade()

    accesses.close()
    database.upgrade()

    assert (2, []) == (accesses.lost, rows(database, "access"))


# --- of calls ---


@contextmanager
def service(url, tmp_path, base):
    """A service for the EHR at a base URL, on a database, whose key was changed once."""
    key, clients = tmp_path / "pseudonym.key", tmp_path / "clients.toml"
    key.write_bytes(KEY + b"\n" + RETIRED)
    clients.write_text(f'[[client]]\nname = "north"\nfhir_server = "{base}"\n', encoding="utf-8")
    app = checked_app(Settings(database=url, pseudonym_key_file=key, clients=clients, deadline=build.UNHURRIED), lambda: build.TODAY, lambda: NOON)
    try:
        yield app
    finally:
        for name in ("accesses", "counts", "recorder"):
            app.extensions[name].close()


def called(app, base, prefetch=None, patient=build.PATIENT_ID):
    """The status of a call that brings a token and a prefetch."""
    authorization = {"access_token": WORD, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "cds"}
    context = {"userId": "Practitioner/example", "patientId": patient}
    call = build.request(prefetch, context=context, fhirServer=base, fhirAuthorization=authorization)
    return app.test_client().post(build.SERVICE, json=call).status_code


def test_keeps_every_query_of_a_call(url, database, tmp_path):
    """A call without a prefetch makes one access for each key, by the id that went along."""
    with serving(Chart(CHART).honest) as ehr, service(url, tmp_path, ehr.base) as app:
        status = called(app, ehr.base)
        app.extensions["accesses"].write()
        found = rows(database, "access")
        sent = {asked.headers["x-request-id"] for asked in ehr.asked}

    assert 200 == status
    assert build.TEMPLATES.keys() == {row["key"] for row in found}
    assert (len(build.TEMPLATES), sent) == (len(found), {row["id"] for row in found})
    assert {("north", "patient-view", "success", Pseudonyms(KEY).of("north", "p1"))} == {
        (row["client"], row["hook"], row["outcome"], row["patient"]) for row in found
    }


def test_keeps_nothing_of_a_call_that_asked_nobody(url, database, tmp_path):
    """What the EHR sends by itself is no access of ours."""
    with serving(Chart(CHART).honest) as ehr, service(url, tmp_path, ehr.base) as app:
        status = called(app, ehr.base, build.suspect())
        app.extensions["accesses"].write()

    assert (200, []) == (status, rows(database, "access"))


def test_keeps_the_queries_of_a_call_that_is_refused(url, database, tmp_path):
    """A chart that was asked for in vain was asked for."""
    with serving(says(answered({}, "403 Forbidden"))) as ehr, service(url, tmp_path, ehr.base) as app:
        status = called(app, ehr.base)
        app.extensions["accesses"].write()
        found = {row["key"]: row["outcome"] for row in rows(database, "access")}

    assert (412, "refused") == (status, found["patient"])


def test_touches_no_disk_before_it_is_time(url, database, tmp_path):
    """An answer that shows nothing leaves before anything is written."""
    sent = {key: value for key, value in build.healthy().items() if key != "conditions"}
    with serving(Chart({"entry": []}).honest) as ehr, service(url, tmp_path, ehr.base) as app:
        status = called(app, ehr.base, sent)
        before = [rows(database, name) for name in METADATA.tables]
        app.extensions["accesses"].write()

    assert (200, [[]] * len(METADATA.tables)) == (status, before)
    assert ["conditions"] == [row["key"] for row in rows(database, "access")]


def test_answers_and_counts_while_the_database_is_away(url, database, tmp_path, log):
    """The cards are the same, and what is lost stands where people look."""
    with serving(Chart(CHART).honest) as ehr, service(url, tmp_path, ehr.base) as app:
        database.downgrade()
        status = called(app, ehr.base)
        app.extensions["accesses"].close()
        ready = app.test_client().get("/readyz").json
        metrics = app.test_client().get("/metrics").get_data(as_text=True)
        database.upgrade()

    lost = len(build.TEMPLATES)
    assert (200, lost) == (status, ready["accessesLost"])
    assert f"cds_accesses_lost_total {float(lost)}" in metrics


def test_keeps_neither_patient_nor_token_nor_name(url, database, tmp_path, log):
    """Not in the database, the export or the log, whatever the EHR calls its next pages."""
    page = build.bundle(link=[{"relation": "next", "url": f"?patient={MARK}&name={MARK}"}])
    log.setLevel(logging.DEBUG)
    with serving(says(answered(page))) as ehr, service(url, tmp_path, ehr.base) as app:
        called(app, ehr.base, {"patient": build.patient(id=MARK, name=[{"text": MARK}])}, patient=MARK)
        app.extensions["accesses"].write()
        events = said(tmp_path, url)
        found = rows(database, "access")

    assert {1, 2} <= {row["page"] for row in found}
    for words in (everything(database), json.dumps(events), " ".join(log.lines)):
        assert not [word for word in (MARK, WORD) if word in words]


# --- the command ---


def run(tmp_path, url, *arguments, zone="UTC"):
    """What `cds-service audit` did."""
    key, clients = str(tmp_path / "pseudonym.key"), str(tmp_path / "clients.toml")
    environment = {"CDS_DATABASE": url, "CDS_PSEUDONYM_KEY_FILE": key, "CDS_CLIENTS": clients, "CDS_TIME_ZONE": zone}
    return CliRunner(env=environment).invoke(cli, ["audit", *arguments])


def said(tmp_path, url, *arguments, zone="UTC"):
    """The events that the command prints, each as one line."""
    done = run(tmp_path, url, *arguments, zone=zone)
    assert 0 == done.exit_code, done.exception
    lines = done.stdout.splitlines()
    assert f"{len(lines)} {'event' if len(lines) == 1 else 'events'}" == done.stderr.strip()
    return [json.loads(line) for line in lines]


@pytest.fixture
def kept(database, tmp_path):
    """Accesses of two days, clients and patients; one was kept before the key was changed."""
    (tmp_path / "pseudonym.key").write_bytes(KEY + b"\n" + RETIRED)
    (tmp_path / "clients.toml").write_text(f'[[client]]\nname = "south"\nfhir_server = "{SERVER}"\n', encoding="utf-8")
    before = Accesses(database, Pseudonyms(RETIRED), lambda: NOON - dt.timedelta(days=1), NEVER)
    noted(before, 1)
    noted(before, 2, patient="p2")
    before.close()
    after = begun(database)
    noted(after, 3, 4)
    noted(after, 5, client="east", reason="late")
    after.close()


def ids(events):
    """The events by their numbers, as they come."""
    numbers = {uuid_of(number): number for number in range(10)}
    return [numbers[event["id"]] for event in events]


def test_prints_every_access_as_an_event(kept, tmp_path, url):
    """One AuditEvent a line, valid, the oldest first."""
    events = said(tmp_path, url)

    assert [1, 2, 3, 4, 5] == sorted(ids(events))
    assert sorted(event["recorded"] for event in events) == [event["recorded"] for event in events]
    assert [] == [fault for event in events for fault in faults(event)]
    assert [] == [fault for event in events if event["outcome"] == "0" for fault in balp.faults(event)]


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["--from", "2026-11-22"], [3, 4, 5]),
        (["--from", "2026-11-23"], []),
        (["--to", "2026-11-21"], [1, 2]),
        (["--to", "2026-11-20"], []),
        (["--from", "2026-11-21", "--to", "2026-11-22"], [1, 2, 3, 4, 5]),
        (["--client", "north"], [1, 2, 3, 4]),
        (["--client", "east"], [5]),
        (["--client", "south"], []),
        (["--client", "north", "--patient", "p1"], [1, 3, 4]),
        (["--client", "north", "--patient", "Patient/p1"], [1, 3, 4]),
        (["--client", "north", "--patient", "p2"], [2]),
        (["--client", "north", "--patient", "p3"], []),
        (["--client", "east", "--patient", "p1"], [5]),
        (["--client", "north", "--patient", "p1", "--from", "2026-11-22"], [3, 4]),
    ],
)
def test_prints_what_is_asked_for(kept, tmp_path, url, arguments, numbers):
    """By day, client and patient, whom retired keys are found by, too; first and last day included."""
    assert numbers == sorted(ids(said(tmp_path, url, *arguments)))


@pytest.mark.parametrize(("arguments", "numbers"), [(["--to", "2026-11-22"], [1, 2, 3, 4, 5, 6]), (["--from", "2026-11-23"], [7])])
def test_takes_days_where_the_service_is(kept, database, tmp_path, url, arguments, numbers):
    """A day begins at midnight of CDS_TIME_ZONE: in Tokyo nine hours before it does in UTC."""
    for number, hour in ((6, 14), (7, 15)):
        accesses = begun(database, now=lambda hour=hour: NOON.replace(hour=hour))
        noted(accesses, number)
        accesses.close()

    found = said(tmp_path, url, *arguments, zone="Asia/Tokyo")

    assert numbers == sorted(ids(found))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--patient", "p1"], "--patient names nobody without --client"),
        (["--client", "nroth"], "there is no client 'nroth', and no FHIR server was ever asked for one. Use one of east, north, south."),
        (["--from", "2026-11-22", "--to", "2026-11-21"], "--from 2026-11-22 is after --to 2026-11-21"),
        (["--to", "9999-12-31"], "is too far away"),
    ],
)
def test_refuses_what_would_find_nothing(kept, tmp_path, url, arguments, sentence):
    """An empty answer would reassure."""
    done = run(tmp_path, url, *arguments)

    assert isinstance(done.exception, SettingsError)
    assert sentence in done.exception.public
    assert "" == done.stdout
