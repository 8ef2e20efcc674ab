"""Mutants of the code that mutmut leaves alone: constants, patterns, fields of classes, decorated functions, `len(...)`.

mutmut makes its mutants inside functions and chooses between them at run time. What is worked out when a module is
imported has to be mutated before that: each mutant gets a process in which the import of its module is answered with
the mutated source. The operators are mutmut's own.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import libcst as cst
import pytest
from _pytest.runner import runtestprotocol
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import ChildReplacementTransformer, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

_SECONDS = 120  # for one mutant; a run of the tests takes about five
_CASES = "test_shipped_cases.py"
ARGUMENTS = (
    "-x",
    "-q",
    "--no-header",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-p",
    "no:hypothesispytest",
    "-p",
    "no:unraisableexception",  # collects garbage five times at the end of each run
    "-m",
    "not cost",  # what measures work tells nothing of answers
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
_WITHOUT_REASONING = ("flask", "cds_service.fhir.gather", "tests.build", "tests.reasoning.toys")
_REPORTED = frozenset({"tmp_path", "capsys", "capfd", "caplog"})  # fixtures that need pytest's own reports
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


class Swapped(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Answers the import of one module with another source."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        super().__init__(module, str(path))
        self._code = source

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The module's own place, with this loader."""
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None

    def get_code(self, _fullname: str) -> CodeType:
        """The mutated source, compiled; nothing is read from or kept in a cache."""
        return compile(self._code, self.path, "exec")


def _prepare(tests: Path) -> None:
    """Run the tests on the code as it is, and forget every module that saw reasoning; what else was loaded stays for all mutants."""
    for name in _WITHOUT_REASONING:
        importlib.import_module(name)
    before = set(sys.modules)
    assert not any(name.startswith("cds_service.reasoning") for name in before)
    if _run([tests]):
        raise SystemExit("the tests fail on the code as it is: mend them first (make test)")
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"cds_service", "tests"}:
            del sys.modules[name]
    sys.dont_write_bytecode = True
    gc.collect()
    gc.freeze()  # shared with every fork, and not searched again


class Quick:
    """Runs the tests without what pytest reports of each, which takes longer than most of them; ends at the first that fails."""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        if session.testsfailed:
            return True
        session.testsfailed = int(any(fails(item, following) for item, following in zip(session.items, [*session.items[1:], None], strict=True)))
        return True


def fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Whether a test fails; `following` decides what it leaves set up."""
    if not _REPORTED.isdisjoint(getattr(item, "fixturenames", ())):
        return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))
    state = item.session._setupstate
    try:
        state.setup(item)
        item.runtest()
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a mutant may fail in any way
        return True
    finally:
        state.teardown_exact(following)
    return False


def _run(tests: Iterable[Path]) -> int:
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        return int(pytest.main([*ARGUMENTS, *map(str, tests)], plugins=[Quick()]))


def _misses_a_case() -> bool:
    """Whether a case of the shipped module fails: the quickest look at most of the reasoning."""
    from cds_service.reasoning import casebook
    from tests.build import KNOWLEDGE

    return any(outcome.faults for outcome in casebook.run(KNOWLEDGE))


def _tested(mutant: Mutant, tests: Path) -> int:
    """Start the tests on a mutant in a process of its own, those that name its module first; answers the process."""
    child = os.fork()
    if child:
        return child
    signal.alarm(_SECONDS)
    module = ".".join(mutant.path.with_suffix("").parts)
    sys.meta_path.insert(0, Swapped(module, mutant.path, mutant.source))
    status = 1
    try:
        if not ((tests / _CASES).exists() and _misses_a_case()):
            status = next((failed for files in _nearest(mutant.path, tests) if (failed := _run(files))), 0)
    finally:
        os._exit(status)


def _nearest(module: Path, tests: Path) -> Iterator[list[Path]]:
    """The tests that name a module, then those that name one which imports it, then those that name none; where none names it, all."""
    left = sorted(path for path in tests.glob("test_*.py") if path.name != _CASES)
    modules = list(module.parent.glob("[a-z]*.py"))
    importing = [path for path in modules if _names(path, module)]
    near = [path for path in left if _names(path, module)]
    next_to = [path for path in left if path not in near and any(_names(path, name) for name in importing)]
    last = [path for path in left if path not in near and path not in next_to]
    if near:
        last = [path for path in last if not any(_names(path, name) for name in modules)]
    yield from (files for files in (near, next_to, last) if files)


@cache
def _names(path: Path, module: Path) -> bool:
    """Whether a file names a module of reasoning."""
    return f"cds_service.reasoning.{module.stem} import" in (text := path.read_text(encoding="utf-8")) or f"reasoning import {module.stem}\n" in text


def survivors(mutants: Iterable[Mutant], tests: Path, *, processes: int) -> Iterator[Mutant]:
    """The mutants that no test notices."""
    _prepare(tests)
    running: dict[int, Mutant] = {}
    waiting = iter(mutants)
    while True:
        for mutant in itertools.islice(waiting, processes - len(running)):
            running[_tested(mutant, tests)] = mutant
        if not running:
            return
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            yield mutant


def main() -> None:
    """Write how many mutants each module has, and those that survived, as JSON."""
    tests, processes, answer, *modules = sys.argv[1:]
    mutants = [mutant for module in modules for mutant in mutants_of(Path(module))][:: int(os.environ.get("SAMPLE", "1"))]
    left = sorted(f"{m.path}:{m.line}: {m.before}  ->  {m.after}" for m in survivors(mutants, Path(tests), processes=int(processes)))
    made = Counter(str(mutant.path) for mutant in mutants)
    Path(answer).write_text(json.dumps({"made": made, "survived": left}), encoding="utf-8")


if __name__ == "__main__":
    main()
