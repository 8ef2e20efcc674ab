"""Everything outside docs/reference and docs/conformance that is written from the code or the knowledge; `python -m tests.docs.generated` writes it."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cds_service.knowledge.loader import load
from cds_service.knowledge.sentences import sentences
from cds_service.knowledge.shapes import SHAPES, schema_of
from tests.docs import article
from tests.docs.pages import DOCS, ROOT

PACKAGE = ROOT / "cds_service"
SCHEMAS = PACKAGE / "knowledge" / "schemas"


def schema_text(shape: str) -> str:
    """A JSON Schema as it is shipped."""
    return json.dumps(schema_of(shape), indent=1, ensure_ascii=False) + "\n"


def texts_page() -> str:
    """docs/texts.md: every sentence that a card can show, once, grouped."""
    lines = ["<!-- Written by `make docs` from the knowledge module. -->\n", "# Every sentence that a card can show\n"]
    lines.append("For reading by a clinician. What no card may say stands in `guards.yaml` (`forbidden`), and the loader refuses it.\n")
    seen: set[str] = set()
    group = ""
    for one in sentences(load()):
        if one.group != group:
            group = one.group
            lines.append(f"\n## {group}\n" if seen else f"## {group}\n")
        if one.text not in seen:
            lines.append(f"- `{one.of}` {one.text}")
        seen.add(one.text)
    lines.append("\n## Words that hold them together\n")
    lines += [f"- {words}" for words in composed()]
    return "\n".join(lines) + "\n"


def composed() -> list[str]:
    """The words that the composer of cards adds itself, and what may be said of data that was not usable; `…` is a fact of the chart."""
    found: dict[str, None] = {}
    for path in (*sorted((PACKAGE / "cards").glob("*.py")), PACKAGE / "reasoning" / "results.py", PACKAGE / "reasoning" / "documents.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node) if part is not node}
        plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and id(node) not in inside:
                text = "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | plain:
                text = node.value
            else:
                continue
            if re.search(r"[A-Za-z]{2,} ?[a-z ]{2,}", text) and " " in text.strip():
                found[" ".join(text.split())] = None
    return list(found)


def written() -> Mapping[Path, Callable[[], str]]:
    """Each file with what it should hold."""
    schemas = {SCHEMAS / f"{shape}.schema.json": lambda shape=shape: schema_text(shape) for shape in SHAPES}
    return {**schemas, DOCS / "source-article.md": article.page, DOCS / "texts.md": texts_page}


def main() -> None:
    """Write every file, and say which changed."""
    SCHEMAS.mkdir(exist_ok=True)
    for path, text in written().items():
        new = text()
        if not path.exists() or path.read_text(encoding="utf-8") != new:
            path.write_text(new, encoding="utf-8")
            print(f"changed {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
