"""Runs a benchmark by its name; ``python -m benchmarks`` alone says which there are.

A benchmark is a module beside this one with ``main(argv) -> int``; the first line of its docstring says what it
measures, and its own ``--help`` what it can be told.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import benchmarks
from benchmarks.table import say

USAGE = 2  # exit status for what the person can fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One measurement, by the name of its module."""

    name: str
    about: str
    main: Callable[[Sequence[str]], int]


def find() -> Iterator[Benchmark]:
    """Yield every benchmark, by name; what has no ``main`` is shared by others."""
    for module_info in pkgutil.iter_modules(benchmarks.__path__):
        if module_info.name == "__main__":
            continue
        module = importlib.import_module(f"benchmarks.{module_info.name}")
        if callable(getattr(module, "main", None)):
            about = (module.__doc__ or "").partition("\n")[0]
            yield Benchmark(name=module_info.name, about=about, main=module.main)


def run(argv: Sequence[str]) -> int:
    """Run the benchmark that *argv* names with what follows; return its exit status."""
    known = {one.name: one for one in find()}
    if not argv or argv[0] in ("-h", "--help"):
        say("python -m benchmarks NAME [--help]\n")
        for one in known.values():
            say(f"  {one.name:<12} {one.about}")
        return 0
    chosen = known.get(argv[0])
    if chosen is None:
        say(f"There is no benchmark {argv[0]}; there are {', '.join(known)}.")
        return USAGE
    return chosen.main(argv[1:])


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
