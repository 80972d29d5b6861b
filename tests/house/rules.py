"""The rules of the house that no linter has, each a pure function from one source file to its offences."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_FILE_LINES: Final = 400  # aim for 300; beyond this a file holds more than one thought
MAX_FUNCTION_LINES: Final = 60  # aim for 25

MARKS: Final = re.compile(r"\b(?:[T]ODO|[F]IXME|[X]XX|NotImplemented[E]rror)\b")
MACHINE_PATHS: Final = re.compile(
    r"(?<![\w.])/(?:work|root|home|farm|Users)/|(?<![\w.])/tmp/\w|\bpython[h]osted\b"
)
BARE_NOQA: Final = re.compile(r"#\s*noqa\b(?!: [A-Z]+\d+(?:, ?[A-Z]+\d+)*(?: -|:|,)? +\S.{7})")
BARE_IGNORE: Final = re.compile(r"#\s*type: ignore(?!\[[\w-]+(?:, ?[\w-]+)*\] +(?:#|-) *\S.{7})")
EMPTY_WORDS: Final = frozenset(
    {"manager", "helper", "helpers", "util", "utils", "misc", "common", "data", "info"}
)
CLOCKS: Final = frozenset(
    {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "date.today",
        "datetime.date.today",
        "time.time",
        "time.time_ns",
    }
)
ASSERTING: Final = re.compile(
    r"^(?:raises|warns|fail)$|expect|assert|verify|check|should|run_state_machine"
)
MOCKS: Final = frozenset({"mock", "unittest.mock", "pytest_mock"})
SKIPS: Final = frozenset(
    {"skip", "skipif", "xfail", "importorskip", "skipTest", "skipUnless", "expectedFailure"}
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One Python file: its path from the root of the repository, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    def at(self, line: int, what: str) -> str:
        """Return the offence *what* as one clickable line."""
        return f"{self.path}:{line} {what}"


Rule = Callable[[Source], Iterator[str]]


def read(path: Path, text: str) -> Source:
    """Parse *text* as the file at *path*."""
    return Source(path=path, text=text, tree=ast.parse(text))


def marks(source: Source) -> Iterator[str]:
    """Unfinished business has no place on main."""
    yield from _lines(source, MARKS)


def machine_paths(source: Source) -> Iterator[str]:
    """Nothing depends on where the code was written."""
    yield from _lines(source, MACHINE_PATHS)


def bare_suppressions(source: Source) -> Iterator[str]:
    """A silenced linter carries its code and a because."""
    yield from _lines(source, BARE_NOQA)
    yield from _lines(source, BARE_IGNORE)


def long_files(source: Source) -> Iterator[str]:
    """A file can be read in one sitting."""
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES:
        yield source.at(1, f"has {lines} lines")


def long_functions(source: Source) -> Iterator[str]:
    """A function fits on a screen."""
    for function in _functions(source.tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield source.at(function.lineno, f"{function.name} has {lines} lines")


def undocumented(source: Source) -> Iterator[str]:
    """What others may use says what they get."""
    if ast.get_docstring(source.tree) is None and source.text.strip():
        yield source.at(1, "module has no docstring")
    for node in _public(source.tree):
        if ast.get_docstring(node) is None:
            yield source.at(node.lineno, f"{node.name} has no docstring")


def own_clocks(source: Source) -> Iterator[str]:
    """Only bot/clock.py asks for the time; everything else takes ``now``."""
    if source.path == Path("bot/clock.py"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS:
            yield source.at(node.lineno, ast.unparse(node))


def empty_words(source: Source) -> Iterator[str]:
    """A module's name says what is inside."""
    if source.path.stem in EMPTY_WORDS:
        yield source.at(1, f"the name {source.path.stem} says nothing")


def silent_tests(source: Source) -> Iterator[str]:
    """Each test states the fact it proves, and asserts it."""
    for test in _tests(source.tree):
        if ast.get_docstring(test) is None:
            yield source.at(test.lineno, f"{test.name} does not state its fact")
        if not _asserts(test, source.tree):
            yield source.at(test.lineno, f"{test.name} asserts nothing")


def mocks(source: Source) -> Iterator[str]:
    """Tests use real parts or typed fakes, never mocks."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names):
                imported = {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names):
                imported = {module} | {f"{module}.{name.name}" for name in names}
            case _:
                continue
        if imported & MOCKS:
            yield source.at(node.lineno, ast.unparse(node))


def sleeps(source: Source) -> Iterator[str]:
    """Tests wait for an event, never for a while; ``asyncio.sleep(0)`` only lets others run."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        yields = name == "asyncio.sleep" and [ast.unparse(a) for a in node.args] == ["0"]
        if name in {"time.sleep", "asyncio.sleep", "sleep"} and not yields:
            yield source.at(node.lineno, ast.unparse(node))


def skips(source: Source) -> Iterator[str]:
    """Every test runs."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in SKIPS:
            yield source.at(node.lineno, ast.unparse(node))


PROGRAM_RULES: Final[tuple[Rule, ...]] = (
    marks,
    machine_paths,
    bare_suppressions,
    long_files,
    long_functions,
    undocumented,
    own_clocks,
    empty_words,
)
TEST_RULES: Final[tuple[Rule, ...]] = (
    marks,
    machine_paths,
    bare_suppressions,
    silent_tests,
    mocks,
    sleeps,
    skips,
)


def _lines(source: Source, pattern: re.Pattern[str]) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if pattern.search(line):
            yield source.at(number, line.strip()[:120])


def _functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def _public(parent: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Public classes, functions and methods; what is inside a function is nobody else's business."""
    for node in parent.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _public(node)


def _tests(tree: ast.Module) -> Iterator[Function]:
    for function in _functions(tree):
        if function.name.startswith("test_"):
            yield function


def _asserts(test: Function, tree: ast.Module) -> bool:
    """Whether *test* asserts, by itself or through a function of the same file."""
    own = {f.name: f for f in _functions(tree) if not f.name.startswith("test_")}
    seen: set[str] = set()
    waiting: list[Function] = [test]
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Assert):
                return True
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            if ASSERTING.search(name):
                return True
            if name in own and name not in seen:
                seen.add(name)
                waiting.append(own[name])
    return False
