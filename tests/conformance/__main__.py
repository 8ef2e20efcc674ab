"""Writes docs/conformance from the markers of the tests: `make docs`."""

from __future__ import annotations

import sys

from tests.conformance.markers import read_claims
from tests.conformance.page import documents
from tests.conformance.requirements import faults, read_requirements


def main() -> None:
    """Write what changed, or exit with every fault between sentences and tests."""
    found = list(faults(read_requirements(), read_claims()))
    if found:
        sys.exit("\n".join(found))
    for path, text in documents().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"changed {path.relative_to(path.parents[2])}")


if __name__ == "__main__":
    main()
