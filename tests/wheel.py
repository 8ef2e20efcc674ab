"""Builds the wheel, installs it with the locked dependencies into an empty environment, and runs the service's own check from there."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
MATERIALS = ROOT / ".run" / "sbom.cdx.json"


def main() -> None:
    """Fail unless the installed wheel finds its knowledge, value sets and schemas."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)], check=True, stdout=subprocess.DEVNULL)
        wheel = next(folder.glob("*.whl"))
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True, cwd=folder)
        subprocess.run([*install, "--no-deps", str(wheel)], check=True, cwd=folder)
        # Fails if the lock is older than pyproject.toml: something is missing then, or too old.
        subprocess.run([str(python), "-m", "pip", "check", "--disable-pip-version-check"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        subprocess.run([str(folder / "venv" / "bin" / "cds-service"), "check"], check=True, cwd=folder)
        subprocess.run([str(python), "-c", "from cds_service.app import create_app; create_app()"], check=True, cwd=folder)
        listed = materials(python)
        print(f"{wheel.name} installs and works; {MATERIALS.relative_to(ROOT)} lists {listed} components")


def materials(python: Path) -> int:
    """Write what is installed as a CycloneDX bill of materials; how many components it has."""
    MATERIALS.parent.mkdir(exist_ok=True)
    # In an environment of its own: what it brings along makes the service start seconds later.
    tool = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--quiet", "--from", "cyclonedx-bom>=7,<8", "cyclonedx-py"]
    project = ["environment", str(python), "--pyproject", str(ROOT / "pyproject.toml")]
    subprocess.run([*tool, *project, "--output-format", "JSON", "-o", str(MATERIALS)], check=True, stderr=subprocess.DEVNULL)
    return len(json.loads(MATERIALS.read_text(encoding="utf-8"))["components"])


if __name__ == "__main__":
    main()
