"""One run over everything for all tests, and its figures on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.integration import cohort as population_run
from tests.integration import examples as package_run
from tests.integration import figures
from tests.integration.answers import Service
from tests.integration.cohort import Cohort
from tests.integration.examples import Examples
from tests.integration.packages import Unfetchable
from tests.integration.servers.hapi import hapi
from tests.integration.servers.process import Unstartable
from tests.integration.servers.sekmet import sekmet

_FIGURES = pytest.StashKey[str]()
_CARDS = pytest.StashKey[dict[str, Mapping[str, Mapping[str, bytes]]]]()


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
def written(examples: Examples, cohort: Cohort, pytestconfig: pytest.Config) -> str:
    """The figures of this run, kept for the terminal."""
    text = figures.written(examples, cohort)
    pytestconfig.stash[_FIGURES] = text
    return text


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


@pytest.fixture
def record_cards(pytestconfig: pytest.Config) -> Callable[[str, Mapping[str, Mapping[str, bytes]]], None]:
    """Keeps what a server's patients got, by the fullness of the prefetch, for the terminal."""
    kept = pytestconfig.stash.setdefault(_CARDS, {})
    return lambda server, answers: kept.update({server: answers})


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


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the figures of the run."""
    if _FIGURES in config.stash:
        terminalreporter.section("independent input")
        terminalreporter.write_line(config.stash[_FIGURES])
    if cards := config.stash.get(_CARDS, {}):
        terminalreporter.section("cards by FHIR server, prefetch and patient")
        for line in _matrix(cards):
            terminalreporter.write_line(line)
