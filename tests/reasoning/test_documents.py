"""Reports that stand in a document: they are on record and were not read, and nothing is decided from them."""

import pytest

from cds_service.reasoning.assess import Reasoner
from cds_service.reasoning.findings import GeneticState
from cds_service.reasoning.truth import Truth
from tests.reasoning.charts import KNOWLEDGE, TODAY, UBA1_TEST, chart, condition, first, lab, record, report

REASONER = Reasoner(KNOWLEDGE)
MARROW = first("report-marrow")
SUSPECT = (lab("lab-mcv", 108, "fL"), lab("lab-crp", 40, "mg/L"), condition("cond-neutrophilic-dermatosis"))
DIAGNOSED = (condition("disease-codes", text="VEXAS syndrome", codes=()), condition("cond-relapsing-polychondritis"))


def document(text="", *, on="2026-05-01", number=1, **members):
    """A report in a document."""
    return report(on=on, text=text, attached=True, ref=f"DocumentReference/{number}", **members)


def assess(*facts, **members):
    """The assessment of a chart."""
    return REASONER.evaluate(record(*facts, **members), TODAY, full=True)


def said(assessment):
    """What its warnings say of documents."""
    return [i.what for i in assessment.issues if i.level == "warning" and "document" in i.what]


# --- marrow ---


@pytest.mark.parametrize("facts", [{"code": MARROW}, {"text": "Bone marrow biopsy, outside hospital"}], ids=["by code", "by words"])
def test_says_that_a_marrow_report_was_not_read(facts):
    """The report counts as on record, its words are unknown, and the card names it."""
    found = assess(document(**facts))

    assert ["Bone marrow report of 2026-05-01 stands in a document and was not read"] == said(found)
    assert Truth.PRESENT is found.truth("marrow-ever")
    assert Truth.UNKNOWN is found.truth("marrow-vacuoles")


@pytest.mark.parametrize("on", ["2026", "2026-05", "2026-05-01", "2026-05-01T08:00:00"])
def test_names_a_document_by_as_much_of_its_date_as_is_given(on):
    """A year or a month gets no day that nobody wrote, and a day no time."""
    assert [f"Bone marrow report of {on[:10]} stands in a document and was not read"] == said(assess(document(code=MARROW, on=on)))


def test_says_it_once_of_several():
    """The newest is named, and how many others there are."""
    found = assess(*(document("Bone marrow report", on=f"2026-0{n}-01", number=n) for n in (3, 5, 4)))

    assert ["Bone marrow report of 2026-05-01 and 2 more stand in documents and were not read"] == said(found)


@pytest.mark.parametrize("text", ["Bone marrow report", "Pathology"])
@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_says_nothing_of_a_report_that_was_withdrawn(status, text):
    """A withdrawn document is no report."""
    found = assess(document(text, code=MARROW, status=status))

    assert [] == said(found)
    assert Truth.ABSENT is found.truth("marrow-ever")


@pytest.mark.parametrize(
    "text",
    [
        "Progress note: bone marrow discussed",
        "Request for bone marrow biopsy",
        "Consent form bone marrow biopsy",
        "Clinic letter, bone marrow",
        "Bone marrow biopsy recommended",
        "Bone marrow biopsy not done",
        "Bone marrow transplant documentation",
        "Chest X-ray",
    ],
)
def test_takes_no_document_for_a_report_that_only_speaks_of_it(text):
    """A note, a letter or a request is no result, and what is not named is none."""
    found = assess(document(text))

    assert [] == said(found)
    assert Truth.ABSENT is found.truth("marrow-ever")


def test_takes_a_document_by_its_code_whatever_it_is_called():
    """The type's code says that it is a report."""
    assert Truth.PRESENT is assess(document("Pathology note", code=MARROW)).truth("marrow-ever")


def test_takes_no_document_for_a_measurement_by_its_words():
    """Only reports that stand in documents are known by words; a title with CRP in it is no result of CRP."""
    found = assess(document("CRP trend", on="2026-11-01"))

    assert Truth.ABSENT is found.truth("crp-recent")
    assert set() == chart(document("CRP trend")).touched()


def test_does_not_say_that_there_is_no_marrow_report_where_documents_were_not_read():
    """Unknown is not absent."""
    assert (Truth.ABSENT, Truth.UNKNOWN) == (assess().truth("marrow-ever"), assess(unread=("documents",)).truth("marrow-ever"))


def test_does_not_deny_vacuoles_while_a_marrow_report_was_not_read():
    """A report that denies them settles nothing beside one that may show them."""
    denied = report("No vacuoles in myeloid precursors.", code=MARROW)

    assert Truth.ABSENT is assess(denied).truth("marrow-vacuoles")
    assert Truth.UNKNOWN is assess(denied, document(code=MARROW)).truth("marrow-vacuoles")


def test_finds_vacuoles_in_the_report_that_can_be_read():
    """An unread report hides nothing of the others."""
    seen = report("Vacuoles in myeloid precursors.", code=MARROW)

    assert Truth.PRESENT is assess(seen, document(code=MARROW)).truth("marrow-vacuoles")


# --- conclusions that only point to a file ---


@pytest.mark.parametrize("code", [MARROW, UBA1_TEST], ids=["marrow", "gene"])
@pytest.mark.parametrize(
    ("conclusion", "filed", "attached"),
    [
        ("See attached report.", True, 1),
        ("SEE ATTACHED REPORT", True, 1),
        ("(See attachment)", True, 1),
        ("Please see the attached report!", True, 1),
        (" ", True, 1),
        ("See attached report.", False, 0),
        ("See attached report. Vacuoles in myeloid precursors.", True, 0),
        ("Normal.", True, 0),
    ],
)
def test_takes_a_conclusion_that_only_points_to_a_file_for_none(code, conclusion, filed, attached):
    """What the report says stands in the file, which was not read; a conclusion that says more is read."""
    assert attached == len(said(assess(report(conclusion, code=code, filed=filed))))


# --- the gene ---

TITLES = ["UBA1 report", "UBA1 p.Met41Thr detected, VAF 60 %", "UBA1 negative", "UBA1 not detected, all coding exons sequenced"]


BESIDE = {"code": UBA1_TEST, "conclusion": "UBA1 p.Met41Thr detected, VAF 60 %."}


@pytest.mark.parametrize("facts", [{"code": UBA1_TEST}, BESIDE, *({"text": t} for t in TITLES)], ids=["by code", "with words beside it", *TITLES])
def test_never_decides_from_a_gene_report_in_a_document(facts):
    """It is neither negative nor positive, the suspicion stands, and the card says that it cannot be read here."""
    found = assess(*SUSPECT, document(**facts))

    assert GeneticState.PENDING is found.genetics.state
    assert KNOWLEDGE.genetics.messages["result-unreadable"] == (found.genetics.ordered.what if found.genetics.ordered else "")
    assert ("test",) == found.topics
    assert ["UBA1 report of 2026-05-01 stands in a document and was not read"] == said(found)


@pytest.mark.parametrize("text", ["VEXAS clinic visit", "Clinic letter: UBA1", "UBA1 testing recommended", "Consent for UBA1 sequencing"])
def test_takes_no_document_for_a_gene_report_that_only_speaks_of_it(text):
    """A document that mentions the gene or the disease is no result: the test is still offered."""
    found = assess(*SUSPECT, document(text))

    assert GeneticState.NONE is found.genetics.state
    assert "uba1-test" in found.orders
    assert [] == said(found)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("UBA1 p.Met41Thr detected, VAF 60 %.", GeneticState.CONFIRMED),
        ("UBA1: no variant detected. All coding exons.", GeneticState.NEGATIVE),
    ],
)
@pytest.mark.parametrize("on", ["2026-01-01", "2026-10-01", "2026-11-20"])
def test_leaves_a_result_that_can_be_read_as_it_is(words, state, on):
    """A document beside it changes nothing, be it older, of the same day or newer; that it was not read is said."""
    found = assess(*SUSPECT, report(words, code=UBA1_TEST), document(code=UBA1_TEST, on=on))

    assert state is found.genetics.state
    assert [f"UBA1 report of {on} stands in a document and was not read"] == said(found)


def test_reads_an_old_result_behind_many_documents():
    """However many documents there are, they take no result's place."""
    many = [document("UBA1 report", number=n) for n in range(150)]

    assert GeneticState.CONFIRMED is assess(*SUSPECT, report("UBA1 p.Met41Thr detected.", code=UBA1_TEST, on="2020-01-01"), *many).genetics.state


def test_offers_the_test_where_the_document_is_old():
    """After the time in which an order is waited for, an unread report keeps nothing back but is named."""
    found = assess(*SUSPECT, document(code=UBA1_TEST, on="2020-01-01"))

    assert "uba1-test" in found.orders
    assert ["UBA1 report of 2020-01-01 stands in a document and was not read"] == said(found)


def test_confirms_by_the_problem_list_beside_a_document():
    """The diagnosis stands, and that its report was not read is said."""
    found = assess(*DIAGNOSED, document(code=UBA1_TEST))

    assert GeneticState.CONFIRMED is found.genetics.state
    assert ["UBA1 report of 2026-05-01 stands in a document and was not read"] == said(found)
