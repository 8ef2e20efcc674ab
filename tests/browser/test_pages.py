"""What the service says of itself, and what governance sees: each kind of page in a browser, in any colours and at any width."""

from __future__ import annotations

import time

import pytest

from tests import build
from tests.browser.pictures import hospital
from tests.browser.test_simulator import opened
from tests.browser.window import AT_400_PERCENT, DESKTOP, PHONE

K = build.KNOWLEDGE
PAGES = (
    "/about",
    f"/about/red-flags/{next(iter(K.red_flags))}",
    f"/about/rules/{next(iter(K.rules))}",
    f"/about/recommendations/{next(iter(K.recommendations))}",
    f"/about/value-sets/{next(iter(K.value_sets))}",
    "/about/genetics",
    "/about/response-rates",
    "/about/article",
    "/governance",
)
COLOURS = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}}
WIDTHS = {"phone": PHONE, "400 %": AT_400_PERCENT}


def unfolded(site, window, path, **wishes):
    """A window with a page on which nothing is folded."""
    one = window(**wishes)
    one.page.goto(site + path)
    one.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    return one


@pytest.mark.parametrize("wishes", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize("path", PAGES)
def test_keeps_nobody_out(site, window, path, wishes):
    """axe-core finds no violation in either colours."""
    assert [] == unfolded(site, window, path, **wishes).barriers()


@pytest.mark.parametrize("viewport", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_is_read_by_scrolling_down_alone(site, window, path, viewport):
    """However narrow the window, nothing stands beside it."""
    assert not unfolded(site, window, path, viewport=viewport).spills()


def test_shows_governance_what_was_called(site, window):
    """A call of an EHR, and a few seconds later the report counts it and plots its week."""
    one = opened(site, window)
    answered = one.page.request.post(site + build.SERVICE, data=build.request(build.suspect()))
    until = time.monotonic() + 30
    one.page.goto(f"{site}/governance")
    while "No call was counted" in one.page.inner_text("main") and time.monotonic() < until:
        time.sleep(0.5)
        one.page.reload()

    said = one.page.inner_text("main")

    assert 1 == len(answered.json()["cards"])
    assert "Share of calls with a card, week by week" in said
    assert 1 == one.page.locator("svg.plot").count()
    assert [] == one.barriers()


def test_draws_half_a_year_at_any_width(window):
    """The report's plot has its words beside each other, on a desk, on a phone and at 400 %."""
    for viewport in (DESKTOP, PHONE, AT_400_PERCENT):
        one = window(viewport=viewport)
        one.page.set_content(hospital())

        assert [] == one.overlaps(".weekly svg"), viewport
        assert not one.spills()


def test_leads_on_from_where_nothing_is(site, window):
    """A wrong address shows a page that keeps nobody out, and leads to the start page."""
    one = window()
    one.page.goto(f"{site}/nothing")
    barriers = one.barriers()
    one.page.get_by_role("link", name="To the start page").click()
    one.page.wait_for_url(f"{site}/")

    assert [] == barriers
    assert ["Failed to load resource: the server responded with a status of 404 (Not Found)"] == one.complaints
    one.complaints.clear()
