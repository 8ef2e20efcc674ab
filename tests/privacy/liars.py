"""What a FHIR server says of the marked patient, good and bad; every reason why a query may bring nothing is among it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from tests import build
from tests.faults.servers import Asked, Chart, Running, answered
from tests.privacy.canaries import PERSON, WORDS, chart, person

OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": WORDS, "details": {"text": WORDS, "coding": [{"code": "4130"}]}}],
}
ENTRIES = {"entry": [e for value in chart(build.suspect()).values() for e in value.get("entry", [{"resource": value}])]}


class Liar:
    """A server that can be told how to behave."""

    def __init__(self) -> None:
        self.running = Running()
        self.how = "honest"
        self.told: list[str] = []

    async def behave(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Behave as it was told."""
        if self.how == "honest":
            return await Chart(ENTRIES).honest(asked, writer)
        if self.how == "hangs":
            await asyncio.sleep(30)
        if self.how in ("hangs", "closes"):
            return False
        said = SAYS[self.how](asked)
        self.told.append(said.decode())
        writer.write(said)
        await writer.drain()
        return True


def _page(asked: Asked, **members: Any) -> bytes:
    found = person() if asked.is_read else {"resourceType": "Bundle", "type": "searchset", **members}
    return answered(found)


SAYS: Mapping[str, Callable[[Asked], bytes]] = {
    "fails": lambda _: answered(OUTCOME, "500 Internal Server Error"),
    "refuses": lambda _: answered(OUTCOME, "401 Unauthorized", WWW_Authenticate=f'Bearer error="{WORDS}"'),
    "rejects": lambda _: answered(OUTCOME, "400 Bad Request"),
    "knows nothing": lambda _: answered(OUTCOME, "404 Not Found"),
    "is busy": lambda _: answered(OUTCOME, "429 Too Many Requests", Retry_After="3600"),
    "sends on": lambda _: answered(b"", "302 Found", Location=f"http://127.0.0.1:9/{PERSON['family name']}"),
    "floods": lambda _: answered(f"{{{WORDS}".encode() * 40_000),
    "sends a page": lambda _: answered(f"<html>{WORDS}</html>".encode(), Content_Type="text/html"),
    "sends half": lambda _: answered(json.dumps(person()).encode()[:-20]),
    "sends what is no HTTP": lambda _: f"{WORDS}\r\n\r\n".encode(),
    "leads away": lambda asked: _page(asked, link=[{"relation": "next", "url": f"http://127.0.0.1:9/{PERSON['family name']}"}]),
    "tells of another": lambda _: answered(person(PERSON["another patient"])),
    "sends a failed search": lambda asked: answered(OUTCOME) if not asked.is_read else answered(person()),
    "sends odd data": lambda asked: _page(asked, entry=[{"resource": {"resourceType": "Condition", "id": 5, "code": WORDS}}, {"fullUrl": WORDS}]),
}
WAYS = ("honest", *SAYS, "closes", "hangs")
