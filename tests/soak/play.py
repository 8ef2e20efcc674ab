"""Sends without a pause, sends again what was not answered, and holds every answer against what is right."""

from __future__ import annotations

import datetime as dt
import json
import random
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import urllib3

from tests.fakes import check_answer
from tests.soak import kinds
from tests.soak.disasters import Disasters
from tests.soak.kinds import Sent

_MOST_TRIES = 200
_LATER = {503: {"tokens-unchecked", "storage-unavailable", "overloaded"}}
_TO_ANSWER = 500  # cards that wait for feedback, and patients who may come again
_FAULTS_SHOWN = 20
_PATIENCE = 0.25  # seconds that an answer waits for what was answered before


class Diary:
    """What was sent, what came back, and what was wrong; written by several threads."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []
        self.waits: list[float] = []
        self.acknowledged: set[tuple[str, str]] = set()
        self.to_answer: deque[tuple[str, str, str, float]] = deque(maxlen=_TO_ANSWER)  # card, patient, client, when it was shown
        self.to_see: deque[tuple[str, str]] = deque(maxlen=_TO_ANSWER)
        self._lock = threading.Lock()

    def count(self, kind: str, what: str) -> None:
        """One more."""
        with self._lock:
            self.counts[kind, what] += 1

    def fault(self, text: str) -> None:
        """Something was wrong."""
        with self._lock:
            self.counts["", "fault"] += 1
            if len(self.faults) < _FAULTS_SHOWN:
                self.faults.append(text)


class Player:
    """One connection that sends one request after the other until it is told to end."""

    def __init__(self, base: str, ehr: str, diary: Diary, disasters: Disasters, number: int) -> None:
        self._base = base
        self._ehr = ehr
        self._diary = diary
        self._disasters = disasters
        self._chance = random.Random(number)
        self._number = number * 10_000_000
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(30))

    def play(self, over: threading.Event) -> None:
        """Send until it is over."""
        while not over.is_set():
            self._number += 1
            make, shown = self._drawn()
            self._until_answered(make, shown)

    def _drawn(self) -> tuple[Callable[[], Sent], float]:
        """What is sent next, and when the card was shown that it is about."""
        number, diary = self._number, self._diary
        drawn = self._chance.random()
        if drawn < 0.10 and diary.to_answer:
            card, patient, client, shown = diary.to_answer.popleft()
            moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
            return partial(kinds.answered, card, patient, client, moment), shown
        if drawn < 0.15 and diary.to_see:
            return partial(kinds.again, *diary.to_see.popleft()), 0.0
        if drawn < 0.20:
            return partial(kinds.asked, number, self._ehr), 0.0
        if drawn < 0.25:
            return partial(kinds.hostile, number), 0.0
        if drawn < 0.30:
            return partial(kinds.chatty, number), 0.0
        if drawn < 0.45:
            return partial(self._chance.choice(kinds.BAD), number), 0.0
        return partial(self._chance.choice((kinds.suspect, kinds.of_south, kinds.healthy)), number), 0.0

    def _until_answered(self, make: Callable[[], Sent], shown: float) -> None:
        """Send until there is an answer or a refusal; what was told to come later does."""
        for _ in range(_MOST_TRIES):
            sent = make()
            began = time.monotonic()
            try:
                response = self._pool.request(sent.method, f"{self._base}{sent.path}", body=sent.body, headers=sent.headers)
            except urllib3.exceptions.HTTPError as error:
                self._broken(sent, began, error)
                continue
            took = time.monotonic() - began
            said = self._read(sent, response)
            if said is None:
                return
            if self._told_later(sent, response, said):
                continue
            self._judge(sent, response.status, said, began, shown, took)
            return
        self._diary.fault(f"{sent.kind}: no answer after {_MOST_TRIES} tries")

    def _broken(self, sent: Sent, began: float, error: Exception) -> None:
        """A connection may break when a process is killed, or when more is sent than the service reads."""
        self._diary.count(sent.kind, "broken")
        time.sleep(0.2)
        if not self._disasters.breaks(began) and not self._disasters.breaks(time.monotonic()):
            self._diary.fault(f"{sent.kind}: {type(error).__name__} while no process was killed")

    def _read(self, sent: Sent, response: urllib3.BaseHTTPResponse) -> Any:
        """The checked JSON of an answer; None for one that is not as the protocol has it."""
        try:
            check_answer(sent.method, sent.path, response.status, response.headers.get("Content-Type", ""), response.data)
            return json.loads(response.data)
        except (AssertionError, ValueError) as error:
            self._diary.fault(f"{sent.kind}: {response.status} is not as the protocol has it: {str(error)[:200]}")
            return None

    def _told_later(self, sent: Sent, response: urllib3.BaseHTTPResponse, said: Any) -> bool:
        """Whether the service said, in the right way, to come back."""
        if response.status not in _LATER:
            return False
        code = said["issue"][0]["details"]["text"]
        self._diary.count(sent.kind, f"503 {code}")
        if code not in _LATER[response.status] or not response.headers.get("Retry-After", "").isdigit():
            self._diary.fault(f"{sent.kind}: 503 {code} without Retry-After")
        time.sleep(min(1.0, int(response.headers.get("Retry-After", "1"))))
        return True

    def _judge(self, sent: Sent, status: int, said: Any, began: float, shown: float, took: float) -> None:
        """Hold an answer against what is right, and go on with it."""
        self._diary.count(sent.kind, str(status))
        if not sent.right(status, said):
            if not self._excused(sent, status, began, shown, took):
                self._diary.fault(f"{sent.kind}: {status} {json.dumps(said)[:300]}")
            return
        if status == 200:
            self._diary.waits.append(took)
        if sent.kind.startswith("a card") and sent.patient:
            self._diary.to_answer.append((said["cards"][0]["uuid"], sent.patient, sent.client, began))
        if sent.kind == "feedback":
            self._diary.acknowledged.add((sent.card, json.loads(sent.body)["feedback"][0]["outcomeTimestamp"]))
            self._diary.to_see.append((sent.patient, sent.client))

    def _excused(self, sent: Sent, status: int, began: float, shown: float, took: float) -> bool:
        """Whether a disaster explains an answer: no keys, so no entry; no record, so no feedback; no time to look it up, so no silence."""
        disasters = self._disasters
        if status == 401 and sent.client == "north" and disasters.locks_out(began):
            return True
        if sent.kind == "feedback":
            return status == 400 and disasters.forgets(shown)
        return sent.kind == "answered before" and status == 200 and (disasters.forgets(began) or took >= _PATIENCE)


@contextmanager
def slow_senders(base: str, count: int) -> Iterator[None]:
    """So many connections that send half a request, byte by byte, and give up, again and again."""
    over, place = threading.Event(), urlsplit(base)

    def send() -> None:
        while not over.is_set():
            try:
                with socket.create_connection((place.hostname or "", place.port or 0), timeout=5) as slow:
                    slow.sendall(b"POST /cds-services/vexas HTTP/1.1\r\nHost: cds\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
                    for _ in range(30):
                        if over.wait(0.1):
                            return
                        slow.sendall(b" ")
            except OSError:
                over.wait(0.2)

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
