"""The figures of a run as tables, for the terminal and for docs/independent-input.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.integration.cohort import Cohort
from tests.integration.examples import Examples, Tally

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "independent-input.md"
BEGIN, END = "<!-- figures: written by `make test-integration UPDATE=1` -->\n", "<!-- end of figures -->\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """A Markdown table whose columns line up; numbers stand at the right."""
    texts = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in [head, *texts]) for i in range(len(head))]
    right = [bool(texts) and all(row[i].isdigit() for row in texts) for i in range(len(head))]

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)) + " |\n"

    rule = "|" + "|".join("-" * (w + 1) + (":" if r else "-") for w, r in zip(widths, right, strict=True)) + "|\n"
    return line(head) + rule + "".join(line(row) for row in texts)


def sections(examples: Examples, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """Each table with its title."""
    yield "Calls", calls(examples.tally, examples.renamed, examples.in_decimals, cohort.tally)
    yield "Calls refused", table(("calls", "refusal"), ((n, why) for why, n in sorted(examples.tally.refusals.items())))
    yield "What became of each resource", resources(examples)
    yield "Why resources were not read or are of no use", reasons(examples)
    yield "The synthetic population", table(("patients", "who"), ((n, who) for who, n in sorted(cohort.people.items())))
    yield "Findings in the synthetic population", flags(cohort)
    yield "Defects put into the synthetic population", table(("defects", "kind"), ((n, kind) for kind, n in sorted(cohort.defects.items())))


def calls(*tallies: Tally) -> str:
    """For each way of calling: how many, how many were answered and refused, and the cards by topic."""
    rows = []
    for tally in tallies:
        for way in dict.fromkeys(w for w, _ in tally.calls):
            answered = tally.calls[way, 200]
            refused = sum(n for (w, status), n in tally.calls.items() if w == way and status != 200)
            cards = ", ".join(f"{topic} {n}" for (w, topic), n in sorted(tally.cards.items()) if w == way)
            rows.append((way, answered + refused, answered, refused, cards or "none"))
    return table(("way of calling", "calls", "answered", "refused", "cards"), rows)


def resources(examples: Examples) -> str:
    """For each package and type how many were seen, read into a fact, and of use."""
    kinds = sorted({(package, kind) for package, kind, stage in examples.seen if stage == "seen"})
    counts = [tuple(examples.seen[package, kind, stage] for stage in ("copies", "seen", "read", "of use")) for package, kind in kinds]
    rows = [(*kind, *count, count[1] - count[2]) for kind, count in zip(kinds, counts, strict=True)]
    return table(("package", "type", "copies", "seen", "read", "of use", "not read"), rows)


def reasons(examples: Examples) -> str:
    """For each package and type why resources were of no use."""
    rows = sorted(((package, kind, -n, why) for (package, kind, why), n in examples.whys.items()))
    return table(("package", "type", "resources", "why"), ((package, kind, -n, why) for package, kind, n, why in rows))


def flags(cohort: Cohort) -> str:
    """For each red flag and other explanation how often the service finds it, and how often the raw charts have it."""
    names = sorted(cohort.flags | cohort.counted, key=lambda name: (-cohort.flags[name], name))
    return table(("finding", "by the service", "in the raw charts"), ((name, cohort.flags[name], cohort.counted[name]) for name in names))


def written(examples: Examples, cohort: Cohort) -> str:
    """All tables as the document has them."""
    return "\n".join(f"### {title}\n\n{text}" for title, text in sections(examples, cohort))


def recorded() -> str:
    """The figures as the document has them now."""
    return DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"


def record(figures: str) -> None:
    """Write the figures into the document."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}", encoding="utf-8")
