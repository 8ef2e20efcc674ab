"""The toy module with a test's own cases, and with parts of it written anew."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cds_service.knowledge.loader import Knowledge, load

TOY = Path(__file__).parent / "toy"
LOW_POTASSIUM = {
    "kind": "lab",
    "value_set": "lab-potassium",
    "below": {"value": 3.5, "unit": "mmol/L", "since": "2026-11-22"},
    "within": "P12M",
}
TETANY = {"kind": "condition", "value_sets": ["cond-tetany"]}


def part(name: str) -> Any:
    """A file of the toy module, to be changed."""
    return yaml.safe_load((TOY / f"{name}.yaml").read_text(encoding="utf-8"))


def flag(name: str, when: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A flag of the toy module."""
    return {"id": name, "label": f"Flag {name}", "short": name, "citations": ["toy-paper"], "confidence": "verified", "when": when, **members}


def advice(name: str, when: Any, **members: Any) -> dict[str, Any]:
    """A recommendation of the toy module."""
    told = {"topic": "confirmed", "short": name, "text": f"Do {name}.", "strength": "none", "citations": ["toy-paper"], "confidence": "verified"}
    return {"id": name, "when": when, **told, **members}


def case(name: str = "A case", *, labs: tuple[Any, ...] = (), tetany: bool = False, **members: Any) -> dict[str, Any]:
    """A case: potassium results in mmol/L, tetany or not, and what is expected."""
    record = {"labs": [{"code": "lab-potassium", "value": v, "unit": "mmol/L"} for v in labs]}
    record["conditions"] = [{"code": "cond-tetany"}] if tetany else []
    return {"name": name, "record": {**record, **members.pop("record", {})}, **members}


def toy(*cases: dict[str, Any], **files: Any) -> Knowledge:
    """The toy module with these cases, and with these files written anew."""
    return _loaded(json.dumps({"cases": list(cases), **files}))


@cache
def _loaded(files: str) -> Knowledge:
    """A module as it was asked for before; JSON is YAML too."""
    folder = Path(tempfile.mkdtemp(dir=_FOLDER.name)) / "toy"
    shutil.copytree(TOY, folder)
    for name, content in json.loads(files).items():
        (folder / f"{name}.yaml").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return load(folder)


_FOLDER = tempfile.TemporaryDirectory()
