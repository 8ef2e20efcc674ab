"""Mutants of the code that mutmut leaves alone: constants, patterns, fields of classes, decorated functions, `len(...)`.

mutmut makes its mutants inside functions and chooses between them at run time. What is worked out when a module is
imported has to be mutated before that: each mutant gets a process in which the import of its module is answered with
the mutated source. The operators are mutmut's own.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import ChildReplacementTransformer, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

_SECONDS = 120  # for one mutant; a run of the tests takes about five
_ARGUMENTS = ("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest")
_NOTHING_IGNORED = IgnoredCode(set(), set(), set())


class Mutant(NamedTuple):
    """One change to one module: where it stands, what was there and what is there instead."""

    path: Path
    line: int
    before: str
    after: str
    source: str


class _Everywhere(MutationVisitor):
    """Visits all but annotations, which nothing reads when reasoning runs."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        return isinstance(node, cst.Annotation)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """The mutants of a module that mutmut does not run by itself."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")))
    positions = wrapper.resolve(PositionProvider)
    usual, every = (kind(mutation_operators, _NOTHING_IGNORED) for kind in (MutationVisitor, _Everywhere))
    wrapper.visit(usual)
    wrapper.visit(every)
    run_by_mutmut = {id(m.original_node) for m in usual.mutations if isinstance(m.contained_by_top_level_function, cst.FunctionDef)}
    for mutation in every.mutations:
        before, after = mutation.original_node, mutation.mutated_node
        if id(before) not in run_by_mutmut:
            changed = wrapper.module.visit(ChildReplacementTransformer(before, after))
            shown = [wrapper.module.code_for_node(node).strip() for node in (before, after)]
            yield Mutant(path, positions[before].start.line, *shown, changed.code)


class _Swapped(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Answers the import of one module with another source."""

    def __init__(self, module: str, mutant: Mutant) -> None:
        super().__init__(module, str(mutant.path))
        self._code = mutant.source

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The module's own place, with this loader."""
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None

    def get_code(self, _fullname: str) -> CodeType:
        """The mutated source, compiled; nothing is read from or kept in a cache."""
        return compile(self._code, self.path, "exec")


def _tested(mutant: Mutant | None, tests: Sequence[str]) -> int:
    """Start the tests on a mutant in a process of its own; answers its id."""
    child = os.fork()
    if child:
        return child
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    signal.alarm(_SECONDS)
    if mutant:
        sys.meta_path.insert(0, _Swapped(".".join(mutant.path.with_suffix("").parts), mutant))
    sys.dont_write_bytecode = True
    status = 1
    try:
        status = int(pytest.main([*_ARGUMENTS, *tests]))
    finally:
        os._exit(status)


def survivors(mutants: Sequence[Mutant], tests: Sequence[str], *, processes: int) -> list[Mutant]:
    """The mutants that no test notices. The tests must hold without a mutant, or nothing could be said."""
    _, status = os.waitpid(_tested(None, tests), 0)
    if status:
        raise RuntimeError("the tests fail on the code as it is: mend them first (make test)")
    found: list[Mutant] = []
    running: dict[int, Mutant] = {}
    waiting = list(reversed(mutants))
    while waiting or running:
        while waiting and len(running) < processes:
            mutant = waiting.pop()
            running[_tested(mutant, tests)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            found.append(mutant)
    return sorted(found, key=lambda m: (m.path, m.line, m.after))
