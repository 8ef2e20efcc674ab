"""The command line on files that are not what it hopes for: one sentence, exit status 2, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from tests import build
from tests.reasoning.toys import TOY

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
COMMANDS = ("evaluate", "request")
HOOK_KEYS = ["hook", "hookInstance", "context", "prefetch"]


def nested(levels: int) -> dict[str, Any]:
    """An extension within an extension, so many levels deep."""
    value: dict[str, Any] = {"url": "x"}
    for _ in range(levels // 2):
        value = {"extension": [value]}
    return value


def chart(*resources: Any) -> bytes:
    """A file of a patient's chart."""
    return json.dumps(build.bundle(*resources)).encode()


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line on stderr with which a command is refused, with exit status 2 and nothing on stdout."""
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert (2, "") == (caught.value.code, out)
    assert 1 == err.count("\n")
    return err.rstrip()


STRANGE = {
    "lone surrogate": (chart(build.patient(), build.mcv(note=[{"text": "\ud800"}])), "lone surrogates are not JSON"),
    "NaN": (chart(build.patient(), build.mcv(float("nan"))), "not JSON"),
    "nothing": (b"", "not JSON"),
    "not JSON": (b"Bundle", "not JSON"),
    "not UTF-8": (chart(build.patient()).replace(b"male", b"m\xe4le"), "not UTF-8"),
    "UTF-16": (chart(build.patient()).decode().encode("utf-16"), "not UTF-8"),
    "200,000 deep": (chart(build.patient(), build.mcv(extension="here")).replace(b'"here"', b"[" * 200_000), "nested too deeply"),
    "no Bundle": (json.dumps(build.patient()).encode(), "no FHIR Bundle"),
    "no patient": (chart(build.mcv()), "0 Patients"),
    "two patients": (chart(build.patient(), build.patient(id="p2")), "2 Patients"),
    "a patient without id beside another": (chart(build.patient(), {"resourceType": "Patient"}), "2 Patients"),
    "an id that is an object": (chart(build.patient(id={"value": "p1"})), "0 usable ids"),
    "an id that is a list": (chart(build.patient(id=["p1"])), "0 usable ids"),
    "an id that is a number": (chart(build.patient(id=1)), "0 usable ids"),
    "an id that is null": (chart(build.patient(id=None)), "0 usable ids"),
    "an empty id": (chart(build.patient(id="")), "0 usable ids"),
    "an id that is a query": (chart(build.patient(id="p1?x=1")), "0 usable ids"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", STRANGE)
def test_refuses_a_strange_file_in_one_sentence(name, command, tmp_path, capsys):
    """What is no chart of exactly one patient is refused with the file, the fault and a remedy."""
    content, fault = STRANGE[name]
    path = tmp_path / "chart.json"
    path.write_bytes(content)

    said = refusal(capsys, command, path)

    assert said.startswith(f"{path}: ")
    assert fault in said
    assert said.endswith(".")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("name", "fault"), [(".", "Is a directory"), ("missing.json", "No such file")])
def test_refuses_what_is_no_file(name, fault, command, tmp_path, capsys):
    """A folder or a missing file is named, in the system's words."""
    assert fault in refusal(capsys, command, tmp_path / name)


def test_deep_parts_that_nobody_reads_do_no_harm(tmp_path, capsys):
    """What is evaluated is read past them, as a call is; a request would have to hold them, so none is made."""
    path = tmp_path / "chart.json"
    path.write_bytes(chart(build.patient(), build.mcv(extension=[nested(900)])))

    main(["evaluate", str(path), "--json", "--today", build.TODAY.isoformat()])
    shown = json.loads(capsys.readouterr().out)

    assert "present" == shown["findings"]["macrocytosis"]["truth"]
    assert "nested too deeply" in refusal(capsys, "request", path)


@pytest.mark.parametrize("command", COMMANDS)
def test_shows_no_traceback_in_a_process_of_its_own(command, tmp_path):
    """The installed command, with all of the stack to itself, refuses a deep file in the same way."""
    path = tmp_path / "chart.json"
    path.write_bytes(STRANGE["200,000 deep"][0])

    done = subprocess.run([BIN / "cds-service", command, path], capture_output=True, text=True, check=False)

    assert (2, "") == (done.returncode, done.stdout)
    assert f"{path}: nested too deeply. FHIR needs no more than a few dozen levels.\n" == done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_reads_a_file_with_a_byte_order_mark(command, tmp_path, capsys):
    """Some editors write a byte order mark; it changes nothing."""
    path = tmp_path / "chart.json"
    path.write_bytes(chart(build.patient(), build.mcv()))
    main([command, str(path)])
    plain = capsys.readouterr().out
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    main([command, str(path)])

    assert plain == capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_reads_a_patient_given_twice(command, tmp_path, capsys):
    """The same patient may stand in a file twice."""
    path = tmp_path / "chart.json"
    path.write_bytes(chart(build.patient(), build.patient(), build.mcv()))

    main([command, str(path)])

    assert capsys.readouterr().out


def test_prints_the_request_of_a_file(capsys):
    """The request names the file's patient, and its hookInstance follows from the file's name."""
    path = build.FIXTURES / "test-sweet-macrocytosis.json"

    main(["request", "--as-is", str(path)])

    printed = json.loads(capsys.readouterr().out)
    assert HOOK_KEYS == list(printed)
    assert str(uuid.uuid5(uuid.NAMESPACE_URL, path.stem)) == printed["hookInstance"]
    assert printed["context"]["patientId"] == printed["prefetch"]["patient"]["id"]


def test_refuses_to_move_a_date_beyond_the_calendar(tmp_path, capsys, monkeypatch):
    """The last day of the calendar cannot become a later one; --as-is keeps it."""
    monkeypatch.setenv("CDS_TIME_ZONE", "Pacific/Kiritimati")  # where it is always later than on the fixtures' day
    path = tmp_path / "chart.json"
    path.write_bytes(chart(build.patient(), build.mcv(on="9999-12-31")))

    assert "--as-is" in refusal(capsys, "request", path)


def test_keeps_the_last_day_of_the_calendar_as_it_is(tmp_path, capsys):
    """--as-is moves nothing."""
    path = tmp_path / "chart.json"
    path.write_bytes(chart(build.patient(), build.mcv(on="9999-12-31")))

    main(["request", "--as-is", str(path)])

    assert "9999-12-31" in capsys.readouterr().out


def test_says_that_the_output_cannot_hold_the_answer(tmp_path):
    """An output in ASCII gets a sentence with the remedy, not half an answer."""
    path = tmp_path / "chart.json"
    path.write_bytes(chart(build.patient(name=[{"text": "Zoë"}]), build.mcv()))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}

    done = subprocess.run([BIN / "cds-service", "request", path], env=environment, capture_output=True, text=True, check=False)

    assert (2, "") == (done.returncode, done.stdout)
    assert "The output is in ascii, which cannot hold the answer. Set PYTHONIOENCODING=utf-8.\n" == done.stderr


def test_reads_a_file_whose_name_is_not_utf_8(tmp_path):
    """A file name is bytes; the hookInstance is made of it all the same."""
    path = os.fsencode(tmp_path) + b"/\xff.json"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(chart(build.patient(), build.mcv()))

    done = subprocess.run([os.fsencode(BIN / "cds-service"), b"request", path], capture_output=True, check=False)

    assert (0, b"") == (done.returncode, done.stderr)


# --- check ---


def faults_of(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """What `check` says of a folder of fixtures that is not sound, with a small module."""
    monkeypatch.setenv("CDS_KNOWLEDGE", str(TOY))
    with pytest.raises(SystemExit) as caught:
        main(["check", "--fixtures", str(folder)])
    assert 1 == caught.value.code
    return capsys.readouterr().out


@pytest.mark.parametrize("inside", [None, "fhir"])
def test_finds_fault_with_a_folder_without_bundles(inside, tmp_path, capsys, monkeypatch):
    """A folder without fhir/, or with an empty one, was probably mistyped: nothing would be checked."""
    if inside:
        (tmp_path / inside).mkdir()

    assert f"{tmp_path}: no FHIR Bundles in fhir/." in faults_of(capsys, monkeypatch, tmp_path)


@pytest.mark.parametrize("content", [json.dumps(build.patient()), "[]", "null", "{}"])
def test_finds_fault_with_a_fixture_that_is_no_bundle(content, tmp_path, capsys, monkeypatch):
    """Each file in fhir/ is a Bundle."""
    (tmp_path / "fhir").mkdir()
    (tmp_path / "fhir" / "a.json").write_text(content, encoding="utf-8")

    assert "a.json: no FHIR Bundle." in faults_of(capsys, monkeypatch, tmp_path)


def test_refuses_a_fixture_that_cannot_be_read(tmp_path, capsys):
    """A folder with the name of a fixture stops the check with a sentence."""
    (tmp_path / "fhir" / "a.json").mkdir(parents=True)

    assert "a.json: cannot be read" in refusal(capsys, "check", "--fixtures", tmp_path)


# --- make ---


@pytest.mark.parametrize("before", [None, "{}"])
def test_leaves_no_half_written_example(before, tmp_path):
    """After a refused setting `make run` leaves .run/request.json as it was, and nothing beside it."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".installed").touch()
    (tmp_path / ".run").mkdir()
    if before:
        (tmp_path / ".run" / "request.json").write_text(before, encoding="utf-8")
    command = ["make", "-f", ROOT / "Makefile", f"BIN={BIN}", f"VENV={tmp_path}", ".run/request.json"]

    refused = subprocess.run(command, cwd=tmp_path, env={**os.environ, "CDS_PORT": "x"}, capture_output=True, text=True, check=False)
    left = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / ".run").iterdir() if path.name != "day"}
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)

    assert "CDS_PORT=x" in refused.stderr
    assert refused.returncode != 0
    assert ({"request.json": before} if before else {}) == left
    assert HOOK_KEYS == list(json.loads((tmp_path / ".run" / "request.json").read_text(encoding="utf-8")))


# --- which knowledge ---


def test_evaluate_names_the_knowledge_in_both_forms(capsys, knowledge):
    """The table has version and the digest's first digits, the data the whole digest."""
    path = str(build.FIXTURES / "healthy-man-80.json")
    main(["evaluate", path])
    table = capsys.readouterr().out
    main(["evaluate", "--json", path])
    data = json.loads(capsys.readouterr().out)

    assert f"knowledge {knowledge.module.version}, draft, SHA-256 {knowledge.digest[:12]})" in table.splitlines()[0]
    assert (knowledge.module.version, knowledge.digest) == (data["module"]["version"], data["module"]["digest"])
