"""How every page is made of its template: what it is given is escaped, and a name that it is not given is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

_FOLDER = FileSystemLoader(Path(__file__).with_name("templates"))


class _Compiled(BytecodeCache):
    """A template is compiled once in a process, however many environments show it."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def templates(**everywhere: Any) -> Environment:
    """The templates of our pages; `everywhere` is known in each."""
    found = Environment(loader=_FOLDER, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, bytecode_cache=_COMPILED)
    found.globals.update(everywhere)
    return found
