"""One run over everything for all tests, and its figures on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.integration import cohort as population_run
from tests.integration import examples as package_run
from tests.integration.answers import Service
from tests.integration.cohort import Cohort
from tests.integration.examples import Examples
from tests.integration.packages import Unfetchable
from tests.integration.servers.hapi import hapi
from tests.integration.servers.process import Unstartable
from tests.integration.servers.sekmet import sekmet


class _ByFolder(LoadScopeScheduling):
    """One process for each folder: its tests share what is started, or sent, only once."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give each folder its process."""
    return _ByFolder(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the figures be written anew."""
    parser.addoption("--update-figures", action="store_true", help="write the figures into docs/independent-input.md")


@pytest.fixture(scope="session")
def service() -> Service:
    """The application, on whatever day a call needs."""
    return Service()


@pytest.fixture(scope="session")
def examples(service: Service) -> Examples:
    """Everything that the example packages brought."""
    try:
        return package_run.run(service)
    except Unfetchable as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def cohort(service: Service) -> Cohort:
    """Everything that the synthetic population brought."""
    try:
        return population_run.run(service)
    except Unfetchable as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def hapi_server() -> Iterator[str]:
    """The base URL of a HAPI server, the same for all tests."""
    yield from _started(hapi)


@pytest.fixture(scope="session")
def sekmet_server() -> Iterator[str]:
    """The base URL of a SEKMET server, the same for all tests."""
    yield from _started(sekmet)


def _started(server: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    try:
        with server() as base:
            yield base
    except Unstartable as error:
        pytest.fail(str(error), pytrace=False)


def _matrix(cards: Mapping[str, Mapping[str, Mapping[str, bytes]]]) -> Iterator[str]:
    """A line for each patient: how many cards each server and fullness led to, and whether the bytes are the same."""
    columns = [(server, mode) for server, answers in cards.items() for mode in answers]
    yield f"{'patient':<42}" + "".join(f"{server.removesuffix('_server') + ' ' + mode:>16}" for server, mode in columns)
    for patient in sorted({patient for answers in cards.values() for answered in answers.values() for patient in answered}):
        cells = []
        for server, mode in columns:
            body = cards[server][mode].get(patient, b"{}")
            same = body == cards[server]["full"].get(patient)
            cells.append(f"{len(json.loads(body).get('cards', ()))} {'same' if same else 'DIFFERS'}")
        yield f"{patient:<42}" + "".join(f"{cell:>16}" for cell in cells)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the tests recorded: the figures of the run, and what each server's patients got, by the fullness of the prefetch."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ()) if report.when == "call"]
    recorded = [kept for report in reports for kept in report.user_properties]
    for text in (value for name, value in recorded if name == "figures"):
        terminalreporter.section("independent input")
        terminalreporter.write_line(text)
    if cards := dict(value for name, value in recorded if name == "cards"):
        terminalreporter.section("cards by FHIR server, prefetch and patient")
        for line in _matrix(cards):
            terminalreporter.write_line(line)
