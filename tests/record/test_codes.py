"""Codes: one spelling per system and code, whatever the chart wrote."""

import pytest

from cds_service.record.codes import SYSTEMS, Code, broader, canonical_system, code, well_formed

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD = "http://hl7.org/fhir/sid/icd-10"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("http://loinc.org", LOINC),
        ("http://loinc.org/", LOINC),
        (" http://loinc.org ", LOINC),
        ("HTTP://LOINC.ORG", LOINC),
        ("http://loinc.org|2.82", LOINC),
        ("urn:oid:2.16.840.1.113883.6.1", LOINC),
        ("URN:OID:2.16.840.1.113883.6.1", LOINC),
        ("urn:oid:2.16.840.1.113883.6.96", SNOMED),
        ("http://snomed.info/sct/731000124108", SNOMED),
        ("http://snomed.info/sct/731000124108/version/20250901", SNOMED),
        ("http://snomed.info/sct|http://snomed.info/sct/900000000000207008", SNOMED),
        ("urn:oid:2.16.840.1.113883.6.90", ICD_CM),
        ("urn:oid:2.16.840.1.113883.6.3", ICD),
        ("urn:oid:2.16.840.1.113883.6.88", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        ("urn:oid:2.16.840.1.113883.6.73", "http://www.whocc.no/atc"),
        ("urn:oid:2.16.840.1.113883.12.292", "http://hl7.org/fhir/sid/cvx"),
        ("http://www.genenames.org/geneId", "http://www.genenames.org"),
        ("http://hospital.example.org/codes", "http://hospital.example.org/codes"),
    ],
)
def test_knows_every_spelling_of_a_system(written, canonical):
    """A system's URI, its OID, a version or a trailing slash name the same system; an unknown one stays as it came."""
    found = canonical_system(written)

    assert canonical == found


@pytest.mark.parametrize(
    ("system", "written", "canonical"),
    [
        (ICD_CM, "M94.1", "M94.1"),
        (ICD_CM, "M941", "M94.1"),
        (ICD_CM, "m94.1", "M94.1"),
        (ICD_CM, " L98.2 ", "L98.2"),
        (ICD_CM, "I824Y1", "I82.4Y1"),
        (ICD_CM, "M94", "M94"),
        (ICD, "D539", "D53.9"),
        (LOINC, "787-2", "787-2"),
        (SNOMED, "72275000", "72275000"),
        ("http://human-phenotype-ontology.org", "hp:0001972", "HP:0001972"),
        ("http://www.genenames.org", "hgnc:12469", "HGNC:12469"),
        ("http://www.genenames.org", "12469", "HGNC:12469"),
        ("http://purl.obolibrary.org/obo/mondo.owl", "mondo:0026777", "MONDO:0026777"),
        ("http://www.orpha.net", "ORPHA:596753", "596753"),
        ("http://www.orpha.net", "orpha:596753", "596753"),
        ("http://www.orpha.net", "596753", "596753"),
    ],
)
def test_spells_a_code_in_one_way(system, written, canonical):
    """ICD-10 has its dot, ontology ids have their prefix and capitals, and blanks around a code are dropped."""
    found = code(system, written)

    assert Code(system, canonical) == found


@pytest.mark.parametrize(
    ("system", "value", "expected"),
    [
        (LOINC, "787-2", True),
        (LOINC, "LA9633-4", True),
        (LOINC, "787", False),
        (SNOMED, "72275000", True),
        (SNOMED, "7227", False),
        (ICD_CM, "I82.4Y1", True),
        (ICD_CM, "82.4", False),
        ("http://hl7.org/fhir/sid/cvx", "187", True),
        ("http://hospital.example.org/codes", "anything at all", True),
    ],
)
def test_tells_a_code_from_a_slip_of_the_pen(system, value, expected):
    """A code has the form that its system prescribes; of an unknown system nothing is known, so any form is accepted."""
    found = well_formed(Code(system, value))

    assert expected == found


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (Code(ICD_CM, "I82.4Y1"), ["I82.4Y1", "I82.4Y", "I82.4", "I82"]),
        (Code(ICD, "L98.2"), ["L98.2", "L98"]),
        (Code(ICD, "L98"), ["L98"]),
        (Code(SNOMED, "72275000"), ["72275000"]),
    ],
)
def test_climbs_only_in_a_hierarchical_system(one, expected):
    """An ICD-10 code has the categories above it, narrowest first; a code of any other system has only itself."""
    found = [wider.value for wider in broader(one)]

    assert expected == found


def test_reads_its_own_canonical_spelling_back():
    """Canonical spelling is final: canonicalising it again changes nothing."""
    again = {uri: canonical_system(uri) for uri in SYSTEMS}

    assert {uri: uri for uri in SYSTEMS} == again


def test_names_a_code_by_its_system():
    """A code is shown with the name of its system, or bare when the system is unknown."""
    shown = [str(code(ICD_CM, "L982")), str(code("http://hospital.example.org/codes", "X1"))]

    assert ["ICD-10-CM L98.2", "X1"] == shown
