"""The simulator in a browser: a chart is opened, a card accepted, dismissed and lifted again, at any width and in any colours."""

from __future__ import annotations

import json

import pytest

from tests import build
from tests.browser.window import AT_400_PERCENT, PHONE

LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}
WITHOUT_SCRIPTS = {"java_script_enabled": False}


def opened(site, window, name="test-sweet-macrocytosis", **wishes):
    """A window with the chart of a constructed patient."""
    one = window(**wishes)
    one.page.goto(site)
    one.page.get_by_label("Patient", exact=True).select_option(name)
    one.page.get_by_role("button", name="Open the chart").click()
    one.page.wait_for_selector(".chart")
    return one


def cards(one):
    """How many cards are shown."""
    return one.page.locator("article.card:has(.indicator)").count()


@pytest.mark.parametrize("wishes", [LIGHT, DARK, {"viewport": PHONE}, {"viewport": AT_400_PERCENT}], ids=["light", "dark", "phone", "400 %"])
@pytest.mark.parametrize("name", ["test-sweet-macrocytosis", "confirmed-everything", "lookalike-alcohol"])
def test_keeps_nobody_out(site, window, name, wishes):
    """axe-core finds no violation in an answer with everything unfolded, and it is read by scrolling down alone."""
    one = opened(site, window, name, **wishes)
    one.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert [] == one.barriers()
    assert not one.spills()


@pytest.mark.parametrize("wishes", [LIGHT, DARK, {"viewport": PHONE}, {"viewport": AT_400_PERCENT}], ids=["light", "dark", "phone", "400 %"])
@pytest.mark.parametrize("source", ["A constructed patient", "A FHIR Bundle", "A registered FHIR server"])
def test_its_form_keeps_nobody_out(site, window, source, wishes):
    """axe-core finds no violation in the form, whichever chart is chosen."""
    one = window(**wishes)
    one.page.goto(site)
    one.page.get_by_label(source, exact=True).check()
    one.page.get_by_label("Only these keys").check()

    assert [] == one.barriers()
    assert not one.spills()


@pytest.mark.parametrize("wishes", [{}, WITHOUT_SCRIPTS], ids=["with scripts", "without"])
def test_accepts_dismisses_and_lifts(site, window, wishes):
    """What is accepted or dismissed is silent in the next call, until it is lifted; no script is needed."""
    one = opened(site, window, "test-mds-sweet-steroids" if wishes else "test-japan-score-woman", **wishes)
    page = one.page
    shown = [cards(one)]

    page.get_by_role("button", name="Accept").click()
    page.wait_for_selector("text=Feedback was stored")
    page.get_by_role("button", name="Open the chart again").click()
    page.get_by_role("heading", name="No card").first.wait_for()
    silenced = page.get_by_text("silenced until").first.is_visible()
    shown.append(cards(one))
    page.get_by_role("button", name="Let these cards be shown again").click()
    page.wait_for_selector("text=lifted")
    shown.append(cards(one))
    page.get_by_text("Dismiss because").click()
    page.get_by_label("Reason").select_option("not-now")
    page.get_by_role("button", name="Dismiss").click()
    page.wait_for_selector("text=Feedback was stored")

    assert [1, 0, 1] == shown
    assert silenced
    assert page.get_by_text("“Not now”").first.is_visible()


def test_keeps_what_was_typed(site, window):
    """A broken Bundle is answered with its place, and is still in the form; mended, it is answered."""
    one = window()
    one.page.goto(site)
    good = json.dumps(json.loads((build.FIXTURES / "messy-chart.json").read_text(encoding="utf-8")))
    one.page.get_by_label("A FHIR Bundle").check()
    one.page.get_by_label("or pasted").fill("\n" + good[:-1])
    one.page.get_by_role("button", name="Open the chart").click()
    told = one.page.get_by_role("alert").inner_text()
    kept = one.page.get_by_label("or pasted").input_value()
    one.page.get_by_label("or pasted").fill(good)
    one.page.get_by_role("button", name="Open the chart").click()
    one.page.wait_for_selector(".chart")

    assert "line 2, column" in told
    assert "\n" + good[:-1] == kept
    assert 1 == cards(one)
    # A browser says so of every page that is no 200.
    assert ["Failed to load resource: the server responded with a status of 400 (Bad Request)"] == one.complaints
    one.complaints.clear()


def test_leads_to_the_evidence(site, window):
    """From the answer to the evidence of the same chart: by its name, or by the Bundle that was pasted."""
    named = opened(site, window)
    named.page.get_by_text("The evidence of this patient").click()
    named.page.wait_for_url(f"{site}/evidence/test-sweet-macrocytosis")
    pasted = window()
    pasted.page.goto(site)
    pasted.page.get_by_label("A FHIR Bundle").check()
    pasted.page.get_by_label("or pasted").fill((build.FIXTURES / "messy-chart.json").read_text(encoding="utf-8"))
    pasted.page.get_by_role("button", name="Open the chart").click()
    pasted.page.get_by_role("button", name="The evidence of this Bundle").click()
    pasted.page.wait_for_url(f"{site}/evidence")

    assert pasted.page.get_by_text("fx-messy-chart").first.is_visible()


def test_saves_the_request(site, window):
    """The file is what was sent, and saving it leaves the page as it is."""
    one = opened(site, window)
    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="Save request.json").click()
    body = json.loads(download.value.path().read_text(encoding="utf-8"))

    assert list(build.TEMPLATES) == list(body["prefetch"])
    assert body["hookInstance"] in one.page.locator("#envelope").inner_text()
    assert "" == one.page.locator(".progress").inner_text()
    # A browser that saves an answer gives up the page that it asked for.
    assert [f"{site}/simulator: net::ERR_ABORTED"] == one.complaints
    one.complaints.clear()


def test_says_that_it_waits(site, window):
    """From the moment of sending until the answer is there, the form says so, and that none came."""
    one, held = window(), []
    one.page.goto(site)
    one.page.route("**/simulator", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    one.page.get_by_role("button", name="Open the chart").click()
    one.page.wait_for_selector("text=Waiting for the answer … 1 s")
    busy = one.page.locator("#fire").get_attribute("aria-busy")
    held.pop().abort()

    one.page.wait_for_selector("text=No answer came")

    assert ["true", None] == [busy, one.page.locator("#fire").get_attribute("aria-busy")]
    assert 2 == len(one.complaints)  # the request, and the console of it
    one.complaints.clear()


def test_leaves_a_bundle_where_it_is(site, window, tmp_path):
    """A file is read into the form, stays there from call to call, and never travels back; without scripts the page carries it."""
    text = (build.FIXTURES / "test-sweet-macrocytosis.json").read_text(encoding="utf-8")
    (tmp_path / "chart.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    sizes, left = [], []
    for wishes in ({}, WITHOUT_SCRIPTS):
        one = window(**wishes)
        one.page.goto(site)
        one.page.get_by_label("A FHIR Bundle").check()
        one.page.get_by_label("A file").set_input_files(tmp_path / "chart.json")
        for button in ("Open the chart", "Dismiss", "Open the chart again", "Let these cards be shown again"):
            if button == "Dismiss":
                one.page.get_by_text("Dismiss because").click()
            with one.page.expect_response("**/simulator") as answered:
                one.page.get_by_role("button", name=button, exact=True).click()
            one.page.get_by_role(
                "heading", name={"Dismiss": "Feedback was stored", "Open the chart again": "No card"}.get(button, "1 card")
            ).first.wait_for()
            sizes.append(len(answered.value.body()))
            left.append(one.page.get_by_label("or pasted").input_value())

    assert [text] * 8 == left
    assert all(0.9 * len(text) < carried - kept for kept, carried in zip(sizes[:4], sizes[4:], strict=True))


INSTEAD = {
    "a page of another kind": (
        500,
        "text/html",
        "<main><h1>Something is wrong</h1><p>Come again.</p></main>",
        "The answer was 500: Something is wrong",
    ),
    "words": (403, "text/plain", "Open it by the name of this machine.", "The answer was 403: Open it by the name of this machine."),
    "nothing": (502, "text/plain", "", "The answer was 502:"),
}


@pytest.mark.parametrize("instead", INSTEAD.values(), ids=INSTEAD)
def test_keeps_the_form_whatever_comes(site, window, instead):
    """What is no page of the simulator is told below the button, and what was typed is still there."""
    status, kind, text, told = instead
    one = window()
    one.page.goto(site)
    one.page.route("**/simulator", lambda route: route.fulfill(status=status, content_type=kind, body=text))
    one.page.get_by_label("A FHIR Bundle").check()
    one.page.get_by_label("or pasted").fill("{")
    one.page.get_by_role("button", name="Open the chart").click()
    one.page.get_by_text(told).wait_for()

    assert ("{", True) == (one.page.get_by_label("or pasted").input_value(), one.page.get_by_label("A FHIR Bundle").is_checked())
    one.complaints.clear()


def test_is_not_held_up_by_a_bundle_that_was_too_large(site, window, tmp_path):
    """After a refusal another patient is opened without it; what was chosen stays as it was."""
    (tmp_path / "chart.json").write_text(f'{{"x": "{"x" * 9_000_000}"}}', encoding="utf-8")
    one = window()
    one.page.goto(site)
    one.page.get_by_label("A FHIR Bundle").check()
    one.page.get_by_label("A file").set_input_files(tmp_path / "chart.json")
    one.page.get_by_role("button", name="Open the chart").click()
    told = one.page.get_by_role("alert").inner_text()
    chosen = one.page.get_by_label("A FHIR Bundle").is_checked()
    one.page.get_by_label("A constructed patient").check()
    one.page.get_by_role("button", name="Open the chart").click()
    one.page.wait_for_selector(".chart")

    assert ("larger than" in told, chosen) == (True, True)
    assert 1 == cards(one)
    one.complaints.clear()


def test_works_where_the_address_names_a_user(site, window):
    """As whoever opened it by https://user:token@host has it."""
    one = opened(site.replace("://", "://somebody:token@"), window)

    assert 1 == cards(one)


def test_names_a_file_that_is_not_utf_8(site, window, tmp_path):
    """What a browser would read with replaced characters is refused by the service, which says so."""
    (tmp_path / "chart.json").write_bytes('{"resourceType": "Bündle"}'.encode("latin-1"))
    one = window()
    one.page.goto(site)
    one.page.get_by_label("A FHIR Bundle").check()
    one.page.get_by_label("A file").set_input_files(tmp_path / "chart.json")
    one.page.get_by_role("button", name="Open the chart").click()

    assert "not UTF-8" in one.page.get_by_role("alert").inner_text()
    one.complaints.clear()
