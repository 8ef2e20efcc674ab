"""The servers that are compared, each in its own processes, and the CPU that they have used."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

_START_UP = 60.0
_LOGS = Path(".run/benchmarks")


class Server(NamedTuple):
    """A server to start: its name, the command for a port, its environment, the path of the hook and what its card says."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    path: str
    card: bytes


class Running(NamedTuple):
    """A server that runs."""

    server: Server
    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system time of the process and all its workers so far."""
        times = [p.cpu_times() for p in (self.process, *self.process.children(recursive=True))]
        return float(sum(t.user + t.system for t in times))


# One worker with one thread each, so that a ratio compares the work of one request and not how it is spread.
OURS = Server(
    "service",
    [str(Path(sys.executable).with_name("cds-service")), "serve"],
    {"CDS_HOST": "127.0.0.1", "CDS_PORT": "{port}", "CDS_WORKERS": "1", "CDS_THREADS": "1", "CDS_DATABASE": f"sqlite:///{_LOGS}/service.db"},
    "/cds-services/vexas",
    b"vexas-test-uba1",
)


def earlier(code: Path) -> Server:
    """The service as it was, from a folder with its package."""
    return OURS._replace(
        name="service as recorded", environment={**OURS.environment, "PYTHONPATH": str(code), "CDS_DATABASE": f"sqlite:///{_LOGS}/recorded.db"}
    )


def _endpoint(name: str, app: str) -> Server:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"]
    return Server(
        name, [*command, "--blocking-threads", "1", "--no-access-log", "--log-level", "error", app], {}, "/cds-services/vexas", b"A constant card"
    )


BARE = _endpoint("bare endpoint", "benchmarks.bare:bare_app")
SPARED = _endpoint("bare endpoint, collector as ours", "benchmarks.bare:spared_app")


@contextmanager
def running(server: Server) -> Iterator[Running]:
    """A server that listens on a free port until the block ends. Raises RuntimeError with its log if it does not start."""
    port = _free_port()
    _LOGS.mkdir(parents=True, exist_ok=True)
    log = _LOGS / f"{server.name.replace(' ', '-')}.log"
    environment = {**os.environ, **{name: value.format(port=port) for name, value in server.environment.items()}}
    with log.open("wb") as sink:
        started = subprocess.Popen([part.format(port=port) for part in server.command], env=environment, stdout=sink, stderr=sink)
        try:
            _wait(started, port, log)
            yield Running(server, port, psutil.Process(started.pid))
        finally:
            _stop(started)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(started: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_UP
    while time.monotonic() < until and started.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start; its log:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(started: subprocess.Popen[bytes]) -> None:
    started.send_signal(signal.SIGTERM)
    try:
        started.wait(15)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
