"""Whether a module may stand as it says: signed before it is active, reviewed, and true about the data of a person that it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, get_args

from cds_service.knowledge.model import Age, Flag, Lab, Sex, SourceAttributeId
from cds_service.knowledge.references import leaves, limits_of
from cds_service.record.dates import Day

if TYPE_CHECKING:
    from cds_service.knowledge.loader import Knowledge

Fault = tuple[str, tuple[str | int, ...], str]
_OF_THE_PERSON = get_args(SourceAttributeId)[4:]  # the attributes that say whether a kind of data is used


def check_standing(knowledge: Knowledge) -> None:
    """Raise KnowledgeError at the first thing that does not hold, with file, line and remedy."""
    for file, place, message in (*_dates(knowledge), *_approval(knowledge), *_attributes(knowledge), *_uses(knowledge)):
        raise knowledge.files.document(file).fault(place, message)


def answers(knowledge: Knowledge) -> Iterator[str]:
    """The answer to each source attribute, with version, dates and the count of citations filled in."""
    module = knowledge.module
    approved = f"{module.approved.on} by {module.approved.by}" if module.approved else "not yet"
    given = {"version": module.version, "date": module.date, "status": module.status, "approved": approved}
    given |= {"last_review": module.last_review or "not yet", "next_review": module.next_review or "not set"}
    for attribute in knowledge.about.source_attributes:
        yield attribute.answer.format(citations=len(knowledge.citations), **given)


def readers(knowledge: Knowledge, attribute: str) -> Iterator[Flag]:
    """The flags whose criteria read this datum of a person: sex or date of birth."""
    for flag in knowledge.flags.values():
        if any(_reads(criterion, attribute) for criterion in leaves(flag.when)):
            yield flag


def notices(knowledge: Knowledge, systems: Iterable[str]) -> tuple[str, ...]:
    """The licence notices of some code systems, each once and in the module's order."""
    wanted = frozenset(systems)
    return tuple(n.notice for n in knowledge.about.licences if not wanted.isdisjoint(n.systems))


def _reads(criterion: object, attribute: str) -> bool:
    if attribute == "date-of-birth":
        return isinstance(criterion, Age)
    by_sex = isinstance(criterion, Lab) and any(limit.value is None for limit in limits_of(criterion))
    return attribute == "sex" and (by_sex or isinstance(criterion, Sex))


def _dates(knowledge: Knowledge) -> Iterator[Fault]:
    module = knowledge.module
    dates = {("date",): module.date, ("last_review",): module.last_review, ("next_review",): module.next_review}
    if module.approved:
        dates["approved",] = module.approved.on
    for place, text in dates.items():
        if text is not None and not _is_day(text):
            yield "module.yaml", place, f"'{text}' is no day. Write it as YYYY-MM-DD."
    if module.next_review is not None and module.next_review <= max(module.date, module.last_review or ""):
        yield "module.yaml", ("next_review",), f"next_review {module.next_review} is not after date and last_review. Correct one of them."


def _is_day(text: str) -> bool:
    try:
        return Day.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _approval(knowledge: Knowledge) -> Iterator[Fault]:
    """An active module is signed and has its reviews; a draft is not signed."""
    module = knowledge.module
    if module.status == "draft" and module.approved:
        yield "module.yaml", ("approved",), "approved stands, but the status is draft. Remove approved, or correct the status to active."
    if module.status == "active" and not (module.approved and module.approved.by.strip()):
        remedy = 'Add approved: {on: "YYYY-MM-DD", by: "who signed"}, or correct the status to draft.'
        yield "module.yaml", ("status",), f"the status is active, but nobody has approved this version. {remedy}"
    for name in ("last_review", "next_review"):
        if module.status == "active" and getattr(module, name) is None:
            yield "module.yaml", ("status",), f"the status is active, but {name} is not given. Add {name}, or correct the status to draft."


def _attributes(knowledge: Knowledge) -> Iterator[Fault]:
    """The 13 attributes, each once and in order; those about a person's data say whether it is used."""
    attributes = knowledge.about.source_attributes
    wanted = get_args(SourceAttributeId)
    found = tuple(a.id for a in attributes)
    if found != wanted:
        yield "about.yaml", ("source_attributes",), f"the source attributes are not {', '.join(wanted)}. Write each once, in this order."
    for index, attribute in enumerate(attributes):
        place = ("source_attributes", index)
        if (attribute.used is None) == (attribute.id in _OF_THE_PERSON):
            yield "about.yaml", place, f"'used' is for the kinds of data, true or false in each ({', '.join(_OF_THE_PERSON)}). Correct it."
        try:
            attribute.answer.format(version="", date="", status="", approved="", last_review="", next_review="", citations=0)
        except (KeyError, IndexError, ValueError):
            yield (
                "about.yaml",
                place,
                "the answer has an unknown place. Use {version}, {date}, {status}, {approved}, {last_review}, {next_review}, {citations}.",
            )


def _uses(knowledge: Knowledge) -> Iterator[Fault]:
    """What is said of sex and date of birth is what the criteria do."""
    for index, attribute in enumerate(knowledge.about.source_attributes):
        names = [flag.id for flag in readers(knowledge, attribute.id)]
        if attribute.used is False and names:
            yield "about.yaml", ("source_attributes", index), f"{attribute.id} is said not to be used, but {names[0]} reads it. Correct one of them."
        if attribute.id in ("sex", "date-of-birth") and attribute.used and not names:
            yield "about.yaml", ("source_attributes", index), f"{attribute.id} is said to be used, but nothing reads it. Correct 'used'."
