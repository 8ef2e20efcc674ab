"""Marked names, numbers, tokens and words go down every path, and come out in no log, metric, column, error, header or file but where they may."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cds_service.errors import CDSServiceError, KnowledgeError, SettingsError
from cds_service.smart.reasons import REASONS as LOGIN_REASONS
from cds_service.trust.reasons import REASONS
from tests import build
from tests.docs.pages import ROOT
from tests.privacy.canaries import EVERY, KEPT_IN, PERSON, found
from tests.privacy.walker import Came

# What a good answer repeats: a draft order is about its patient, and a page shows whom it was asked for.
MAY_SAY = {
    "/cds-services/<service_id>": {"patient"},
    "/evidence": {"patient", "birth date"},
    "/governance": {"family name"},
    "/governance/snoozes": {"patient"},
    # Whoever opened a chart sees the call with its prefetch as it is sent, the feedback that was typed, and of an access token nothing.
    "/simulator": {*PERSON, "comment"} - {"encounter", "user"},
    "/smart/chart/<name>/<once>": {"patient", "birth date"},  # the patient banner, and events before which the patient was born
}
# What was typed is still there after a refusal, for the same person; the words of the refusal stand outside of it.
FORM = re.compile(r'<form id="fire".*?</form>', re.DOTALL)
AT_START_ONLY = {KnowledgeError.code, SettingsError.code}
NO_REFUSAL = {None, "feedback-stored"}


class Evidence(NamedTuple):
    """What was seen on the walk, what its process printed, and the files that it left."""

    seen: dict[str, Any]
    came: list[Came]
    printed: str
    files: dict[str, str]

    def leaked(self, text: str) -> set[str]:
        """The canaries in a text."""
        return found(text, self.seen["tokens"])

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log that tell of an event."""
        lines = [line for line in self.printed.splitlines() if f'"event":"{event}"' in line]
        return [json.loads(line) for line in lines]


def walked(folder: Path, root: Path = ROOT) -> Evidence:
    """The evidence of a walk through the service that stands in a folder."""
    inputs, working, evidence = folder / "inputs", folder / "working", folder / "evidence.json"
    inputs.mkdir()
    working.mkdir()
    command = [sys.executable, "-m", "tests.privacy.walk", str(inputs), str(evidence)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    done = subprocess.run(command, cwd=working, env={**kept, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(evidence.read_text(encoding="utf-8"))
    files = {str(path.relative_to(working)): path.read_bytes().decode("latin-1") for path in working.rglob("*") if path.is_file()}
    return Evidence(seen, [Came(**came) for came in seen["came"]], done.stdout + done.stderr, files)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """One walk for all tests."""
    return walked(tmp_path_factory.mktemp("walk"))


def errors(kind: type[CDSServiceError] = CDSServiceError) -> Iterator[type[CDSServiceError]]:
    """Every kind of error that the service raises."""
    yield kind
    for one in kind.__subclasses__():
        yield from errors(one)


# --- every path was walked ---


def test_sent_every_canary(evidence):
    """Each marked word was sent to the service, by a caller, a FHIR server or a file."""
    assert EVERY.keys() <= found(" ".join(evidence.seen["sent"]))


def test_walked_every_route(evidence):
    """Each route of each service was asked by each of its methods."""
    there = {
        (rule, method)
        for routes in evidence.seen["routes"].values()
        for rule, methods in routes
        for method in methods
        if method not in ("HEAD", "OPTIONS")
    }

    assert set() == there - {(came.rule, came.method) for came in evidence.came}


def test_met_every_error(evidence):
    """Each error that a request can end in was met, and no other."""
    on_pages = {line["code"] for line in evidence.logged("app.refused")}

    assert {error.code for error in errors()} - AT_START_ONLY == ({came.code for came in evidence.came} | on_pages) - NO_REFUSAL


def test_met_every_reason_to_refuse_a_token(evidence):
    """Each reason stands in the metrics."""
    assert REASONS.keys() == set(re.findall(r'cds_auth_refused_total\{reason="(\w+)"', evidence.seen["metrics"]["closed"]))


def test_met_every_reason_to_open_no_chart(evidence):
    """Each reason stands in the log of a launch that was refused."""
    assert LOGIN_REASONS.keys() == {line["reason"] for line in evidence.logged("app.refused") if "reason" in line}


def test_met_every_reason_of_a_query_that_brought_nothing(evidence):
    """Each thing that is said of the EHR's FHIR server was said in an answer."""
    said = " ".join(came.body for came in evidence.came).lower()

    assert [] == [reason for reason, words in evidence.seen["reasons"].items() if words.lower() not in said]


def test_ended_every_command_in_words(evidence):
    """Each command with a bad file, a bad token or a bad setting was refused, and no traceback was printed."""
    assert len(re.findall(r"^[\w-]+ ended with [12]$", evidence.printed, re.MULTILINE)) > 15
    assert "Traceback" not in evidence.printed


def test_reached_where_they_may_stand(evidence):
    """The FHIR server got patient and token, the database has the feedback, the draft orders name the patient: nothing got lost on the way."""
    asked = found(json.dumps(evidence.seen["asked"]))
    kept = {column: KEPT_IN[column] for column in KEPT_IN if KEPT_IN[column] in evidence.leaked(" ".join(evidence.seen["rows"][column]))}

    assert {"patient", "FHIR access token"} == asked
    assert KEPT_IN == kept
    shown = {came.rule for came in evidence.came if came.status == 200 and "patient" in evidence.leaked(came.body)}
    assert {"/cds-services/<service_id>", "/evidence", "/simulator", "/smart/chart/<name>/<once>"} <= shown
    assert {"hook.answered", "hook.refused", "hook.failed", "feedback.taken", "decision.lost"} <= set(
        re.findall(r'"event":"([a-z.]+)"', evidence.printed)
    )


# --- nothing came out ---


def test_prints_nothing_of_anybody(evidence):
    """The log and whatever else the process printed hold none of it."""
    assert set() == evidence.leaked(evidence.printed)


def test_counts_nothing_of_anybody(evidence):
    """No metric holds any of it."""
    assert {} == {name: leaked for name, text in evidence.seen["metrics"].items() if (leaked := evidence.leaked(text))}


def test_refuses_without_repeating_anything(evidence):
    """No refusal holds any of it, whatever was wrong."""
    refused = [came for came in evidence.came if came.status >= 400]

    assert len(refused) > 200
    assert [] == [(came.path, came.status, came.code, leaked) for came in refused if (leaked := evidence.leaked(FORM.sub("", came.body)))]


def test_answers_with_the_patient_alone(evidence):
    """A good answer holds at most the id of the patient, whose draft orders it offers."""
    answered = [came for came in evidence.came if came.status < 400]

    assert [] == [(came.path, leaked) for came in answered if (leaked := evidence.leaked(came.body) - MAY_SAY.get(came.rule or "", set()))]


def test_puts_nothing_into_headers(evidence):
    """No header of any answer holds any of it."""
    assert [] == [(came.path, came.status, leaked) for came in evidence.came if (leaked := evidence.leaked(came.headers))]


def test_stores_nothing_of_anybody_but_feedback(evidence):
    """Outside the columns that docs/storage.md names, no column holds any of it; what is typed there is kept as it was typed."""
    leaks = {column: evidence.leaked(" ".join(cells)) for column, cells in evidence.seen["rows"].items() if column not in KEPT_IN}

    assert {} == {column: leaked for column, leaked in leaks.items() if leaked}
    assert not any({"patient", "FHIR access token", "signed token"} & evidence.leaked(" ".join(evidence.seen["rows"][column])) for column in KEPT_IN)


def test_leaves_no_file_with_anything_of_anybody(evidence):
    """Of the files in the working folder only the database that took feedback holds any of it, and that is what a clinician typed."""
    leaks = {name: leaked for name, text in evidence.files.items() if (leaked := evidence.leaked(name + text))}
    typed = evidence.leaked(" ".join(cell for column in KEPT_IN for cell in evidence.seen["rows"][column]))

    assert {"walk.db", "walk.db.key"} <= evidence.files.keys()
    assert {"walk.db"} == leaks.keys()
    assert leaks["walk.db"] <= typed


# --- the search itself ---


def test_notices_a_path_that_was_not_walked(evidence):
    """A route, an error or a reason that the walk did not meet fails the tests of the walk."""
    shorter = evidence._replace(came=[came for came in evidence.came if came.rule != "/readyz" and came.code != "patient-mismatch"])

    for notices in (test_walked_every_route, test_met_every_error):
        with pytest.raises(AssertionError):
            notices(shorter)


@pytest.mark.parametrize("name", EVERY)
def test_finds_a_canary(name):
    """A word is found as it is, in other letters, and encoded."""
    word = EVERY[name]

    texts = (f"x{word}y", word.upper(), word.encode().hex(), build.body_of({"a": word}).decode())

    assert all(name in found(text) for text in texts)


def test_finds_a_token_and_not_what_all_tokens_share():
    """What a token says and its signature are found, its header is not looked for."""
    token = f"{'h' * 30}.{'p' * 30}.{'s' * 30}"

    assert [set(), {"signed token"}, {"signed token"}] == [found(part * 30, [token]) for part in "hps"]


def test_takes_an_ordinary_text_for_none():
    """What the service says of itself holds no canary."""
    assert set() == found(
        " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "docs" / "storage.md"))
    )
