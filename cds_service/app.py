"""The composition root: settings and knowledge in, a Flask application out."""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Flask

from cds_service import telemetry
from cds_service.auditing import Accesses
from cds_service.counting import Counts
from cds_service.errors import DatabaseUnreachable
from cds_service.feedback import Desk
from cds_service.http import health, metrics, openapi, problems, protocol
from cds_service.http.calls import Calls
from cds_service.http.gate import Doorkeeper, Gate
from cds_service.http.headers import StandingHeaders
from cds_service.http.slots import Slots
from cds_service.invocation import Service
from cds_service.knowledge.loader import Knowledge, load
from cds_service.record.dates import Day
from cds_service.recording import Recorder
from cds_service.settings import Settings, from_environment, require_known_callers, require_safe_way_back
from cds_service.siblings import Siblings
from cds_service.snoozes import Snoozes
from cds_service.storage import opening
from cds_service.storage.database import Database
from cds_service.trust import clients
from cds_service.web import about, evidence, governance, problem
from cds_service.web.door import Door
from cds_service.web.simulator import pages as simulator

_LOADED: dict[Path | None, Knowledge] = {}  # by the folder; workers that are forked find it here
_TOGETHER: list[Path] = []  # the folder in which workers that are forked show each other what they count
_OBJECTS_BETWEEN_COLLECTIONS = 20_000
_PAUSE = 1.0  # seconds until a database that is away is asked again
_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def preload(folder: Path | None) -> Knowledge:
    """The knowledge of a folder, read once for all workers that are forked from this process. Raises KnowledgeError."""
    _LOADED[folder] = load(folder)
    return _LOADED[folder]


def count_together(folder: Path) -> None:
    """Let all workers that are forked from this process count as one."""
    _TOGETHER[:] = [folder]


class _Parts(NamedTuple):
    """What an application is put together from."""

    settings: Settings
    today: Callable[[], Day]
    now: Callable[[], dt.datetime]
    database: Database
    recorder: Recorder
    accesses: Accesses
    counts: Counts
    gate: Gate
    slots: Slots
    calls: Calls
    snoozes: Snoozes

    @property
    def clients(self) -> clients.Clients:
        """The registered clients."""
        return self.snoozes.clients

    @property
    def has_app(self) -> bool:
        """Whether an EHR may open the evidence page as a SMART app."""
        return any(client.app for client in self.clients.registered)


def create_app(settings: Settings | None = None, today: Callable[[], Day] | None = None, now: Callable[[], dt.datetime] | None = None) -> Flask:
    """An application with its own service; raises KnowledgeError or SettingsError instead of starting half-ready."""
    settings = settings or from_environment(os.environ)
    parts = _parts(settings, today or settings.today, now or settings.now)
    app = Flask("cds_service", static_folder=None)
    app.extensions.update(recorder=parts.recorder, counts=parts.counts, accesses=parts.accesses, mode=parts.gate.mode)
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    app.register_blueprint(protocol.blueprint(parts.calls, parts.gate))
    app.register_blueprint(health.blueprint(parts.recorder, parts.accesses))
    app.register_blueprint(metrics.blueprint(parts.counts))
    _register_pages(app, parts)
    problems.register(app, problem.page_of_errors(parts.calls.service.knowledge))
    app.wsgi_app = StandingHeaders(app.wsgi_app, settings.cors_origins)  # type: ignore[method-assign]
    return app


def _parts(settings: Settings, today: Callable[[], Day], now: Callable[[], dt.datetime]) -> _Parts:
    """Everything that answers, by the settings. Raises KnowledgeError or SettingsError."""
    knowledge = _LOADED.get(settings.knowledge) or load(settings.knowledge)
    registered = clients.load(settings.clients, clients.ours(knowledge), sandbox=settings.sandbox)
    require_known_callers(settings, authenticated=registered.authenticated)
    database = opening.opened(settings.database)
    pseudonyms = opening.pseudonyms(database, settings.pseudonym_key_file)
    recorder = Recorder(database, pseudonyms, knowledge, now, settings.deadline / 8)
    accesses = Accesses(database, pseudonyms, now)
    counts = Counts(database, pseudonyms, knowledge, today, siblings=Siblings(_TOGETHER[0]) if _TOGETHER else None)
    counts.losses.update(decisions=lambda: recorder.lost, accesses=lambda: accesses.lost)
    service = Service(knowledge, settings.base_url, today, registered, settings.deadline, recorder, accesses)
    desk = Desk(knowledge.module.service.id, database, registered, now, recorder.settle)
    gate = Gate(_doorkeeper(settings, registered, database, now), counts, discovery=settings.authenticate_discovery)
    slots = Slots(settings.threads, settings.waiting, settings.deadline / 4)
    calls = Calls(service, desk, counts, slots)
    snoozes = Snoozes(database, pseudonyms, knowledge, registered)
    return _Parts(settings, today, now, database, recorder, accesses, counts, gate, slots, calls, snoozes)


def _register_pages(app: Flask, parts: _Parts) -> None:
    """The pages for people, each where its reader may see it, and the document of the whole surface."""
    settings, today, now, service = parts.settings, parts.today, parts.now, parts.calls.service
    authenticated = parts.clients.authenticated
    governed = settings.governance_open or settings.governance_token_file is not None
    app.register_blueprint(about.blueprint(service, parts.gate.mode))
    app.register_blueprint(evidence.blueprint(service, parts.snoozes, today, settings.fixtures, None if authenticated else parts.slots))
    if parts.has_app:
        app.register_blueprint(_smart(parts))
    door = Door(settings.governance_token) if governed else None
    if door:
        app.register_blueprint(governance.blueprint(parts.snoozes, today, now, door))
    # Where calls need tokens, a page that sends some without one needs a token of its own, on this machine, too: a proxy may stand in front.
    playing = door if door and (door.locked or not authenticated) else None
    doors = simulator.Doors(parts.gate.mode, governed=governed, evidence=not authenticated)
    app.register_blueprint(simulator.blueprint(parts.calls, parts.snoozes, playing, settings.fixtures, today, now, doors))
    surface = openapi.Surface(
        authenticated,
        settings.authenticate_discovery,
        governed,
        settings.governance_token_file is not None,
        playing=playing is not None,
        app=parts.has_app,
    )
    app.register_blueprint(openapi.blueprint(service.knowledge, settings.base_url, surface))


def _doorkeeper(settings: Settings, registered: clients.Clients, database: Database, now: Callable[[], dt.datetime]) -> Doorkeeper | None:
    """Who knows the clients by their tokens; None where they have none. Raises SettingsError."""
    if not registered.authenticated:
        return None
    from cds_service.trust.replay import used_tokens
    from cds_service.trust.tokens import Authenticator  # cryptography, which an open service does without

    return Authenticator(registered, settings.base_url, used_tokens(database, settings.workers), now)


def _smart(parts: _Parts) -> Blueprint:
    """The evidence page as a SMART app. Raises SettingsError."""
    from cds_service.smart.login import Logins  # cryptography, which a service without the app may do without
    from cds_service.trust.replay import used_tokens
    from cds_service.trust.sealing import Seal
    from cds_service.web import smart

    settings, service = parts.settings, parts.calls.service
    require_safe_way_back(settings)
    seal = Seal(parts.snoozes.pseudonyms.other_key("smart"))
    used = used_tokens(parts.database, settings.workers)
    logins = Logins(service.clients, service.knowledge, settings.base_url, seal, used, parts.now)
    return smart.blueprint(service, logins, parts.snoozes, parts.today)


def server_app() -> Flask:
    """What the WSGI server loads in each worker."""
    _leave_the_terminal()
    telemetry.configure()
    app = when_the_database_answers(create_app)
    spare_the_collector()
    telemetry.event("service.ready", mode=app.extensions["mode"])
    return app


def when_the_database_answers(create: Callable[[], Flask], pause: float = _PAUSE) -> Flask:
    """An application of a service that has started before: a process that takes the place of one that died waits for the database.

    It would die as well, and the server ends when processes die one after the other, those that answer included.
    """
    told = False
    while True:
        try:
            return create()
        except DatabaseUnreachable:
            if not told:
                telemetry.event("database.awaited")
                told = True
            time.sleep(pause)


def spare_the_collector() -> None:
    """Leave what is loaded by now out of every garbage collection, and collect once in many requests, not several times in one.

    What a request makes is freed when it ends: facts and findings hold no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def _leave_the_terminal() -> None:
    """Leave stopping to the parent: a worker that gets Ctrl-C itself, and then the parent's SIGTERM, may miss both.

    On Linux the kernel ends it with its parent, so that none is left behind when the parent is killed.
    """
    if os.getppid() != 1 and hasattr(os, "setpgrp"):
        os.setpgrp()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGTERM)
