"""Values of the right type that mean nothing are refused by the loader; cases that could never fail are refused by the check."""

import re

import pytest

from cds_service.check import check
from cds_service.errors import KnowledgeError
from cds_service.knowledge.loader import load
from tests.knowledge.test_dating import DAMAGE
from tests.knowledge.test_loader_refuses import ADDED, REPLACED, assert_refused, replace

pytestmark = pytest.mark.long

SLIPS = {
    "version in words": ("module.yaml", 'version: "0.1.0"', 'version: "new"', "is no version"),
    "namespace that is no URL": ("module.yaml", 'namespace: "https://vexas-cds.example.org/"', 'namespace: "vexas"', "is no URL"),
    "unknown kind of resource": ("requirements.yaml", "resource: Condition", "resource: Conditions", "no kind of resource"),
    "weight below zero": ("red_flags.yaml", "weight: 3", "weight: -3", "below 0"),
    "no value sets": ("red_flags.yaml", "value_sets: [cond-vte]", "value_sets: []", "finds nothing"),
    "one result that repeats": ("red_flags.yaml", "persists: {results: 2", "persists: {results: 1", "do not repeat"),
    "one drug that is several": ("red_flags.yaml", "distinct: 2", "distinct: 1", "`distinct` is 1"),
    "no course": ("red_flags.yaml", "courses: 3", "courses: 0", "`courses` is 0"),
    "no times the upper limit": ("alternatives.yaml", "above_upper_limit: 3", "above_upper_limit: 0", "how many times"),
    "words apart below zero": ("red_flags.yaml", "words: 8", "words: -8", "how far apart"),
    "exception that is no expression": ("red_flags.yaml", "macrophage|histiocyt", "macrophage(|histiocyt", "no regular expression"),
    "empty any": ("assessment.yaml", "{any: [relapsing-polychondritis, chondritis]}", "{any: []}", "says nothing"),
    "more than there are": ("assessment.yaml", "at_least: {n: 2, of", "at_least: {n: 9, of", "asks for 9 of 3"),
    "more organs than there are": ("assessment.yaml", "organs: {at_least: 2}", "organs: {at_least: 99}", "organs asks for 99"),
    "criterion twice": ("assessment.yaml", "{id: b, label", "{id: a, label", "stands twice"),
    "caution twice": ("recommendations.yaml", 'text: "smoking"', 'text: "malignancy"', "twice"),
    "limits of belief in the wrong order": ("units.yaml", "plausible: {low: 40, high: 180}", "plausible: {low: 180, high: 40}", "lower limit first"),
    "limit of belief without end": ("units.yaml", "plausible: {low: 40, high: 180}", "plausible: {low: 40, high: 1e999}", "lower limit first"),
    "factor of zero": ("units.yaml", "um3: 1", "um3: 0", "the factor of 'um3' is 0"),
    "factor below zero": ("units.yaml", "um3: 1", "um3: -1", "the factor of 'um3' is -1"),
    "no phrases": ("terms.yaml", 'disease-codes: ["vexas"]', "disease-codes: []", "no phrases"),
    "phrase in capitals": ("terms.yaml", 'disease-codes: ["vexas"]', 'disease-codes: ["VEXAS"]', "lower case"),
    "phrase of a star": ("terms.yaml", 'disease-codes: ["vexas"]', 'disease-codes: ["*"]', "with words"),
    "whole text that is no expression": ("guards.yaml", "(known |confirmed ", "(known |(confirmed ", "no regular expression"),
    "whole text of an unknown value set": ("guards.yaml", "  disease-codes:", "  cond-unicorn:", "cond-unicorn"),
    "order text that is no expression": ("orders.yaml", "h(a)?ematology|", "h(a?ematology|", "no regular expression"),
    "order with a code of the wrong form": ("orders.yaml", 'code: "1988-5"', 'code: "1988"', "'1988' is no code"),
    "order with an unknown system": (
        "orders.yaml",
        '{system: "http://loinc.org", code: "1988-5"',
        '{system: "http://nowhere", code: "1988-5"',
        "no code system",
    ),
    "order on no card": ("orders.yaml", "topics: [test]", "topics: []", "on no card"),
    "gene code of the wrong form": ("genetics.yaml", 'gene: "48018-6"', 'gene: "48018"', "'48018' is no code"),
    "answer code of the wrong form": ("genetics.yaml", 'present: "LA9633-4"', 'present: "9633"', "'9633' is no code"),
    "place with a member": ("cards.yaml", "{basis}{warning}", "{basis.x}{warning}", "unknown place"),
    "place with a width": ("cards.yaml", "{basis}{warning}", "{basis:>999}{warning}", "unknown place"),
    "no dose": ("facts.yaml", "[vaccine-zoster-recombinant], doses: 2", "[vaccine-zoster-recombinant], doses: 0", "`doses` is 0"),
    "allergy to nothing": ("facts.yaml", "{kind: allergy, value_sets: [rx-jaki]}", "{kind: allergy, value_sets: []}", "finds nothing"),
    "allergy to a laboratory test": (
        "facts.yaml",
        "{kind: allergy, value_sets: [rx-jaki]}",
        "{kind: allergy, value_sets: [lab-mcv]}",
        "holds no drugs",
    ),
    "vaccination with a drug": ("facts.yaml", "value_sets: [vaccine-pcv15]", "value_sets: [rx-jaki]", "holds no vaccines"),
    "look-back of no time": ("facts.yaml", "within: P3M", "within: P0D", "holds nothing"),
    "limit that nobody reaches": ("red_flags.yaml", "above: {value: 100, unit: fL,", "above: {value: 1000, unit: fL,", "outside what is plausible"),
    "limit without end": ("red_flags.yaml", "above: {value: 100, unit: fL,", "above: {value: 1e999, unit: fL,", "outside what is plausible"),
    "limit below zero": ("red_flags.yaml", "above: {value: 100, unit: fL,", "above: {value: -100, unit: fL,", "outside what is plausible"),
    "caution of no words": ("recommendations.yaml", 'text: "smoking"', 'text: " "', "empty text"),
    "caution with markup": ("recommendations.yaml", 'text: "smoking"', 'text: "<b>smoking</b>"', "markup"),
    "short that is long": ("recommendations.yaml", 'short: "taper"', f'short: "{"taper " * 11}"', "room for 60"),
    "sentence that is long": ("recommendations.yaml", 'text: "smoking"', f'text: "{"smoking " * 40}"', "room for 260"),
    "denial of every allergy": ("guards.yaml", "no_allergy:", 'no_allergy:\n  - ".*"', "no allergy would count"),
    "brace that never ends": ("cards.yaml", "{basis}{warning}", "{basis{warning}", "{findings}"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_refuses_a_value_that_means_nothing(module, slip):
    """What the types let pass and nobody means is refused with file, line and remedy."""
    name, old, new, because = SLIPS[slip]
    replace(module, name, old, new)

    assert_refused(module, name + ":", because)


BROKEN_FILES = {
    "tab": (b"- name: x\n\trecord: {}\n", "Check indentation"),
    "wrong indent": (b"- name: x\n   record: {}\n", "Check indentation"),
    "empty file": (b"", "the file is empty"),
    "only a comment": (b"# nothing\n", "the file is empty"),
    "not UTF-8": (b"- name: caf\xe9\n", "Save it as UTF-8"),
    "control character": (b"- name: \x00\n", "Check indentation"),
    "one case instead of a list": (b"name: x\n", "Expected `array`"),
    "two documents": (b"- {name: x, record: {}}\n---\n- {name: y}\n", "Check indentation"),
    "key twice": (b"- {name: x, name: y, record: {}}\n", "stands twice"),
    "merge key": (b"- {<<: {name: x}, record: {}}\n", "<<"),
    "alias that holds itself": (b"- &a {name: x, record: {}, expect: *a}\n", "Write it out flat"),
    "unknown key": (b"- {name: x, record: {}, expects: {male: present}}\n", "expects"),
    "unknown key of a fact": (b"- {name: x, record: {labs: [{code: lab-mcv, amount: 1}]}}\n", "amount"),
    "list without items": (b"- {name: x, record: {labs: }}\n", "Expected `array`"),
    "truth that is none": (b"- {name: x, record: {}, expect: {male: yes}}\n", "yes"),
    "number in quotes": (b'- {name: x, record: {labs: [{code: lab-mcv, value: "104", unit: fL}]}}\n', "float"),
}


@pytest.mark.parametrize("damage", BROKEN_FILES)
def test_refuses_a_file_of_cases_that_cannot_be_read(module, damage):
    """A file of cases is held to the same form as any other of the module."""
    content, because = BROKEN_FILES[damage]
    (module / "cases-toy.yaml").write_bytes(content)

    with pytest.raises(KnowledgeError) as refused:
        check(module, None)

    assert re.match(r"cases-toy\.yaml(:\d+)?: ", refused.value.public), refused.value.public
    assert because in refused.value.public


def test_refuses_a_folder_in_place_of_a_file(module):
    """A folder of the name of a file is no file."""
    (module / "cases-toy.yaml").mkdir()

    with pytest.raises(KnowledgeError, match=r"^cases-toy.yaml: the file cannot be read .* Check that it is a file"):
        check(module, None)


MALE = "expect: {male: present}"
PATIENT = "patient: {sex: male, age: 60}"
CASES = {
    "unknown value set": ("record: {conditions: [{code: cond-luck}]}, " + MALE, "there is no value set 'cond-luck'. Name one"),
    "unknown system": ('record: {conditions: [{system: "http://nowhere", code: "1"}]}, ' + MALE, "no code system that is known. Correct"),
    "code of the wrong form": ('record: {conditions: [{system: "http://snomed.info/sct", code: "M94"}]}, ' + MALE, "'M94' is no code of"),
    "fact that says nothing": ("record: {conditions: [{}]}, " + MALE, "one of the conditions says nothing. Give"),
    "lab without a value": ("record: {labs: [{code: lab-mcv, unit: fL}]}, " + MALE, "the lab lab-mcv has no value. Add"),
    "status of no standard": ("record: {conditions: [{code: cond-vte, status: resolvd}]}, " + MALE, "the status 'resolvd' of cond-vte is none"),
    "verification of no standard": ("record: {conditions: [{code: cond-vte, verification: sure}]}, " + MALE, "the verification 'sure'"),
    "date in words": ("record: {conditions: [{code: cond-vte, date: yesterday}]}, " + MALE, "'yesterday' is no date. Write"),
    "period in words": ("record: {conditions: [{code: cond-vte, date: P2W}]}, " + MALE, "'P2W' is not a period. Write"),
    "end in words": ("record: {medications: [{text: apixaban, until: soon}]}, " + MALE, "'soon' is no date. Write"),
    "today in words": ("today: tomorrow, record: {}, expect: {male: unknown}", "today 'tomorrow' is no day. Write"),
    "birth in words": ("record: {patient: {birth: long ago}}, expect: {male: unknown}", "birth 'long ago' is no date. Write"),
    "age of nobody": ("record: {patient: {age: 3000}}, expect: {male: unknown}", "nobody is 3000 years old. Correct"),
    "age and birth": ('record: {patient: {age: 60, birth: "1960"}}, expect: {male: unknown}', "age and birth are both given. Keep"),
    "gender of no standard": ("record: {patient: {sex: man}}, expect: {male: unknown}", "sex 'man' is none of male, female, other, unknown. Correct"),
    "unknown source": ("record: {unavailable: [labs]}, expect: {male: unknown}", "there is no source 'labs'. Use one of allergies, blood-counts"),
    "unknown finding": ("record: {}, expect: {unicorn: unknown}", "there is no red flag, alternative, fact, term or rule 'unicorn'. Correct"),
    "unknown topic": (f"record: {{{PATIENT}}}, topic: vexas-luck", "topic: there is no topic 'vexas-luck'. Use one of none, vexas-confirmed"),
    "unknown criterion": (f"record: {{{PATIENT}}}, criterion: zz", "there is no criterion 'zz'. Use one of a, b"),
    "unknown state of the gene": (f"record: {{{PATIENT}}}, genetics: lucky", "there is no state of the gene 'lucky'. Use one of confirmed"),
    "unknown recommendation": (f"record: {{{PATIENT}}}, silent: [X9]", "silent: there is no recommendation 'X9'."),
    "unknown order": (f"record: {{{PATIENT}}}, not_offered: [luck]", "not_offered: there is no order 'luck'. Use one of"),
    "unknown caution": (f"record: {{{PATIENT}}}, cautions: [luck]", "cautions: there is no caution 'luck'. Correct"),
    "unknown absent caution": (f"record: {{{PATIENT}}}, no_cautions: [luck]", "no_cautions: there is no caution or recommendation 'luck'. Correct"),
    "case that expects nothing": (f"record: {{{PATIENT}}}", "it expects nothing, so it cannot fail. Add"),
    "failing truth": (f"record: {{{PATIENT}}}, expect: {{male: absent}}", "male should be absent and is present"),
    "failing topic": (f"record: {{{PATIENT}}}, topic: vexas-confirmed", "the card should be vexas-confirmed and is none"),
    "failing criterion": (f"record: {{{PATIENT}}}, criterion: a", "criterion a should be met; met are none"),
    "failing gene": (f"record: {{{PATIENT}}}, genetics: confirmed", "the gene should be confirmed and is none"),
    "failing recommendation": (f"record: {{{PATIENT}}}, recommends: [T01]", "T01 should be recommended"),
    "failing order": (f"record: {{{PATIENT}}}, offers: [cbc]", "the order cbc should be offered"),
}


@pytest.mark.parametrize("damage", CASES)
def test_refuses_a_case_that_is_not_sound(module, damage):
    """A case that fails, names nothing or could never fail is named with its file, line and sentence."""
    text, because = CASES[damage]
    (module / "cases-toy.yaml").write_text(f'- {{name: "Sound.", record: {{{PATIENT}}}, {MALE}}}\n- {{name: "Toy.", {text}}}\n', encoding="utf-8")

    found = [fault for fault in check(module, None).faults if fault.startswith("cases-toy.yaml:") and "Toy." in fault]

    assert all(fault.startswith("cases-toy.yaml:2: Toy.: ") for fault in found)
    assert any(because in fault for fault in found), found


def test_refuses_two_cases_of_one_name(module):
    """A case's sentence names it, so it stands once; the place of the other is given."""
    case = f'- {{name: "Toy.", record: {{{PATIENT}}}, {MALE}}}\n'
    (module / "cases-toy.yaml").write_text(case * 2, encoding="utf-8")

    assert any("Toy.: a case of this name stands at cases-toy.yaml:1 already. Rename" in fault for fault in check(module, None).faults)


def test_knows_many_kinds_of_damage():
    """Across the tables of this folder more than 150 kinds of damage are tried."""
    assert len({*ADDED, *REPLACED, *DAMAGE, *SLIPS, *BROKEN_FILES, *CASES}) > 150


def test_takes_the_module_undamaged(module):
    """The copy that is damaged here is sound."""
    assert load(module)
