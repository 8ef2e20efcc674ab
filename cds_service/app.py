"""The composition root: settings and knowledge in, a Flask application out."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

from flask import Flask, Response

from cds_service import telemetry
from cds_service.http import cors, problems, protocol
from cds_service.invocation import Service
from cds_service.knowledge.loader import load
from cds_service.record.dates import Day
from cds_service.settings import Settings, from_environment
from cds_service.web import about

_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def create_app(settings: Settings | None = None, today: Callable[[], Day] | None = None) -> Flask:
    """An application with its own service; raises KnowledgeError or SettingsError instead of starting half-ready."""
    settings = settings or from_environment(os.environ)
    knowledge = load(settings.knowledge)
    service = Service(knowledge, settings.base_url, today or settings.today)
    app = Flask("cds_service", static_folder=None)
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    app.register_blueprint(protocol.blueprint(service))
    app.register_blueprint(about.blueprint(service))
    problems.register(app)
    cors.register(app, settings.cors_origins)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def server_app() -> Flask:
    """What the WSGI server loads in each worker."""
    _leave_the_terminal()
    telemetry.configure()
    app = create_app()
    telemetry.event("service.ready")
    return app


def _leave_the_terminal() -> None:
    """Leave stopping to the parent: a worker that gets Ctrl-C itself, and then the parent's SIGTERM, may miss both.

    On Linux the kernel ends it with its parent, so that none is left behind when the parent is killed.
    """
    if os.getppid() != 1 and hasattr(os, "setpgrp"):
        os.setpgrp()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGTERM)
