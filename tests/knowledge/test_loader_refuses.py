"""A damaged module never starts: each kind of damage is refused with the file, the line and what to do about it."""

import re
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.loader import load

REMEDIES = (
    "Add",
    "Correct",
    "Define",
    "Rename",
    "Remove",
    "Keep",
    "Write",
    "Use",
    "Say",
    "Split",
    "Check",
    "Name",
    "Every module needs",
    "Every claim names",
    "has exactly one",
    "or remove",
)
_PLACED = re.compile(r"^(valuesets/)?[\w.-]+\.(yaml|json)(:\d+)?: ")

FLAG = "- {{id: {id}, label: Toy, citations: [{cited}], confidence: {confidence}, when: {when}}}\n"
MCV = '{kind: lab, value_set: lab-mcv, within: P24M, above: {value: 100, unit: fL, since: "2026-11-22"}}'


def flag(when=MCV, *, name="toy", cited="beck-2023", confidence="verified"):
    """One more flag, as an author would write it."""
    return FLAG.format(id=name, cited=cited, confidence=confidence, when=when)


def lab(limits, *, value_set="lab-mcv", within="P24M"):
    """One more laboratory flag with these limits, each with the day it took effect unless it has one."""
    limits = re.sub(r"(unit: \w+)}", r'\1, since: "2026-11-22"}', limits)
    return flag(f"{{kind: lab, value_set: {value_set}, within: {within}, {limits}}}")


def append(folder: Path, name: str, text: str) -> None:
    """Add text to the end of a file."""
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Replace one piece of a file, which must be there."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} no longer holds {old!r}: choose another piece to damage"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def assert_refused(folder: Path, place: str, because: str) -> None:
    """Loading names the place, says why, and says what to do."""
    with pytest.raises(KnowledgeError) as refused:
        load(folder)
    message = refused.value.public
    assert message.startswith(place), message
    assert _PLACED.match(message), message
    assert because in message, message
    assert any(remedy in message for remedy in REMEDIES), message


def test_takes_the_module_undamaged(module):
    """The copy itself is sound, so that every refusal below is due to its damage."""
    knowledge = load(module)

    assert "vexas" == knowledge.module.id


ADDED = {
    "unknown key": ("red_flags.yaml", flag("{kind: sex, equals: male, colour: blue}"), "colour"),
    "unknown kind of criterion": ("red_flags.yaml", flag("{kind: horoscope, sign: leo}"), "horoscope"),
    "missing key": ("red_flags.yaml", flag("{kind: sex}"), "equals"),
    "wrong type": ("red_flags.yaml", flag("{kind: age, at_least: fifty}"), "int"),
    "number with a fraction": ("red_flags.yaml", flag("{kind: age, at_least: 49.5}"), "int"),
    "word outside the list": ("red_flags.yaml", flag("{kind: sex, equals: man}"), "man"),
    "unknown confidence": ("red_flags.yaml", flag(confidence="certain"), "certain"),
    "unknown value set of a condition": ("red_flags.yaml", flag("{kind: condition, value_sets: [cond-unicorn]}"), "valuesets/cond-unicorn.json"),
    "unknown value set of a medication": ("facts.yaml", flag("{kind: medication, value_sets: [rx-unicorn]}"), "valuesets/rx-unicorn.json"),
    "unknown value set inside a list": ("red_flags.yaml", flag("{kind: any, of: [{kind: condition, value_sets: [cond-unicorn]}]}"), "cond-unicorn"),
    "unknown value set of a neighbour": (
        "red_flags.yaml",
        flag("{kind: condition, value_sets: [cond-vte], unless_near: {value_set: cond-unicorn, within: P14D, because: x}}"),
        "cond-unicorn",
    ),
    "laboratory set without a measurement": ("red_flags.yaml", lab("above: {value: 1, unit: fL}", value_set="cond-vte"), "measurements.yaml"),
    "unknown citation": ("red_flags.yaml", flag(cited="nobody-1900"), "nobody-1900"),
    "verified but uncited": ("alternatives.yaml", flag(cited=""), "no citation"),
    "period that is none": ("red_flags.yaml", lab("above: {value: 100, unit: fL}", within="24M"), "P24M"),
    "period of a repetition": ("red_flags.yaml", lab("above: {value: 100, unit: fL}, persists: {results: 2, apart: 4 weeks}"), "P24M"),
    "period of a neighbour": (
        "red_flags.yaml",
        flag("{kind: condition, value_sets: [cond-vte], unless_near: {value_set: cond-fever, within: fortnight, because: x}}"),
        "P24M",
    ),
    "limit without a unit": ("red_flags.yaml", lab("above: {value: 100}"), "unit"),
    "limit with an unknown unit": ("red_flags.yaml", lab("above: {value: 100, unit: furlong}"), "furlong"),
    "milder limit with an unknown unit": (
        "red_flags.yaml",
        lab("above: {value: 100, unit: fL}, persists: {results: 2, apart: P28D, latest: {value: 98, unit: furlong}}"),
        "furlong",
    ),
    "limit without a value": ("red_flags.yaml", lab("above: {unit: fL}"), "a value for male and for female"),
    "limit for men only": ("red_flags.yaml", lab("above: {male: 13, unit: fL}"), "a value for male and for female"),
    "limit with two kinds of value": ("red_flags.yaml", lab("above: {value: 1, male: 13, female: 12, unit: fL}"), "a value for male and for female"),
    "two limits": ("red_flags.yaml", lab("above: {value: 100, unit: fL}, below: {value: 80, unit: fL}"), "exactly one of"),
    "no limit": (
        "red_flags.yaml",
        "- {id: toy, label: Toy, citations: [beck-2023], confidence: verified, when: {kind: lab, value_set: lab-mcv, within: P24M}}\n",
        "exactly one of",
    ),
    "id twice in one file": ("red_flags.yaml", flag(name="macrocytosis"), "stands twice"),
    "no regular expression": (
        "red_flags.yaml",
        flag('{kind: report-text, value_set: report-marrow, pattern: "vacuol(", near: "blast", words: 8}'),
        "pattern",
    ),
    "unfinished YAML": ("red_flags.yaml", "- {id: toy", ""),
    "key twice": ("red_flags.yaml", "- {id: toy, id: toy}\n", "stands twice"),
    "measurement without a quantity": ("measurements.yaml", "- {value_set: lab-spep, label: SPEP}\n", "quantity"),
    "measurement of an unknown quantity": ("measurements.yaml", "- {value_set: lab-spep, label: SPEP, quantity: luck}\n", "luck"),
    "measurement of an unknown value set": ("measurements.yaml", "- {value_set: lab-luck, label: Luck, quantity: cells}\n", "lab-luck"),
    "measurement twice": ("measurements.yaml", "- {value_set: lab-ferritin, label: Again, quantity: ferritin}\n", "lab-ferritin"),
    "measurement unusable near an unknown set": (
        "measurements.yaml",
        "- {value_set: lab-spep, label: SPEP, quantity: cells, unusable: [{because: x, near_condition: cond-unicorn, within: P14D}]}\n",
        "cond-unicorn",
    ),
    "measurement derived from an unknown set": (
        "measurements.yaml",
        "- {value_set: lab-spep, label: SPEP, quantity: cells, derived: {percent: lab-unicorn, of: lab-wbc}}\n",
        "lab-unicorn",
    ),
    "terms for an unknown value set": ("terms.yaml", '  cond-unicorn: ["horn"]\n', "cond-unicorn"),
    "prefetch for an unknown value set": (
        "requirements.yaml",
        "- {key: luck, resource: Observation, domain: luck, codes_of: [lab-luck]}\n",
        "lab-luck",
    ),
    "more than 20 codes in a prefetch key": (
        "requirements.yaml",
        "- {key: many, resource: Observation, domain: many, codes_of: [lab-mcv, lab-hemoglobin, lab-platelets, lab-crp, lab-wbc, lab-liver, lab-panels]}\n",
        "more than 20 codes",
    ),
    "rule without a citation": (
        "rules.yaml",
        "- {id: X, label: X, published: true, at_least: 1, items: [male], item_labels: [Man], performance: p, population: p, citations: [], confidence: verified}\n",
        "no citation",
    ),
    "unknown name in a rule": (
        "rules.yaml",
        "- {id: X, label: X, published: true, at_least: 1, items: [unicorn], item_labels: [U], performance: p, population: p, citations: [beck-2020], confidence: verified}\n",
        "'unicorn'",
    ),
    "rule with fewer labels than items": (
        "rules.yaml",
        "- {id: X, label: X, published: true, at_least: 1, items: [male], item_labels: [], performance: p, population: p, citations: [beck-2020], confidence: verified}\n",
        "item_labels",
    ),
    "rule that needs more items than it has": (
        "rules.yaml",
        "- {id: X, label: X, published: true, at_least: 2, items: [male], item_labels: [Man], performance: p, population: p, citations: [beck-2020], confidence: verified}\n",
        "at_least",
    ),
    "unknown name in a recommendation": (
        "recommendations.yaml",
        "- {id: X, topic: confirmed, short: x, text: x, when: unicorn, strength: s, citations: [beck-2020], confidence: verified}\n",
        "'unicorn'",
    ),
    "unknown name in a caution": (
        "recommendations.yaml",
        "- {id: X, topic: confirmed, short: x, text: x, when: male, strength: s, citations: [beck-2020], confidence: verified, cautions: [{when: unicorn, text: t}]}\n",
        "'unicorn'",
    ),
    "recommendation that shows an unknown measurement": (
        "recommendations.yaml",
        "- {id: X, topic: confirmed, short: x, text: x, when: male, strength: s, citations: [beck-2020], confidence: verified, shows: [luck]}\n",
        "luck",
    ),
    "unknown topic": (
        "recommendations.yaml",
        "- {id: X, topic: gossip, short: x, text: x, when: male, strength: s, citations: [beck-2020], confidence: verified}\n",
        "gossip",
    ),
    "unknown name in an order": ("orders.yaml", "- {id: x, topics: [test], label: x, description: x, text: x, when: unicorn}\n", "'unicorn'"),
    "unknown reason of an order": (
        "orders.yaml",
        "- {id: x, topics: [test], label: x, description: x, text: x, when: male, reason: [unicorn]}\n",
        "'unicorn'",
    ),
    "order of an unknown value set": (
        "orders.yaml",
        "- {id: x, topics: [test], label: x, description: x, text: x, when: male, ordered_as: lab-luck}\n",
        "lab-luck",
    ),
    "period of an order": ("orders.yaml", "- {id: x, topics: [test], label: x, description: x, text: x, when: male, within: a year}\n", "P24M"),
    "code without quotes": (
        "orders.yaml",
        '- id: x\n  topics: [test]\n  label: x\n  description: x\n  text: x\n  when: male\n  codes: [{system: "http://loinc.org", code: 1988-5, display: x}]\n',
        "no quotes",
    ),
    "code that reads as a number": (
        "orders.yaml",
        '- id: x\n  topics: [test]\n  label: x\n  description: x\n  text: x\n  when: male\n  codes: [{system: "http://loinc.org", code: 19.5, display: x}]\n',
        "no quotes",
    ),
    "two factors for one spelling": (
        "units.yaml",
        '- {id: luck, unit: L, plausible: {low: 0, high: 1}, factors: {L: 1, "10 x": 2, "10x": 3}}\n',
        "two factors",
    ),
    "no factor for the canonical unit": ("units.yaml", "- {id: luck, unit: L, plausible: {low: 0, high: 1}, factors: {mL: 0.001}}\n", "no factor 1"),
}


@pytest.mark.parametrize("damage", ADDED)
def test_refuses_an_addition_that_is_not_sound(module, damage):
    """What an author adds must be of a known kind and speak only of what is there; else the line is named with a remedy."""
    name, text, because = ADDED[damage]
    append(module, name, text)

    assert_refused(module, name + ":", because)


REPLACED = {
    "unknown name in a term": (
        "assessment.yaml",
        "{any: [relapsing-polychondritis, chondritis]}",
        "{any: [relapsing-polychondritis, unicorn]}",
        "'unicorn'",
    ),
    "unknown name in a tier": ("assessment.yaml", "{all: [age-50, pattern-d]}", "{all: [age-50, unicorn]}", "'unicorn'"),
    "unknown name that lowers a tier": ("assessment.yaml", "lowered_by: treated-malignancy", "lowered_by: unicorn", "'unicorn'"),
    "unknown rule of a tier": ("assessment.yaml", "when: S1, rule: S1", "when: S1, rule: S9", "S9"),
    "unknown compatible disease": ("assessment.yaml", "compatible: compatible-disease", "compatible: unicorn", "'unicorn'"),
    "clause of two kinds": (
        "assessment.yaml",
        "{any: [relapsing-polychondritis, chondritis]}",
        "{any: [chondritis], all: [chondritis]}",
        "exactly one of",
    ),
    "empty clause": ("assessment.yaml", "{any: [relapsing-polychondritis, chondritis]}", "{}", "exactly one of"),
    "term that names itself": ("assessment.yaml", "{any: [relapsing-polychondritis, chondritis]}", "{any: [cartilage, chondritis]}", "cartilage"),
    "terms that name each other": (
        "assessment.yaml",
        "when: {any: [crp, esr, recurrent-fever, steroid-dependence]}",
        "when: {any: [crp, compatible-disease]}",
        "inflammation",
    ),
    "unknown gate": ("module.yaml", "no_card_when: [child, deceased]", "no_card_when: [child, unicorn]", "'unicorn'"),
    "unknown finding behind a provisional one": ("red_flags.yaml", "unless: macrocytosis-persistent", "unless: unicorn", "unicorn"),
    "unknown value set of the gene": ("genetics.yaml", "gene_codes: gene-codes", "gene_codes: gene-unicorn", "gene-unicorn"),
    "unknown value set of the gene's test": ("genetics.yaml", "test_codes: uba1-test", "test_codes: test-unicorn", "test-unicorn"),
    "period of the gene's silence": ("genetics.yaml", "silence: P12M", "silence: one year", "P24M"),
    "missing word pattern of the gene": ("genetics.yaml", "  relative: ", "  relatives: ", "relative"),
    "word pattern that is no expression": ("genetics.yaml", 'gene: "\\\\buba1\\\\b"', 'gene: "uba1("', "gene"),
    "missing code of the gene": ("genetics.yaml", '  fraction: "81258-6"', '  fractions: "81258-6"', "fraction"),
    "missing message of the gene": ("genetics.yaml", "  call-low: ", "  call-lower: ", "call-low"),
    "unknown citation of the gene": ("genetics.yaml", "citations: [beck-2020, hadjadj-2025", "citations: [nobody-1900, hadjadj-2025", "nobody-1900"),
    "unknown citation of a variant": (
        "genetics.yaml",
        "citations: [beck-2020, ferrada-2022, infections-review-2025], confidence: verified, note",
        "citations: [nobody-1900], confidence: verified, note",
        "nobody-1900",
    ),
    "unknown citation of an association": ("genetics.yaml", 'lesions", citations: [tan-2024]', 'lesions", citations: [nobody-1900]', "nobody-1900"),
    "association without a citation": ("genetics.yaml", 'lesions", citations: [tan-2024]', 'lesions", citations: []', "citation"),
    "associations too long for a card": ("genetics.yaml", "vasculitic skin lesions", "vasculitic skin lesions of the arms and legs", "more than 45"),
    "card with an unknown place": ("cards.yaml", '"{findings}: consider VEXAS syndrome in the differential"', '"{finding}: consider"', "{finding}"),
    "card with an unknown citation": ("cards.yaml", "citations: [hadjadj-2025, sirenko-2024]", "citations: [nobody-1900]", "nobody-1900"),
    "topic without a card": ("cards.yaml", "topic: negative", "topic: confirmed", "negative"),
    "no key for the patient": ("requirements.yaml", "- {key: patient, resource: Patient, domain: patient}\n", "", "Patient"),
    "prefetch key twice": ("requirements.yaml", "- {key: procedures, ", "- {key: reports, ", "reports"),
    "unknown value set of a guard": (
        "guards.yaml",
        "systemic_only: [rx-systemic-glucocorticoid, rx-azole, rx-anticoagulant]",
        "systemic_only: [rx-unicorn]",
        "rx-unicorn",
    ),
    "unknown value set of reports in documents": (
        "guards.yaml",
        "in_documents: {report-bone-marrow:",
        "in_documents: {report-unicorn:",
        "report-unicorn",
    ),
    "broken pattern of a denied allergy": ("guards.yaml", "nka|nkda|nkma", "nka|(nkda|nkma", "no regular expression"),
}


@pytest.mark.parametrize("damage", REPLACED)
def test_refuses_a_slip_of_the_pen(module, damage):
    """A name that means nothing, a clause that is none or a pattern that cannot be read is refused before anyone is assessed."""
    name, old, new, because = REPLACED[damage]
    replace(module, name, old, new)

    assert_refused(module, name + ":", because)


@pytest.mark.parametrize(
    ("file", "twin"),
    [("alternatives.yaml", "macrocytosis"), ("facts.yaml", "alcohol"), ("facts.yaml", "S1"), ("facts.yaml", "one-organ")],
)
def test_refuses_one_id_in_two_files(module, file, twin):
    """An id means one thing in the whole module, so the second file that uses it is named with its line."""
    append(module, file, flag(name=twin))

    assert_refused(module, file + ":", f"'{twin}'")


@pytest.mark.parametrize("name", ["module.yaml", "red_flags.yaml", "genetics.yaml", "guards.yaml", "terms.yaml", "cards.yaml"])
def test_refuses_a_module_without_one_of_its_files(module, name):
    """Every file is needed, even when it is empty of entries."""
    (module / name).unlink()

    assert_refused(module, name, "missing")


def value_set(system="http://loinc.org", codes=("787-2",), mark='[{"url": "https://example.org/code-verification", "valueCode": "verified"}]'):
    """A small value set file."""
    concepts = ", ".join(f'{{"code": "{code}", "display": "x", "extension": {mark}}}' for code in codes)
    return f'{{"resourceType": "ValueSet", "url": "https://example.org/vs", "title": "Toy", "compose": {{"include": [{{"system": "{system}", "concept": [{concepts}]}}]}}}}'


@pytest.mark.parametrize(
    ("content", "because"),
    [
        ('{"resourceType": "ValueSet", ', "Write a FHIR R4 ValueSet"),
        ("[]", "Write a FHIR R4 ValueSet"),
        ('{"resourceType": "Patient"}', "Write a FHIR R4 ValueSet"),
        (value_set(codes=()), "no concept"),
        (value_set(codes=("787",)), "'787' is no code of http://loinc.org"),
        (value_set("http://hl7.org/fhir/sid/icd-10-cm", ("94.1",)), "'94.1' is no code of"),
        (value_set("http://hl7.org/fhir/sid/icd-10", ("M94.12345",)), "'M94.12345' is no code of"),
        (value_set("http://snomed.info/sct", ("M94.1",)), "'M94.1' is no code of"),
        (value_set(codes=("787-2", "787-2")), "stands twice"),
        (value_set("http://hl7.org/fhir/sid/icd-10-cm", ("M94.1", "M941")), "stands twice"),
        (value_set(mark="[]"), "no code-verification"),
        (value_set(mark='[{"url": "https://example.org/other", "valueCode": "verified"}]'), "no code-verification"),
    ],
)
def test_refuses_a_value_set_that_is_not_sound(module, content, because):
    """A value set has well-formed codes, each once and each with the mark of how it was verified."""
    (module / "valuesets" / "lab-mcv.json").write_text(content, encoding="utf-8")

    assert_refused(module, "valuesets/lab-mcv.json", because)


def test_refuses_a_value_set_that_is_not_utf8(module):
    """A value set in another encoding is refused by name."""
    (module / "valuesets" / "lab-mcv.json").write_bytes(value_set().encode().replace(b'"x"', b'"caf\xe9"'))

    assert_refused(module, "valuesets/lab-mcv.json", "Write")


def test_refuses_a_missing_value_set(module):
    """A value set that flags read must be there."""
    (module / "valuesets" / "cond-vte.json").unlink()

    with pytest.raises(KnowledgeError, match=r"^\w+\.yaml:\d+: there is no value set 'cond-vte'. Add valuesets/cond-vte.json"):
        load(module)


def test_names_the_line_of_the_damage(module):
    """The line in the message is the line of the file."""
    path = module / "red_flags.yaml"
    lines = len(path.read_text(encoding="utf-8").splitlines())
    append(module, "red_flags.yaml", "- id: toy\n  label: Toy\n  citations: [beck-2023]\n  confidence: verified\n  when: {kind: sex, equals: man}\n")

    with pytest.raises(KnowledgeError) as refused:
        load(module)

    assert refused.value.public.startswith(f"red_flags.yaml:{lines + 6}: "), refused.value.public


def test_changes_its_digest_with_every_file(module):
    """The digest is the identity of the knowledge: a changed word changes it, a case does not."""
    before = load(module).digest
    (module / "cases.yaml").write_text("[]", encoding="utf-8")
    with_case = load(module).digest
    replace(module, "guards.yaml", '"denies"', '"denies", "nay"')
    changed = load(module).digest

    assert (True, False) == (before == with_case, before == changed)
