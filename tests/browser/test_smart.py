"""The SMART app in a browser, launched by an authorization server that others made: every step is clicked, and so is what goes wrong."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from cds_service.smart.reasons import REASONS
from tests.browser import ehr
from tests.browser.ehr import IDS, PATIENTS
from tests.browser.window import PHONE, Window

FIRST, SECOND, _ = PATIENTS


@pytest.fixture(scope="module")
def hospital():
    """An EHR and the service."""
    with ehr.hospital() as both:
        yield both


@pytest.fixture
def alone(browser):
    """A window in which a page may be refused, of which a browser complains."""
    one = Window(browser)
    yield one
    one.close()


def allow(one, button="Allow"):
    """Sign in and click; the chart to which that leads, once it is there."""
    one.page.get_by_role("button", name=button, exact=True).click()
    one.page.wait_for_url("**/smart/chart/**")
    return one.page


def came_back(one) -> dict[str, str]:
    """What the authorization server last sent to the app."""
    url = next(url for url in reversed(one.asked) if "/smart/callback/" in url)
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def state_of(one) -> str:
    """The state of the login that was begun last."""
    url = next(url for url in reversed(one.asked) if "/auth?" in url)
    return parse_qs(urlsplit(url).query)["state"][0]


def says(page, reason: str) -> bool:
    """Whether a page tells that it opened nothing, and why."""
    return REASONS[reason].what in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("client", ["public", "secret", "key", "known"])
def test_opens_the_chart_that_the_ehr_has_open(hospital, window, client):
    """Launch, sign-in, evidence: a public app, one with a secret, one with a key, and one that is told who signed in."""
    one = window()
    one.page.goto(hospital.launch(client))
    page = allow(one)

    assert re.fullmatch(rf"{hospital.service}/smart/chart/{client}/[\w-]{{22}}", page.url)
    assert IDS[FIRST] in page.locator(".who").inner_text()
    assert page.locator("figure svg:visible").first.is_visible()
    assert [] == one.barriers()


def test_leaves_no_code_in_the_history(hospital, window):
    """Going back from the chart leads to before the launch, and neither page nor address nor cookies keep anything of the sign-in."""
    one = window()
    one.page.goto(f"{hospital.service}/about")
    one.page.goto(hospital.launch())
    page = allow(one)
    said = came_back(one)
    cookies = [cookie for cookie in page.context.cookies(hospital.service) if cookie["name"].startswith("smart")]

    assert said["code"] not in page.content() + page.url
    assert [] == cookies
    assert "" == page.evaluate("document.referrer")
    history = page.context.new_cdp_session(page).send("Page.getNavigationHistory")["entries"]
    assert [page.url] == [entry["url"] for entry in history if "/smart/" in entry["url"]]


@pytest.mark.parametrize("wishes", [{}, {"color_scheme": "dark", "viewport": PHONE}], ids=["desk", "phone, dark"])
def test_says_that_the_chart_is_read(hospital, window, wishes):
    """From the sign-in until the chart is there a page says what is waited for; axe-core finds no violation on it."""
    one = window(**wishes)
    one.page.route("**/smart/chart/**", lambda route: route.fulfill(status=204))  # so that the page stays
    one.page.goto(hospital.launch())
    one.page.get_by_role("button", name="Allow", exact=True).click()
    one.page.get_by_role("progressbar", name="Reading the chart").wait_for()
    barriers, spills = one.barriers(), one.spills()
    one.page.unroute("**/smart/chart/**")
    one.complaints.clear()  # a browser says so of a page that it does not get
    one.page.get_by_role("link", name="go on").click()
    one.page.wait_for_url("**/smart/chart/**")

    assert ([], False) == (barriers, spills)
    assert IDS[FIRST] in one.page.locator(".who").inner_text()


def test_lets_the_patient_be_chosen_where_no_ehr_launches_it(hospital, window):
    """Standalone: the authorization server asks for whom."""
    one = window()
    one.page.goto(f"{hospital.service}/smart/launch/public")
    one.page.get_by_label("Patient").select_option(IDS[SECOND])
    page = allow(one)

    assert IDS[SECOND] in page.locator(".who").inner_text()


def test_shows_each_tab_its_own_chart(hospital, window):
    """Two charts are opened at once in one browser, and the one that was opened first ends last."""
    one = window()
    other = one.page.context.new_page()
    one.page.goto(hospital.launch(launch=f"of-{FIRST}"))
    other.goto(hospital.launch(launch=f"of-{SECOND}"))
    other.get_by_role("button", name="Allow", exact=True).click()
    other.wait_for_url("**/smart/chart/**")  # nobody clicks in two tabs at once, and the two tabs share a session of the sign-in
    page = allow(one)

    assert IDS[SECOND] in other.locator(".who").inner_text()
    assert IDS[FIRST] in page.locator(".who").inner_text()


def test_opens_inside_the_page_of_the_ehr(hospital, window):
    """The EHR is another site: the browser keeps the app's cookie for it alone."""
    one = window()
    one.page.goto(f"{hospital.ehr}/chart?{urlencode({'app': hospital.launch('framed')})}")
    frame = one.page.frame_locator("iframe")
    frame.get_by_role("button", name="Allow", exact=True).wait_for()
    (cookie,) = [c for c in one.page.context.cookies() if c["name"].startswith("smart")]
    frame.get_by_role("button", name="Allow", exact=True).click()

    assert IDS[FIRST] in frame.locator(".who").inner_text()
    assert ("None", True, "http://localhost") == (cookie["sameSite"], cookie["secure"], cookie["partitionKey"])


def test_is_not_shown_inside_a_page_that_is_not_registered(hospital, alone):
    """Without framed_by the frame stays empty."""
    page = alone.page
    page.goto(f"{hospital.ehr}/chart?{urlencode({'app': hospital.launch('public')})}")
    page.frame_locator("iframe").get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_timeout(1500)

    assert 0 == page.frame_locator("iframe").locator(".who, [role=alert]").count()


def test_says_what_was_not_granted(hospital, window):
    """Whoever signs in allows a part: the chart is shown, and what it lacks is unknown."""
    one = window()
    one.page.goto(hospital.launch())
    page = allow(one, "Allow without conditions")

    assert IDS[FIRST] in page.locator(".who").inner_text()
    assert "no access to Condition" in page.content()


@pytest.mark.parametrize(("launch", "button", "reason"), [(f"of-{FIRST}", "Refuse", "denied"), ("of-nobody", "Allow", "patient")])
def test_opens_nothing_without_leave_or_patient(hospital, alone, launch, button, reason):
    """The page says so, and that it says nothing of the patient."""
    page = alone.page
    page.goto(hospital.launch(launch=launch))
    page.get_by_role("button", name=button, exact=True).click()

    assert says(page, reason)
    assert "says nothing of the patient" in page.get_by_role("alert").inner_text()


def test_opens_nothing_for_a_launch_that_the_ehr_does_not_know(hospital, alone):
    """The authorization server refuses it."""
    page = alone.page
    page.goto(hospital.launch(launch="made-up"))

    assert says(page, "refused")


def test_opens_nothing_for_an_ehr_that_is_not_registered(hospital, alone):
    """Nothing of it is asked."""
    page = alone.page
    page.goto(f"{hospital.service}/smart/launch?{urlencode({'iss': f'{hospital.ehr}/stranger/r4', 'launch': 'of-nobody'})}")

    assert says(page, "issuer")


def test_opens_nothing_twice(hospital, alone):
    """The chart's page again, the answer of the sign-in again, its code in a new login, and another state."""
    alone.page.goto(hospital.launch())
    page = allow(alone)
    said = came_back(alone)
    page.reload()
    again = says(page, "state")
    page.goto(f"{hospital.service}/smart/callback/public?{urlencode(said)}")
    replayed = says(page, "state")
    page.goto(hospital.launch())
    page.goto(f"{hospital.service}/smart/callback/public?{urlencode({**said, 'state': state_of(alone)})}")
    reused = says(page, "exchange")
    page.goto(hospital.launch())
    page.goto(f"{hospital.service}/smart/callback/public?{urlencode({**said, 'state': 'made-up'})}")
    other = says(page, "state")

    assert [True] * 4 == [again, replayed, reused, other]


def test_opens_nothing_for_an_answer_of_another_issuer(hospital, alone):
    """RFC 9207: this authorization server names itself in each answer."""
    alone.page.goto(hospital.launch())
    said = {"code": "x", "state": state_of(alone), "iss": "https://login.example.org"}
    alone.page.goto(f"{hospital.service}/smart/callback/public?{urlencode(said)}")

    assert says(alone.page, "mixed")


def test_keeps_nobody_out_where_it_opens_nothing(hospital, alone):
    """axe-core finds no violation on a page that says why."""
    alone.page.goto(f"{hospital.service}/smart/launch")

    assert [] == alone.barriers()


def test_says_so_when_the_sign_in_goes_away_meanwhile(alone):
    """The EHR stops between sign-in and token."""
    with ehr.hospital() as short:
        alone.page.goto(short.launch())
        said = {"code": "x", "state": state_of(alone), "iss": short.ehr}
        short.stop()
        alone.page.goto(f"{short.service}/smart/callback/public?{urlencode(said)}")
        away = says(alone.page, "away")

    assert away
