"""Allergies and vaccines in a chart: which count, by which words, and that no allergy is ever a drug that was given."""

import pytest

from cds_service.knowledge.model import Allergic
from cds_service.reasoning.chart import Chart
from cds_service.reasoning.plan import Plan, Scope
from cds_service.reasoning.truth import Truth
from cds_service.record.codes import Code
from cds_service.record.dates import moment
from cds_service.record.facts import Allergy, Immunization, Issue
from tests.reasoning.charts import KNOWLEDGE, TODAY, chart, drug, first, record

PLAN = Plan(KNOWLEDGE)
DRUG_SETS = sorted(s for s in KNOWLEDGE.value_sets if s.startswith("rx-"))
VACCINES = "cvx-vaccines"


def allergy(text="", value_set=None, **members):
    """An active, confirmed allergy by words or by the first code of a value set."""
    members = {
        "status": "active",
        "verification": "confirmed",
        "codes": (first(value_set),) if value_set else (),
        "ref": "AllergyIntolerance/1",
        **members,
    }
    return Allergy(text=text, **members)


def vaccine(on="2026-05-01", **members):
    """A vaccine that was given."""
    members = {"codes": (first(VACCINES),), "status": "completed", "ref": f"Immunization/{on}", **members}
    return Immunization(when=moment(on) if on else None, **members)


# --- which allergies count ---


@pytest.mark.parametrize("value_set", DRUG_SETS)
def test_finds_an_allergy_by_any_code_of_a_drug(value_set):
    """The codes by which drugs are found name allergies as well."""
    assert 1 == len(chart(allergy(value_set=value_set)).allergies(value_set))


@pytest.mark.parametrize(
    ("verification", "status", "counts"),
    [
        ("confirmed", "active", 1),
        ("unconfirmed", "active", 1),
        (None, None, 1),
        ("presumed", "active", 1),
        ("refuted", "active", 0),
        ("entered-in-error", "active", 0),
        ("confirmed", "inactive", 0),
        ("confirmed", "resolved", 0),
        ("unconfirmed", "resolved", 0),
    ],
)
def test_counts_an_allergy_in_doubt_and_none_that_is_refuted_or_over(verification, status, counts):
    """For safety an unconfirmed allergy is a caution; a refuted or resolved one never is."""
    asked = chart(allergy("Azathioprine", "rx-csdmard", verification=verification, status=status))

    assert counts == len(asked.allergies("rx-csdmard"))


@pytest.mark.parametrize(
    "text",
    [
        "Azathioprine",
        "AZATHIOPRINE 50 MG TABLET",
        "Imuran / azathioprine",
        "Could not tolerate azathioprine",
        "Not tolerated: azathioprine",
        "Azathioprine? rash",
        "Possible reaction to azathioprine, reported by wife",
        "Do not give azathioprine",
        "Non-severe reaction to azathioprine",
        "No anaphylaxis, but hepatitis with azathioprine",
        "Azathioprine (no known food allergies)",
        "No known food allergies. Azathioprine: pancreatitis",
        "No other known allergies than azathioprine",
        "Not an allergy but intolerance of azathioprine",
        "No azathioprine",
        "No known allergies except azathioprine",
        "No known drug allergies other than azathioprine",
        "NKDA - azathioprine: pancreatitis",
        "NKDA except azathioprine",
        "NKDA / azathioprine",
        "No known allergies / azathioprine",
        "No known allergies to penicillin / azathioprine",
        "No known allergies to penicillin and rash with azathioprine",
        "No known allergies with the exception of azathioprine",
        "No known allergies however azathioprine rash",
        "No known allergies until 2020 when azathioprine gave rash",
        "No known allergies only azathioprine",
        "No history of allergy save for azathioprine",
        "No known allergies to anything but azathioprine",
        "NKDA azathioprine",
    ],
)
def test_finds_an_allergy_by_its_words_however_they_doubt(text):
    """In an allergy list a drug is one to be careful with, unless the entry denies an allergy."""
    assert 1 == len(chart(allergy(text)).allergies("rx-csdmard"))


DENIALS = [
    "No known allergies",
    "No Known Drug Allergies",
    "NKDA",
    "NKA / NKDA",
    "NKA (no known allergies)",
    "Denies allergies",
    "No known allergy to azathioprine",
    "No known allergy to azathioprine at this time",
    "No known drug allergy or intolerance to azathioprine or to methotrexate",
    "No known allergy to penicillin or azathioprine",
    "Patient denies any drug allergies",
    "Patient is not allergic to azathioprine",
    "No history of allergy to azathioprine",
    "No known history of drug allergy; no known intolerances",
    "No allergies.",
    "Not known to have allergies to azathioprine",
]


@pytest.mark.parametrize("text", DENIALS)
def test_never_counts_words_that_deny_an_allergy(text):
    """An entry such as "no known allergies" is none, and neither is what it denies by name."""
    assert set() == chart(allergy(text)).touched()


@pytest.mark.parametrize("text", DENIALS)
def test_counts_a_code_beside_words_that_deny_an_allergy(text):
    """A denial is of its words only: where a drug is coded, a caution too many is better than one lost."""
    assert 1 == len(chart(allergy(text, "rx-csdmard")).allergies("rx-csdmard"))


def test_finds_one_allergy_in_two_entries_of_one_resource():
    """A substance that says the same as the code is no second allergy."""
    told = [allergy("Azathioprine"), allergy("", "rx-csdmard"), allergy("Azathioprine", ref="AllergyIntolerance/2")]

    assert ["AllergyIntolerance/1", "AllergyIntolerance/2"] == [a.ref for a in chart(*told).allergies("rx-csdmard")]


OTHER = Code("http://snomed.info/sct", "716186003")


@pytest.mark.parametrize(
    ("text", "codes", "found", "said"),
    [
        ("x" * 1987 + " azathioprine", (), 1, 0),
        ("x" * 1988 + " azathioprine", (), 0, 1),
        ("", (OTHER,) * 49 + (first("rx-csdmard"),), 1, 0),
        ("", (OTHER,) * 50 + (first("rx-csdmard"),), 0, 1),
    ],
    ids=["text at the limit", "text above", "codes at the limit", "codes above"],
)
def test_says_that_an_allergy_was_cut(text, codes, found, said):
    """What is not read of an entry that is too long is never silent."""
    asked = chart(allergy(text, codes=codes))

    issue = Issue("warning", "An allergy entry is too long and was read only in part", "Look at the allergy list itself.")
    assert (found, [issue] * said) == (len(asked.allergies("rx-csdmard")), [*asked.issues])


def test_takes_no_code_for_an_allergy_but_its_own():
    """A code of no value set names nothing."""
    assert set() == chart(allergy(codes=(Code("http://snomed.info/sct", "716186003"),))).touched()


TMP_SMX = ["bactrim", "septra", "septrin", "eusaprim", "cotrim", "tmp-smx", "tmp/smx", "smx-tmp", "smx/tmp", "co-trimoxazole"]


@pytest.mark.parametrize("name", [*TMP_SMX, "Bactrim DS", "SULPHA", "sulfadiazine", "Sulfa"])
def test_finds_an_allergy_to_a_sulfonamide_by_its_names(name):
    """Charts hold brand names and short forms."""
    assert 1 == len(chart(allergy(name)).allergies("rx-sulfonamide"))


@pytest.mark.parametrize("name", [*TMP_SMX, "Bactrim DS 800-160 mg tablet"])
def test_finds_the_sulfonamide_that_is_given_by_the_same_names(name):
    """What warns of it must see it under the names by which its allergy is known."""
    scope = Scope(PLAN, chart(drug("rx-sulfonamide", "2026-10-01", status="active", codes=(), text=name)))

    assert (Truth.PRESENT, Truth.PRESENT) == (scope.truth("tmp-smx-now"), scope.truth("pjp-prophylaxis-now"))


def test_takes_sulfadiazine_for_no_prophylaxis():
    """It is a sulfonamide and no more."""
    scope = Scope(PLAN, chart(drug("rx-sulfonamide", "2026-10-01", status="active", codes=(), text="sulfadiazine 500 mg")))

    assert (Truth.ABSENT, Truth.ABSENT) == (scope.truth("tmp-smx-now"), scope.truth("pjp-prophylaxis-now"))


# --- what an allergy is not ---


@pytest.mark.parametrize("unread", [(), ("medications",), ("allergies",)])
@pytest.mark.parametrize("value_set", DRUG_SETS)
def test_never_reads_an_allergy_as_a_drug_given(value_set, unread):
    """Every flag that does not ask for allergies has the answer of the same chart without the allergy."""
    with_it, without = (record(*facts, unread=unread) for facts in ([allergy(value_set=value_set)], []))
    allergic, plain = (Scope(PLAN, Chart(KNOWLEDGE, r, TODAY)) for r in (with_it, without))

    assert {value_set} <= allergic.chart.touched()
    assert [] == allergic.chart.drugs(value_set)
    others = [name for name, flag in KNOWLEDGE.flags.items() if not isinstance(flag.when, Allergic)]
    assert {n: plain.finding(n) for n in others} == {n: allergic.finding(n) for n in others}


def test_keeps_a_drug_that_is_given_in_spite_of_an_allergy():
    """An allergy takes no drug away either."""
    scope = Scope(PLAN, chart(drug("rx-systemic-glucocorticoid", "2026-10-01", status="active"), allergy("Prednisone")))

    assert Truth.PRESENT is scope.truth("glucocorticoid-now")
    assert 1 == len(scope.chart.allergies("rx-systemic-glucocorticoid"))


# --- vaccines ---


@pytest.mark.parametrize(
    ("members", "doses"),
    [
        ({}, 1),
        ({"status": None}, 1),
        ({"status": "not-done"}, 0),
        ({"status": "entered-in-error"}, 0),
        ({"on": "2026-11-22"}, 1),
        ({"on": "2026-11-23"}, 0),
        ({"on": "2026-12"}, 0),
        ({"on": "2026"}, 1),
        ({"on": "2027"}, 0),
        ({"on": None}, 1),
    ],
)
def test_counts_a_vaccine_that_was_given(members, doses):
    """One that was refused, withdrawn or is still to come is no dose."""
    asked = chart(vaccine(**members))

    assert doses == len(asked.immunizations(VACCINES))
    assert bool(doses) == (VACCINES in asked.touched())


def test_counts_two_entries_of_one_day_as_one_dose():
    """The same dose often stands in the chart twice; doses of two days are two."""
    given = [vaccine("2026-05-01", ref="Immunization/a"), vaccine("2026-05-01T09:00:00Z", ref="Immunization/b"), vaccine("2026-05-02")]

    assert ["Immunization/a", "Immunization/2026-05-02"] == [i.ref for i in chart(*given).immunizations(VACCINES)]


@pytest.mark.parametrize(
    ("days", "doses"),
    [
        (["2025", "2025-01-01"], 1),
        (["2025-01-01", "2025"], 1),
        (["2025-03", "2025-03-31"], 1),
        (["2025-03", "2025-04-01"], 2),
        (["2025", "2025-01-01", "2025-03-01"], 2),
        (["2025", "2024-12-31"], 2),
        (["2024", "2025"], 2),
        (["2024", "2025", "2024-06", "2025-06"], 2),
        ([None, "2025-01-01"], 1),
        (["2025-01-01", None], 1),
        ([None, "2025-01-01", "2025-03-01"], 2),
    ],
)
def test_counts_the_fewest_doses_that_the_entries_can_mean(days, doses):
    """Entries that may be of one day are one dose, so that a series is never thought complete too soon."""
    assert doses == len(chart(*(vaccine(day, ref=f"Immunization/{n}") for n, day in enumerate(days))).immunizations(VACCINES))


@pytest.mark.parametrize(
    ("name", "value_set"),
    [
        ("Shingrix", "vaccine-zoster-recombinant"),
        ("Zoster recombinant vaccine, dose 1", "vaccine-zoster-recombinant"),
        ("Recombinant zoster", "vaccine-zoster-recombinant"),
        ("Prevnar 20", "vaccine-pcv20-21"),
        ("PCV20", "vaccine-pcv20-21"),
        ("Capvaxive", "vaccine-pcv20-21"),
        ("PCV21", "vaccine-pcv20-21"),
        ("Vaxneuvance", "vaccine-pcv15"),
        ("PCV15", "vaccine-pcv15"),
        ("Pneumovax 23", "vaccine-ppsv23"),
        ("Pneumovax", "vaccine-ppsv23"),
        ("PPSV23", "vaccine-ppsv23"),
    ],
)
def test_finds_a_vaccine_by_its_name(name, value_set):
    """Many vaccines are recorded by name alone, and each is its own kind."""
    assert {value_set} == chart(vaccine(codes=(), text=name)).touched()


@pytest.mark.parametrize("name", ["Zoster live", "Prevnar 13", "Pneumococcal, unspecified"])
def test_takes_no_other_vaccine_for_one_of_these(name):
    """A live zoster vaccine or an older pneumococcal one completes nothing."""
    assert set() == chart(vaccine(codes=(), text=name)).touched()


def test_counts_undated_vaccines_each():
    """Without a day nobody can say that two are one."""
    given = [vaccine(None, ref="Immunization/a"), vaccine(None, ref="Immunization/b")]

    assert 2 == len(chart(*given).immunizations(VACCINES))
