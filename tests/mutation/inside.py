"""Mutants inside functions, all in one run of pytest.

mutmut writes each function with all its mutants, and a switch that chooses one at run time. Its own runner starts pytest
anew for each; here the tests are collected once, then each mutant gets a forked process that sets the switch and runs the
tests that reach the function until one fails: first the one that noticed the last mutant of this function, then those that
reach the fewest functions.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name

from tests.mutation.outside import ARGUMENTS, Swapped

_PATIENCE = 10  # a mutant may take so many times the time of its tests, and so many seconds besides


class Mutant(NamedTuple):
    """One change to one function: its name, the function's, and the lines that differ."""

    name: str
    function: str
    module: Path
    lines: str


def mutants_of(path: Path) -> Iterator[Mutant]:
    """The mutants of a module, whose import is from now on answered with all of them in it."""
    module = ".".join(path.with_suffix("").parts)
    assert module not in sys.modules, module
    mutated = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
    sys.meta_path.insert(0, Swapped(module, path, mutated.code))
    lines = mutated.code.splitlines()
    written = {
        name: [line.strip() for line in lines[span.start - 1 : span.end] if "__mutmut_" not in line]
        for name, span in mutated.line_span_by_function_name.items()
    }
    for name in mutated.mutant_names:
        function = mangled_name_from_mutant_name(name)
        before, after = written[f"{function}__mutmut_orig"], written[name]
        shown = [*(f"- {line}" for line in before if line not in after), *(f"+ {line}" for line in after if line not in before)]
        yield Mutant(f"{module}.{name}", f"{module}.{function}", path, "\n".join(shown))


class _Runs:
    """Runs the tests on the code as it is, to see which reach what, and then on each mutant."""

    def __init__(self, mutants: list[Mutant], processes: int) -> None:
        self.mutants = mutants
        self.processes = processes
        self.survived: list[Mutant] = []
        self._failed = False
        self._seconds: dict[str, float] = {}
        self._reach: Mapping[str, list[pytest.Item]] = {}
        self._noticed: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        if session.testsfailed:
            raise SystemExit("the tests cannot be collected: mend them first (make test)")
        self._reach = self._reached(session.items)
        if not self._reach:
            raise SystemExit("no test reaches any function: the mutants are not in use")
        self.survived = list(self._survivors())
        return True

    def _reached(self, items: list[pytest.Item]) -> Mapping[str, list[pytest.Item]]:
        """For each function the tests that reach it, those about few functions first."""
        reach: dict[str, list[pytest.Item]] = defaultdict(list)
        breadth: dict[str, int] = {}
        set_mutant_under_test("stats")
        for item, following in zip(items, [*items[1:], None], strict=True):
            start = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._seconds[item.nodeid] = time.perf_counter() - start
            breadth[item.nodeid] = len(state()._stats)
            for function in state()._stats:
                reach[function].append(item)
            state()._stats.clear()
            if self._failed:
                raise SystemExit(f"{item.nodeid} fails on the code as it is: mend it first (make test)")
        return {
            function: sorted(reaching, key=lambda item: (breadth[item.nodeid], self._seconds[item.nodeid])) for function, reaching in reach.items()
        }

    def _run(self, items: list[pytest.Item]) -> pytest.Item | None:
        """The first of some tests that fails."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return item
        return None

    def _survivors(self) -> Iterator[Mutant]:
        gc.collect()
        gc.freeze()  # shared with every fork, and not searched again
        running: dict[int, tuple[Mutant, int]] = {}
        for mutant in self.mutants:
            if mutant.function not in self._reach:
                yield mutant
                continue
            if len(running) == self.processes:
                yield from self._ended(running)
            reading, writing = os.pipe()
            running[self._tested(mutant, writing)] = mutant, reading
            os.close(writing)
        while running:
            yield from self._ended(running)

    def _ended(self, running: dict[int, tuple[Mutant, int]]) -> Iterator[Mutant]:
        child, status = os.wait()
        mutant, reading = running.pop(child)
        with os.fdopen(reading, "rb") as told:
            noticed = told.read()
        if noticed:
            self._noticed[mutant.function] = int(noticed)
        if status == 0:
            yield mutant

    def _tested(self, mutant: Mutant, writing: int) -> int:
        """Start the tests on a mutant in a process of its own, which tells which of them noticed it; answers the process."""
        child = os.fork()
        if child:
            return child
        every = self._reach[mutant.function]
        last = self._noticed.get(mutant.function)
        items = every if last is None else [every[last], *every[:last], *every[last + 1 :]]
        signal.alarm(int(_PATIENCE * (1 + sum(self._seconds[item.nodeid] for item in items))))
        status = 1
        try:
            set_mutant_under_test(mutant.name)
            noticed = self._run(items)
            status = int(noticed is not None)
            if noticed is not None:
                os.write(writing, str(every.index(noticed)).encode())
        finally:
            os._exit(status)


def main() -> None:
    """Write how many mutants each module has, and those that survived, as JSON."""
    tests, processes, answer, *modules = sys.argv[1:]
    mutants = [mutant for module in modules for mutant in mutants_of(Path(module))][:: int(os.environ.get("SAMPLE", "1"))]
    runs = _Runs(mutants, int(processes))
    code = pytest.main([*ARGUMENTS, tests], plugins=[runs])
    if code:
        raise SystemExit(int(code))
    made: dict[str, int] = defaultdict(int)
    for mutant in mutants:
        made[str(mutant.module)] += 1
    left = [f"{m.module}: {m.name}\n{m.lines}" for m in runs.survived]
    Path(answer).write_text(json.dumps({"made": made, "survived": left}), encoding="utf-8")


if __name__ == "__main__":
    main()
