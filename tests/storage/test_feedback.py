"""The line of one feedback: each entry is stored or refused with its place."""

import json

import pytest

from cds_service.dialects import DIALECTS
from cds_service.errors import InvalidRequest, MalformedBody, StorageUnavailable, UnknownService
from cds_service.feedback import Desk
from cds_service.trust.clients import Client, Clients
from tests.storage.samples import NOON, SUGGESTION, decision, rows, uuid_of

WHEN = "2026-11-22T11:59:00.5Z"
OVERRIDDEN = {"card": uuid_of(1), "outcome": "overridden", "outcomeTimestamp": WHEN}
ACCEPTED = {"card": uuid_of(1), "outcome": "accepted", "acceptedSuggestions": [{"id": SUGGESTION}], "outcomeTimestamp": WHEN}
REASON = {"reason": {"code": "not-now", "system": "urn:reasons"}, "userComment": "Next week."}

DEEP: list = []
for _ in range(900):
    DEEP = [DEEP]


@pytest.fixture
def desk(database):
    """Where feedback on two issued cards arrives, one of a plain client and one of Epic's."""
    database.work(lambda book: (book.record(decision(1)), book.record(decision(2, client="epic-site"))))
    return Desk("vexas", database, Clients([Client(name="epic-site", dialect=DIALECTS["epic"])]), lambda: NOON)


def body(*entries):
    """A body with these entries."""
    return json.dumps({"feedback": entries}).encode()


@pytest.mark.parametrize("entry", [OVERRIDDEN, ACCEPTED, {**OVERRIDDEN, "overrideReason": REASON}])
def test_stores_what_was_done(desk, database, entry):
    """An entry of either outcome, with or without a reason, is stored."""
    taken = desk.take("vexas", body(entry))

    (row,) = rows(database, "feedback")
    reason = entry.get("overrideReason", {})
    assert (1, 0, ()) == taken
    assert (entry["outcome"], reason.get("userComment")) == (row["outcome"], row["comment"])
    assert (reason.get("reason", {}).get("code"), reason.get("reason", {}).get("system")) == (row["reason_code"], row["reason_system"])


def test_stores_several_of_one_card(desk, database):
    """A card may be accepted and then overridden; both stand."""
    taken = desk.take("vexas", body(ACCEPTED, OVERRIDDEN))

    assert 2 == taken.stored
    assert {"accepted", "overridden"} == {row["outcome"] for row in rows(database, "feedback")}


def test_stores_what_is_sent_twice_once(desk, database):
    """A batch that is sent again, because its answer was lost, changes nothing."""
    desk.take("vexas", body(ACCEPTED, OVERRIDDEN))
    taken = desk.take("vexas", body(ACCEPTED, OVERRIDDEN))

    assert (0, 2, ()) == taken
    assert 2 == len(rows(database, "feedback"))


def test_keeps_what_the_standard_does_not_know(desk, database):
    """Members of an entry and of its reason that have no column are kept beside it."""
    desk.take("vexas", body({**OVERRIDDEN, "extension": {"a": 1}, "overrideReason": {**REASON, "extension": {"b": 2}}}))

    (row,) = rows(database, "feedback")
    rest = row["rest"] if isinstance(row["rest"], dict) else json.loads(row["rest"])
    assert {"extension": {"a": 1}, "overrideReason": {"extension": {"b": 2}}} == rest


BAD = {
    "no object": (5, "/card"),
    "no card": ({"outcome": "overridden", "outcomeTimestamp": WHEN}, "/card"),
    "an unknown card": ({**OVERRIDDEN, "card": uuid_of(7)}, "/card"),
    "a card that is no uuid": ({**OVERRIDDEN, "card": "a\0"}, "/card"),
    "an unknown outcome": ({**OVERRIDDEN, "outcome": "ignored"}, "/outcome"),
    "no moment": ({"card": uuid_of(1), "outcome": "overridden"}, ""),
    "a day for a moment": ({**OVERRIDDEN, "outcomeTimestamp": "2026-11-22"}, "/outcomeTimestamp"),
    "a moment without a zone": ({**OVERRIDDEN, "outcomeTimestamp": "2026-11-22T10:00:00"}, "/outcomeTimestamp"),
    "a day that there is not": ({**OVERRIDDEN, "outcomeTimestamp": "2026-02-30T10:00:00Z"}, "/outcomeTimestamp"),
    "a moment in the future": ({**OVERRIDDEN, "outcomeTimestamp": "2026-11-24T12:00:00Z"}, "/outcomeTimestamp"),
    "a moment of long ago": ({**OVERRIDDEN, "outcomeTimestamp": "0001-01-01T00:00:00Z"}, "/outcomeTimestamp"),
    "a moment at the end of time": ({**OVERRIDDEN, "outcomeTimestamp": "9999-12-31T23:59:59Z"}, "/outcomeTimestamp"),
    "an extension of many levels": ({**OVERRIDDEN, "extension": {"a": DEEP}}, ""),
    "accepted without a suggestion": ({**ACCEPTED, "acceptedSuggestions": []}, "/acceptedSuggestions"),
    "accepted without the member": ({k: v for k, v in ACCEPTED.items() if k != "acceptedSuggestions"}, ""),
    "a suggestion of another card": ({**ACCEPTED, "acceptedSuggestions": [{"id": SUGGESTION}, {"id": uuid_of(3)}]}, "/acceptedSuggestions/1/id"),
    "a reason that is a text": ({**OVERRIDDEN, "overrideReason": {"reason": "not now"}}, "/overrideReason/reason"),
    "a reason without its system": ({**OVERRIDDEN, "overrideReason": {"reason": {"code": "not-now"}}}, "/overrideReason/reason"),
    "an empty reason": ({**OVERRIDDEN, "overrideReason": {}}, "/overrideReason"),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_an_entry_with_its_place_and_stores_the_others(desk, database, name):
    """What is wrong with one entry costs only that entry."""
    entry, place = BAD[name]

    taken = desk.take("vexas", body(OVERRIDDEN, entry, ACCEPTED))

    assert 2 == taken.stored == len(rows(database, "feedback"))
    assert [f"/feedback/1{place}"] == [error.place for error in taken.refused]
    assert all(error.public.startswith(f"/feedback/1{place}: ") for error in taken.refused)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"{", MalformedBody),
        (b"[" * 100_000, MalformedBody),
        (b'{"feedback": "\xff"}', MalformedBody),
        (b"[]", InvalidRequest),
        (json.dumps(OVERRIDDEN).encode(), InvalidRequest),
        (b'{"feedback": []}', InvalidRequest),
        (b'{"feedback": {}}', InvalidRequest),
        (json.dumps({"feedback": [OVERRIDDEN] * 1001}).encode(), InvalidRequest),
    ],
)
def test_refuses_a_body_that_is_no_feedback(desk, database, sent, error):
    """A body that is no object with an array of entries stores nothing."""
    with pytest.raises(error):
        desk.take("vexas", sent)

    assert [] == rows(database, "feedback")


def test_reads_epics_reason(desk, database):
    """Epic says overrideReasons and means one object."""
    entry = {**OVERRIDDEN, "card": uuid_of(2), "overrideReasons": {**REASON, "extension": {"com.epic.cdshooks.feedback.overrideReason.x": "1"}}}

    desk.take("vexas", body(entry))

    (row,) = rows(database, "feedback")
    assert ("not-now", "Next week.") == (row["reason_code"], row["comment"])


def test_refuses_a_card_of_another_client(desk, database):
    """A client has no say over cards that another one got, and does not learn that there are any."""
    taken = desk.take("vexas", body({**OVERRIDDEN, "card": uuid_of(2)}, {**OVERRIDDEN, "card": uuid_of(7)}), caller="north")
    kept = desk.take("vexas", body(OVERRIDDEN), caller="north")

    assert (0, 1) == (taken.stored, kept.stored)
    assert 1 == len({error.public.partition(": ")[2] for error in taken.refused})


def test_knows_only_its_own_service(desk):
    """Feedback goes to the service that issued the card."""
    with pytest.raises(UnknownService):
        desk.take("other", body(OVERRIDDEN))


def test_refuses_what_another_service_issued(database):
    """A card of another service is none of ours."""
    database.work(lambda book: book.record(decision(1, service="other")))

    taken = Desk("vexas", database, Clients(), lambda: NOON).take("vexas", body(OVERRIDDEN))

    assert 1 == len(taken.refused)


def test_says_that_nothing_was_stored_when_the_database_is_away(desk, database):
    """Without tables nothing can be stored, and nobody is told otherwise."""
    database.downgrade()

    with pytest.raises(StorageUnavailable):
        desk.take("vexas", body(OVERRIDDEN))
