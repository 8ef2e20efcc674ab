"""A small FHIR server in this process that keeps what is put there: transactions, reads, searches, the list of patients."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from cds_service.ehr.prefetch import by_kind, searched


class Store:
    """What a server holds, by type and id, and where it listens."""

    def __init__(self) -> None:
        self.base = ""
        self.held: dict[str, dict[str, Any]] = {}

    def answer(self, target: str) -> tuple[int, Any]:
        """The status and body of a GET behind the base."""
        path, _, query = target.partition("?")
        if "/" in path:
            found = self.held.get(path)
            return (200, found) if found else (404, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]})
        patient = re.search(r"patient=([^&]+)", query)
        mine = [r for r in self.held.values() if r["resourceType"] == path and (not patient or _of(r, patient.group(1)))]
        if not patient:
            return 200, {"resourceType": "Bundle", "entry": [{"resource": r} for r in mine]}
        return 200, searched(by_kind({"resource": r} for r in mine), target)

    def transaction(self, bundle: dict[str, Any]) -> tuple[int, Any]:
        """Write and delete as a transaction says."""
        for entry in bundle["entry"]:
            if entry["request"]["method"] == "DELETE":
                self.held.pop(entry["request"]["url"], None)
            else:
                self.held[entry["request"]["url"]] = entry["resource"]
        return 200, {"resourceType": "Bundle", "type": "transaction-response"}


def _of(resource: dict[str, Any], patient: str) -> bool:
    return (resource.get("subject") or resource.get("patient") or {}).get("reference") == f"Patient/{patient}"


@contextmanager
def running() -> Iterator[Store]:
    """An empty store that listens for as long as it is needed."""
    store = Store()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(*store.answer(unquote(self.path).removeprefix("/r4/")))

        def do_POST(self) -> None:
            self._send(*store.transaction(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def _send(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_arguments: Any) -> None:
            """Say nothing: whoever got enough may hang up."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    store.base = f"http://127.0.0.1:{server.server_port}/r4"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
