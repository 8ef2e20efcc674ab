"""The JSON Schemas that editors use accept the module's files and refuse what the loader refuses."""

import json

import pytest
from jsonschema import Draft202012Validator

from cds_service.knowledge import shapes, yaml12
from cds_service.knowledge.loader import shipped

MODULE = next(iter(shipped()))
SCHEMAS = MODULE.parent / "schemas"
FILES = sorted(MODULE.glob("*.yaml"), key=lambda path: path.name)


def validator(shape: str) -> Draft202012Validator:
    """The shipped schema of a shape, ready to use."""
    schema = json.loads((SCHEMAS / f"{shape}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_accepts_every_file_of_the_module(path):
    """Each YAML file of the module is valid against its schema."""
    faults = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator(shapes.shape_of(path.name)).iter_errors(yaml12.read(path).value)]

    assert [] == faults


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_names_its_schema_for_the_editor(path):
    """The first line of each file says which schema an editor holds it against, and that file is there."""
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert f"# yaml-language-server: $schema=../schemas/{shapes.shape_of(path.name)}.schema.json" == first
    assert (path.parent / first.partition("$schema=")[2]).is_file()


def test_has_a_file_for_every_shape():
    """No shape is without a file, and no file without a shape."""
    assert set(shapes.SHAPES) == {shapes.shape_of(path.name) for path in FILES}


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_is_closed(shape):
    """Every object of a schema refuses keys that it does not name."""
    schema = shapes.schema_of(shape)

    assert [] == [name for name, part in schema["$defs"].items() if part.get("additionalProperties") is not False]
    assert all(part.get("description") for part in schema["$defs"].values())


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("flags", [{"id": "x", "label": "x", "when": {"kind": "sex", "equals": "man"}, "citations": [], "confidence": "proposal"}]),
        ("flags", [{"id": "x", "label": "x", "when": {"kind": "horoscope"}, "citations": [], "confidence": "proposal"}]),
        ("flags", [{"id": "x", "label": "x", "when": {"kind": "deceased"}, "citations": [], "confidence": "sure"}]),
        ("flags", {"id": "x"}),
        ("cases", [{"name": "x", "record": {}, "expects": {}}]),
        ("cases", [{"name": "x", "record": {"labs": [{"code": 1}]}}]),
        ("rules", [{"id": "S9"}]),
        ("terms", {"words": {}}),
    ],
)
def test_refuses_what_the_loader_refuses(shape, value):
    """An unknown key or kind, a wrong type or a missing key is underlined while it is written."""
    assert not validator(shape).is_valid(value)
