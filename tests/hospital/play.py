"""Plays the hospital: every call is checked against what should leave, and kept for the count."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from tests import build
from tests.fakes import check_answer
from tests.hospital.patients import CLIENTS, Patient, Period, population
from tests.integration.server import wait_until_ready
from tests.smoke import free_port

KNOWLEDGE = Path(__file__).parent.parent.parent / "cds_service" / "knowledge" / "vexas"
SERVERS = {name: f"http://127.0.0.1:9/{name}" for name in CLIENTS}
SILENT = {"south": {"vexas-consider"}, "west": {"vexas-consider", "vexas-test-uba1", "vexas-confirmed", "vexas-supportive-care", "vexas-negative"}}
REGISTRATIONS = f"""
[[client]]
name = "north"
fhir_server = "{SERVERS["north"]}"
[[client]]
name = "south"
fhir_server = "{SERVERS["south"]}"
silent = ["vexas-consider"]
[[client]]
name = "west"
fhir_server = "{SERVERS["west"]}"
silent = true
"""
REASONS = ("already-tested-or-ordered", "under-haematology", "alternative-cause-known", "patient-declines", "not-now")
NOT_NOW = {"0.1.0": 14, "0.2.0": 28}  # days of silence; every other answer outlasts the play
# Whoever answered a card has answered a weaker one of the same question.
ANSWERS = {"vexas-consider": {"vexas-consider", "vexas-test-uba1"}, "vexas-test-uba1": {"vexas-test-uba1"}}


class Made(NamedTuple):
    """A card that was made, and why it did not leave, if it did not."""

    topic: str
    withheld: str | None
    uuid: str | None


class Called(NamedTuple):
    """One call as the play saw it."""

    day: dt.date
    client: str
    patient: str
    version: str
    cards: tuple[Made, ...]
    missing: str | None
    state: str  # what the chart says of the gene
    resulted: dt.date | None


class Said(NamedTuple):
    """Something that a clinician did with a card."""

    card: str
    at: dt.datetime
    outcome: str
    reason: str | None


class Answer(NamedTuple):
    """What an answered card keeps from being shown again."""

    topic: str
    on: dt.date
    reason: str | None
    strong: frozenset[str]


class Diary(NamedTuple):
    """Everything that happened."""

    calls: list[Called]
    said: list[Said]
    lifted: set[tuple[str, str]]
    log: list[Path]


class Play:
    """A seed, so many patients and days, on one database with two processes; in the middle the knowledge changes."""

    def __init__(self, folder: Path, database: str, *, patients: int, period: Period, seed: int = 41) -> None:
        self.folder, self.database, self.period = folder, database, period
        self.diary = Diary([], [], set(), [])
        self.chance = random.Random(seed)
        self.patients = population(self.chance, patients, period)
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.moment = dt.datetime.combine(period.first, dt.time(6), dt.UTC)
        (folder / "clients.toml").write_text(REGISTRATIONS, encoding="utf-8")
        (folder / "pseudonym.key").write_text("h" * 64, encoding="utf-8")
        self.settings = {
            "CDS_DATABASE": database,
            "CDS_DEADLINE": "16",  # with which a slow disk keeps no record from its answer
            "CDS_CLIENTS": str(folder / "clients.toml"),
            "CDS_PSEUDONYM_KEY_FILE": str(folder / "pseudonym.key"),
            "HOSPITAL_CLOCK": str(folder / "clock"),
        }

    def run(self) -> Diary:
        """Play every day, the first half by the shipped knowledge, the second by a changed one."""
        by_day: dict[dt.date, list[Patient]] = defaultdict(list)
        for patient in self.patients:
            for day in patient.visits:
                by_day[day].append(patient)
        change = self.period.days // 2
        for version, days in (("0.1.0", range(change)), ("0.2.0", range(change, self.period.days))):
            self._set(self.period.day(days[0]))
            with ExitStack() as stack:
                bases = [stack.enter_context(self._process(version, number)) for number in range(2)]
                session = stack.enter_context(requests.Session())
                for number in days:
                    day = self.period.day(number)
                    self._set(day)
                    for patient in by_day[day]:
                        self._visit(session, bases, patient, day, version)
        return self.diary

    def release(self, version: str) -> Path:
        """The folder of a version of the knowledge: in the second, "not now" silences twice as long."""
        folder = self.folder / f"knowledge-{version}"
        if not folder.exists():
            shutil.copytree(KNOWLEDGE, folder)
            module = folder / "module.yaml"
            text = module.read_text(encoding="utf-8")
            changed = text.replace('version: "0.1.0"', f'version: "{version}"').replace("silent: P14D", f"silent: P{NOT_NOW[version]}D")
            module.write_text(changed, encoding="utf-8")
        return folder

    def environment(self, version: str) -> dict[str, str]:
        """The settings of a process that answers by a version of the knowledge."""
        return {**os.environ, **self.settings, "CDS_KNOWLEDGE": str(self.release(version))}

    @contextmanager
    def _process(self, version: str, number: int) -> Iterator[str]:
        port = free_port()
        log = self.folder / f"log-{version}-{number}"
        self.diary.log.append(log)
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--blocking-threads", "4", "--no-access-log", "--log-level", "error", "tests.hospital.served:app"]
        with log.open("wb") as sink:
            running = subprocess.Popen(command, env=self.environment(version), stdout=sink, stderr=sink)
            try:
                with requests.Session() as session:
                    wait_until_ready(session, f"http://127.0.0.1:{port}/cds-services")
                yield f"http://127.0.0.1:{port}"
            finally:
                running.send_signal(signal.SIGTERM)
                running.wait(timeout=30)

    def _set(self, day: dt.date) -> None:
        self.moment = dt.datetime.combine(day, dt.time(6), dt.UTC)
        self._tick()

    def _tick(self) -> None:
        """A second later."""
        self.moment += dt.timedelta(seconds=1)
        whole = self.folder / "clock.new"
        whole.write_text(self.moment.isoformat(), encoding="utf-8")
        whole.replace(self.folder / "clock")

    def _visit(self, session: requests.Session, bases: list[str], patient: Patient, day: dt.date, version: str) -> None:
        """One chart is opened; what leaves is as foreseen; somebody may answer it, or lift what was answered."""
        self._tick()
        missing = self._missing(patient, day)
        request = build.request(
            patient.chart(day, missing),
            hookInstance=str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
            fhirServer=SERVERS[patient.client],
            context={"userId": "Practitioner/one", "patientId": patient.id},
        )
        cards = self._sent(session, self.chance.choice(bases) + build.SERVICE, request)["cards"]
        foreseen = [(topic, self._withheld(patient, topic, day, version)) for topic in patient.topics(day)]
        shown = [card["source"]["topic"]["code"] for card in cards]
        if shown != [topic for topic, withheld in foreseen if withheld is None]:
            raise AssertionError(f"{patient.id} on {day}: {shown} left, and {foreseen} was foreseen")
        left = iter(cards)
        made = tuple(Made(topic, withheld, None if withheld else next(left)["uuid"]) for topic, withheld in foreseen)
        result = patient.result if patient.result and patient.result[0] <= day else None
        state = "none" if patient.kind != "confirmed" and not result else "confirmed" if not result or result[1] else "negative"
        self.diary.calls.append(Called(day, patient.client, patient.id, version, made, missing, state, result[0] if result else None))
        for card in cards:
            self._answer(session, bases, patient, card, day)
        if any(withheld == "answered" for _, withheld in foreseen) and self.chance.random() < 0.05:
            self._lift(session, self.chance.choice(bases), patient)

    def _missing(self, patient: Patient, day: dt.date) -> str | None:
        """The key that the EHR could not fill: now and then the allergies, and for a fortnight the south's blood counts."""
        broken = self.period.days // 3 <= (day - self.period.first).days < self.period.days // 3 + 14
        if patient.client == "south" and patient.kind == "well" and broken:
            return "bloodCounts"
        return "allergies" if self.chance.random() < 0.03 else None

    def _withheld(self, patient: Patient, topic: str, day: dt.date, version: str) -> str | None:
        if topic in SILENT.get(patient.client, ()):
            return "silent"
        newest = next((a for a in reversed(self.answers[patient.id]) if a.topic in ANSWERS.get(topic, ())), None)
        over = newest and newest.reason == "not-now" and (day - newest.on).days >= NOT_NOW[version]
        return "answered" if newest and not over and not patient.strong(day) - newest.strong else None

    def _answer(self, session: requests.Session, bases: list[str], patient: Patient, card: dict[str, Any], day: dt.date) -> None:
        """Accept, override or ignore; some take an acceptance back, some send everything twice."""
        topic = card["source"]["topic"]["code"]
        does = self.chance.choices(("accept", "override", "both", "nothing"), (0.25, 0.25, 0.05, 0.45))[0]
        if not card.get("suggestions"):  # nothing that could be accepted
            does = "override" if does == "both" else does if does == "override" else "nothing"
        entries = [self._entry(card, "accepted")] if does in ("accept", "both") else []
        entries += [self._entry(card, "overridden")] if does in ("override", "both") else []
        if not entries:
            return
        for base in self.chance.sample(bases, 2 if self.chance.random() < 0.1 else 1):
            self._sent(session, f"{base}{build.SERVICE}/feedback", {"feedback": entries})
        last = self.diary.said[-1]
        self.answers[patient.id].append(Answer(topic, day, last.reason, patient.strong(day)))
        if last.outcome == "accepted" and patient.result is None and patient.kind != "confirmed" and self.chance.random() < 0.7:
            patient.result = (day + dt.timedelta(days=self.chance.randint(3, 150)), self.chance.random() < 0.5)

    def _entry(self, card: dict[str, Any], outcome: str) -> dict[str, Any]:
        self._tick()
        entry: dict[str, Any] = {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": self.moment.isoformat()}
        reason = None
        if outcome == "accepted":
            entry |= {"acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]}
        elif self.chance.random() < 0.9:
            reason = self.chance.choice((*REASONS, "elsewhere"))
            system = "urn:example:own" if reason == "elsewhere" else build.KNOWLEDGE.module.override_reasons.system
            entry |= {"overrideReason": {"reason": {"code": reason, "system": system}, "userComment": "As discussed."}}
        self.diary.said.append(Said(card["uuid"], self.moment, outcome, reason))
        return entry

    def _lift(self, session: requests.Session, base: str, patient: Patient) -> None:
        self._tick()
        page = session.post(f"{base}/governance/snoozes", data={"client": patient.client, "patient": patient.id, "lift": "1"}, timeout=10)
        if page.status_code != 200 or "lifted" not in page.text:
            raise AssertionError(f"the page lifted nothing: {page.status_code}")
        self.answers[patient.id].clear()
        self.diary.lifted.add((patient.client, patient.id))

    def _sent(self, session: requests.Session, url: str, body: dict[str, Any]) -> Any:
        answer = session.post(url, json=body, timeout=10)
        if answer.status_code != 200:
            raise AssertionError(f"{url}: {answer.status_code} {answer.text}")
        check_answer("POST", urlsplit(url).path, answer.status_code, answer.headers["Content-Type"], answer.content)
        return json.loads(answer.content) if answer.content else None
