"""A database server that is away costs a call little, and the next ones nothing."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest

from cds_service.errors import SettingsError, StorageUnavailable
from cds_service.feedback import Desk
from cds_service.recording import Call, Outcome, Recorder
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from cds_service.trust.clients import Clients
from tests import build
from tests.reasoning.genomics import SERVICE
from tests.storage.samples import NOON, rows


def assessed():
    """What the service makes of a suspicious chart, and its card."""
    record = SERVICE.chart(SERVICE.read(build.body_of(build.request(build.suspect()))), build.TODAY)
    assessment = SERVICE.reasoner.evaluate(record, build.TODAY)
    (card,) = SERVICE.composer.compose(assessment, record, build.CALL).cards
    return assessment, card


@pytest.fixture
def silent():
    """The URL of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"postgresql://someone:secret@127.0.0.1:{listening.getsockname()[1]}/cds"


class Hanging:
    """A server that hangs up on everyone, and counts them."""

    def __init__(self, listening: socket.socket) -> None:
        self.url = f"postgresql://someone:secret@127.0.0.1:{listening.getsockname()[1]}/cds"
        self.calls = 0
        self._listening = listening

    def serve(self) -> None:
        """Until the socket is closed."""
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                self.calls += 1
                caller.close()


@pytest.fixture
def rude():
    """A server that hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Hanging(listening)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_asks_a_server_that_is_away_once_in_a_while(rude):
    """After a failure nothing is tried for some seconds."""
    database = Database(rude.url)

    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            database.work(lambda book: book.answers())

    assert 1 == rude.calls
    assert not database.answers()


def test_says_which_server_without_its_password(rude):
    """The sentence names the server and no password."""
    with pytest.raises(SettingsError, match=r"postgresql\+psycopg://someone:\*\*\*@127.0.0.1:\d+/cds cannot be opened"):
        Database(rude.url).version()


def test_lets_an_answer_go_before_a_silent_server_does_anything(silent, knowledge):
    """The cards leave after a quarter of a second; what could not be written is counted as lost in the end."""
    recorder = Recorder(Database(silent), Pseudonyms(b"k" * 32), knowledge, lambda: NOON)
    assessment, card = assessed()

    started = time.monotonic()
    outcomes = recorder.decide(Call("north", "patient-view", build.CALL, "p1"), assessment, lambda _: {"test": Outcome(card)})
    spent = time.monotonic() - started
    recorder.close()

    assert spent < 1.5
    assert [None] == [outcome.withheld for outcome in outcomes.values()]
    assert 1 == recorder.lost


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "is no URL"),
        ("mysql://a/b", "mysql is not supported"),
        ("sqlite:////nowhere/at/all/cds.db", "cannot be opened"),
    ],
)
def test_refuses_what_is_no_database(url, sentence):
    """A wrong URL is one sentence with the remedy."""
    with pytest.raises(SettingsError, match=sentence):
        Database(url).version()


def test_waits_for_a_card_that_is_still_being_recorded(database, knowledge):
    """Feedback that comes before the record of its card is stored, once that is there."""
    recorder = Recorder(database, Pseudonyms(b"k" * 32), knowledge, lambda: NOON)
    assessment, card = assessed()
    slow = threading.Event()

    def judge(_before):
        if threading.current_thread() is not threading.main_thread():
            slow.wait(10)
        return {"test": Outcome(card)}

    recorder.decide(Call("north", "patient-view", build.CALL, "p1"), assessment, judge)
    threading.Timer(0.2, slow.set).start()
    entry = {"card": card.uuid, "outcome": "overridden", "outcomeTimestamp": NOON.isoformat()}
    taken = Desk(knowledge.module.service.id, database, Clients(), lambda: NOON, recorder.settle).take(
        knowledge.module.service.id, json.dumps({"feedback": [entry]}).encode()
    )
    recorder._workers.shutdown()

    assert (1, 0, ()) == taken


def test_records_late_what_left_before(database, knowledge):
    """An answer that has waited long enough leaves as nobody had answered before; so it is recorded, though the writer thought otherwise."""
    recorder = Recorder(database, Pseudonyms(b"k" * 32), knowledge, lambda: NOON)
    assessment, card = assessed()
    gone = threading.Event()

    def judge(_before):
        if threading.current_thread() is threading.main_thread():
            return {"test": Outcome(card)}
        gone.wait(10)
        return {"test": Outcome(card, withheld="answered")}

    outcomes = recorder.decide(Call("north", "patient-view", build.CALL, "p1"), assessment, judge)
    gone.set()
    recorder._workers.shutdown()

    assert [None] == [outcome.withheld for outcome in outcomes.values()]
    assert [(card.uuid, None)] == [(row["uuid"], row["withheld"]) for row in rows(database, "card")]
    assert 0 == recorder.lost
