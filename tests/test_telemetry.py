"""Log events: one JSON object a line, allow-listed fields only, and none of them with words of a person."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from cds_service import telemetry


def last(log) -> dict[str, object]:
    """The last event of the log."""
    return json.loads(log.lines[-1].removeprefix("cds_service "))


def test_logs_an_event_with_its_fields(log):
    """An event is a name, a time and its fields."""
    telemetry.event("hook.answered", service="vexas", cards=2, ms=4.25, topics="a,b")

    assert {"event": "hook.answered", "service": "vexas", "cards": 2, "ms": 4.25, "topics": "a,b"} == {
        k: v for k, v in last(log).items() if k != "at"
    }
    assert str(last(log)["at"]).endswith("Z")


@pytest.mark.parametrize(
    "field", ["patient", "patientId", "given", "birthDate", "token", "hookInstance", "userId", "body", "message", "diagnostics", "path", "url"]
)
def test_drops_a_field_that_is_not_listed(log, field):
    """A field that could hold a person's data does not exist."""
    telemetry.event("hook.refused", **{field: "x"})

    assert {"at", "event"} == set(last(log))


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "Zürich", "<b>", "{}", "x" * 121, "a'b", "a\x00", "a;b", "A\u202eB", "x\n"])
def test_drops_a_text_that_is_no_plain_identifier(log, text):
    """Free text cannot leave under an allowed name."""
    telemetry.event("hook.failed", error=text, status=500)

    assert {"at", "event", "status"} == set(last(log))


@pytest.mark.parametrize(("field", "value"), [("cards", "2"), ("status", "x"), ("service", 5), ("ms", None), ("topics", ["a"]), ("issues", 1.5)])
def test_drops_a_value_of_another_type(log, field, value):
    """A field has its type, or it is left out."""
    telemetry.event("hook.answered", **{field: value})

    assert {"at", "event"} == set(last(log))


@pytest.fixture
def restored() -> Iterator[logging.Logger]:
    """The logger of the service, put back as it was."""
    logger = logging.getLogger("cds_service")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield logger
    logger.handlers[:], logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def test_writes_json_lines_to_stderr(restored, capsys):
    """Events go to stderr, one object a line, and once even where it was configured twice."""
    telemetry.configure()
    telemetry.configure()
    telemetry.event("service.ready", workers=1)

    captured = capsys.readouterr()
    assert "" == captured.out
    assert ["service.ready"] == [json.loads(line)["event"] for line in captured.err.splitlines()]
    assert restored.propagate is False
