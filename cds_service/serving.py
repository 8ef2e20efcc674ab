"""The command that serves: what would fail later is said first, then the WSGI server runs."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import click

from cds_service.errors import CDSServiceError
from cds_service.settings import Settings, from_environment, is_loopback, require_known_callers
from cds_service.trust import clients

_HEADERS_WITHIN = 10_000  # milliseconds
_LARGEST_HEADERS = 64 * 1024  # bytes, after which the buffer grows once more at most; the server takes 100 headers


@click.command("serve")
@click.option("--try", "example", type=click.Path(path_type=Path), help="A request file to show in a ready-to-paste curl.")
def serve_command(example: Path | None) -> None:
    """Serve on CDS_HOST:CDS_PORT (127.0.0.1:8080)."""
    from cds_service.app import count_together, preload

    settings = from_environment(os.environ)
    _refuse_taken(settings)
    knowledge = preload(settings.knowledge)  # a module that is not sound stops the start here, with one sentence
    kept_in = settings.database if settings.database.startswith("sqlite:") else _prepared(settings)
    registered = clients.load(settings.clients, clients.ours(knowledge), sandbox=settings.sandbox)
    require_known_callers(settings, authenticated=registered.authenticated)
    url = settings.base_url
    print(f"{knowledge.module.source_label}: {url}/  (discovery {url}/cds-services, about {url}/about)")
    if registered.authenticated:
        _refuse_separate_memories(settings)
        print(f"Callers are authenticated: every call needs a token of {', '.join(client.name for client in registered.registered)}.")
    elif is_loopback(settings.host):
        print("Callers are not authenticated: for trying out on this machine only.")
    else:
        print("Callers are not authenticated (CDS_ALLOW_OPEN=1): something in front must decide who may call.")
    print(f"Decisions and feedback are kept in {kept_in}.")
    if example and not registered.authenticated:
        print(f"Try it:\n  curl -s -H 'Content-Type: application/json' -d @{example} {url}/cds-services/{knowledge.module.service.id}")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="cds-service-") as folder:
        count_together(Path(folder))
        _run(settings)


def _prepared(settings: Settings) -> str:
    """A database server that can be used, without its password; a file is opened by the workers, who say what is wrong with it."""
    from cds_service.storage import opening

    return opening.prepared(settings.database, settings.pseudonym_key_file)


def _refuse_separate_memories(settings: Settings) -> None:
    """Say in words that several processes would each take a token once, before the workers fail on it."""
    from cds_service.storage.database import Database
    from cds_service.trust.replay import used_tokens

    database = Database(settings.database)
    used_tokens(database, settings.workers)
    database.close()


def _refuse_taken(settings: Settings) -> None:
    """Say in words that the port is taken or the address is not ours, before the server fails on it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CDSServiceError(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another with CDS_PORT or CDS_HOST."
            ) from None


def _run(settings: Settings) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    class Stoppable(Server):  # type: ignore[misc, valid-type]
        """A server whose signal handler cannot meet its own lock."""

        def signal_handler_interrupt(self, *_arguments: object, **_named: object) -> None:
            """Ask the main loop to end.

            Event.set() inside a signal handler blocks for ever if the signal arrives while the main thread holds the
            event's lock, as it does when a worker ends at the same moment (Ctrl-C reaches both); so another thread sets it.
            """
            self.interrupt_signal = True
            threading.Thread(target=self.main_loop_interrupt.set, daemon=True).start()

    server = Stoppable(
        "cds_service.app:server_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.server_threads,
        http=HTTPModes.http1,  # a proxy speaks it, and what is not there cannot be attacked
        http1_settings=HTTP1Settings(header_read_timeout=_HEADERS_WITHIN, max_buffer_size=_LARGEST_HEADERS),
        workers_kill_timeout=10,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
    )
    server.respawned_wrks = dict.fromkeys(range(settings.workers), time.monotonic())  # one that cannot even start is not started again
    server.serve()
