"""CI fails on whatever was left out, and runs what the README names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CASE = '<testcase classname="tests.a.test_b" name="{name}">{inside}</testcase>'
SKIP = '<skipped type="pytest.skip" message="no server"/>'
XFAIL = '<skipped type="pytest.xfail" message="known"/>'


def _report(folder: Path, *cases: str) -> Path:
    path = folder / "tests.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


def _skips(root: Path, *arguments: str) -> tuple[int, str]:
    run = subprocess.run(
        [sys.executable, root / ".ci/skips.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stderr


def test_a_complete_run_passes(root: Path, tmp_path: Path) -> None:
    """Every test ran: nothing to say."""
    report = _report(tmp_path, CASE.format(name="test_c", inside=""))
    assert _skips(root, str(report)) == (0, "")


@pytest.mark.parametrize(("inside", "why"), [(SKIP, "no server"), (XFAIL, "known")])
def test_a_test_left_out_fails_by_name(root: Path, tmp_path: Path, inside: str, why: str) -> None:
    """A skip and an expected failure are both named with their reason."""
    code, said = _skips(root, str(_report(tmp_path, CASE.format(name="test_c", inside=inside))))
    assert code == 1
    assert said == f"tests/a/test_b.py::test_c did not run: {why}\n"


def test_a_listed_test_may_be_left_out(root: Path, tmp_path: Path) -> None:
    """The list in .ci/run is for exactly the tests in it."""
    report = _report(tmp_path, CASE.format(name="test_c", inside=SKIP))
    assert _skips(root, str(report), "tests/a/test_b.py::test_c")[0] == 0
    assert _skips(root, str(report), "tests/a/test_b.py::test_d")[0] == 1


def test_a_list_that_is_out_of_date_fails(root: Path, tmp_path: Path) -> None:
    """A listed test that runs again leaves the list, or the list would grow for ever."""
    report = _report(tmp_path, CASE.format(name="test_c", inside=""))
    code, said = _skips(root, str(report), "tests/a/test_b.py::test_c")
    assert code == 1
    assert "but ran" in said


def test_an_empty_run_fails(root: Path, tmp_path: Path) -> None:
    """No test, or no report at all, is not a pass."""
    assert _skips(root, str(_report(tmp_path)))[0] == 1
    assert _skips(root, str(tmp_path / "missing.xml"))[0] == 1


def test_the_report_of_a_real_run_is_understood(root: Path, tmp_path: Path) -> None:
    """Pytest's own report of a skipped test is read as one."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_x.py").write_text(
        "import pytest\n\n@pytest.mark.parametrize('n', [1])\ndef test_y(n):\n"
        "    pytest.skip('why')\n"
    )
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=r.xml"]
    subprocess.run(run, cwd=tmp_path, capture_output=True, check=True)
    code, said = _skips(root, str(tmp_path / "r.xml"))
    assert (code, said) == (1, "tests/test_x.py::test_y[1] did not run: why\n")


@pytest.mark.parametrize(
    ("other", "code"), [("", 1), ("from rca.x import lonely\n\nlonely()\n", 0)]
)
def test_dead_code_is_named(root: Path, tmp_path: Path, other: str, code: int) -> None:
    """A function that nobody calls is named; one caller anywhere, a test too, is enough."""
    for name, text in (("rca/x.py", "def lonely() -> None:\n    pass\n"), ("tests/y.py", other)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    run = subprocess.run(
        [sys.executable, root / ".ci/dead_code.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stderr
    assert ("rca/x.py:1: unused function 'lonely'" in run.stdout) is bool(code)


@pytest.fixture
def little(root: Path, tmp_path: Path) -> Path:
    """A project with our .ci and targets of its own that run one test file."""
    shutil.copytree(root / ".ci", tmp_path / ".ci")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    run = ".venv/bin/python -m pytest -p no:cacheprovider -p no:xdist $(filter-out -n2,$(PYTEST_ARGS))"
    (tmp_path / "Makefile").write_text(f"check:\n\t@echo checked\ntest:\n\t@{run} test_it.py\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "passes", "closing"),
    [
        ("def test_it(): pass\n", True, "1 passed"),
        ("def test_it(): assert False\n", False, "1 failed"),
        ("import pytest\ndef test_it(): pytest.skip('why')\n", False, "1 skipped"),
        ("", False, "no tests ran"),
        ("syntax error\n", False, "1 error"),
    ],
)
def test_ci_passes_only_what_is_complete(
    little: Path, text: str, closing: str, *, passes: bool
) -> None:
    """Whatever went wrong, the exit code says so, and pytest's closing line is the last one."""
    (little / "test_it.py").write_text(text)
    run = subprocess.run(
        ["/bin/bash", ".ci/run"],
        cwd=little,
        env={"PATH": os.environ["PATH"], "CI": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode == 0) is passes, run.stdout + run.stderr
    assert closing in run.stdout.splitlines()[-1]


def test_ci_runs_what_people_run(root: Path) -> None:
    """.ci/run is ``make check`` and ``make test``, stops at the first error, and may be executed."""
    path = root / ".ci/run"
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in text
    assert "make check" in text
    assert "make test" in text
