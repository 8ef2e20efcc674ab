"""`make mutation`: changes reasoning in thousands of small ways and counts how many of them the tests notice.

Works on copies in .run/mutation, where survivors.txt then lists what no test noticed. `inside.py` runs the mutants inside
functions, `outside.py` the rest. Names of modules (`python -m tests.mutation truth limits`) leave the others alone.
What only authors of knowledge use is held by its own tests alone, so that the many cases do not run for it. SAMPLE=6 in the
environment takes every sixth mutant, for a quick look.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COPY = ROOT / ".run" / "mutation"
MUTATED = Path("cds_service") / "reasoning"
TESTS = Path("tests") / "reasoning"
# The modules that tell authors what their cases prove, and the tests of these modules.
FOR_AUTHORS = frozenset({"account", "casebook", "coverage", "edges", "proofs"})
TESTS_FOR_AUTHORS = frozenset(f"test_{name}.py" for name in ("account", "casebook", "coverage", "coverage_toy", "edges"))
COPIED = ("cds_service", "tests", "fixtures", "pyproject.toml", "README.md", "LICENSE")
WANTED = 90.0
PROCESSES = 3  # on two cores, since each is now and then waited for


def prepare(copy: Path, *, for_authors: bool) -> None:
    """Copy what is mutated and the tests that hold it, without the traces of an earlier run."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for name in COPIED:
        take = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        take(ROOT / name, copy / name)
    for path in (copy / TESTS).glob("test_*.py"):
        if (path.name in TESTS_FOR_AUTHORS) is not for_authors:
            path.unlink()


def run(part: str, modules: Iterable[Path]) -> dict[str, Any]:
    """How many mutants each module has in a part of the code, and which survived; what is said meanwhile goes to a log."""
    command = [sys.executable, "-m", f"tests.mutation.{part}", TESTS, PROCESSES, f"{part}.json", *modules]
    with Path(f"{part}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{part} stopped with {done.returncode}: see {Path.cwd() / f'{part}.log'}")
    return dict(json.loads(Path(f"{part}.json").read_text(encoding="utf-8")))


def figures(modules: Iterable[Path], parts: list[dict[str, Any]]) -> Iterator[tuple[str, int, int]]:
    """Of each module its name, the mutants killed and those that survived."""
    for module in modules:
        survived = sum(line.startswith(f"{module}:") for part in parts for line in part["survived"])
        made = sum(part["made"].get(str(module), 0) for part in parts)
        if made:
            yield module.stem, made - survived, survived


def mutate(copy: Path, modules: list[Path], *, for_authors: bool) -> tuple[list[tuple[str, int, int]], list[str]]:
    """Run every mutant of some modules in a copy: the figures of each module, and the survivors."""
    prepare(copy, for_authors=for_authors)
    os.chdir(copy)
    parts = [run(part, modules) for part in ("inside", "outside")]
    return list(figures(modules, parts)), [line for part in parts for line in part["survived"]]


def main() -> int:
    """Run every mutant; 1 if too many survive."""
    start = time.monotonic()
    names = sys.argv[1:] or sorted(path.stem for path in (ROOT / MUTATED).glob("[a-z]*.py"))
    rows: list[tuple[str, int, int]] = []
    left: list[str] = []
    for part, for_authors in (("charts", False), ("authors", True)):
        if modules := [MUTATED / f"{name}.py" for name in names if (name in FOR_AUTHORS) is for_authors]:
            found, alive = mutate(COPY / part, modules, for_authors=for_authors)
            rows, left = [*rows, *found], [*left, *alive]
    killed, survived = sum(row[1] for row in rows), sum(row[2] for row in rows)
    (COPY / "survivors.txt").write_text("\n\n".join(left) + "\n", encoding="utf-8")
    print(f"{'module':<16}{'killed':>8}{'survived':>10}{'%':>8}")
    for name, dead, lived in [*sorted(rows), ("all", killed, survived)]:
        print(f"{name:<16}{dead:>8}{lived:>10}{100 * dead / (dead + lived):>8.1f}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes, cpu = (time.monotonic() - start) / 60, (used.ru_utime + used.ru_stime) / 60
    print(f"{minutes:.0f} minutes, {cpu:.0f} of CPU. Every survivor: {COPY / 'survivors.txt'}")
    if 100 * killed < WANTED * (killed + survived):
        print(f"Fewer than {WANTED:g} % are killed: write tests in {TESTS} that notice what survives, or delete code that nothing needs.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
