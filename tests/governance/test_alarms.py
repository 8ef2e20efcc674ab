"""Which days are told as unusual. The limits are worked out by hand here, in numbers that a computer holds exactly."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.governance.alarms import Alarm, Firing, alarms, limits

TODAY = dt.date(2026, 11, 22)
HALF = Firing(64, 32)


def ago(number: int) -> dt.date:
    """The day so many days before today."""
    return TODAY - dt.timedelta(days=number)


def found(today: Firing, before: dict[int, Firing]) -> list[Alarm]:
    """The alarms of today after days that are so long ago."""
    days = {ago(number): one for number, one in before.items()}
    return list(alarms("north", {**days, TODAY: today}, TODAY, TODAY))


# 14 days with a card for half of the calls: the mean is 1/2 and the days do not differ, so that chance decides.
# Chance of (14 * 32 + 1) of (14 * 64 + 2) is 1/2, too: for 64 calls sigma = sqrt(1/2 * 1/2 / 64) = 1/16, and three are 12 of 64.
EVEN = dict.fromkeys(range(1, 15), HALF)

# 28 days of 64 calls, cards for 32 and 2 more on 12 of them, 2 fewer on 12, 3 more on one and 1 fewer on three: the mean is 1/2,
# and sigma = sqrt((24 * 4 + 9 + 3) / 27) / 64 = 2/64. Of 1,024 calls that is 32, more than chance's sqrt(1/2 * 1/2 / 1024) * 1024 = 16.
UNEVEN = {number: Firing(64, 32 + more) for number, more in enumerate([2] * 12 + [-2] * 12 + [3, -1, -1, -1], start=1)}


@pytest.mark.parametrize(("made", "above"), [(45, True), (44, None), (43, None), (21, None), (20, None), (19, False)])
def test_alarms_beyond_three_sigma_of_chance(made, above):
    """Of 64 calls 32 are expected, and 20 to 44 are as usual; one more or one fewer is not."""
    told = found(Firing(64, made), EVEN)

    assert ([] if above is None else [above]) == [alarm.above for alarm in told]


@pytest.mark.parametrize(("made", "above"), [(609, True), (608, None), (607, None), (417, None), (416, None), (415, False)])
def test_alarms_beyond_three_sigma_of_the_days_before(made, above):
    """Of 1,024 calls 512 are expected, give or take three times 32."""
    told = found(Firing(1024, made), UNEVEN)

    assert ([] if above is None else [above]) == [alarm.above for alarm in told]


def test_tells_what_was_expected():
    """An alarm has the client, the day, what it was and between which shares it should have been."""
    assert [Alarm("north", TODAY, Firing(64, 45), 20 / 64, 44 / 64)] == found(Firing(64, 45), EVEN)


def test_weighs_days_by_their_calls():
    """The mean is that of all calls together: 14 days of 10 with 5 and one of 100 with 60 make 130 of 240."""
    low, high = limits([*[Firing(10, 5)] * 14, Firing(100, 60)], 1_000_000)

    assert 130 / 240 == pytest.approx((low + high) / 2)


@pytest.mark.parametrize(("days", "told"), [(13, 0), (14, 1), (15, 1)])
def test_judges_nothing_before_14_days(days, told):
    """With 13 days before it nobody knows what is usual."""
    assert told == len(found(Firing(64, 64), dict.fromkeys(range(1, days + 1), HALF)))


@pytest.mark.parametrize(("oldest", "told"), [(28, 1), (29, 0)])
def test_looks_back_28_days(oldest, told):
    """With 13 other days the 28th is the 14th one; the 29th does not count."""
    assert told == len(found(Firing(64, 64), {**dict.fromkeys(range(1, 14), HALF), oldest: HALF}))


def test_counts_no_day_with_itself():
    """What is judged is not what it is judged by: with the day itself there would be 14."""
    assert [] == found(Firing(64, 64), dict.fromkeys(range(1, 14), HALF))


def test_judges_each_day_of_a_span_by_those_before_it():
    """The first and the last day of a span are judged, those outside of it are not, and days without calls are no days."""
    days = {ago(number): HALF for number in range(5, 40)} | {ago(number): Firing(64, 64) for number in (1, 2, 4)}

    told = list(alarms("north", days, ago(4), ago(2)))

    assert [ago(4), ago(2)] == [alarm.day for alarm in told]


@pytest.mark.parametrize(("calls", "made"), [(1, 1), (1, 0), (2, 2), (9, 9), (9, 0)])
def test_takes_a_day_of_few_calls_for_chance(calls, made):
    """With a card for every second call, nine in a row are within three sigma of 1/6 each: up to nine calls nothing alarms."""
    assert [] == found(Firing(calls, made), EVEN)


def test_alarms_at_ten_of_ten():
    """Of 10 calls, three sigma are 4.74: five more than five are too many."""
    assert [True] == [alarm.above for alarm in found(Firing(10, 10), EVEN)]


@pytest.mark.parametrize(("made", "told"), [(0, 0), (1, 0), (2, 0), (3, 0), (4, 1)])
def test_expects_now_and_then_what_never_happened(made, told):
    """After 1,398 calls without a card the next is given 1 of 1,400, so 600 calls are given 0.43 cards, and sigma is 0.65 of a card.

    Two cards pass three sigma (1.96), but chance brings three or more in 0.95 % of such days, and four or more in 0.10 %.
    """
    assert told == len(found(Firing(600, made), {**{number: Firing(100, 0) for number in range(1, 14)}, 14: Firing(98, 0)}))


def test_expects_no_share_below_none_or_above_all():
    """The limits are shares."""
    assert (0.0, 1.0) == limits([HALF] * 14, 1)
    assert 0.0 == limits([Firing(100, 0)] * 14, 100)[0]
    assert 1.0 == limits([Firing(100, 100)] * 14, 100)[1]


def test_never_alarms_where_everything_is_as_ever():
    """A day like those before it is none to look at, even if all calls have a card, or none has."""
    for made in (0, 1, 32, 63, 64):
        assert [] == found(Firing(64, made), {number: Firing(64, made) for number in range(1, 29)})


@pytest.mark.parametrize(
    ("firing", "share"),
    [
        (Firing(64, 9), None),
        (Firing(64, 10), 0.1562),
        (Firing(64, 54), 0.8438),
        (Firing(64, 55), None),
        (Firing(64, 0), 0.0),
        (Firing(64, 64), 1.0),
    ],
)
def test_shows_no_share_of_few(firing, share):
    """Neither a small number of calls with a card nor a small rest can be told from the share."""
    assert share == Alarm("north", TODAY, firing, 0.25, 0.75).share
