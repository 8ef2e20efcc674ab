"""A failing case is told whole: its sentence, the chart as a table, what was expected, and why it came out otherwise."""

from __future__ import annotations

from textwrap import dedent

import pytest

from cds_service.reasoning import casebook
from cds_service.reasoning.account import account_of
from tests.reasoning.toys import advice, case, part, toy

REST = advice("rest", "tetany", cautions=[{"when": "low-potassium", "text": "low potassium"}])
SALT = advice("salt", "tetany")
CONFIRMED = [{"code": "disease-codes"}, {"code": "cond-tetany"}]
CHART = {
    "patient": {"sex": "male", "age": 70, "deceased": True},
    "labs": [
        {"code": "lab-potassium", "value": 3.4, "unit": "mmol/L", "upper_limit": 5.1, "date": "P3M", "remark": "haemolysed"},
        {"system": "http://loinc.org", "code": "2823-3", "value": 3, "date": "none"},
    ],
    "conditions": [
        {"code": "cond-tetany", "text": "spasm", "status": "resolved", "verification": "provisional", "date": "2026-10-01"},
        {"code": "disease-codes"},
    ],
    "medications": [{"text": "salt", "date": "P3M", "until": "P1M"}],
    "procedures": [{"text": "a procedure"}],
    "immunizations": [{"text": "a vaccine"}],
    "allergies": [{"text": "an allergy"}],
    "orders": [{"text": "an order"}],
    "reports": [{"code": "gene-test", "conclusion": "SLC12A3 not detected."}],
    "documents": [{"text": "a letter"}],
    "unavailable": ["patient"],
}


def order(name, when):
    """A draft order of the toy module."""
    return {"id": name, "topics": ["test"], "label": name, "description": name, "text": f"{name} in serum", "when": when, "reason": ["tetany"]}


PUBLISHED = {
    "source": "PMID 1",
    "address": "https://example.org/toy",
    "says": "a man of 70 with spasms",
    "invented": ["the dates", "the sex"],
}
ORDERS = [order("magnesium", "tetany"), order("zinc", "tetany"), order("calcium", {"not": "tetany"})]

ACCOUNTS = {
    "a whole chart": (
        case(record=CHART, expect={"low-potassium": "absent", "tetany": "absent", "any-sign": "absent"}, genetics="none", recommends=["rest"]),
        """
          Chart
            patient        male                       age 70, deceased                         2026-11-22
            labs           lab-potassium              3.4 mmol/L, upper limit 5.1, haemolysed  P3M
            labs           2823-3 (http://loinc.org)  3                                        undated
            conditions     cond-tetany "spasm"        resolved, provisional                    2026-10-01
            conditions     disease-codes                                                       (2026-11-01)
            medications    "salt"                                                              P3M to P1M
            procedures     "a procedure"                                                       (2026-11-01)
            immunizations  "a vaccine"                                                         (2026-11-01)
            allergies      "an allergy"                                                        (2026-11-01)
            orders         "an order"                                                          (2026-11-01)
            reports        gene-test                  "SLC12A3 not detected."                  (2026-11-01)
            documents      "a letter"                                                          (2026-11-01)
            not read       patient

          Expected, but
            low-potassium should be absent and is present
            any-sign should be absent and is present
            the gene should be none and is uncertain (problem-list-against-result, limited-assay)
            rest should be recommended

          Why
            low-potassium (Low potassium) is present, by
              Potassium 3.4 mmol/L LOINC 2823-3 2026-08-22
            any-sign is present; it means: One of the two signs.
            criteria met: y; gene: uncertain; withheld: no
            gene: The problem list names the disease, but the SLC12A3 result does not support it.
            gene: The assay is Sanger, partial, or its coverage is not stated (exons 3, 14, 16).
            recommended: nothing
        """,
    ),
    "an empty chart": (
        case(record={"patient": {"birth": "1956"}}, expect={"tetany": "present", "T1": "present"}),
        """
          Chart
            patient  sex unknown  born 1956  2026-11-22

          Expected, but
            tetany should be present and is absent
            T1 should be present and is absent

          Why
            tetany (Tetany) is absent: nothing in the chart bears on it
            T1 (Toy rule) is absent; it needs 2 of
              Low potassium: unknown
              Tetany: absent
            criteria met: none; gene: none; withheld: no
        """,
    ),
    "advice": (
        case(labs=(3.4,), record={"conditions": CONFIRMED}, no_cautions=["rest"]),
        """
          Chart
            patient     sex unknown    age unknown  2026-11-22
            labs        lab-potassium  3.4 mmol/L   (2026-11-01)
            conditions  disease-codes               (2026-11-01)
            conditions  cond-tetany                 (2026-11-01)

          Expected, but
            rest should be free of the caution 'low potassium'

          Why
            criteria met: x; gene: confirmed; withheld: no
            gene: No SLC12A3 result was found in the data received; the diagnosis is taken from the problem list.
            recommended: rest, salt
            rest raises: low potassium
        """,
    ),
    "advice that is given after all": (
        case(record={"conditions": CONFIRMED}, silent=["rest"]),
        """
          Chart
            patient     sex unknown    age unknown  2026-11-22
            conditions  disease-codes               (2026-11-01)
            conditions  cond-tetany                 (2026-11-01)

          Expected, but
            rest should be silent

          Why
            criteria met: y; gene: confirmed; withheld: no
            gene: No SLC12A3 result was found in the data received; the diagnosis is taken from the problem list.
            recommended: rest, salt
        """,
    ),
    "a caution": (
        case(labs=(3.6,), record={"conditions": CONFIRMED}, cautions=["low potassium"]),
        """
          Chart
            patient     sex unknown    age unknown  2026-11-22
            labs        lab-potassium  3.6 mmol/L   (2026-11-01)
            conditions  disease-codes               (2026-11-01)
            conditions  cond-tetany                 (2026-11-01)

          Expected, but
            the caution 'low potassium' should be raised

          Why
            criteria met: y; gene: confirmed; withheld: no
            gene: No SLC12A3 result was found in the data received; the diagnosis is taken from the problem list.
            recommended: rest, salt
        """,
    ),
    "orders": (
        case(labs=(3.4,), tetany=True, offers=["calcium"]),
        """
          Chart
            patient     sex unknown    age unknown  2026-11-22
            labs        lab-potassium  3.4 mmol/L   (2026-11-01)
            conditions  cond-tetany                 (2026-11-01)

          Expected, but
            the order calcium should be offered

          Why
            criteria met: x; gene: none; withheld: no
            offered: magnesium, zinc
        """,
    ),
    "an order that is offered after all": (
        case(tetany=True, record={"labs": [{"code": "lab-potassium", "value": 3.4, "unit": "mmol/L"}]}, not_offered=["zinc"]),
        """
          Chart
            patient     sex unknown    age unknown  2026-11-22
            labs        lab-potassium  3.4 mmol/L   (2026-11-01)
            conditions  cond-tetany                 (2026-11-01)

          Expected, but
            the order zinc should not be offered

          Why
            criteria met: x; gene: none; withheld: no
            offered: magnesium, zinc
        """,
    ),
    "no order": (
        case(offers=["calcium"]),
        """
          Chart
            patient  sex unknown  age unknown  2026-11-22

          Expected, but
            the order calcium should be offered

          Why
            criteria met: none; gene: none; withheld: no
            offered: nothing
        """,
    ),
    "what could not be read": (
        case(record={"labs": [{"code": "lab-potassium", "value": 3.4, "unit": "furlong"}]}, expect={"low-potassium": "present"}),
        """
          Chart
            patient  sex unknown    age unknown  2026-11-22
            labs     lab-potassium  3.4 furlong  (2026-11-01)

          Expected, but
            low-potassium should be present and is unknown

          Why
            low-potassium (Low potassium) is unknown: nothing in the chart bears on it
            criteria met: none; gene: none; withheld: no
            Potassium of 2026-11-01 has a unit that is not known and was not used. Map the unit to UCUM, or add it to units.yaml.
        """,
    ),
    "a published patient": (
        case("constructed-after-toy: a man.", published=PUBLISHED, topic="toy-test"),
        """
          Published
            PMID 1, read at https://example.org/toy
            says: a man of 70 with spasms
            invented: the dates, the sex

          Chart
            patient  sex unknown  age unknown  2026-11-22

          Expected, but
            the card should be toy-test and is none (criteria none)

          Why
            criteria met: none; gene: none; withheld: no
        """,
    ),
    "a slip of the pen": (
        case(expect={"x": "present"}),
        """
          Chart
            patient  sex unknown  age unknown  2026-11-22

          Expected, but
            expect: there is no red flag, alternative, fact, term or rule 'x'. Use one of T1, any-sign, low-potassium, tetany
        """,
    ),
}


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_tells_a_failing_case_whole(kind):
    """Each part of the chart, of what was expected and of what was found has its line, and nothing else is said."""
    one, told = ACCOUNTS[kind]
    knowledge = toy(one, recommendations=[REST, SALT], orders=ORDERS)
    (outcome,) = casebook.run(knowledge)

    assert (
        f"cases.yaml:2: {one['name']}\n\n{dedent(told).strip(chr(10)).rstrip()}"
        == dedent(account_of(knowledge, outcome).replace("\n  ", "\n")).rstrip()
    )


def test_names_every_criterion_and_all_that_withholds_the_card():
    """Where several criteria are met, or several things keep a card back, the way to the card names each."""
    tiers = [{"topic": "test", "any": [{"id": name, "label": name, "when": name} for name in ("tetany", "low-potassium")]}]
    files = {"assessment": {**part("assessment"), "tiers": tiers}, "module": {**part("module"), "no_card_when": ["low-potassium", "tetany"]}}
    knowledge = toy(case(labs=(3.4,), tetany=True, topic="toy-test"), **files)
    (outcome,) = casebook.run(knowledge)

    said = account_of(knowledge, outcome).splitlines()

    assert "    criteria met: tetany, low-potassium; gene: none; withheld: low-potassium, tetany" == said[-1]
