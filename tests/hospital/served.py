"""The service with a clock that the play sets: the moment stands in the file that HOSPITAL_CLOCK names."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from flask import Flask

from cds_service import telemetry
from cds_service.app import create_app, spare_the_collector


def app() -> Flask:
    """What the WSGI server loads."""
    clock = Path(os.environ["HOSPITAL_CLOCK"])

    def now() -> dt.datetime:
        return dt.datetime.fromisoformat(clock.read_text(encoding="utf-8"))

    telemetry.configure()
    made = create_app(today=lambda: now().date(), now=now)
    spare_the_collector()
    return made
