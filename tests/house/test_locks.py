"""The locks hold every package with hashes, agree with each other, and name no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUN = "requirements.lock"
DEVELOP = "requirements-dev.lock"
BUILD = "requirements-build.lock"
PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)

Pins = dict[str, set[str]]


def _pins(path: Path) -> Pins:
    """Return the versions of each package; a package may have one per platform."""
    pins: Pins = {}
    for match in PINNED.finditer(path.read_text(encoding="utf-8")):
        pins.setdefault(canonicalize_name(match["name"]), set()).add(match["version"])
    return pins


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, list[str]]:
    """What pyproject.toml asks for, by the lock that must hold it."""
    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    run = document["project"]["dependencies"]
    extras = document["project"]["optional-dependencies"]
    build = document["dependency-groups"]["build"]
    assert build == document["build-system"]["requires"]
    return {
        RUN: run + extras["postgres"],
        DEVELOP: run + extras["postgres"] + extras["dev"] + build,
        BUILD: build,
    }


@pytest.mark.parametrize("lock", [RUN, DEVELOP, BUILD])
def test_every_dependency_is_locked_within_its_bounds(
    root: Path, project: dict[str, list[str]], lock: str
) -> None:
    """A package that pyproject.toml asks for is in the lock, in a version that it allows."""
    pins = _pins(root / lock)
    wanted = [Requirement(text) for text in project[lock]]
    wrong = [
        str(requirement)
        for requirement in wanted
        if not pins.get(canonicalize_name(requirement.name))
        or not all(v in requirement.specifier for v in pins[canonicalize_name(requirement.name)])
    ]
    assert wrong == []


@pytest.mark.parametrize("lock", [RUN, DEVELOP, BUILD])
def test_every_pin_has_a_hash(root: Path, lock: str) -> None:
    """Pip refuses a package whose content is not the one that was locked."""
    text = (root / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", [RUN, DEVELOP, BUILD])
def test_a_lock_names_no_address(root: Path, lock: str) -> None:
    """The lock serves with any index: it holds no URL, no host and no option that names one."""
    text = (root / lock).read_text(encoding="utf-8")
    assert re.findall(r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host", text) == []


@pytest.mark.parametrize("lock", [RUN, BUILD])
def test_the_locks_agree(root: Path, lock: str) -> None:
    """What is tested is what runs: the development lock has the same versions."""
    develop = _pins(root / DEVELOP)
    assert {name: develop.get(name) for name in _pins(root / lock)} == _pins(root / lock)


def test_every_dependency_has_upper_and_lower_bounds(project: dict[str, list[str]]) -> None:
    """No dependency may change its meaning under us."""
    specifiers = {
        text: {s.operator for s in Requirement(text).specifier} for text in project[DEVELOP]
    }
    assert [text for text, operators in specifiers.items() if not {">=", "<"} <= operators] == []


def test_every_dependency_is_decided(root: Path, project: dict[str, list[str]]) -> None:
    """A dependency to run has a line in its ADR that names what it was compared with."""
    decided = (root / "docs/adr/0008-dependencies.md").read_text(encoding="utf-8").lower()
    assert [t for t in project[DEVELOP] if Requirement(t).name.lower() not in decided] == []
