"""The OpenAPI document put to the test by Schemathesis: requests made of it, and each answer held to it.

Runs where Schemathesis is installed, which is not where the service and the other tests run.
"""

from __future__ import annotations

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import CheckFailureInfo

from tests.fuzz.witness import Witness

# Whether a call or a form that is well formed can be answered depends on the chart, on which cards were issued and on the days of
# a report, which no schema says; so what is valid may be refused there.
_UNSAID = "^/cds-services/|^/governance|^/evidence|^/simulator"
_OF_TOKENS = ("ignored_auth", "missing_required_header")


def explored(witness: Witness, mode: str, *, seed: int, examples: int | None = None) -> list[str]:
    """What Schemathesis holds against the answers to the edges of each schema, or to so many examples for each operation."""
    found = schemathesis.openapi.from_wsgi("/openapi.json", witness, config=_settings(mode, seed, examples))
    return [words for event in from_schema(found).execute() for words in _told(event)]


def _settings(mode: str, seed: int, examples: int | None) -> SchemathesisConfig:
    """How Schemathesis goes about it."""
    # In the signed mode each request is given a good token on the way.
    checks = {name: {"enabled": mode != "signed"} for name in _OF_TOKENS}
    phases = {name: {"enabled": (name == "fuzzing") == bool(examples)} for name in ("examples", "coverage", "fuzzing")}
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "suppress-health-check": ["all"],  # how fast requests are made says how busy the machine is
            "checks": checks,
            "operations": [{"include-path-regex": _UNSAID, "checks": {**checks, "positive_data_acceptance": {"enabled": False}}}],
            "phases": {**phases, "stateful": {"enabled": False}},
            "generation": {"max-examples": examples or 1, "with-security-parameters": mode != "signed"},
        }
    )


def _told(event: events.EngineEvent) -> list[str]:
    """The failures and errors of an event."""
    if isinstance(event, events.NonFatalError):
        return [f"{event.label}: {event.value}"]
    if isinstance(event, events.FatalError):
        return [str(event.exception)]
    if isinstance(event, events.ScenarioFinished):
        return [_worded(node.failure_info) for nodes in event.recorder.checks.values() for node in nodes if node.failure_info]
    return []


def _worded(found: CheckFailureInfo) -> str:
    failure = found.failure
    return f"{failure.operation}: {failure.title}: {' '.join(failure.message.split())}\n    {found.code_sample}"
