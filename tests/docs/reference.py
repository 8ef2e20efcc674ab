"""Writes docs/reference from the code and the knowledge module: settings, errors, cards, commands, prefetch.

`make docs` runs it; a test compares the pages with what it would write.
"""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import msgspec
import yaml

from cds_service import cli, errors
from cds_service.errors import CDSServiceError, KnowledgeError, SettingsError
from cds_service.fhir.search import prefetch_templates
from cds_service.hooks import HOOKS
from cds_service.knowledge.loader import load
from cds_service.protocol.response import Card
from cds_service.record.dates import period
from cds_service.settings import Settings, from_environment
from cds_service.web.entries import AboutModule
from tests import golden
from tests.docs.pages import DOCS, ROOT, text_of
from tests.fakes import checked_app

FOLDER = DOCS / "reference"
SCHEMA = DOCS / "about.schema.json"
KNOWLEDGE = load(ROOT / "cds_service" / "knowledge" / "vexas")
WORDS: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text(encoding="utf-8"))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(list(head)), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """A text between backticks."""
    return f"`{text}`"


# --- what there is ---


def settings() -> dict[str, tuple[str, str]]:
    """Each variable with its meaning and its default, as the docstring of Settings has them."""
    lines = re.findall(r"^ *(CDS_\w+) +(.+?)(?: \(([^()]+)\))?$", str(Settings.__doc__), re.MULTILINE)
    return {name: (meaning, default) for name, meaning, default in lines}


def error_kinds() -> list[type[CDSServiceError]]:
    """Every error, in the order of the module."""
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CDSServiceError)]


def coded_errors() -> list[type[CDSServiceError]]:
    """Every error with a code of its own."""
    return [kind for kind in error_kinds() if "code" in vars(kind)]


def commands() -> dict[str, click.Command]:
    """Each command of the command line by its full name; the first is the program itself."""
    return {"cds-service": cli.cli, **{f"cds-service {name}": cli.cli.commands[name] for name in sorted(cli.cli.commands)}}


def subcommands(command: click.Command) -> dict[str, click.Command]:
    """The commands of a group; the program itself is none."""
    return dict(sorted(command.commands.items())) if isinstance(command, click.Group) and command is not cli.cli else {}


def options(command: click.Command) -> list[click.Option]:
    """The options of a command, or of all commands of a group."""
    inner = [option for one in subcommands(command).values() for option in options(one)]
    return [*(parameter for parameter in command.params if isinstance(parameter, click.Option)), *inner]


def make_targets() -> dict[str, str]:
    """What can be made, with the words that `make help` shows."""
    return dict(re.findall(r"^([a-z-]+):.*?## (.+)$", text_of(ROOT / "Makefile"), re.MULTILINE))


def topics() -> dict[str, Any]:
    """The coding of each kind of card."""
    return KNOWLEDGE.module.topics.words


# --- pages ---


def settings_page() -> str:
    """Settings, and the sentence with which each is refused."""
    rows = [(code(name), default or "0", meaning, refusal(name)) for name, (meaning, default) in settings().items()]
    return f"""# Settings

Environment variables, read once at the start. A wrong one stops the start with exit status 2 and one sentence.

{table(("variable", "default", "meaning", "what is said of a wrong value, here `?`"), rows)}
"""


def refusal(name: str) -> str:
    """What is said when a setting is a question mark."""
    try:
        from_environment({name: "?"})
    except SettingsError as error:
        return error.public
    raise ValueError(f"{name}=? is not refused")


def errors_page() -> str:
    """Errors over HTTP with an example, and those that stop the start."""
    remedies = WORDS["errors"]
    at_start = [kind for kind in coded_errors() if issubclass(kind, KnowledgeError | SettingsError)]
    over_http = [kind for kind in coded_errors() if kind not in at_start]
    client = checked_app(Settings(), lambda: dt.date(2026, 11, 22)).test_client()
    example = json.dumps(client.post(f"/cds-services/{KNOWLEDGE.module.service.id}", json={}).get_json(), indent=2)
    rows = [(code(kind.code), str(kind.status), code(kind.issue_type), when(kind), remedies[kind.code]) for kind in over_http]
    return f"""# Errors

Every error over HTTP is an OperationOutcome with one issue: `details.text` is the code, which never changes its meaning; `diagnostics` says what is wrong and how to mend it; `expression` names the place in the request. Nothing of the patient is repeated.

{table(("code", "status", "`issue.code`", "when", "what the client does"), rows)}

The answer to an empty object:

```json
{example}
```

## At the start and on the command line

One sentence on stderr and exit status 2.

{table(("code", "when", "what to do"), [(code(kind.code), when(kind), remedies[kind.code]) for kind in at_start])}
"""


def when(kind: type[CDSServiceError]) -> str:
    """When an error is raised."""
    if kind is CDSServiceError:
        return "The service failed; nothing was evaluated."
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def cards_page() -> str:
    """Topics with their cards, the indicators that occur, the criteria of the two tiers, override reasons."""
    module = KNOWLEDGE.module
    reasons, otherwise = module.override_reasons, module.override_reasons.otherwise
    shown = [(code(word.code), WORDS["cards"][name], summary(name), "<br>".join(examples(word.code)) or "none") for name, word in topics().items()]
    tiers = "\n\n".join(
        f"### {code(getattr(module.topics, tier.topic).code)}\n\n" + "\n".join(f"- {code(c.id)} {c.label}" for c in tier.any)
        for tier in KNOWLEDGE.assessment.tiers
    )
    return f"""# Cards

At most two cards for a patient. Indicators in use: {", ".join(code(i) for i in get_args(get_type_hints(Card)["indicator"]))}.

## Topics

`source.topic.code`, in {code(module.topics.system)}. A code never changes its meaning. In a summary, what stands in braces is filled in.

{table(("topic", "shown when", "summary", "recorded, by indicator"), shown)}

## Criteria of the tiers

One criterion suffices.

{tiers}

## Override reasons

On every card, in {code(module.override_reasons.system)}.

{table(("code", "display", "the card is silent for"), [(code(r.code), r.display, str(period(r.silent or otherwise))) for r in reasons.reasons])}

After any other answer it is silent for {period(otherwise)}, unless something strong is new (docs/storage.md).
"""


def summary(topic: str) -> str:
    """The summary of a topic's card."""
    return KNOWLEDGE.cards[topic].summary if topic in KNOWLEDGE.cards else "none"


def examples(topic: str) -> Iterator[str]:
    """For each indicator with which a card of this topic occurs, the first recorded answer that shows it."""
    fixtures = yaml.safe_load(text_of(golden.FIXTURES / "expected.yaml"))
    seen = set()
    for name in (fixture["fixture"] for fixture in fixtures):
        for card in json.loads(text_of(golden.FIXTURES / "cards" / f"{name}.json"))["cards"]:
            if card["source"]["topic"]["code"] == topic and card["indicator"] not in seen:
                seen.add(card["indicator"])
                yield f"{code(card['indicator'])}: [{name}](../../fixtures/cards/{name}.json)"


def commands_page() -> str:
    """Commands with their arguments and options, and what can be made."""
    told = "\n\n".join(command_section(name, command) for name, command in commands().items())
    return f"""# Commands

{inspect.getdoc(cli.main)} Every command has `--help`. All read the [settings](settings.md).

{told}

## make

{table(("target", "does"), [(code(f"make {name}"), words) for name, words in make_targets().items()])}
"""


def command_section(name: str, command: click.Command) -> str:
    """One command: what it does and what it takes."""
    arguments = [str(parameter.name).upper() for parameter in command.params if isinstance(parameter, click.Argument)]
    own = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    rows = [(code(" ".join([*option.opts, *value_of(option)])), option.help or "") for option in own]
    takes = f"\n\n{table(('option', 'does'), rows)}" if rows else ""
    inner = "".join(f"\n\n{command_section(f'{name} {word}', one)}" for word, one in subcommands(command).items())
    return f"## {code(' '.join([name, *arguments]))}\n\n{command.help}{takes}{inner}"


def value_of(option: click.Option) -> list[str]:
    """The form of an option's value; a flag has none."""
    if option.is_flag:
        return []
    return ["YYYY-MM-DD" if isinstance(option.type, click.DateTime) else option.type.name.upper()]


def prefetch_page() -> str:
    """Hooks, prefetch keys and their templates."""
    hooks = [(code(name), hook_words(name), schema_link(hook.schema)) for name, hook in HOOKS.items()]
    keys = [
        (code(r.key), r.resource, ", ".join(map(code, r.codes_of)) or "any code", str(r.count or ""), "newest first" if r.sort else "")
        for r in KNOWLEDGE.requirements.values()
    ]
    templates = "\n\n".join(f"### {key}\n\n```\n{template}\n```" for key, template in prefetch_templates(KNOWLEDGE).items())
    return f"""# Hooks and prefetch

## Hooks

{table(("hook", "is", "request"), hooks)}

## Prefetch keys

What a key that is absent, `null`, empty or refused means stands in the [README](../../README.md#one-request).

{table(("key", "resource", "codes of the value sets", "at most", "order"), keys)}

## Templates

As `GET /cds-services` gives them.

{templates}
"""


def hook_words(name: str) -> str:
    """What the module of a hook says of it."""
    module = importlib.import_module(f"cds_service.hooks.{name.replace('-', '_')}")
    return str(module.__doc__).splitlines()[0].removeprefix(f"{name}: ")


def schema_link(name: str) -> str:
    """A link to a JSON Schema."""
    return f"[{name}](../../cds_service/protocol/schemas/{name})"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "cards.md": cards_page,
    "commands.md": commands_page,
    "prefetch.md": prefetch_page,
}


def written(name: str) -> str:
    """A reference page as it should be."""
    return "<!-- Written by `make docs`; change the code or tests/docs/words.yaml instead. -->\n\n" + PAGES[name]()


def about_schema() -> str:
    """The JSON Schema of /about.json."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(AboutModule)), indent=2).decode() + "\n"


def main() -> None:
    """Write every page and the schema, and say which changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in [(SCHEMA, about_schema()), *((FOLDER / name, written(name)) for name in PAGES)]:
        if not path.exists() or text_of(path) != text:
            path.write_text(text, encoding="utf-8")
            print(f"changed {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
