"""make says what it can do, and what is missing, in words."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    make = shutil.which("make")
    assert make is not None, "these tests run under make"
    return subprocess.run(
        [make, "--no-print-directory", *arguments],
        cwd=folder,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def fresh(root: Path, tmp_path: Path) -> Path:
    """A folder with nothing but the Makefile and what it depends on."""
    for name in ("Makefile", "pyproject.toml", *(p.name for p in root.glob("requirements*.lock"))):
        shutil.copy(root / name, tmp_path)
    return tmp_path


def _python(folder: Path, script: str) -> str:
    path = folder / "some-python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_make_alone_prints_every_target(root: Path) -> None:
    """Whoever types ``make`` learns what there is; nothing is hidden and nothing is done."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    printed = _make(root).stdout
    assert re.findall(r"^  make ([a-z-]+) ", printed, re.MULTILINE) == phony.split()


def test_a_python_that_is_too_old_is_named(fresh: Path) -> None:
    """The message says which version is needed, which one is here, and how to name another."""
    old = _python(fresh, 'case "$1" in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    run = _make(fresh, "demo", old)
    assert run.returncode != 0
    assert "needs Python 3.11 or newer" in run.stderr
    assert "Python 3.9.2" in run.stderr
    assert not (fresh / ".venv").exists()


def test_a_missing_python_is_named(fresh: Path) -> None:
    """No Python at all is said in the same way."""
    run = _make(fresh, "demo", "PYTHON=no-such-python")
    assert run.returncode != 0
    assert "no-such-python is not here" in run.stderr


def test_a_python_without_venv_says_what_to_install(fresh: Path) -> None:
    """Debian's Python comes without venv; the message names the package, and leaves no half of one."""
    run = _make(fresh, "demo", _python(fresh, 'case "$2" in venv) mkdir .venv; exit 1 ;; esac'))
    assert run.returncode != 0
    assert "python3-venv" in run.stderr
    assert not (fresh / ".venv").exists()


def test_the_second_run_sets_nothing_up(fresh: Path) -> None:
    """With the stamps newer than the locks, ``make test`` does nothing but run the tests."""
    binaries = fresh / ".venv/bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to("/bin/true")
    for stamp in (".ready-to-run", ".ready-to-develop"):
        (fresh / ".venv" / stamp).touch()
    planned = _make(fresh, "-n", "test").stdout
    assert planned.strip() == ".venv/bin/python -m pytest -n2"


@pytest.mark.parametrize(
    ("changed", "again"), [("requirements-dev.lock", {"dev"}), ("requirements.lock", {"", "dev"})]
)
def test_a_new_lock_is_installed(fresh: Path, changed: str, again: set[str]) -> None:
    """A changed lock is set up anew, from hashes, and so is what builds on it."""
    binaries = fresh / ".venv/bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to("/bin/true")
    stamps = [fresh / ".venv" / name for name in (".ready-to-run", ".ready-to-develop")]
    for stamp in stamps:
        stamp.touch()
    newer = max(stamp.stat().st_mtime for stamp in stamps) + 10
    _touch(fresh / changed, newer)
    planned = _make(fresh, "-n", "test").stdout
    installed = set(re.findall(r"--require-hashes -r requirements-?(\w*)\.lock", planned))
    assert installed - {"build"} == again


def _touch(path: Path, at: float) -> None:
    import os  # noqa: PLC0415 - setting a time is all that this test needs of it

    os.utime(path, (at, at))
