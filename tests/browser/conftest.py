"""One Chromium and one service for all tests, and windows that must have nothing to complain of when a test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.window import NoBrowser, Window, chromium
from tests.integration.server import serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    try:
        with chromium() as started:
            yield started
    except NoBrowser as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The base URL of the service, started as a user starts it."""
    with serving() as base:
        yield base


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Window]]:
    """Opens windows; a page that complains in one fails the test."""
    opened: list[Window] = []

    def open_window(**wishes: Any) -> Window:
        opened.append(Window(browser, **wishes))
        return opened[-1]

    yield open_window
    for one in opened:
        one.close()
    assert [] == [complaint for one in opened for complaint in one.complaints]
