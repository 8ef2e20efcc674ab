"""`make mutation`: changes reasoning in thousands of small ways and counts how many of them the tests notice.

Works on a copy in .run/mutation, where survivors.txt then lists what no test noticed. mutmut runs the mutants inside
functions, `outside.py` the rest. Names of modules (`python -m tests.mutation truth limits`) leave the others alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mutmut.stats
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant

ROOT = Path(__file__).parents[2]
COPY = ROOT / ".run" / "mutation"
MUTATED = Path("cds_service") / "reasoning"
TESTS = Path("tests") / "reasoning"
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
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, COPY / name)


def run(name: str, command: list[Any]) -> None:
    """Run a part in the copy; what it says goes to a log."""
    with Path(f"{name}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{name} stopped with {done.returncode}: see {COPY / f'{name}.log'}")


def beyond_functions(modules: Iterable[Path]) -> dict[str, Any]:
    """How many mutants each module has outside functions, and which survived."""
    run("outside", [sys.executable, "-m", "tests.mutation.outside", TESTS, PROCESSES, "outside.json", *modules])
    return dict(json.loads(Path("outside.json").read_text(encoding="utf-8")))


def inside_functions(modules: list[Path]) -> dict[Path, dict[str, str]]:
    """What became of each mutant inside functions, by module."""
    run(
        "mutmut",
        [Path(sys.executable).parent / "mutmut", "run", "--max-children", PROCESSES, *(f"{'.'.join(m.with_suffix('').parts)}.*" for m in modules)],
    )
    found = {}
    for module in modules:
        results = SourceFileMutationData(path=module)
        results.load()
        found[module] = {name: mutmut.stats.status_by_exit_code[code] for name, code in results.exit_code_by_key.items()}
    return found


def figures(modules: Iterable[Path], inside: dict[Path, dict[str, str]], outside: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Of each module its name, the mutants killed and those that survived."""
    for module in modules:
        states = Counter(inside[module].values())
        odd = set(states) - _SURVIVED - _KILLED
        if odd:
            sys.exit(f"{module}: mutmut could not judge some mutants ({', '.join(sorted(odd))}). Run it again.")
        survived = sum(states[s] for s in _SURVIVED) + sum(line.startswith(f"{module}:") for line in outside["survived"])
        made = states.total() + outside["made"].get(str(module), 0)
        if made:
            yield module.name, made - survived, survived


def survivors(inside: dict[Path, dict[str, str]], outside: dict[str, Any]) -> Iterator[str]:
    """Every mutant that no test noticed, as the lines that differ."""
    for module, states in inside.items():
        for name in (name for name, state in states.items() if state in _SURVIVED):
            lines = get_diff_for_mutant(name, path=module).splitlines()
            yield "\n".join([name, *(line for line in lines if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"})])
    yield from outside["survived"]


def main() -> int:
    """Run every mutant; 1 if too many survive."""
    start = time.monotonic()
    prepare()
    os.chdir(COPY)
    modules = [MUTATED / f"{name}.py" for name in sys.argv[1:]] or sorted(MUTATED.glob("[a-z]*.py"))
    outside = beyond_functions(modules)
    inside = inside_functions(modules)
    rows = list(figures(modules, inside, outside))
    killed, survived = sum(row[1] for row in rows), sum(row[2] for row in rows)
    Path("survivors.txt").write_text("\n\n".join(survivors(inside, outside)) + "\n", encoding="utf-8")
    print(f"{'module':<16}{'killed':>8}{'survived':>10}{'%':>8}")
    for name, dead, alive in [*rows, ("all", killed, survived)]:
        print(f"{name:<16}{dead:>8}{alive:>10}{100 * dead / (dead + alive):>8.1f}")
    print(f"{(time.monotonic() - start) / 60:.0f} minutes. Every survivor: {COPY / 'survivors.txt'}")
    if 100 * killed < WANTED * (killed + survived):
        print(f"Fewer than {WANTED:g} % are killed: write tests in {TESTS} that notice what survives, or delete code that nothing needs.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
