"""Starts the service as a user does, fires the printed request at it over real HTTP, and stops it with Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fakes import check_answer

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Fail with a sentence unless the printed curl's request gets a card."""
    port = free_port()
    environment = {**os.environ, "CDS_PORT": str(port)}
    subprocess.run(["make", "-s", ".run/request.json"], cwd=ROOT, check=True)
    started = time.monotonic()
    process = subprocess.Popen(["make", "-s", "run"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}/cds-services"
        services = wait_for(url)
        took = time.monotonic() - started
        body = (ROOT / ".run" / "request.json").read_bytes()
        request = urllib.request.Request(f"{url}/{services[0]['id']}", data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            cards = checked("POST", request.full_url, answer)["cards"]
        print(f"started in {took:.1f} s; {len(cards)} card: {cards[0]['summary']}")
        if cards[0]["indicator"] != "warning" or not cards[0]["suggestions"]:
            sys.exit("the example patient must get a warning with suggestions")
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(timeout=15)


def checked(method: str, url: str, answer: HTTPResponse) -> Any:
    """What an answer over real HTTP holds, checked as every other answer is."""
    body = answer.read()
    check_answer(method, urlsplit(url).path, answer.status, answer.headers.get_content_type(), body)
    return json.loads(body)


def wait_for(url: str) -> list[dict[str, str]]:
    """The services, as soon as discovery answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return list(checked("GET", url, answer)["services"])
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{url} did not answer within 30 s")


if __name__ == "__main__":
    main()
