"""Nothing that the module says is left out of its pages: advice, findings, draft orders, the gene, response rates, the source article."""

from __future__ import annotations

import re

import pytest
from markupsafe import escape

from cds_service.knowledge.model import Age, DraftOrder, Flag, Former, Limit, Recommendation, ResponseRate, Variant
from cds_service.reasoning import casebook
from cds_service.web.catalogue import Catalogue
from cds_service.web.entries import Entry, Rate, VariantEntry
from cds_service.web.proofs import Proofs
from cds_service.web.thresholds import share_threshold, thresholds_of


@pytest.fixture(scope="module")
def catalogue(knowledge):
    """The entries of the shipped module."""
    return Catalogue(knowledge)


@pytest.fixture(scope="module")
def html(client):
    """The HTML of a page."""
    return lambda path: client.get(path).get_data(as_text=True)


def test_every_field_of_the_module_has_its_place():
    """A field that authors may write is shown under its own name, or here under another."""
    others = {
        Recommendation: {"short", "when"},  # label, definition
        Flag: {"when", "provisional", "qualified", "short", "shown"},  # definition, remarks; how it is called and whether it is shown on a card
        DraftOrder: {"topics", "when", "ordered_as", "ordered_text", "unless_result", "within", "recommended", "reason"},
        Variant: {"c", "p"},  # name
        ResponseRate: {"recommendation"},  # advice
    }
    shown = {Recommendation: Entry, Flag: Entry, DraftOrder: Entry, Variant: VariantEntry, ResponseRate: Rate}

    assert others == {kind: set(kind.__struct_fields__) - set(page.__struct_fields__) for kind, page in shown.items()}


# --- advice ---


def test_a_page_of_advice_leaves_nothing_out(catalogue, knowledge, html):
    """Text, wordings, parts, cautions, alerts, strength and what stands under `more` are on the page of each piece of advice."""
    for item in knowledge.recommendations.values():
        entry, page = catalogue.entries["recommendations"][item.id], html(f"/about/recommendations/{item.id}")
        said = [item.text, item.strength, *item.more, *(one.text for one in (*item.variations, *item.parts, *item.cautions))]
        said += [a for a in (item.alert, *(v.alert for v in item.variations)) if a]

        assert [] == [text for text in said if str(escape(text)) not in page], item.id
        assert [(v.text, v.alert) for v in item.variations] == [(v.text, v.alert) for v in entry.variations]
        assert [p.text for p in item.parts] == [p.text for p in entry.parts]
        assert [(c.text, c.warns) for c in item.cautions] == [(c.text, c.warns) for c in entry.cautions]
        assert (list(item.shows), item.warns, item.alert, item.more) == ([s.id for s in entry.shows], entry.warns, entry.alert, entry.more)
        assert list(item.citations) == [c.id for c in entry.citations]
        assert item.warns + sum(c.warns for c in item.cautions) + len(item.variations) * item.warns == page.count("tag warn")


def test_advice_has_the_response_rates_that_belong_to_it(catalogue, knowledge, html):
    """Each rate stands at its advice, with study, figures, definition and confidence, and with what is unclear."""
    for name, entry in catalogue.entries["recommendations"].items():
        page = html(entry.page)
        own = {r.id: r for r in knowledge.response_rates.values() if r.recommendation == name}

        assert set(own) == {r.id for r in entry.response_rates}
        for rate in own.values():
            said = (rate.study, rate.figures, rate.definition, f"<strong>Unclear:</strong> {escape(rate.unclear)}" if rate.unclear else "")
            assert [] == [text for text in said if text not in page and str(escape(text)) not in page], rate.id


def test_when_a_caution_is_raised_is_linked(html):
    """What a caution asks of the chart leads to the pages of its findings."""
    page = html("/about/recommendations/T10")

    history, now = '<a href="/about/facts/vte-ever">', '<a href="/about/facts/jak-inhibitor-now">'
    assert re.search(rf"<td>history of VTE</td><td[^>]*>{history}[^<]*</a> <b>and</b> {now}[^<]*</a> \(absent or unknown\)</td>", page)


def test_proofs_of_a_caution_are_cases_that_raise_it(catalogue, knowledge):
    """A case is named under a caution of advice only where it raises the caution of that very advice, and so for missing parts."""
    outcomes = list(casebook.run(knowledge))
    raised, missing = set(), set()
    for outcome in outcomes:
        for advice in outcome.assessment.advice if outcome.assessment else ():
            item = knowledge.recommendations[advice.id]
            raised |= {(advice.id, outcome.case.name, f"caution: {item.cautions[i].text}") for i in advice.cautions}
            missing |= {(advice.id, outcome.case.name, f"missing: {item.parts[i].text}") for i in advice.parts}
    told = {
        (name, proof.case, part)
        for name, entry in catalogue.entries["recommendations"].items()
        for proof in catalogue.proofs.of(entry)
        for part in re.split(r"; (?=(?:caution|missing|not cautioned|no caution)\b)", proof.expected)
    }

    assert set() == {one for one in told if one[2].startswith("caution: ")} - raised
    assert set() == {one for one in told if one[2].startswith("missing: ")} - missing
    assert {"recommended", "silent", "no caution"} <= {part for _, _, part in told}
    assert any(part.startswith("caution: ") for _, _, part in told)
    assert any(part.startswith("missing: ") for _, _, part in told)


def test_every_recommendation_has_cases_of_both_kinds(catalogue):
    """Cases that recommend and cases that are silent stand on each page."""
    for entry in catalogue.entries["recommendations"].values():
        firsts = {proof.expected.partition(";")[0] for proof in catalogue.proofs.of(entry)}
        assert {"recommended", "silent"} <= firsts, entry.id


# --- findings ---


def test_a_finding_shows_its_remarks(catalogue, knowledge, html):
    """What may stand beside a finding is on its page, with when; what stands there while a stronger one is missing, too."""
    for name, flag in knowledge.flags.items():
        kind = next(kind for kind in ("red-flags", "alternatives", "facts") if name in catalogue.entries[kind])
        entry = catalogue.entries[kind][name]
        wanted = [*([flag.provisional.text] if flag.provisional else []), *(q.text for q in flag.qualified)]

        assert wanted == [r.text for r in entry.remarks]
        if wanted:
            page = html(entry.page)
            assert [] == [text for text in wanted if str(escape(text)) not in page]
    assert ["Systemic glucocorticoid now"] == [r.when for r in catalogue.entries["red-flags"]["lymphopenia"].remarks]
    assert "absent or unknown (" in catalogue.entries["red-flags"]["macrocytosis"].remarks[0].when


def test_a_remark_counts_as_use_and_has_its_cases(catalogue):
    """A fact that only a remark asks for names the finding, and the case of the remark stands on the finding's page."""
    assert "vte" in [r.id for r in catalogue.entries["facts"]["vte-provoked"].used_in]
    expected = [proof.expected for proof in Proofs(catalogue.knowledge).of(catalogue.entries["red-flags"]["lymphopenia"])]
    assert any("remark: on a glucocorticoid, which could explain it" in text for text in expected)


def test_an_age_shows_what_held_before(knowledge):
    """A threshold of age has its day and its history like any other."""
    age = Age(at_least=50, since="2026-01-01", formerly=(Former(since="2020-01-01", why="a trial", value=45),))

    (found,) = thresholds_of(age, knowledge)

    assert ("at least 50", "2026-01-01") == (found.limit, found.since)
    assert [("at least 45", "2020-01-01", "a trial")] == [(f.limit, f.since, f.why) for f in found.formerly]


def test_a_share_shows_what_held_before():
    """A threshold of a share is a percentage, before as now."""
    found = share_threshold("x", Limit(unit="1", value=0.1, since="2026-01-01", formerly=(Former(since="2020-01-01", why="y", value=0.05),)))

    assert ("below 10 %", ["5 %"]) == (found.limit, [f.limit for f in found.formerly])


# --- draft orders ---


def test_a_draft_order_says_when_it_is_offered_and_what_silences_it(catalogue, knowledge, html):
    """Condition, codes, open orders, late results and reasons of each draft order are on its page."""
    for order in knowledge.orders.values():
        entry, page = catalogue.entries["orders"][order.id], html(f"/about/orders/{order.id}")
        said = [order.label, order.text, order.description, *(c.code for c in order.codes), *(c.display for c in order.codes), *entry.silenced_by]

        assert [] == [text for text in said if str(escape(text)) not in page], order.id
        assert [c.code for c in order.codes] == [c.code for c in entry.codes]
        assert list(order.reason) == [r.id for r in entry.reasons]
        waits = order.topics != ("supportive",)
        assert bool(order.ordered_as) + bool(order.ordered_text) + bool(order.within) + waits == len(entry.silenced_by)
        assert waits == any("until the disease is confirmed" in text for text in entry.silenced_by)
    assert any(s.startswith("a result of the last 12 months: ") for s in catalogue.entries["orders"]["b12"].silenced_by)
    proofs = {p.expected for entry in catalogue.entries["orders"].values() for p in catalogue.proofs.of(entry)}
    assert {"offered", "not offered"} == proofs


def test_a_draft_order_names_whose_its_codes_are(html, knowledge):
    """A page that shows codes shows the notice of their system; one without a code of that system does not."""
    (notice,) = (n.notice for n in knowledge.about.licences if "http://loinc.org" in n.systems)

    assert notice in html("/about/orders/tsh")
    assert notice not in html("/about/orders/referral")


# --- value sets ---


def test_a_value_set_names_the_orders_allergies_and_vaccines_that_use_it(catalogue, knowledge):
    """Draft orders, and findings by allergy or vaccination, count as uses."""
    used = {name: {r.page for r in catalogue.value_set(name).used_in} for name in knowledge.value_sets}
    allergic = {s: f for f in knowledge.flags.values() if f.when.__struct_config__.tag in ("allergy", "vaccination") for s in f.when.value_sets}

    assert {"/about/orders/tsh"} <= used["lab-tsh"]
    assert {"/about/orders/reticulocytes"} <= used["lab-reticulocytes-pct"]
    assert {"allergy", "vaccination"} == {f.when.__struct_config__.tag for f in allergic.values()}
    assert {} == {s: f.id for s, f in allergic.items() if f"/about/facts/{f.id}" not in used[s]}
    assert {"/about/genetics"} <= used["uba1-test"]


# --- the gene ---


def test_the_page_of_the_gene_holds_every_variant_and_message(catalogue, knowledge, html):
    """The whole catalogue of variants and everything that is said of a result."""
    page, found = html("/about/genetics"), catalogue.about.genetics

    assert [(v.classification, v.tier, v.confidence, v.note) for v in knowledge.genetics.variants] == [
        (v.classification, v.tier, v.confidence, v.note) for v in found.variants
    ]
    assert [list(v.citations) for v in knowledge.genetics.variants] == [[c.id for c in v.citations] for v in found.variants]
    assert [] == [part for v in knowledge.genetics.variants for part in (v.c, v.p) if part and str(escape(part)) not in page]
    assert dict(knowledge.genetics.messages) == {m.id: m.text for m in found.messages}
    assert [] == [text for text in (*(m.text for m in found.messages), *found.reading) if str(escape(text)) not in page]
    assert ("below 10 %", "2026-11-22") == (found.low_fraction.limit, found.low_fraction.since)
    assert {"canonical", "splice"} == {v.tier for v in found.variants if v.confirms}
    assert {"rare", "noncanonical"} == {v.tier for v in found.variants if not v.confirms}


def test_an_association_is_no_prognosis(catalogue, knowledge, html):
    """What was published of a variant stands with its source and with the words that keep it from being read as a prognosis."""
    page = html("/about/genetics")
    wanted = [[(a.text, list(a.citations)) for a in v.associations] for v in knowledge.genetics.variants]

    assert wanted == [[(a.text, [c.id for c in a.citations]) for a in v.associations] for v in catalogue.about.genetics.variants]
    associated = sum(bool(v.associations) for v in knowledge.genetics.variants)
    assert 0 < associated
    assert associated + 1 == page.count("published association; no prognosis for an individual")


# --- response rates and the source article ---


def test_the_articles_figures_are_marked(catalogue, html):
    """The article's six figures are its own, each with what is unclear; those of other studies are not marked."""
    own = [r for r in catalogue.about.response_rates if r.of_article]

    assert 6 == sum(len(re.findall(r"\d+ %", r.figures)) for r in own)
    assert {"As reported by the source article"} == {r.study for r in own}
    assert all(r.unclear for r in own)
    assert {"source-article"} == {c.id for r in own for c in r.citations}
    assert "source-article" not in {c.id for r in catalogue.about.response_rates if not r.of_article for c in r.citations}
    assert len(own) == html("/about/response-rates").count('source article <span class="tag">source article</span>')


def test_each_response_rate_is_a_row(catalogue, knowledge, html):
    """All studies are in one table, and each row can be linked to."""
    page = html("/about/response-rates")

    assert 1 == page.count("<table")
    assert [] == [r for r in knowledge.response_rates if f'<tr id="{r}">' not in page]
    assert sum(bool(r.unclear) for r in knowledge.response_rates.values()) == page.count('class="unclear"')
    assert {"memory-medium"} == {r.confidence for r in catalogue.about.response_rates if r.id == "jak-heiblig"}


def test_each_point_of_the_article_links_to_what_carries_it(catalogue, knowledge, html):
    """Every point with all its carriers, each with a link."""
    page = html("/about/article")

    for point, entry in zip(knowledge.article.values(), catalogue.about.article, strict=True):
        carried = [name for kind in point.carried_by.__struct_fields__ for name in getattr(point.carried_by, kind)]
        assert carried == [c.id for c in entry.carriers]
        assert str(escape(point.point)) in page
        assert [] == [c.page for c in entry.carriers if f'href="{c.page}"' not in page]
