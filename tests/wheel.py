"""Builds the wheel, installs it into an empty environment, and runs the service's own check from there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Fail unless the installed wheel finds its knowledge, value sets and schemas."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)], check=True, stdout=subprocess.DEVNULL)
        wheel = next(folder.glob("*.whl"))
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel)], check=True, cwd=folder)
        subprocess.run([str(folder / "venv" / "bin" / "cds-service"), "check"], check=True, cwd=folder)
        subprocess.run([str(python), "-c", "from cds_service.app import create_app; create_app()"], check=True, cwd=folder)
        print(f"{wheel.name} installs and works")


if __name__ == "__main__":
    main()
