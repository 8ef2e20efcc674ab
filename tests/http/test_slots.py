"""How many calls are answered at once, who waits, and who is told to come back."""

from __future__ import annotations

import threading
import time

import pytest

from cds_service.errors import Overloaded
from cds_service.http.slots import Slots

LONG = 10.0


class Call:
    """A call in a thread of its own that keeps its place until it is told to end."""

    def __init__(self, slots: Slots, order: list[str], name: str = "") -> None:
        self.end = threading.Event()
        self.refused = False
        self._slots = slots
        self._order = order
        self._name = name
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._slots.taken():
                self._order.append(self._name)
                self.end.wait(LONG)
        except Overloaded:
            self.refused = True

    def join(self) -> None:
        """Wait until it is over."""
        self._thread.join(LONG)


@pytest.fixture
def calls():
    """Makes calls, and ends them all."""
    made, order = [], []

    def make(slots, name=""):
        made.append(Call(slots, order, name))
        return made[-1]

    make.order = order
    yield make
    for call in made:
        call.end.set()
        call.join()


def until(true):
    """Wait until something holds."""
    end = time.monotonic() + LONG
    while not true() and time.monotonic() < end:
        time.sleep(0.001)
    return true()


def test_gives_places_up_to_the_number(calls):
    """Two at once have both places; whoever comes third, where nobody may wait, is told to come back."""
    slots = Slots(2, 0, LONG)
    for name in ("one", "two"):
        calls(slots, name)
    until(lambda: len(calls.order) == 2)

    with pytest.raises(Overloaded) as refused, slots.taken():
        pass

    assert (503, "overloaded", 1) == (refused.value.status, refused.value.code, refused.value.retry_after)


def test_gives_a_place_back(calls):
    """A place is free again when its call has ended, and when it has failed."""
    slots = Slots(1, 0, LONG)
    with pytest.raises(ZeroDivisionError), slots.taken():
        raise ZeroDivisionError

    with slots.taken() as waited:
        pass

    assert waited < LONG


def test_lets_a_few_wait_in_their_order(calls):
    """Who waits gets a place in the order of coming, and a newcomer does not overtake."""
    slots = Slots(1, 3, LONG)
    first = calls(slots, "first")
    until(lambda: calls.order == ["first"])
    waiting = []
    for number, name in enumerate(("second", "third", "fourth")):
        waiting.append(calls(slots, name))
        until(lambda number=number: len(slots._queue) == number + 1)

    refused = calls(slots, "fifth")
    refused.join()
    for call in (first, *waiting):
        call.end.set()
        call.join()

    assert refused.refused
    assert ["first", "second", "third", "fourth"] == calls.order


def test_gives_up_waiting(calls):
    """Who waited in vain is told to come back, and leaves the queue to others."""
    slots = Slots(1, 1, 0.01)
    first = calls(slots, "first")
    until(lambda: calls.order == ["first"])

    for _ in range(3):
        with pytest.raises(Overloaded), slots.taken():
            pass
    first.end.set()
    first.join()

    with slots.taken() as waited:
        assert waited < LONG


def test_tells_how_long_a_call_waited(calls):
    """The time in the queue is taken off the time for queries."""
    slots = Slots(1, 1, LONG)
    first = calls(slots, "first")
    until(lambda: calls.order == ["first"])
    threading.Timer(0.05, first.end.set).start()

    with slots.taken() as waited:
        pass

    assert 0.02 < waited < LONG


def test_loses_no_place_in_a_crowd():
    """After thousands of calls that were answered, waited or were refused, as many places are free as before."""
    slots, results = Slots(3, 4, 0.002), []

    def many() -> None:
        for _ in range(300):
            try:
                with slots.taken():
                    time.sleep(0.0005)
                results.append(True)
            except Overloaded:
                results.append(False)

    threads = [threading.Thread(target=many) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {True, False} == set(results)
    assert (3_600, 3, 0) == (len(results), slots._free, len(slots._queue))
