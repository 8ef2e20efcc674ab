"""The exported knowledge is valid FHIR R4, whole, and says of itself no more than holds."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from cds_service import export
from cds_service.cli import main
from cds_service.errors import CDSServiceError, KnowledgeError
from cds_service.fhir import strict
from cds_service.knowledge.loader import load, shipped
from tests.knowledge.test_loader_refuses import replace
from tests.test_cli import refusal

TOY = Path(__file__).parent / "reasoning" / "toy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the command writes."""
    found = tmp_path_factory.mktemp("export") / "new" / "knowledge"
    main(["export-knowledge", str(found)])
    return found


@pytest.fixture(scope="module")
def written(folder):
    """Each resource that was written, by its file's name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


@pytest.fixture(scope="module")
def library(written):
    """The Library."""
    return written["library-vexas.json"]


def test_writes_a_library_and_every_value_set(written, knowledge):
    """One Library, and each value set of the module; every one of them valid."""
    assert {"library-vexas.json", *(f"valueset-{name}.json" for name in knowledge.value_sets)} == set(written)
    assert [] == [fault for resource in written.values() for fault in strict.faults(resource)]


def test_gives_each_resource_a_url_of_its_own(written):
    """Canonical URLs and ids stand once."""
    assert len(written) == len({r["url"] for r in written.values()})
    assert len(written) == len({(r["resourceType"], r["id"]) for r in written.values()})


def test_gives_each_value_set_what_others_need(written, knowledge):
    """Url, version, status, title, date, codes, and the notices of its code systems and of no other."""
    sets = [r for r in written.values() if r["resourceType"] == "ValueSet"]

    assert [] == [r["id"] for r in sets if not {"url", "version", "status", "title", "date", "copyright", "compose"} <= set(r)]
    assert {knowledge.module.status} == {r["status"] for r in sets}
    assert "SNOMED" not in written["valueset-lab-mcv.json"]["copyright"]
    assert "LOINC is copyright Regenstrief Institute" in written["valueset-lab-mcv.json"]["copyright"]
    assert "ATC: WHO." in written["valueset-rx-jaki.json"]["copyright"]


def test_keeps_every_code_with_its_verification(written, knowledge):
    """Not a code is lost on the way out."""
    for name, value_set in knowledge.value_sets.items():
        concepts = [c for include in written[f"valueset-{name}.json"]["compose"]["include"] for c in include["concept"]]

        assert [c.display for c in value_set.concepts] == [c["display"] for c in concepts]
        assert [c.verification for c in value_set.concepts] == [c["extension"][0]["valueCode"] for c in concepts]


def test_says_which_knowledge_it_is(library, knowledge):
    """Version, status, date and digest; nobody has approved a draft."""
    module = knowledge.module

    assert (module.version, "draft", module.date) == (library["version"], library["status"], library["date"])
    assert knowledge.digest == library["identifier"][0]["value"]
    assert "module-definition" == library["type"]["coding"][0]["code"]
    assert not {"approvalDate", "lastReviewDate"} & set(library)
    assert knowledge.module.status_line in library["description"]


def test_cites_and_depends(library, knowledge, written):
    """Every citation, and every value set by its canonical URL with version."""
    related = library["relatedArtifact"]
    sets = {f"{r['url']}|{r['version']}" for r in written.values() if r["resourceType"] == "ValueSet"}

    assert [c.source for c in knowledge.citations.values()] == [r["citation"] for r in related if r["type"] == "citation"]
    assert sets == {r["resource"] for r in related if r["type"] == "depends-on"}


def test_asks_for_what_the_prefetch_asks_for(library, knowledge):
    """A requirement for each key, and for each value set of a key that names some."""
    needs = library["dataRequirement"]
    canonical = {name: f"{v.url}|0.1.0" for name, v in knowledge.value_sets.items()}

    wanted = [(r.resource, canonical[name] if name else None) for r in knowledge.requirements.values() for name in (r.codes_of or (None,))]
    assert wanted == [(n["type"], n["codeFilter"][0]["valueSet"] if "codeFilter" in n else None) for n in needs]
    assert len(needs) == len({n["id"] for n in needs})


def test_points_at_the_files_beside_it(library, folder, knowledge):
    """Each authored file is there, as long and with the hash that the Library says."""
    assert {path.name for path in knowledge.folder.glob("*.yaml")} == {c["title"] for c in library["content"]}
    for content in library["content"]:
        held = (folder / content["url"]).read_bytes()

        assert content["size"] == len(held)
        assert content["hash"] == base64.b64encode(hashlib.sha1(held, usedforsecurity=False).digest()).decode()
        assert held == (knowledge.folder / content["title"]).read_bytes()


def test_says_who_approved_it(tmp_path):
    """A signed module carries its dates, in the Library as in the ValueSets' status."""
    copy = tmp_path / "module"
    shutil.copytree(next(iter(shipped())), copy)
    replace(copy, "module.yaml", "status: draft", "status: active")
    replace(copy, "module.yaml", "approved: null", 'approved: {on: "2026-12-01", by: "Head of haematology"}')
    replace(copy, "module.yaml", "last_review: null", 'last_review: "2026-12-02"')
    replace(copy, "module.yaml", "next_review: null", 'next_review: "2027-12-01"')

    found = export.resources(load(copy))

    assert [] == list(export.faults(found))
    assert ("2026-12-01", "2026-12-02") == tuple(found["library-vexas.json"][k] for k in ("approvalDate", "lastReviewDate"))
    assert {"active"} == {r["status"] for r in found.values()}


def test_exports_another_disease():
    """A small module whose value sets have neither version nor date is valid too."""
    found = export.resources(load(TOY))

    assert [] == list(export.faults(found))
    assert "1.0.0" == found["valueset-cond-tetany.json"]["version"]


def test_refuses_a_folder_that_holds_something(tmp_path, capsys):
    """Nothing is overwritten, and nothing is written beside what is there."""
    (tmp_path / "mine.txt").touch()

    assert f"{tmp_path}: not empty." in refusal(capsys, "export-knowledge", tmp_path)
    assert ["mine.txt"] == [path.name for path in tmp_path.iterdir()]


def test_refuses_a_file(tmp_path, capsys):
    """A file is no folder."""
    (tmp_path / "file").touch()

    assert "cannot be written" in refusal(capsys, "export-knowledge", tmp_path / "file")


@pytest.mark.parametrize(
    ("old", "new", "because"),
    [
        ('"url": "https://toy.example.org/fhir/ValueSet/toy-cond-tetany"', '"url": "https://toy.example.org/fhir/Library/toy"', "is that of"),
        ('"id": "toy-cond-tetany"', '"id": "toy_cond tetany"', "valueset-cond-tetany.json"),
    ],
)
def test_refuses_what_would_not_be_valid(old, new, because, tmp_path):
    """A module that cannot be said in valid FHIR is refused before anything is written."""
    shutil.copytree(TOY, tmp_path / "toy")
    replace(tmp_path / "toy", "valuesets/cond-tetany.json", old, new)

    with pytest.raises(KnowledgeError) as refused:
        export.write(load(tmp_path / "toy"), tmp_path / "out")

    assert because in refused.value.public
    assert "\n" not in refused.value.public
    assert not (tmp_path / "out").exists()


def test_refuses_a_folder_inside_the_module(tmp_path):
    """The module is not written into itself, not through a way around either."""
    shutil.copytree(TOY, tmp_path / "toy")

    for place in ("toy/out", "toy", "out/../toy/valuesets/out"):
        with pytest.raises(CDSServiceError, match="inside the module"):
            export.write(load(tmp_path / "toy"), tmp_path / place)
    assert not (tmp_path / "toy" / "out").exists()


def test_refuses_a_folder_without_a_name(capsys, monkeypatch, tmp_path):
    """An empty name is not taken for the folder of the moment."""
    monkeypatch.chdir(tmp_path)

    assert "no folder is named" in refusal(capsys, "export-knowledge", "")
    assert [] == list(tmp_path.iterdir())
