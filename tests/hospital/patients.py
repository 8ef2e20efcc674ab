"""The hospital's patients: what their charts hold on a day, and what that should lead to."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, NamedTuple

from tests import build

CLIENTS = ("north", "south", "west")
SHARES = {"well": 0.86, "consider": 0.06, "suspect": 0.07, "confirmed": 0.01}
# Worked out by hand from the module's tiers: relapsing polychondritis with macrocytosis and low platelets meets a published
# rule; with inflammation and a normal MCV it is to be considered.
TOPICS = {
    "well": (),
    "consider": ("vexas-consider",),
    "suspect": ("vexas-test-uba1",),
    "confirmed": ("vexas-confirmed", "vexas-supportive-care"),
    "negative": (),
}


class Patient:
    """One patient of one client, and what becomes of him."""

    def __init__(self, number: int, client: str, kind: str, visits: list[dt.date], sweet: dt.date | None) -> None:
        self.id = f"{client}-{number}"
        self.client = client
        self.kind = kind
        self.visits = visits
        self.sweet = sweet  # the day of a new strong finding
        self.result: tuple[dt.date, bool] | None = None  # the day of the gene's result, and whether it was positive

    def state(self, day: dt.date) -> str:
        """What the chart says on a day."""
        if self.result and self.result[0] <= day:
            return "confirmed" if self.result[1] else "negative"
        return self.kind

    def topics(self, day: dt.date) -> tuple[str, ...]:
        """The cards that are made for the chart of a day; a strong organ that is newer than a negative result opens the question again."""
        state = self.state(day)
        if state == "negative" and self.result and self.sweet and self.result[0] < self.sweet <= day:
            return ("vexas-negative",)
        return TOPICS[state]

    def strong(self, day: dt.date) -> frozenset[str]:
        """The strong organs in the chart on a day."""
        if self.kind == "well":
            return frozenset()
        return frozenset({"cartilage", "skin"} if self.sweet and self.sweet <= day else {"cartilage"})

    def chart(self, day: dt.date, missing: str | None) -> dict[str, Any]:
        """The prefetch on a day, with one key that the EHR could not fill, if any."""
        lately, long_ago = (day - dt.timedelta(days=20)).isoformat(), "2024-05-02"
        filled = {**build.healthy(), "patient": build.patient(id=self.id)}
        if self.kind == "well":
            filled["conditions"] = self._bundle(build.condition("I10", on=long_ago))
        else:
            sweet = [build.condition(id="sweet", code={"text": "Sweet syndrome"}, on=str(self.sweet))] if "skin" in self.strong(day) else []
            named = [build.condition(id="named", code={"text": "VEXAS syndrome"}, on=long_ago)] if self.kind == "confirmed" else []
            filled["conditions"] = self._bundle(build.condition(on=long_ago), *named, *sweet)
            counts = [build.mcv(92, on=lately)] if self.kind == "consider" else [build.mcv(on=lately), build.platelets(on=lately)]
            filled["bloodCounts"] = self._bundle(*counts)
            filled["inflammation"] = self._bundle(build.crp(on=lately))
        if self.result and self.result[0] <= day:
            filled["genetics"] = self._bundle(self._gene(*self.result))
        return {**filled, missing: build.outcome()} if missing else filled

    def _gene(self, on: dt.date, positive: bool) -> dict[str, Any]:
        said = "DETECTED: UBA1 c.122T>C (p.Met41Thr), VAF 45%" if positive else "Not detected. Full gene sequencing of UBA1, detection limit 1%."
        written = build.lab("104268-8", 0, "", on=on.isoformat(), valueString=said, specimen={"display": "Peripheral blood"})
        return {name: value for name, value in written.items() if name != "valueQuantity"}

    def _bundle(self, *resources: dict[str, Any]) -> dict[str, Any]:
        return build.bundle(*({**r, "subject": build.subject(self.id)} for r in resources))


class Period(NamedTuple):
    """The days that are played."""

    first: dt.date
    days: int

    def day(self, number: int) -> dt.date:
        """A day by its number, the first being 0."""
        return self.first + dt.timedelta(days=number)


def population(chance: random.Random, count: int, period: Period) -> list[Patient]:
    """So many patients, with the days on which their charts are opened; on one day late in the period the north sees all its sick."""
    outbreak = period.day(period.days * 4 // 5)
    found = []
    for number in range(count):
        client = chance.choice(CLIENTS)
        (kind,) = chance.choices(list(SHARES), list(SHARES.values()))
        often = chance.randint(1, 3) if kind == "well" else chance.randint(2, 8)
        visits = sorted({period.day(chance.randrange(period.days)) for _ in range(often)})
        if client == "north" and kind != "well":
            visits = sorted({*visits, outbreak})
        sweet = period.day(chance.randrange(period.days)) if kind == "suspect" and chance.random() < 0.2 else None
        found.append(Patient(number, client, kind, visits, sweet))
    return found
