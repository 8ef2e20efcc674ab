"""What is counted of calls, in memory first and in the database when it is written."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest

from cds_service.counting import BOUNDS, Counts
from cds_service.reasoning.findings import GeneticState, GeneticStatus
from cds_service.record.facts import Source
from cds_service.settings import Settings
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.storage.tables import METADATA
from tests import build
from tests.fakes import checked_app
from tests.storage.samples import rows

KEY = b"k" * 32
MARK = "Mark-of-Somebody"
DIGEST = build.KNOWLEDGE.digest[:12]
RESULTED = dt.date(2026, 10, 3)
NEVER = 3600.0  # seconds until a thread would write by itself


@pytest.fixture
def counts(database):
    """Counts that are written when a test says so."""
    counts = begun(database)
    yield counts
    counts.close()


def begun(database, every=NEVER):
    """Counts of a process of its own."""
    return Counts(database, Pseudonyms(KEY), build.KNOWLEDGE, lambda: build.TODAY, every)


def tallies(database):
    """What was counted, by kind and name, over all days and clients."""
    found = {}
    for row in rows(database, "tally"):
        found[row["what"], row["which"]] = found.get((row["what"], row["which"]), 0) + row["count"]
    return found


def everything(database):
    """All that stands in the database."""
    return json.dumps([rows(database, name) for name in METADATA.tables], default=str)


def away(database):
    """Take the tables away, as a server that is away does; what is asked for fails."""
    database.downgrade()


def test_counts_outcome_hook_and_time(counts, database):
    """One call is one of its outcome, one of its hook and one of the group of its time."""
    counts.add(build.visit(outcome="withheld"), 12.5)
    counts.write()

    assert {("call", "withheld"): 1, ("hook", "patient-view"): 1, ("ms", "25"): 1} == tallies(database)


def test_names_day_client_and_knowledge(counts, database):
    """Each row says on which day, of which client, and by which release of the knowledge."""
    counts.add(build.visit(client="north"), 1)
    counts.write()

    told = {(str(r["day"]), r["client"], r["service"], r["digest"], r["version"]) for r in rows(database, "tally")}

    assert {(str(build.TODAY), "north", "vexas", DIGEST, build.KNOWLEDGE.module.version)} == told


def test_keeps_days_clients_and_outcomes_apart(counts, database):
    """What differs in anything has a row of its own."""
    yesterday = build.TODAY - dt.timedelta(days=1)
    for visit in (build.visit(), build.visit(), build.visit(client="north"), build.visit(day=yesterday), build.visit(outcome="nothing")):
        counts.add(visit, 1)
    counts.write()

    found = {(str(r["day"]), r["client"], r["which"]): r["count"] for r in rows(database, "tally") if r["what"] == "call"}

    today = str(build.TODAY)
    assert {(today, "open", "shown"): 2, (today, "north", "shown"): 1, (str(yesterday), "open", "shown"): 1, (today, "open", "nothing"): 1} == found


@pytest.mark.parametrize(
    ("milliseconds", "group"),
    [(0, "5"), (4.99, "5"), (5, "5"), (5.01, "10"), (500, "500"), (500.01, "1000"), (1999.99, "2000"), (2000, "2000"), (2000.01, "longer")],
)
def test_groups_times_by_their_upper_bound(counts, database, milliseconds, group):
    """A time that is a bound still belongs to it; what is longer than the last one stands by itself."""
    counts.add(build.visit(), milliseconds)
    counts.write()

    assert 1 == tallies(database)["ms", group]


def test_has_bounds_that_rise():
    """Each is above the one before it, and the last is the usual deadline."""
    assert sorted(set(BOUNDS)) == list(BOUNDS)
    assert Settings().deadline * 1000 == BOUNDS[-1]


def test_counts_data_that_were_not_there(counts, database):
    """A kind of data that is missing or a part only is counted by its name; what was read in full is not."""
    sources = {"blood-counts": Source.UNAVAILABLE, "reports": Source.INCOMPLETE, "conditions": Source.READ}
    counts.add(build.visit(sources=sources), 1)
    counts.add(build.visit(sources={**sources, "reports": Source.READ}), 1)
    counts.write()

    found = {name: number for name, number in tallies(database).items() if name[0] not in ("call", "hook", "ms")}

    assert {("unavailable", "blood-counts"): 2, ("incomplete", "reports"): 1} == found


def test_counts_a_patient_once_a_day(counts, database):
    """However often the chart is opened; another patient, client or day is another one."""
    tomorrow = build.TODAY + dt.timedelta(days=1)
    for members in ({}, {}, {"patient_id": "p2"}, {"client": "north"}, {"day": tomorrow}):
        counts.add(build.visit(**members), 1)
    counts.write()
    counts.add(build.visit(), 1)
    counts.write()

    found = rows(database, "visitor")

    assert 4 == len(found)
    assert 3 == len({row["patient"] for row in found})


@pytest.mark.parametrize(
    ("state", "number"),
    [
        (GeneticState.NONE, 0),
        (GeneticState.PENDING, 0),
        (GeneticState.CONFIRMED, 1),
        (GeneticState.UNCERTAIN, 1),
        (GeneticState.NEGATIVE, 1),
    ],
)
def test_keeps_results_of_the_gene(counts, database, state, number):
    """A result is kept with its state and day; a test that is only ordered, or was never done, is none."""
    counts.add(build.visit(genetics=GeneticStatus(state=state, on=RESULTED)), 1)
    counts.write()

    told = [(r["client"], r["service"], r["state"], str(r["resulted"]), str(r["seen"])) for r in rows(database, "gene_result")]

    assert [("open", "vexas", state.value, str(RESULTED), str(build.TODAY))] * number == told


def test_names_a_result_as_the_decisions_do(counts, database):
    """So that the result is found that followed a card."""
    counts.add(build.visit(client="north", genetics=GeneticStatus(state=GeneticState.CONFIRMED)), 1)
    counts.write()

    assert [(Pseudonyms(KEY).of("north", "p1"), None)] == [(row["patient"], row["resulted"]) for row in rows(database, "gene_result")]


def test_keeps_the_first_result_while_nothing_is_written(counts, database):
    """Of several results that wait together, the first that was seen is kept, as it is of those that are written one by one."""
    for number in range(6):
        status = GeneticStatus(state=GeneticState.CONFIRMED if number else GeneticState.UNCERTAIN, on=RESULTED + dt.timedelta(days=number))
        counts.add(build.visit(day=build.TODAY + dt.timedelta(days=number), genetics=status), 1)
    counts.write()
    counts.add(build.visit(genetics=GeneticStatus(state=GeneticState.NEGATIVE)), 1)
    counts.write()

    assert ["uncertain"] == [row["state"] for row in rows(database, "gene_result")]


def test_counts_a_refused_call_by_its_code(counts, database):
    """Whose it was is not known, so it stands under the name for everyone, and is no answered call."""
    counts.refuse("malformed-body")
    counts.refuse("malformed-body")
    counts.write()

    (row,) = rows(database, "tally")

    assert (str(build.TODAY), "open", "refused", "malformed-body", 2) == (str(row["day"]), row["client"], row["what"], row["which"], row["count"])
    assert [] == rows(database, "visitor")


def test_writes_what_is_new_alone(counts, database):
    """What was written once is not written again."""
    counts.add(build.visit(), 1)
    told = [counts.write(), counts.write(), counts.write()]

    assert [True] * 3 == told
    assert 1 == tallies(database)["call", "shown"]


def test_adds_up_what_two_processes_count(counts, database, url):
    """Each adds to what is there; a patient whom both saw is one."""
    elsewhere = Database(url)
    other = begun(elsewhere)
    for one, times in ((counts, 3), (other, 4), (counts, 5)):
        for _ in range(times):
            one.add(build.visit(), 1)
        assert one.write()
    other.close()
    elsewhere.close()

    assert 12 == tallies(database)["call", "shown"]
    assert 1 == len(rows(database, "visitor"))


def test_keeps_counts_while_the_database_is_away(counts, database):
    """What could not be written is added later, to what was counted meanwhile."""
    counts.add(build.visit(genetics=GeneticStatus(state=GeneticState.NEGATIVE)), 1)
    away(database)
    lost = counts.write()
    counts.add(build.visit(genetics=GeneticStatus(state=GeneticState.CONFIRMED)), 1)
    counts.add(build.visit(patient_id="p2"), 1)
    again = counts.write()
    database.upgrade()
    written = counts.write()

    assert [False, False, True] == [lost, again, written]
    assert 3 == tallies(database)["call", "shown"]
    assert 2 == len(rows(database, "visitor"))
    assert ["negative"] == [row["state"] for row in rows(database, "gene_result")]


def test_counts_while_the_database_is_away(counts, database):
    """A call never waits for the counts: counting touches no database."""
    away(database)

    started = time.monotonic()
    for number in range(1000):
        counts.add(build.visit(patient_id=f"p{number}"), 1)
    spent = time.monotonic() - started

    assert spent < 1


def test_writes_by_itself_now_and_then(database):
    """Nobody has to ask."""
    counts = begun(database, every=0.02)
    counts.add(build.visit(), 1)

    end = time.monotonic() + 5
    while not tallies(database) and time.monotonic() < end:
        time.sleep(0.01)
    found = tallies(database)
    counts.close()

    assert 1 == found["call", "shown"]


def test_writes_what_waits_when_it_is_closed(database):
    """A process that ends in order loses nothing; closed again, it writes nothing twice."""
    counts = begun(database)
    counts.add(build.visit(), 1)

    counts.close()
    counts.close()

    assert 1 == tallies(database)["call", "shown"]


def test_closes_without_a_call(database):
    """What counted nothing has nothing to write."""
    begun(database).close()

    assert [] == rows(database, "tally")


def test_closes_although_the_database_is_away(database):
    """The end of a process waits for nobody."""
    counts = begun(database)
    counts.add(build.visit(), 1)
    away(database)

    counts.close()
    database.upgrade()

    assert [] == rows(database, "tally")


@pytest.fixture
def app(url, database, tmp_path):
    """A service on the database."""
    key = tmp_path / "pseudonym.key"
    key.write_bytes(KEY)
    app = checked_app(Settings(database=url, pseudonym_key_file=key, deadline=build.UNHURRIED), lambda: build.TODAY)
    yield app
    app.extensions["counts"].close()
    app.extensions["recorder"].close()


def asked(app, prefetch, **members):
    """A call of the service."""
    return app.test_client().post(build.SERVICE, json=build.request(prefetch, **members))


def test_touches_no_disk_for_an_empty_answer(app, database):
    """Nothing is written before it is time; then the call is counted."""
    asked(app, build.healthy())
    before = [rows(database, name) for name in METADATA.tables]
    app.extensions["counts"].write()

    assert [[]] * len(METADATA.tables) == before
    assert 1 == tallies(database)["call", "nothing"]
    assert 1 == len(rows(database, "visitor"))


def test_counts_every_answer_of_the_service(app, database):
    """Cards, none, missing data, and what could not be answered: each stands once, and refused calls are no calls."""
    asked(app, build.suspect())
    asked(app, build.healthy(), hookInstance=build.OTHER_CALL)
    missing = {name: value for name, value in build.healthy().items() if name != "bloodCounts"}
    asked(app, missing, hookInstance=build.OTHER_CALL[:-1] + "3")
    asked(app, None)
    app.test_client().post("/cds-services/other", json=build.request(build.suspect()))
    app.test_client().post(build.SERVICE, data=b"{", content_type="application/json")
    app.extensions["counts"].write()

    found = {name: number for name, number in tallies(database).items() if name[0] != "ms"}

    assert {
        ("call", "shown"): 1,
        ("call", "nothing"): 2,
        ("hook", "patient-view"): 3,
        ("unavailable", "blood-counts"): 1,
        ("refused", "required-data-unavailable"): 1,
        ("refused", "unknown-service"): 1,
        ("refused", "malformed-body"): 1,
    } == found
    assert 3 == sum(number for name, number in tallies(database).items() if name[0] == "ms")


def test_counts_patients_under_another_name(app, database):
    """Whoever reads both tables cannot tell by the name whose decision a visit was: neither name is a part of the other."""
    asked(app, build.suspect())
    app.extensions["counts"].write()

    (decided,), (visited,) = rows(database, "decision"), rows(database, "visitor")

    assert 16 == len(visited["patient"])
    assert visited["patient"] not in decided["patient"]
    assert Pseudonyms(KEY).to_count("open", "p1") == visited["patient"]


def test_keeps_no_patient_id(app, database):
    """Neither the id of a patient, nor that of a result's resource, stands in any table."""
    chart = json.loads(json.dumps(build.confirmed()).replace(build.PATIENT_ID, MARK))
    answer = asked(app, chart, context={"userId": f"Practitioner/{MARK}", "patientId": MARK})
    app.extensions["counts"].write()

    assert 200 == answer.status_code
    assert {"call", "hook", "ms"} == {row["what"] for row in rows(database, "tally")}
    assert 1 == len(rows(database, "visitor"))
    assert MARK not in everything(database)
