"""The code keeps the rules of the house, and the rules see an offence when there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import rules
from tests.house.rules import PROGRAM_RULES, TEST_RULES, Rule, Source, read

LONG = "def f():\n" + "    x = 1\n" * rules.MAX_FUNCTION_LINES
FITS = "def f():\n" + "    x = 1\n" * (rules.MAX_FUNCTION_LINES - 1)

# Rule, what it must see, the nearest thing that it must leave alone; a ~ keeps this file itself from being seen.
PAIRS: tuple[tuple[Rule, str, str], ...] = (
    (rules.marks, "# T~ODO later", "# what is to be done: nothing"),
    (rules.marks, "raise NotImplemented~Error", "return NotImplemented"),
    (rules.machine_paths, 'P = "/w~ork/main"', 'P = "/work"'),
    (rules.machine_paths, 'P = "/t~mp/x"', 'P = "/tmpfs"'),
    (rules.bare_suppressions, "x = 1  # n~oqa", "x = 1  # n~oqa: E501 - a URL cannot be broken"),
    (
        rules.bare_suppressions,
        "x = 1  # n~oqa: E501",
        "x = 1  # n~oqa: E501, S101 - a URL cannot be broken",
    ),
    (
        rules.bare_suppressions,
        "x = f()  # type: i~gnore",
        "x = f()  # type: i~gnore[no-untyped-call]  # the library has no types",
    ),
    (rules.long_files, "x = 1\n" * (rules.MAX_FILE_LINES + 1), "x = 1\n" * rules.MAX_FILE_LINES),
    (rules.long_functions, LONG, FITS),
    (rules.undocumented, '"""M."""\ndef f(): ...', '"""M."""\ndef _f(): ...'),
    (
        rules.undocumented,
        '"""M."""\nclass A:\n    """A."""\n    def f(self): ...',
        '"""M."""\nclass _A:\n    x = 1',
    ),
    (rules.undocumented, "x = 1", ""),
    (rules.own_clocks, "now = datetime.now(UTC)", "then = datetime.fromtimestamp(0, UTC)"),
    (rules.own_clocks, "clock = time.time", "clock = time.monotonic"),
    (
        rules.silent_tests,
        "def test_a():\n    assert x",
        'def test_a():\n    """A holds."""\n    assert x',
    ),
    (
        rules.silent_tests,
        'def test_a():\n    """A."""\n    f()',
        'def test_a():\n    """A."""\n    expect_a()',
    ),
    (
        rules.silent_tests,
        'def test_a():\n    """A."""\n    g()\ndef g(): pass',
        'def test_a():\n    """A."""\n    g()\ndef g():\n    assert x',
    ),
    (rules.mocks, "from unittest import m~ock", "from unittest import TestCase"),
    (rules.mocks, "from unittest.m~ock import Mock", "import mockingbird"),
    (rules.sleeps, "await asyncio.sleep(0.1)", "await asyncio.sleep(0)"),
    (rules.sleeps, "time.sleep(1)", "time.monotonic()"),
    (
        rules.skips,
        "@pytest.mark.s~kip\ndef test_a(): ...",
        "@pytest.mark.asyncio\ndef test_a(): ...",
    ),
)


@pytest.mark.parametrize("rule", PROGRAM_RULES, ids=lambda rule: rule.__name__)
def test_the_program_keeps_the_rule(rule: Rule, program: tuple[Source, ...]) -> None:
    """No file of the program offends."""
    offences = [offence for source in program for offence in rule(source)]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize("rule", TEST_RULES, ids=lambda rule: rule.__name__)
def test_the_tests_keep_the_rule(rule: Rule, tests: tuple[Source, ...]) -> None:
    """No test file offends."""
    offences = [offence for source in tests for offence in rule(source)]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(("rule", "offence", "nearest"), PAIRS)
def test_a_rule_tells_an_offence_from_its_neighbour(rule: Rule, offence: str, nearest: str) -> None:
    """Each rule sees what it is for, and leaves the nearest lawful thing alone."""
    path = Path("bot/somewhere.py")
    assert list(rule(read(path, offence.replace("~", ""))))
    assert not list(rule(read(path, nearest.replace("~", ""))))


@pytest.mark.parametrize(("path", "seen"), [("bot/utils.py", True), ("bot/units.py", False)])
def test_a_module_name_must_say_something(path: str, *, seen: bool) -> None:
    """``utils`` is refused, ``units`` is not."""
    assert bool(list(rules.empty_words(read(Path(path), "")))) is seen


def test_one_file_may_ask_for_the_time() -> None:
    """The clock's own file is the one exception."""
    assert not list(rules.own_clocks(read(Path("bot/clock.py"), "now = datetime.now(UTC)")))


def test_every_rule_is_tried() -> None:
    """A rule without a pair above could be blind, and nobody would know."""
    tried = {rule for rule, _, _ in PAIRS} | {rules.empty_words}
    assert set(PROGRAM_RULES) | set(TEST_RULES) == tried
