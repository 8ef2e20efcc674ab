"""How often a client may call: evenly, with room for a burst, and no client at another's cost."""

from __future__ import annotations

import pytest

from cds_service.trust.rates import Rates


class Seconds:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        """This moment."""
        return self.at


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Seconds()


def let_in(rates, count, per_minute=60, client="north"):
    """How many of so many calls at once get in."""
    return sum(rates.wait(client, per_minute) == 0 for _ in range(count))


def test_lets_a_sixth_of_a_minute_in_at_once(clock):
    """Of 60 a minute ten come together, and the eleventh is told to wait a second."""
    rates = Rates(clock)

    assert 10 == let_in(rates, 10)
    assert 1 == rates.wait("north", 60)


def test_lets_one_more_in_for_each_second(clock):
    """Who waited as long as it was told gets in, once; a little earlier it does not."""
    rates = Rates(clock)
    let_in(rates, 10)

    clock.at += 0.9
    early = let_in(rates, 1)
    clock.at += 0.1

    assert (0, 1) == (early, let_in(rates, 2))


def test_keeps_to_the_rate_over_an_hour(clock):
    """Whoever calls ten times a second without end gets 60 in each minute, and the ten of the first burst."""
    rates, got = Rates(clock), 0
    for _ in range(36_000):
        got += let_in(rates, 1)
        clock.at += 0.1

    assert 3_600 + 10 - 1 <= got <= 3_600 + 10


def test_lets_the_rarest_caller_in(clock):
    """One call a minute is one call, and then a minute's wait."""
    rates = Rates(clock)

    assert (0, 60) == (rates.wait("north", 1), rates.wait("north", 1))


def test_does_not_count_what_was_refused(clock):
    """Calls that came too soon do not put off the next."""
    rates = Rates(clock)
    let_in(rates, 500)

    clock.at += 1

    assert 1 == let_in(rates, 1)


def test_keeps_clients_apart(clock):
    """One client's flood is not the other's."""
    rates = Rates(clock)
    let_in(rates, 500)

    assert 10 == let_in(rates, 10, client="south")


def test_gives_no_credit_for_silence(clock):
    """A day without calls is no reason for more at once."""
    rates = Rates(clock)
    let_in(rates, 1)

    clock.at += 86_400

    assert 10 == let_in(rates, 50)
