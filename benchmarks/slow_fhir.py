"""A FHIR server that has one patient's chart and takes its time: every query is answered after so many milliseconds."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from contextlib import suppress
from urllib.parse import unquote

from benchmarks import workload
from cds_service.fhir.search import prefetch_templates, resolved
from cds_service.knowledge.loader import load

BASE = "/r4"
_NOTHING = {"resourceType": "Bundle", "type": "searchset", "total": 0}


def answers(today: dt.date) -> dict[str, bytes]:
    """The whole HTTP answer to each query that the service may send for the patient of the benchmark."""
    prefetch = json.loads(workload.body(20, today))["prefetch"]
    queries = {key: f"{BASE}/{unquote(resolved(template, workload.PATIENT_ID))}" for key, template in prefetch_templates(load(None)).items()}
    return {query: _answer(json.dumps(prefetch.get(key) or _NOTHING, separators=(",", ":")).encode()) for key, query in queries.items()}


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def serve(port: int, delay: float) -> None:
    """Answer until the process ends."""
    known = answers(dt.datetime.now(dt.UTC).date())

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(delay)
                writer.write(known[unquote(head.split(b" ", 2)[1].decode())])
                await writer.drain()

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
