"""An allele fraction as a chart sends it: every shape of its component, read to the call of the result."""

import pytest

from cds_service.reasoning.genetics import Call, GeneReader
from tests.fhir.charting import gathered, observation
from tests.reasoning.charts import KNOWLEDGE

READER = GeneReader(KNOWLEDGE)
LOINC = "http://loinc.org"
ABSENT = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}], "text": "below reporting limit"}
SHAPES = [
    ({"valueQuantity": {"value": 46, "unit": "%", "code": "%"}}, Call.PATHOGENIC),
    ({"valueQuantity": {"value": 4, "unit": "%", "code": "%"}}, Call.LOW),
    ({"valueQuantity": {"value": 46, "unit": "Prozent", "code": "%"}}, Call.PATHOGENIC),
    ({"valueQuantity": {"value": 46, "unit": "Prozent"}}, Call.PATHOGENIC),
    ({"valueQuantity": {"value": 0.4, "unit": "\u2030"}}, Call.LOW),
    ({"valueQuantity": {"value": 0.9, "unit": "%", "code": "1"}}, Call.UNSURE),
    ({"valueQuantity": {"value": 15, "unit": "%", "comparator": "\u2264"}}, Call.UNSURE),
    ({"valueQuantity": {"value": 15, "unit": "%", "comparator": "~"}}, Call.UNSURE),
    ({"valueQuantity": {"value": 15, "unit": "%", "comparator": "less than"}}, Call.UNSURE),
    ({"valueQuantity": {"value": 50, "unit": "%", "comparator": ">"}}, Call.PATHOGENIC),
    ({"valueQuantity": {"unit": "%"}}, Call.UNSURE),
    ({"valueRange": {"low": {"value": 3, "unit": "%"}, "high": {"value": 20, "unit": "%"}}}, Call.UNSURE),
    ({"valueRatio": {"numerator": {"value": 3}, "denominator": {"value": 100}}}, Call.UNSURE),
    ({"valueString": "4 to 20 %"}, Call.UNSURE),
    ({"valueCodeableConcept": {"text": "low"}}, Call.UNSURE),
    ({"dataAbsentReason": ABSENT}, Call.UNSURE),
    ({"valueQuantity": {"value": 46, "unit": "%"}, "dataAbsentReason": ABSENT}, Call.UNSURE),
    ({"valueRange": None, "dataAbsentReason": None}, Call.PATHOGENIC),
    ({"valueString": " "}, Call.PATHOGENIC),
    ({}, Call.PATHOGENIC),
]


def coded(system: str, code: str, text: str) -> dict[str, object]:
    """A concept with one coding."""
    return {"coding": [{"system": system, "code": code}], "text": text}


@pytest.mark.parametrize(("value", "expected"), SHAPES)
def test_reads_a_fraction_in_any_shape(value, expected):
    """A fraction that stands there and is not understood, or is absent for a reason, never confirms; one that is not stated changes nothing."""
    parts = [
        {"code": coded(LOINC, "48018-6", "Gene"), "valueCodeableConcept": coded("http://www.genenames.org", "HGNC:12469", "UBA1")},
        {"code": coded(LOINC, "48004-6", "c.HGVS"), "valueCodeableConcept": coded("http://varnomen.hgvs.org", "NM_003334.4:c.122T>C", "c.122T>C")},
        {"code": coded(LOINC, "81258-6", "Allele fraction"), **value},
    ]
    variant = observation(code=coded(LOINC, "69548-6", "Variant"), valueCodeableConcept=coded(LOINC, "LA9633-4", "Present"), component=parts)

    (found,) = gathered(variant).reports

    assert expected is READER.read(found).call
