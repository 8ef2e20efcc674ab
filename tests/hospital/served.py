"""The service with a clock that the play sets: the moment stands in the file that HOSPITAL_CLOCK names."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from flask import Flask

from cds_service import telemetry
from cds_service.app import spare_the_collector
from cds_service.settings import from_environment
from tests.fakes import checked_app


def app() -> Flask:
    """What the WSGI server loads."""
    clock = Path(os.environ["HOSPITAL_CLOCK"])

    def now() -> dt.datetime:
        return dt.datetime.fromisoformat(clock.read_text(encoding="utf-8"))

    telemetry.configure()
    made = checked_app(from_environment(os.environ), lambda: now().date(), now)
    spare_the_collector()
    return made
