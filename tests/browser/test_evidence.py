"""The evidence page in a browser: nothing keeps anybody out, at any width, in any colours, on paper and from a file."""

from __future__ import annotations

import json
import re

import pytest

from tests import build
from tests.browser.window import AT_400_PERCENT, DESKTOP, PHONE

PATIENTS = ("test-sweet-macrocytosis", "confirmed-variant-observation", "messy-chart", "healthy-man-80")
# Size, colours and letters of everything in the figure.
_LOOKS = """[...document.querySelectorAll('figure, figure *')].map(e => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    return [e.tagName, Math.round(box.width), Math.round(box.height), style.fill, style.stroke, style.color, style.font].join(' ');
})"""
LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}


@pytest.mark.parametrize("name", PATIENTS)
@pytest.mark.parametrize("wishes", [LIGHT, DARK, {"viewport": PHONE}, {"viewport": AT_400_PERCENT}], ids=["light", "dark", "phone", "400 %"])
def test_keeps_nobody_out(site, window, name, wishes):
    """axe-core finds no violation, with everything unfolded."""
    one = window(**wishes)
    one.page.goto(f"{site}/evidence/{name}")
    one.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert [] == one.barriers()


@pytest.mark.parametrize("name", PATIENTS)
@pytest.mark.parametrize("viewport", [PHONE, AT_400_PERCENT], ids=["phone", "400 %"])
def test_is_read_by_scrolling_down_alone(site, window, name, viewport):
    """On a phone and at 400 % the page is as wide as the window."""
    one = window(viewport=viewport)
    one.page.goto(f"{site}/evidence/{name}")

    assert not one.spills()


def test_words_in_the_drawing_lie_side_by_side(site, window):
    """No two words of one drawing overlap, on a desk or on a phone."""
    for viewport in (DESKTOP, PHONE, AT_400_PERCENT):
        one = window(viewport=viewport)
        for name in PATIENTS:
            one.page.goto(f"{site}/evidence/{name}")

            assert [] == one.overlaps("figure svg"), (name, viewport)


def test_keeps_its_signs_without_colours(site, window):
    """In forced colours every sign of a result is there and drawn in the system's colour."""
    one = window(forced_colors="active")
    one.page.goto(f"{site}/evidence/test-sweet-macrocytosis")

    colours = one.page.evaluate("[...document.querySelectorAll('use.up, use.strong, rect.band')].map(e => getComputedStyle(e).fill)")

    assert 10 < len(colours)
    assert 1 == len(set(colours))


@pytest.mark.parametrize(("name", "most"), [("test-sweet-macrocytosis", 2), ("consider-woman-chondritis", 2), ("messy-chart", 2)])
def test_prints_on_two_pages(site, window, name, most):
    """A typical patient is two pages of A4, without links and forms."""
    one = window()
    one.page.goto(f"{site}/evidence/{name}")

    printed = one.page.pdf(prefer_css_page_size=True)

    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= most


def test_is_the_same_from_a_file(site, window, tmp_path):
    """The file asks for nothing and looks as the page does."""
    shown, kept = window(), window()
    shown.page.goto(f"{site}/evidence/test-sweet-macrocytosis")
    with shown.page.expect_download() as download:
        shown.page.get_by_text("Save as one HTML file").click()
    download.value.save_as(tmp_path / "kept.html")
    kept.page.goto((tmp_path / "kept.html").as_uri())
    looks = [one.page.evaluate(_LOOKS) for one in (shown, kept)]

    assert [(tmp_path / "kept.html").as_uri()] == kept.asked
    assert 100 < len(looks[0])
    assert looks[0] == looks[1]


def test_shows_a_bundle_that_is_pasted(site, window):
    """A Bundle in the form leads to its page, whose address tells nothing of the patient."""
    one = window()
    one.page.goto(f"{site}/evidence")
    one.page.get_by_label("or the Bundle itself, pasted").fill(json.dumps(json.loads((build.FIXTURES / "messy-chart.json").read_text())))
    one.page.get_by_role("button", name="Show the evidence").click()
    one.page.wait_for_url(f"{site}/evidence")

    assert one.page.get_by_text("fx-messy-chart").is_visible()


@pytest.mark.parametrize("path", ["/evidence", "/"])
def test_the_ways_there_keep_nobody_out(site, window, path):
    """axe-core finds no violation on the pages that lead to it."""
    one = window()
    one.page.goto(f"{site}{path}")

    assert [] == one.barriers()
