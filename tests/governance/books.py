"""A database in memory for reports, and short ways to write into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cds_service.governance.masking import Shown
from cds_service.governance.report import Report, report
from cds_service.storage.database import Database
from cds_service.storage.reading import Span
from cds_service.storage.records import Feedback, GeneResult, Tally, Visitor
from tests import build
from tests.storage.samples import NOON, decision, feedback

DIGEST, OTHER = "d" * 12, "e" * 12
TODAY = NOON.date()
TOPICS = build.KNOWLEDGE.module.topics
TEST, CONSIDER = TOPICS.test.code, TOPICS.consider.code
REASONS = build.KNOWLEDGE.module.override_reasons.system


def ago(number: int) -> dt.date:
    """The day so many days before today."""
    return TODAY - dt.timedelta(days=number)


@contextmanager
def in_memory() -> Iterator[Book]:
    """A database of its own, with every migration."""
    database = Database("sqlite://")
    database.upgrade()
    yield Book(database)
    database.close()


class Book:
    """Writes calls, cards, answers and results, and reports of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._cards = 0

    def calls(
        self, count: int, which: str = "nothing", *, what: str = "call", day: dt.date = TODAY, client: str = "north", digest: str = DIGEST
    ) -> None:
        """Add to what is counted of a day."""
        tally = Tally(day, client, "vexas", digest, "0.1.0" if digest == DIGEST else "0.2.0", what, which)
        self.database.work(lambda book: book.count({tally: count}, (), ()))

    def visitors(self, first: int, last: int, *, day: dt.date = TODAY, client: str = "north", digest: str = DIGEST) -> None:
        """Patients by their numbers whose chart was opened on a day."""
        visitors = [Visitor(day, client, "vexas", digest, f"{number:016x}") for number in range(first, last + 1)]
        self.database.work(lambda book: book.count({}, visitors, ()))

    def cards(
        self,
        count: int,
        *,
        topic: str = TEST,
        first: int = 1,
        patients: int | None = None,
        withheld: str | None = None,
        digest: str = DIGEST,
        **members: Any,
    ) -> list[int]:
        """Cards, one of a decision, of as many patients from the `first` on; their numbers, by which they are answered."""
        numbers = list(range(self._cards + 1, self._cards + count + 1))
        self._cards += count
        made = []
        for number in numbers:
            patient = first + (number - numbers[0]) % (patients or count)
            one = decision(number, patient=f"{patient:064x}", digest=digest * 5 + digest[:4], **members)
            made.append(one._replace(cards=(one.cards[0]._replace(topic=topic, withheld=withheld),)))
        self.database.work(lambda book: [book.record(one) for one in made])
        return numbers

    def answer(self, numbers: list[int], **members: Any) -> None:
        """The same answer to each of these cards."""
        said: list[Feedback] = [feedback(number, **members) for number in numbers]
        self.database.work(lambda book: [book.keep(one, NOON) for one in said])

    def results(
        self, first: int, last: int, *, seen: dt.date, state: str = "confirmed", resulted: dt.date | None = None, client: str = "north"
    ) -> None:
        """Results of the gene of patients by their numbers."""
        found = [GeneResult(client, "vexas", f"{number:064x}", state, resulted, seen) for number in range(first, last + 1)]
        self.database.work(lambda book: book.count({}, (), found))

    def report(self, first: dt.date = TODAY, last: dt.date = TODAY, client: str | None = None) -> Report:
        """The report of a span; of today, if no days are named."""
        return report(self.database, build.KNOWLEDGE, Span("vexas", first, last, client), TODAY)

    def told(self, section: str, column: str = "all", **span: Any) -> dict[str, tuple[int | None, int | None]]:
        """Of a section of the report: of each item its number, and of how many, without the items of which there are none."""
        found: tuple[Shown, ...] = self.report(**span).figures
        return {f.item: (f.number, f.of) for f in found if (f.section, f.column) == (section, column) and f.number != 0}
