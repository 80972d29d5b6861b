"""Fail when a run of the tests left something out: ``skips.py REPORT.xml [ALLOWED_TEST_ID ...]``.

REPORT.xml is what ``pytest --junitxml`` wrote. A run that is missing, empty, or in which a test was skipped or
expected to fail and is not in the list, exits with 1 and names it.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Collection, Sequence
from pathlib import Path


def problems(report: Path, allowed: Collection[str]) -> tuple[str, ...]:
    """Return one sentence for each thing that the run in *report* left out; none when it is complete."""
    if not report.is_file():
        return (f"{report} is missing: the tests did not run to their end.",)
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - our own run wrote it
    if not cases:
        return ("No test ran.",)
    skipped = {test_id(case): reason(case) for case in cases if case.find("skipped") is not None}
    left_out = [
        f"{name} did not run: {why}" for name, why in skipped.items() if name not in allowed
    ]
    stale = [
        f"{name} is allowed to be skipped, but ran." for name in allowed if name not in skipped
    ]
    return tuple(left_out + stale)


def test_id(case: ET.Element) -> str:
    """Return ``tests/rca/test_x.py::test_y[z]`` as far as the report tells it."""
    module = case.get("classname", "").replace(".", "/")
    return f"{module}.py::{case.get('name', '')}" if module else case.get("name", "")


def reason(case: ET.Element) -> str:
    """Return why the test was left out, in one line."""
    skipped = case.find("skipped")
    text = (skipped.get("message") or skipped.get("type")) if skipped is not None else None
    return " ".join((text or "no reason given").split())


def main(arguments: Sequence[str]) -> int:
    """Print every problem to stderr and return the exit code."""
    if not arguments:
        print("usage: skips.py REPORT.xml [ALLOWED_TEST_ID ...]", file=sys.stderr)
        return 2
    found = problems(Path(arguments[0]), arguments[1:])
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
