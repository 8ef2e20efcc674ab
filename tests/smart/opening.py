"""A service that an EHR launches, and a browser that goes where it is led."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.settings import Settings
from tests import build
from tests.fakes import checked_app
from tests.smart.ehr import EHR, path_of
from tests.trust.minting import Clock
from tests.web.screen import browser

LAUNCH = "xyz123"
TITLE = "This page could not be opened"


def toml(ehr: EHR, name: str = "north", **smart: Any) -> str:
    """A registration with the app; None takes a member off."""
    members = {"client_id": "app", **smart}
    lines = [f"{key} = {json.dumps(value)}" for key, value in members.items() if value is not None]
    return "\n".join(["[[client]]", f'name = "{name}"', f'fhir_server = "{ehr.base}"', "[client.smart]", *lines, ""])


class Opened:
    """A service with its clock, and one browser."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        self.app = app
        self.clock = clock
        self.browser: FlaskClient = browser(app)

    def launch(self, ehr: EHR, **changed: str) -> TestResponse:
        """The EHR launches the app."""
        return self.browser.get("/smart/launch?" + urlencode({"iss": ehr.base, "launch": LAUNCH, **changed}, quote_via=quote))

    def back(self, said: dict[str, str], name: str = "north") -> TestResponse:
        """The sign-in leads back to the app."""
        return self.browser.get(f"/smart/callback/{name}?{urlencode(said)}")

    def follow(self, answer: TestResponse) -> TestResponse:
        """Where an answer leads inside the app: to the page that says that the chart is read, and on to the chart."""
        return self.browser.get(led_on(self.browser.get(path_of(answer.headers["Location"]))))

    def open(self, ehr: EHR) -> TestResponse:
        """All of it: the page of the chart, or that which says why not."""
        begun = self.launch(ehr)
        if begun.status_code != 303:
            return begun
        came = self.back(ehr.sign_in(begun.headers["Location"]))
        return self.follow(came) if came.status_code == 303 else came


def led_on(opening: TestResponse) -> str:
    """The path of the chart to which a browser goes by itself."""
    return path_of(re.findall(r'content="0; url=([^"]+)"', opening.text)[0])


def asked_of(answer: TestResponse) -> dict[str, str]:
    """What a redirect to the sign-in asks for."""
    return {name: one for name, (one,) in parse_qs(answer.headers["Location"].partition("?")[2]).items()}


@contextmanager
def service(folder: Path, *registrations: str, today: Callable[[], dt.date] = lambda: build.TODAY, **settings: Any) -> Iterator[Opened]:
    """A service with these registrations."""
    path = folder / "clients.toml"
    path.write_text("\n".join(registrations), encoding="utf-8")
    clock = Clock()
    app = checked_app(Settings(clients=path, **settings), today, clock)
    try:
        yield Opened(app, clock)
    finally:
        for name in ("counts", "accesses", "recorder"):
            app.extensions[name].close()
