"""A knowledge module as FHIR R4: its ValueSets and a Library, with the authored files beside them.

There is no PlanDefinition: the criteria cannot be said in FHIR without changing what they decide (docs/portable-knowledge.md).
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cds_service.errors import CDSServiceError, KnowledgeError
from cds_service.fhir import strict
from cds_service.knowledge.loader import Knowledge
from cds_service.knowledge.standing import notices

AUTHORED = "module"
_LIBRARY_TYPES = "http://terminology.hl7.org/CodeSystem/library-type"
Resource = dict[str, Any]


def write(knowledge: Knowledge, folder: Path) -> list[Path]:
    """Write everything into a new or empty folder. Raises CDSServiceError before anything is written."""
    if folder.resolve().is_relative_to(knowledge.folder.resolve()):
        raise CDSServiceError(f"{folder}: inside the module itself. Name a folder elsewhere.")
    found = resources(knowledge)
    for fault in faults(found):
        raise KnowledgeError(f"{fault} Correct the module, then export it again.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CDSServiceError(f"{folder}: not empty. Name a new or an empty folder; nothing is overwritten.")
        for name, resource in found.items():
            (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(resource), indent=1) + b"\n")
        (folder / AUTHORED).mkdir()
        for path in authored(knowledge):
            shutil.copyfile(path, folder / AUTHORED / path.name)
    except OSError as error:
        raise CDSServiceError(f"{error.filename or folder}: cannot be written ({error.strerror}). Name another folder.") from None
    return [folder / name for name in found]


def resources(knowledge: Knowledge) -> Mapping[str, Resource]:
    """Every resource by the name of its file."""
    sets = {name: _value_set(knowledge, name) for name in knowledge.value_sets}
    return {
        f"library-{knowledge.module.id}.json": _library(knowledge, sets),
        **{f"valueset-{name}.json": resource for name, resource in sets.items()},
    }


def authored(knowledge: Knowledge) -> list[Path]:
    """The files as their authors wrote them, the cases among them; the value sets are resources already."""
    return sorted(knowledge.folder.glob("*.yaml"))


def faults(found: Mapping[str, Resource]) -> Iterator[str]:
    """What makes the resources invalid FHIR R4, and any canonical URL that stands twice."""
    homes: dict[str, str] = {}
    for name, resource in found.items():
        yield from (f"{name}: {' '.join(fault.split())}." for fault in strict.faults(resource))
        url = resource["url"]
        if url in homes:
            yield f"{name}: its url {url} is that of {homes[url]} too."
        homes.setdefault(url, name)


def _value_set(knowledge: Knowledge, name: str) -> Resource:
    """A ValueSet as it stands in the module, with the module's status and the notices of the code systems it holds."""
    module = knowledge.module
    written: Resource = msgspec.json.decode((knowledge.folder / "valuesets" / f"{name}.json").read_bytes())
    held = notices(knowledge, (c.code.system for c in knowledge.value_sets[name].concepts))
    dated = {"version": written.get("version", module.version), "date": written.get("date", module.date)}
    return {**written, **dated, "status": module.status, **({"copyright": " ".join(held)} if held else {})}


def _library(knowledge: Knowledge, sets: Mapping[str, Resource]) -> Resource:
    """The module as a Library: what it is, what it cites, what it asks for, and the files that hold it."""
    module, about = knowledge.module, knowledge.about
    systems = {c.code.system for v in knowledge.value_sets.values() for c in v.concepts}
    library: Resource = {
        "resourceType": "Library",
        "id": module.id,
        "url": f"{module.namespace}fhir/Library/{module.id}",
        "identifier": [{"system": f"{module.namespace}fhir/knowledge-sha-256", "value": knowledge.digest}],
        "version": module.version,
        "name": _name(module.title),
        "title": module.title,
        "status": module.status,
        "type": {"coding": [{"system": _LIBRARY_TYPES, "code": "module-definition", "display": "Module Definition"}]},
        "date": module.date,
        "description": f"{module.status_line} {about.intended_use}",
        "purpose": about.intended_population,
        "usage": f"For: {about.intended_users} Not for: {'; '.join(about.not_for)}.",
        "copyright": " ".join(notices(knowledge, systems)),
        "approvalDate": module.approved.on if module.approved else None,
        "lastReviewDate": module.last_review,
        "relatedArtifact": [
            *({"type": "citation", "label": c.short, "citation": c.source, "url": c.url} for c in knowledge.citations.values()),
            *({"type": "depends-on", "display": s["title"], "resource": _canonical(s)} for s in sets.values()),
        ],
        "dataRequirement": list(_data_requirements(knowledge, sets)),
        "content": [_attachment(path) for path in authored(knowledge)],
    }
    library["relatedArtifact"] = [_filled(artifact) for artifact in library["relatedArtifact"]]
    return _filled(library)


def _data_requirements(knowledge: Knowledge, sets: Mapping[str, Resource]) -> Iterator[Resource]:
    """One for each prefetch key and value set: several code filters of one requirement would all have to hold."""
    for requirement in knowledge.requirements.values():
        if not requirement.codes_of:
            yield {"id": requirement.key, "type": requirement.resource}
        for name in requirement.codes_of:
            filters = [{"path": "code", "valueSet": _canonical(sets[name])}]
            yield {"id": f"{requirement.key}.{name}", "type": requirement.resource, "codeFilter": filters}


def _attachment(path: Path) -> Resource:
    """A file beside the Library, with its size and, as FHIR asks, its SHA-1."""
    held = path.read_bytes()
    digest = hashlib.sha1(held, usedforsecurity=False).digest()
    name = f"{AUTHORED}/{path.name}"
    return {"contentType": "application/yaml", "url": name, "title": path.name, "size": len(held), "hash": base64.b64encode(digest).decode()}


def _canonical(resource: Resource) -> str:
    return f"{resource['url']}|{resource['version']}"


def _name(title: str) -> str:
    """A title as a computable name: letters, digits and underscores, a capital first."""
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", title, re.ASCII))


def _filled(resource: Resource) -> Resource:
    return {k: v for k, v in resource.items() if v not in (None, "", [])}
