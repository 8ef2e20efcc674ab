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


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database on a server that runs until the block ends; its files stand in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="cds-postgresql-"))
    # PostgreSQL refuses to run as root, so root runs it as the user of Debian's package.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    shutil.chown(folder, user)
    port = free_port()

    def run(name: str, *arguments: str) -> None:
        """Run a program of PostgreSQL; its complaints go to stderr."""
        as_user = user if os.geteuid() == 0 else None
        subprocess.run([program(name), *arguments], cwd=folder, user=as_user, stdout=subprocess.DEVNULL, check=True)

    data, log = str(folder / "data"), str(folder / "log")
    run("initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8")
    options = f"-p {port} -h 127.0.0.1 -k {folder}"
    run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
    try:
        yield f"postgresql://{user}@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the tests of storage; what pytest answers."""
    with server() as url:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "tests/storage", *sys.argv[1:]], env={**os.environ, VARIABLE: url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
