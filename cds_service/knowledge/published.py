"""Published patients as cases: each says where it was read, what was read there, and what of its chart is invented."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.knowledge.model import Case

PREFIX = "published-"  # its sentence stands in the case as it was printed
AFTER = "constructed-after-"  # what it says stands in our words alone
_SOURCE = re.compile(r"PMID [0-9]{1,8}|DOI 10\.[0-9]{4,9}/\S+|no PMID or DOI: \S.*")
_ADDRESS = re.compile(r"https?://[^\s/]+\S*")


def slips_of_source(case: Case) -> Iterator[str]:
    """What is wrong with the provenance of a case, each with its remedy."""
    found = case.published
    if found is None:
        if case.name.startswith((PREFIX, AFTER)):
            yield "its name speaks of a publication but it has no source. Add published (source, address, says, invented), or name it constructed-"
        return
    if not case.name.startswith((PREFIX, AFTER)):
        yield f"it has a published source but its name does not say so. Begin the name with {AFTER}, or with {PREFIX} where it quotes the source"
    if case.name.startswith(PREFIX) is not bool(found.quote.strip()):
        yield f"only a case that quotes its source is called {PREFIX}, and each that does. Add quote, or begin the name with {AFTER}"
    if not _SOURCE.fullmatch(found.source):
        yield f"source '{found.source}' is none. Write 'PMID 123' or 'DOI 10.1/x' as read, or 'no PMID or DOI: ' and the title"
    if not _ADDRESS.fullmatch(found.address):
        yield f"address '{found.address}' is no URL. Write where the text was read"
    if not found.says.strip():
        yield "says is empty. Write what the text says of the patient, each number as it stands there"
    if not found.invented or not all(part.strip() for part in found.invented):
        yield "invented names nothing. Name the parts of the chart that the text does not give, such as the dates"
