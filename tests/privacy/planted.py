"""Leaks that are planted in a copy of the service, one for each way out, to see that the walk finds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Leak(NamedTuple):
    """A change of one line of the service, and the test that must notice it."""

    file: str
    line: str
    instead: str
    test: str


LEAKS: Mapping[str, Leak] = {
    "a log line": Leak(
        "http/problems.py",
        '    event("hook.refused", status=error.status, code=error.code, **why)',
        '    event("hook.refused", status=error.status, code=error.code, **why); __import__("sys").stderr.write(str(__import__("flask").request.headers))',
        "test_prints_nothing_of_anybody",
    ),
    "a metric": Leak(
        "http/calls.py",
        "        self._counts.add(answer.visit, spent)",
        "        self._counts.add(answer.visit._replace(client=answer.visit.patient_id), spent)",
        "test_counts_nothing_of_anybody",
    ),
    "an error": Leak(
        "protocol/feedback.py",
        '        raise InvalidRequest(f"{place}/card: must be the uuid of a card.", place=f"{place}/card")',
        '        raise InvalidRequest(f"{place}/card: {entry!r} must be the uuid of a card.", place=f"{place}/card")',
        "test_refuses_without_repeating_anything",
    ),
    "a header": Leak(
        "http/headers.py",
        "        return self._application(environ, start)",
        "        environ.get('HTTP_REFERER') and standing.append(('X-Referer', environ['HTTP_REFERER']))\n        return self._application(environ, start)",
        "test_puts_nothing_into_headers",
    ),
    "a column": Leak(
        "recording.py",
        "            patient=patient,",
        "            patient=call.patient_id,",
        "test_stores_nothing_of_anybody_but_feedback",
    ),
    "a file": Leak(
        "invocation.py",
        "        request = self.read(body)",
        '        request = self.read(body); open("last.json", "wb").write(body)',
        "test_leaves_no_file_with_anything_of_anybody",
    ),
}


def plant(package: Path) -> None:
    """Change a copy of the package so that it leaks in every way."""
    for leak in LEAKS.values():
        path = package / leak.file
        text = path.read_text(encoding="utf-8")
        assert text.count(leak.line) == 1, f"{leak.file} no longer has the line {leak.line.strip()}"
        path.write_text(text.replace(leak.line, leak.instead), encoding="utf-8")
