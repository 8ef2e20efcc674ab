"""Whatever the EHR's FHIR server does, an answer leaves in time, says what is missing, and leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import time

import psutil
import pytest

from tests.faults import matrix

pytestmark = pytest.mark.long

_SLACK = 2.0  # seconds beyond the deadline on a busy machine; a server that could hold the answer would hold it for a minute
_GROWTH = 60 * 1024 * 1024  # bytes: what a few pages of the largest size leave in the allocator
_STALL = ("hangs", "drips its headers", "drips its body")  # only the deadline ends these
_AMPLE = 10.0  # seconds, for a server that answers: what it says is tested, not how busy the machine is
CELLS = [(row["fault"], mode, str(row[mode])) for row in matrix.EXPECTED for mode in matrix.MODES]


@pytest.mark.requirement("cds-hooks_2.0@52")
@pytest.mark.parametrize(("fault", "mode", "expected"), CELLS)
def test_answers_in_time_and_says_what_is_missing(fault, mode, expected):
    """The kind of each answer was written down by hand before the first run, and none is ever empty."""
    deadline, before = matrix.DEADLINE if fault in _STALL else _AMPLE, set(threading.enumerate())
    with matrix.server_that(fault) as base:
        service = matrix.service_for(base, deadline)
        cell = matrix.asked(service, matrix.call_for(base, mode))
        service.fallback.close()

    assert cell.kind in expected.split(" or ")
    assert cell.seconds < deadline + _SLACK
    assert [] == [thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("fhir-")]


def test_answers_as_an_honest_server_when_the_second_try_succeeds():
    """One retry is enough for a server that fails once, and the cards are the same to the byte."""
    honest, shaky = (_once(fault) for fault in ("answers as it should", "fails once, then answers"))

    assert honest.text == shaky.text


def _once(fault: str) -> matrix.Cell:
    with matrix.server_that(fault) as base:
        service = matrix.service_for(base, _AMPLE)
        cell = matrix.asked(service, matrix.call_for(base, "none"))
        service.fallback.close()
    return cell


def test_neither_memory_nor_sockets_grow():
    """Four calls against each of the greediest servers leave no socket, and hardly any memory."""
    greedy = ("drips its headers", "drips its body", "hangs", "sends a gzip bomb", "sends 100,000 entries", "names a page again and again")
    _all(greedy, times=1)
    gc.collect()
    process = psutil.Process()
    before, sockets = process.memory_info().rss, len(process.net_connections())

    _all(greedy, times=4)
    gc.collect()

    assert process.memory_info().rss - before < _GROWTH
    assert len(process.net_connections()) <= sockets


def _all(faults: tuple[str, ...], *, times: int) -> None:
    for fault in faults:
        with matrix.server_that(fault) as base:
            service = matrix.service_for(base, deadline=0.2)
            for _ in range(times):
                matrix.asked(service, matrix.call_for(base, "partial"))
            service.fallback.close()


def test_a_server_that_hangs_holds_no_other_client_up():
    """Calls of one client whose server never answers leave the threads of another client's server alone."""
    with matrix.server_that("hangs") as stuck, matrix.server_that("answers as it should") as honest:
        services = [matrix.service_for(stuck), matrix.service_for(honest, _AMPLE)]
        waiting = [threading.Thread(target=matrix.asked, args=(services[0], matrix.call_for(stuck, "none"))) for _ in range(8)]
        for thread in waiting:
            thread.start()
        time.sleep(0.05)
        cell = matrix.asked(services[1], matrix.call_for(honest, "none"))
        for thread in waiting:
            thread.join()
        for service in services:
            service.fallback.close()

    assert "card" == cell.kind
