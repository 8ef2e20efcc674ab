"""`make mutation`: changes reasoning in thousands of small ways and counts how many of them the tests notice.

Works on a copy in .run/mutation. mutmut runs the mutants inside functions; `outside.py` runs the rest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import mutmut.stats
from mutmut.mutation.data import SourceFileMutationData

from tests.mutation import outside

ROOT = Path(__file__).parents[2]
COPY = ROOT / ".run" / "mutation"
MUTATED = Path("cds_service") / "reasoning"
TESTS = ("tests/reasoning",)
COPIED = ("cds_service", "tests", "fixtures", "pyproject.toml", "README.md", "LICENSE")
WANTED = 90.0
PROCESSES = 2
_SURVIVED = frozenset({"survived", "no tests"})
_KILLED = frozenset({"killed", "timeout", "segfault"})  # an endless loop is noticed too


def prepare() -> None:
    """Copy what is mutated and what tests it, without the traces of an earlier run."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, COPY / name)


def inside_functions(modules: Iterable[Path]) -> dict[Path, dict[str, str]]:
    """What became of each of mutmut's mutants, by module."""
    command = [Path(sys.executable).parent / "mutmut", "run", "--max-children", str(PROCESSES)]
    with Path("mutmut.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"mutmut stopped with {done.returncode}: see {COPY / 'mutmut.log'}")
    found = {}
    for module in modules:
        results = SourceFileMutationData(path=module)
        results.load()
        found[module] = {name: mutmut.stats.status_by_exit_code[code] for name, code in results.exit_code_by_key.items()}
    return found


def report(modules: Iterable[Path], inside: dict[Path, dict[str, str]], beyond: Counter[Path], left: list[outside.Mutant]) -> float:
    """Print the figures of each module and of all; answers the percentage of mutants killed."""
    total = Counter[str]()
    print(f"{'module':<16}{'killed':>8}{'survived':>10}{'%':>8}")
    for module in modules:
        states = Counter(inside[module].values())
        odd = set(states) - _SURVIVED - _KILLED
        if odd:
            sys.exit(f"{module}: mutmut could not judge some mutants ({', '.join(sorted(odd))}). Run it again.")
        survived = sum(states[s] for s in _SURVIVED) + sum(m.path == module for m in left)
        killed = states.total() + beyond[module] - survived
        total.update(killed=killed, survived=survived)
        if killed + survived:
            print(f"{module.name:<16}{killed:>8}{survived:>10}{100 * killed / (killed + survived):>8.1f}")
    share = 100 * total["killed"] / total.total()
    print(f"{'all':<16}{total['killed']:>8}{total['survived']:>10}{share:>8.1f}")
    return share


def show_survivors(inside: dict[Path, dict[str, str]], left: Iterable[outside.Mutant]) -> None:
    """Write every survivor to survivors.txt."""
    with Path("survivors.txt").open("w", encoding="utf-8") as page:
        for states in inside.values():
            for name in (name for name, state in states.items() if state in _SURVIVED):
                shown = subprocess.run([Path(sys.executable).parent / "mutmut", "show", name], capture_output=True, text=True, check=False)
                page.write(f"{shown.stdout}\n")
        page.writelines(f"{m.path}:{m.line}: {m.before}  ->  {m.after}\n" for m in left)
    print(f"Every survivor: {COPY / 'survivors.txt'}")


def main() -> int:
    """Run every mutant; 1 if too many survive."""
    start = time.monotonic()
    prepare()
    os.chdir(COPY)
    modules = sorted(MUTATED.glob("*.py"))
    mutants = [m for module in modules for m in outside.mutants_of(module)]
    left = outside.survivors(mutants, TESTS, processes=PROCESSES)
    inside = inside_functions(modules)
    share = report(modules, inside, Counter(m.path for m in mutants), left)
    show_survivors(inside, left)
    print(f"{(time.monotonic() - start) / 60:.0f} minutes")
    if share < WANTED:
        print(f"Fewer than {WANTED:g} % are killed: write tests in {TESTS[0]} that notice what survives, or delete code that nothing needs.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
