"""A host in this process that is a CDS service and a FHIR server at once, and says of each path what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SERVICE = {"id": "x", "hook": "patient-view", "title": "X", "prefetch": {"patient": "Patient/{{context.patientId}}"}}
PATIENTS = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "p1"}}]}


class Odd:
    """What the host says: a body for each path, and one for every POST; `asked` are the targets of GETs."""

    def __init__(self) -> None:
        self.url = ""
        self.says: dict[str, Any] = {"/cds-services": {"services": [SERVICE]}, "/r4/Patient": PATIENTS, "POST": {"cards": []}}
        self.status = 200
        self.location = ""
        self.asked: list[str] = []

    @property
    def arguments(self) -> list[str]:
        """How it is named to `fire`."""
        return ["--fhir-server", f"{self.url}/r4", "--service", f"{self.url}/cds-services/x"]


@contextmanager
def running() -> Iterator[Odd]:
    """A host for as long as it is needed."""
    odd = Odd()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            odd.asked.append(self.path)
            self._send(200, odd.says.get(self.path, odd.says.get(self.path.partition("?")[0], b"")))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(odd.status, odd.says["POST"])

        def _send(self, status: int, value: Any) -> None:
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if odd.location:
                self.send_header("Location", odd.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    odd.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield odd
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
