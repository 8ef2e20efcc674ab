"""Every criterion and expression has words, and each field of each kind changes them."""

from typing import get_args

import pytest

from cds_service.knowledge import wording
from cds_service.knowledge.model import (
    Age,
    Allergic,
    AnyOf,
    AtLeast,
    BeforeResult,
    Clause,
    CloseTo,
    Coded,
    Criterion,
    Deceased,
    Drug,
    GeneTested,
    Lab,
    Limit,
    Near,
    Organs,
    Persistence,
    ReportText,
    Resulted,
    Sex,
    Vaccinated,
)
from cds_service.knowledge.wording import criterion_in_words, expression_in_words, label_of, rule_in_words, tier_in_words

FL = Limit(unit="fL", value=100)
SPACED = Persistence(results=3, apart="P14D")
BEFORE = BeforeResult(value_set="lab-mcv", within="P120D")
# A criterion of each kind with what it needs; below it another value for each field, one change at a time.
PLAIN = {
    Lab: Lab(value_set="lab-mcv", within="P24M", above=FL),
    Resulted: Resulted(value_sets=("lab-mcv",), within="P24M"),
    Coded: Coded(value_sets=("cond-mds",), within="P12M"),
    Drug: Drug(value_sets=("rx-jaki",), within="P12M"),
    Allergic: Allergic(value_sets=("rx-jaki",)),
    Vaccinated: Vaccinated(value_sets=("vaccine-pcv15",)),
    GeneTested: GeneTested(within="P12M"),
    ReportText: ReportText(value_set="report-marrow", pattern="vacuol", near="myeloid", words=8),
    Age: Age(at_least=50),
    Sex: Sex(equals="male"),
    Deceased: Deceased(),
    AnyOf: AnyOf(of=(Sex(equals="male"),)),
}
OTHERWISE = {
    Lab: {
        "value_set": "lab-crp",
        "within": "P12M",
        "above": Limit(unit="fL", value=98),
        "below": FL,
        "at_least": FL,
        "at_most": FL,
        "above_upper_limit": 3,
        "persists": SPACED,
        "take": "any",
    },
    Resulted: {"value_sets": ("lab-crp",), "within": "P12M", "usable": True},
    Coded: {
        "value_sets": ("cond-vte",),
        "within": None,
        "or_active": True,
        "not_resolved": True,
        "procedures": True,
        "entries": SPACED,
        "code_needs_text_of": "cond-mds",
        "unless_text_of": "cond-mds",
        "unless_near": Near(value_set="cond-acute-infection", within="P14D", because="soon after"),
        "close_to": CloseTo(value_sets=("caut-malignancy",), within="P90D"),
        "absent_means": "unknown",
    },
    Drug: {
        "ingredients": ("ruxolitinib",),
        "begun": "P84D",
        "value_sets": ("rx-esa",),
        "within": "P3M",
        "current": True,
        "covered": "P90D",
        "courses": 3,
        "distinct": 2,
        "before_result": BEFORE,
        "absent_means": "unknown",
        "none_means": "unknown",
    },
    Allergic: {"value_sets": ("rx-esa",)},
    Vaccinated: {"value_sets": ("vaccine-ppsv23",), "doses": 2, "within": "P12M"},
    GeneTested: {"within": "P6M"},
    ReportText: {"value_set": "uba1-test", "pattern": "blast", "near": "erythroid", "words": 5, "unless": "macrophage", "within": "P12M"},
    Age: {"at_least": 40, "below": 76, "youngest": True},
    Sex: {"equals": "female"},
    Deceased: {},
    AnyOf: {"of": (Sex(equals="female"),)},
}
NOT_OF_THE_SENTENCE = {(Age, "since"), (Age, "formerly")}  # stands in the table of thresholds
FIELDS = [(kind, field) for kind in get_args(Criterion) for field in kind.__struct_fields__ if (kind, field) not in NOT_OF_THE_SENTENCE]
CLAUSES = {
    "all": ("mds", "lung"),
    "any": ("mds", "lung"),
    "at_least": AtLeast(n=2, of=("mds", "lung")),
    "not_": "mds",
    "not_found": "mds",
    "unknown": "mds",
    "organs": Organs(at_least=2),
}


def with_other(criterion, field, value):
    """A criterion with one field changed."""
    return type(criterion)(**{name: getattr(criterion, name) for name in criterion.__struct_fields__} | {field: value})


def test_has_words_for_every_kind_of_criterion():
    """A kind that is added to the model is given words too."""
    assert set(get_args(Criterion)) == set(wording._KINDS)


@pytest.mark.parametrize(("kind", "field"), FIELDS, ids=lambda value: getattr(value, "__name__", value))
def test_says_each_field(kind, field, knowledge):
    """What a field changes about a criterion changes its words: add words and a value here for a new field."""
    plain = PLAIN[kind]

    other = with_other(plain, field, OTHERWISE[kind][field])

    assert str(criterion_in_words(plain, knowledge)) != str(criterion_in_words(other, knowledge))


@pytest.mark.parametrize("field", Persistence.__struct_fields__)
def test_says_each_part_of_a_repetition(field, knowledge):
    """How often, how far apart, and where the latest must still lie."""
    base = Persistence(results=2, apart="P28D")
    other = with_other(base, field, {"results": 3, "apart": "P14D", "latest": Limit(unit="fL", value=98)}[field])

    said = {str(criterion_in_words(with_other(PLAIN[Lab], "persists", p), knowledge)) for p in (base, other)}

    assert 2 == len(said)


@pytest.mark.parametrize("field", Clause.__struct_fields__)
def test_says_each_way_to_combine(field, knowledge):
    """Each kind of clause has words of its own."""
    said = {name: str(expression_in_words(Clause(**{name: value}), knowledge)) for name, value in CLAUSES.items()}

    assert said[field]
    assert 1 == list(said.values()).count(said[field])


SENTENCES = {
    "anemia": "Haemoglobin below 13 g/dL in men, 12 g/dL in women in the latest usable result of the last 24 months",
    "thrombocytopenia": "Platelets below 150 x 10^9/L in the latest usable result of the last 24 months",
    "macrocytosis-persistent": "MCV above 100 fL in 2 usable results at least 28 days apart of the last 24 months, the latest of them still above 98 fL",
    "crp-any": "CRP above 10 mg/L in any usable result of the last 12 months",
    "vte": "a condition by code or text: Venous thromboembolism, in the last 60 months or undated",
    "cytopenia-coded": "a condition by code or text: Cytopenias or Macrocytic anaemia, in the last 24 months or still active",
    "macrocytosis-drug": "a drug by code or name: Drugs that commonly raise MCV, given in the 120 days before the latest usable MCV",
    "age-over-50": "age in completed years at least 51",
    "male": "administrative gender male",
    "jak-inhibitor-now": "a drug by code or name: JAK inhibitors, active now",
    "alcohol": "a condition by code or text: Alcohol use disorder, at any time, not marked as resolved or inactive; "
    "where no entry says so it is unknown, not absent",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_words_a_flag(name, knowledge):
    """The sentences of some flags, read against their YAML."""
    assert SENTENCES[name] == str(criterion_in_words(knowledge.flags[name].when, knowledge))


def test_words_a_rule_and_a_criterion(knowledge):
    """A rule has its items and what it requires; a criterion what lowers it. Names are labels."""
    criteria = {c.id: c for tier in knowledge.assessment.tiers for c in tier.any}

    assert "all of (Age 18 or more; at least 4 of (Man; Relapsing polychondritis; MCV above 100 fL; Platelets below 200))" == str(
        rule_in_words(knowledge.rules["S1"], knowledge)
    )
    assert "needs (all of (Age 50 or more; MDS with organs); and is one step lower with (Chemotherapy or acute leukaemia))" == str(
        tier_in_words(criteria["c"], knowledge)
    )
    assert "all of (Age 50 or more; Marrow vacuoles in context)" == str(tier_in_words(criteria["d"], knowledge))


def test_names_the_organs_that_count(knowledge):
    """A number of organs is told with the systems and what shows each."""
    words = expression_in_words(Clause(organs=Organs(at_least=1, strength="strong")), knowledge)

    assert "at least 1 organ system with a strong finding" == words.text
    assert {"cartilage", "skin"} == {system.text for system in words.parts}


def test_leaves_no_part_of_the_module_without_words(knowledge):
    """Every flag, term, rule, criterion, recommendation and caution can be worded."""
    said = [criterion_in_words(f.when, knowledge) for f in knowledge.flags.values()]
    said += [expression_in_words(t.when, knowledge) for t in knowledge.terms.values()]
    said += [expression_in_words(e, knowledge) for r in knowledge.recommendations.values() for e in (r.when, *(c.when for c in r.cautions))]
    said += [tier_in_words(c, knowledge) for tier in knowledge.assessment.tiers for c in tier.any]

    assert [] == [w for w in said if not str(w).strip() or "None" in str(w)]
    assert "Ferrada" in label_of("S1", knowledge)
