"""What /about says is what the module holds; every link leads somewhere; HTML and JSON tell the same."""

from __future__ import annotations

import functools
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from cds_service.settings import Settings
from cds_service.web import catalogue
from tests import build
from tests.fakes import checked_app
from tests.web.screen import browser

ROOT = Path(__file__).parents[2]
TOY = ROOT / "tests" / "reasoning" / "toy"
KINDS = ("criteria", "rules", "red_flags", "alternatives", "facts", "terms", "recommendations", "orders", "value_sets")
ALONE = ("/about/genetics", "/about/response-rates", "/about/article")
GOVERNANCE = "/governance"


class Links(HTMLParser):
    """The links and anchors of a page, and its tags that could do anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Remember one tag."""
        named = dict(attrs)
        self.tags.add(tag)
        if "id" in named:
            self.anchors.add(named["id"])
        if tag == "a":
            self.links.append(named["href"])


links_of = functools.cache(Links)


def crawl(client, start="/about"):
    """Every page of ours that can be reached, with its text; fails at a link that leads nowhere."""
    texts, waiting, anchored = {}, [start], []
    while waiting:
        path = waiting.pop()
        if path in texts:
            continue
        response = client.get(path)
        assert 200 == response.status_code, path
        texts[path] = response.get_data(as_text=True)
        if response.mimetype != "text/html":
            continue
        for link in links_of(texts[path]).links:
            target, _, anchor = link.partition("#")
            assert target.startswith(("/", "https://", "http://")) or (not target and anchor), f"{path}: {link}"
            if anchor and not target.startswith("http"):
                anchored.append((target or path, anchor))
            if target.startswith("/"):
                waiting.append(target)
    for path, anchor in anchored:
        assert anchor in links_of(texts[path]).anchors, f"{path}#{anchor}"
    return texts


@pytest.fixture(scope="module")
def pages(client):
    """Every page that can be reached from /about."""
    return crawl(client)


@pytest.fixture(scope="module")
def data(client):
    """/about as data."""
    return client.get("/about.json").json


def test_links_lead_to_a_page_for_everything(pages, data):
    """Every link of every page resolves, and no entry is left without a page."""
    wanted = {entry["page"] for kind in KINDS for entry in data[kind]}

    assert set() == wanted - set(pages)
    patients = {f"/evidence/{name}{more}" for name in build.fixture_names() for more in ("", "?download")}
    assert {"/", "/about", "/about.json", "/cds-services", "/evidence", "/openapi.json", GOVERNANCE, *ALONE} == set(pages) - wanted - patients


def test_pages_hold_nothing_that_runs_or_sends(pages):
    """No frame, no picture; no form but on the pages of governance and evidence and on the start page, which has the one script. The policies allow no more."""
    for path, text in pages.items():
        if text.startswith("<!doctype"):
            more = {GOVERNANCE: {"form", "input"}, "/evidence": {"form", "input"}, "/": {"form", "input", "script"}}
            assert more.get(path, set()) == Links(text).tags & {"script", "form", "input", "iframe", "img", "link", "object"}, path


def test_answers_with_a_strict_policy(client):
    """Every page, that of an entry too, forbids what it does not need."""
    for path in ("/", "/about", "/about/red-flags/macrocytosis", "/about/value-sets/lab-mcv", *ALONE):
        assert "default-src 'none'" in client.get(path).headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("*/*", "text/html"),
        ("text/html, application/json", "text/html"),
        ("image/png", "text/html"),
    ],
)
@pytest.mark.parametrize("path", ["/about", "/about/criteria/e", "/about/value-sets/lab-mcv", *ALONE])
def test_answers_in_the_form_that_is_asked_for(path, accept, mimetype, client):
    """JSON only where the caller prefers it to HTML; a cache is told."""
    response = client.get(path, headers={"Accept": accept})

    assert mimetype == response.mimetype
    assert "Accept" in response.headers.getlist("Vary") or "Accept" in ",".join(response.headers.getlist("Vary"))


def test_says_the_same_by_negotiation(client):
    """/about.json is /about as JSON."""
    assert client.get("/about.json").data == client.get("/about", headers={"Accept": "application/json"}).data


def test_is_valid_against_its_schema(data):
    """/about.json keeps to docs/about.schema.json."""
    schema = json.loads((ROOT / "docs" / "about.schema.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(data)
    assert list(jsonschema.Draft202012Validator(schema).iter_errors({**data, "module": {}}))


def test_holds_the_whole_module(data, knowledge):
    """Every rule, flag, term, recommendation, value set and citation is there, and the digest."""
    assert list(knowledge.red_flags) == [e["id"] for e in data["red_flags"]]
    assert list(knowledge.alternatives) == [e["id"] for e in data["alternatives"]]
    assert list(knowledge.facts) == [e["id"] for e in data["facts"]]
    assert list(knowledge.terms) == [e["id"] for e in data["terms"]]
    assert list(knowledge.rules) == [e["id"] for e in data["rules"]]
    assert list(knowledge.recommendations) == [e["id"] for e in data["recommendations"]]
    assert list(knowledge.orders) == [e["id"] for e in data["orders"]]
    assert list(knowledge.cards) == [e["topic"] for e in data["cards"]]
    assert set(knowledge.response_rates) == {e["id"] for e in data["response_rates"]}
    assert list(knowledge.article) == [e["id"] for e in data["article"]]
    assert [c.id for t in knowledge.assessment.tiers for c in t.any] == [e["id"] for e in data["criteria"]]
    assert {v.id: len(v.concepts) for v in knowledge.value_sets.values()} == {v["id"]: v["codes"] for v in data["value_sets"]}
    assert list(knowledge.citations) == [c["id"] for c in data["citations"]]
    assert (knowledge.digest, None, None) == tuple(data["module"][k] for k in ("digest", "approved", "next_review"))
    assert list(knowledge.requirements) == [i["key"] for i in data["inputs"]]


def test_answers_the_13_source_attributes(data):
    """Each has its number; those about a person's data say whether it is used, and sex and age who reads them."""
    used = {a["id"]: a["used"] for a in data["source_attributes"] if "used" in a}
    read_by = {a["id"]: [r["id"] for r in a.get("read_by", [])] for a in data["source_attributes"]}

    assert list(range(1, 14)) == [a["number"] for a in data["source_attributes"]]
    assert ["sex", "date-of-birth"] == [name for name, yes in used.items() if yes]
    assert 9 == len(used)
    assert ["anemia", "male", "female"] == read_by["sex"]
    assert "age-50" in read_by["date-of-birth"]


def test_shows_the_digest_and_standing(client, knowledge):
    """A reader sees at once which knowledge this is and that nobody has signed it."""
    text = client.get("/about").get_data(as_text=True)

    assert knowledge.digest in text
    assert "<td>not yet</td>" in text
    assert knowledge.module.status_line in text


def entry(client, path):
    """An entry as data."""
    return client.get(path, headers={"Accept": "application/json"}).json


def test_a_flag_has_its_thresholds_codes_sources_and_cases(client, knowledge):
    """The page of a red flag holds all that it rests on."""
    found = entry(client, "/about/red-flags/macrocytosis")

    assert [("MCV", "above 100 fL", "2026-11-22"), ("MCV", "the latest still above 98 fL", "2026-11-22")] == [
        (t["of"], t["limit"], t["since"]) for t in found["thresholds"]
    ]
    assert list(knowledge.red_flags["macrocytosis"].citations) == [c["id"] for c in found["citations"]]
    assert {"system", "system_name", "code", "display", "verification"} == set(found["value_sets"][0]["concepts"][0])
    assert {"case": "An MCV of exactly 100 is no macrocytosis.", "expected": "absent"} in found["proofs"]
    assert len(found["proofs"]) == found["cases"]
    assert "macrocytic-anemia" in [r["id"] for r in found["used_in"]]
    assert ["MCV within 14 days after a transfusion"] == found["not_counted"]


def test_advice_has_its_cautions_and_cases(client):
    """The page of a piece of advice says when each caution is raised."""
    found = entry(client, "/about/recommendations/T10")

    assert {"text": "history of VTE", "when": "all of (History of venous thromboembolism; absent or unknown (JAK inhibitor now))"} in found[
        "cautions"
    ]
    assert {"recommended", "silent"} <= {p["expected"] for p in found["proofs"]}


def test_a_criterion_has_the_performance_of_its_rule(client):
    """A criterion with a published rule shows its figures, any other says that there are none."""
    assert "sensitivity 100 %, specificity 96 %" == entry(client, "/about/criteria/a")["performance"]
    assert "expert framing, no published performance" == entry(client, "/about/criteria/e")["performance"]
    assert {"met"} == {p["expected"] for p in entry(client, "/about/criteria/e")["proofs"]}


def test_a_value_set_names_its_licences_and_users(client):
    """The page of a value set says whose its codes are and who uses them."""
    found = entry(client, "/about/value-sets/cond-vte")

    assert any("SNOMED International" in notice for notice in found["licences"])
    assert not any("LOINC" in notice for notice in found["licences"])
    assert {"vte", "vte-ever", "vte-provoked"} == {r["id"] for r in found["used_in"]}
    assert found["excluded"]


def test_shows_what_held_before(tmp_path):
    """A threshold that was changed shows since when, what held before and why."""
    shutil.copytree(TOY, tmp_path / "toy")
    path = tmp_path / "toy" / "red_flags.yaml"
    text = path.read_text(encoding="utf-8")
    assert "value: 3.5, unit: mmol/L" in text
    former = 'since: "2026-06-01", formerly: [{value: 3.2, since: "2020-01-01", why: "a new <assay>"}]'
    path.write_text(re.sub(r"value: 3\.5, unit: mmol/L[^}]*", f"value: 3.5, unit: mmol/L, {former}", text), encoding="utf-8")

    page = toy_client(tmp_path / "toy").get("/about/red-flags/low-potassium").get_data(as_text=True)

    assert "3.2 mmol/L from 2020-01-01 (a new &lt;assay&gt;)" in page


def toy_client(folder=TOY):
    """A client of another disease's module."""
    return checked_app(Settings(knowledge=folder), lambda: build.TODAY).test_client()


def test_serves_another_disease_as_well():
    """A module without cases, facts or advice has pages whose links resolve, and no word of the shipped disease."""
    texts = crawl(toy_client())

    assert "/about/red-flags/tetany" in texts
    assert [] == [path for path, text in texts.items() if re.search("VEXAS|UBA1", text)]


NOWHERE = [
    "/about/red-flags/nothing",
    "/about/nothing/macrocytosis",
    "/about/value-sets/nothing",
    "/about/red-flags/",
    "/about/red-flags",
    "/about/facts/macrocytosis",
    "/about/criteria/..",
    "/about/value-sets/..%2f..%2fmodule",
    "/about/",
]


@pytest.mark.parametrize("path", NOWHERE)
def test_knows_no_other_page(path, client, app):
    """An unknown kind or id is a 404 like any other, for programs and for people, and repeats nothing of the path."""
    response, shown = client.get(path), browser(app).get(path, headers={"Accept": "text/html"})

    assert (404, "application/json") == (response.status_code, response.mimetype)
    assert "unknown-service" == response.json["issue"][0]["details"]["text"]
    assert (404, "text/html") == (shown.status_code, shown.mimetype)
    assert response.json["issue"][0]["diagnostics"] in shown.text
    said = f"{response.text} {shown.text}".replace("nothing at this path", "").replace("says nothing of", "")
    assert [] == [word for word in ("nothing", "macrocytosis", "module") if word in said]


def test_makes_the_entries_once(knowledge):
    """The catalogue is worked out when it is first asked for, and kept."""
    found = catalogue.Catalogue(knowledge)

    assert found.about is found.about
