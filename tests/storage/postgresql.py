"""Runs the tests of storage on a PostgreSQL server of their own: `python -m tests.storage.postgresql`."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.smoke import free_port

VARIABLE = "CDS_TEST_POSTGRESQL"
_DEBIAN = Path("/usr/lib/postgresql")


def program(name: str) -> str:
    """A program of the newest PostgreSQL on this machine."""
    installed = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if not found:
        sys.exit(f"{name} is needed and was not found: install PostgreSQL (apt-get install postgresql)")
    return found


class Server:
    """A PostgreSQL server with an empty database, which can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # PostgreSQL refuses to run as root, so root runs it as the user of Debian's package.
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._port = free_port()
        self.url = f"postgresql://{self._user}@127.0.0.1:{self._port}/postgres"
        shutil.chown(folder, self._user)
        self._run("initdb", "-D", str(folder / "data"), "-U", self._user, "-A", "trust", "-E", "UTF8")

    def start(self) -> None:
        """Let it answer."""
        options = f"-p {self._port} -h 127.0.0.1 -k {self._folder}"
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-l", str(self._folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        """End it at once, as a machine that fails does."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")

    def _run(self, name: str, *arguments: str) -> None:
        """Run a program of PostgreSQL; its complaints go to stderr."""
        as_user = self._user if os.geteuid() == 0 else None
        subprocess.run([program(name), *arguments], cwd=self._folder, user=as_user, stdout=subprocess.DEVNULL, check=True)


@contextmanager
def running() -> Iterator[Server]:
    """A server that runs until the block ends; its files stand in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="cds-postgresql-"))
    postgresql = Server(folder)
    postgresql.start()
    try:
        yield postgresql
    finally:
        postgresql.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database on a server that runs until the block ends."""
    with running() as postgresql:
        yield postgresql.url


def main() -> int:
    """Run the tests of storage; what pytest answers."""
    with server() as url:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal", "tests/storage", *sys.argv[1:]],
            env={**os.environ, VARIABLE: url},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
