"""What several processes of a service count is told by each of them."""

from __future__ import annotations

import pytest

from cds_service.counting import Counts
from cds_service.siblings import Siblings
from cds_service.storage.database import Database
from cds_service.storage.pseudonym import Pseudonyms
from tests import build

NEVER = 3600.0  # seconds until a thread would write by itself
SHOWN = ("north", "call", "shown")


@pytest.fixture
def process(tmp_path):
    """Begins the counts of one process after another."""
    database, begun = Database("sqlite://"), []

    def begin(**losses):
        counts = Counts(database, Pseudonyms(b"k" * 32), build.KNOWLEDGE, lambda: build.TODAY, NEVER, Siblings(tmp_path))
        counts.losses.update(losses)
        begun.append(counts)
        return counts

    yield begin
    for counts in begun:
        counts.close()
    database.close()


def visit():
    """A call of one client that showed a card."""
    return build.visit(client="north", outcome="shown")


def test_adds_up_all_processes(process):
    """Calls, their time and what was lost are sums, whichever process is asked."""
    one, other = process(decisions=lambda: 2), process(decisions=lambda: 3)
    one.add(visit(), 3.0)
    other.add(visit(), 4.0)
    other.add(visit(), 5.0)
    one.so_far()

    told = other.so_far()

    assert (3, 12.0, 5) == (told[SHOWN], told["north", "spent", "ms"], told["open", "lost", "decisions"])


def test_never_tells_less_than_before(process):
    """What one scrape has told of its own process, the next one knows in any other."""
    one, other = process(), process()
    one.add(visit(), 1.0)
    before = one.so_far()[SHOWN]

    after = other.so_far()[SHOWN]

    assert (1, 1) == (before, after)


def test_remembers_a_process_that_ended(process):
    """What a process counted stays when it is replaced by another."""
    one = process()
    one.add(visit(), 1.0)
    one.close()

    assert 1 == process().so_far()[SHOWN]


def test_tells_its_own_without_others():
    """A process alone tells what it counted, and writes no file."""
    database = Database("sqlite://")
    counts = Counts(database, Pseudonyms(b"k" * 32), build.KNOWLEDGE, lambda: build.TODAY, NEVER)

    counts.add(visit(), 1.0)

    assert 1 == counts.so_far()[SHOWN]
    counts.close()
    database.close()
