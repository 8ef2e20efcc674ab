"""Dates as charts have them: whole, partial or missing; and periods counted in calendar months and days."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple

Day = dt.date
_LONGEST_DATE = 40
_FORM = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ].*)?)?)?")
_PERIOD = re.compile(r"P(?:([0-9]{1,4})Y)?(?:([0-9]{1,5})M)?(?:([0-9]{1,6})D)?")


class Moment(NamedTuple):
    """When something happened: the day, how much of it was given, and a text that sorts like the instant."""

    day: Day
    precision: str  # day | month | year
    order: str


class Period(NamedTuple):
    """A length of time in calendar months and days, written as ISO 8601 (P24M, P14D)."""

    months: int
    days: int

    def before(self, day: Day) -> Day:
        """Answer the day this long before another, clamped to the end of a shorter month."""
        if not self.months:
            return day - dt.timedelta(days=min(self.days, (day - Day.min).days))
        months = day.year * 12 + day.month - 1 - self.months
        year, month = divmod(months, 12)
        if year < 1:
            return Day.min
        length = calendar.monthrange(year, month + 1)[1]
        start = Day(year, month + 1, min(day.day, length))
        return start - dt.timedelta(days=min(self.days, (start - Day.min).days))

    def after(self, day: Day) -> Day:
        """Answer the day this long after another, at most the last day that there is."""
        if not self.months:
            return day + dt.timedelta(days=min(self.days, (Day.max - day).days))
        months = day.year * 12 + day.month - 1 + self.months
        year, month = divmod(months, 12)
        if year > Day.max.year:
            return Day.max
        end = Day(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
        return end + dt.timedelta(days=min(self.days, (Day.max - end).days))

    def __str__(self) -> str:
        parts = [f"{n} {unit}{'s' * (n != 1)}" for n, unit in ((self.months, "month"), (self.days, "day")) if n]
        return " ".join(parts) or "0 days"


@lru_cache(maxsize=256)
def period(text: str) -> Period:
    """Read an ISO 8601 duration of years, months and days. Raises ValueError for any other text."""
    match = _PERIOD.fullmatch(text)
    if not match or text == "P":
        raise ValueError(f"'{text}' is not a period. Write for example P24M or P14D.")
    years, months, days = (int(part or 0) for part in match.groups())
    return Period(years * 12 + months, days)


@lru_cache(maxsize=1024)
def start_of(within: str, day: Day) -> Day:
    """The first day of a look-back, written as a period, from a day."""
    return period(within).before(day)


def moment(text: str) -> Moment | None:
    """Read a FHIR date, dateTime or instant; a year counts as 1 July, a month as its 15th. None if it is no date."""
    return _moment(text) if len(text) <= _LONGEST_DATE else None


@lru_cache(maxsize=8192)
def _moment(text: str) -> Moment | None:
    match = _FORM.fullmatch(text.strip())
    if not match:
        return None
    year, month, day = match.groups()
    try:
        if day:
            return Moment(Day(int(year), int(month), int(day)), "day", _instant(text.strip()))
        if month:
            return Moment(Day(int(year), int(month), 15), "month", f"{year}-{month}-15")
        return Moment(Day(int(year), 7, 1), "year", f"{year}-07-01")
    except ValueError:
        return None


def _instant(text: str) -> str:
    """A text that sorts by instant: in UTC where a zone is given, else as written."""
    if len(text) > 10:
        try:
            parsed = dt.datetime.fromisoformat(text)
            if parsed.tzinfo:
                parsed = parsed.astimezone(dt.UTC)
            return parsed.replace(tzinfo=None).isoformat()
        except (ValueError, OverflowError):
            return text[:10]
    return text


def last_day(when: Moment) -> Day:
    """The last day that an incomplete date may mean."""
    if when.precision == "day":
        return when.day
    month = 12 if when.precision == "year" else when.day.month
    return Day(when.day.year, month, calendar.monthrange(when.day.year, month)[1])


def first_day(when: Moment) -> Day:
    """The first day that an incomplete date may mean."""
    return when.day if when.precision == "day" else Day(when.day.year, 1 if when.precision == "year" else when.day.month, 1)


def age_on(birth: Day, day: Day) -> int:
    """Answer completed years; someone born on 29 February has the birthday on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
