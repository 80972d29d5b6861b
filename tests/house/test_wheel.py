"""What is installed is complete: the wheel holds the code, the pages and the migrations, and runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

COPIED = ("rca", "runbook", "bot", "migrations")
FILES = ("pyproject.toml", "README.md", "LICENSE")
START = """
import bot, sys
from bot.cli import main
print(bot.__file__, file=sys.stderr)
sys.exit(main())
"""


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the code without the network."""
    folder = tmp_path_factory.mktemp("build")
    for name in COPIED:
        shutil.copytree(root / name, folder / name)
    for name in FILES:
        shutil.copy(root / name, folder)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps"]
    run = subprocess.run(
        [*build, "--no-index", "--wheel-dir", "dist", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The paths inside the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_of_the_packages(root: Path, names: set[str]) -> None:
    """Code, runbook pages, the sandbox's page, migrations and py.typed: nothing stays behind."""
    wanted = {
        str(path.relative_to(root))
        for package in COPIED
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert sorted(wanted - names) == []


@pytest.mark.parametrize(
    "needed",
    [
        "rca/py.typed",
        "runbook/py.typed",
        "bot/py.typed",
        "runbook/pages/ingestion_failure.md",
        "runbook/pages/matrix.md",
        "bot/sandbox/page/index.html",
        "migrations/env.py",
    ],
)
def test_the_wheel_holds_what_the_program_reads(names: set[str], needed: str) -> None:
    """A file that is read at run time is there by name."""
    assert needed in names


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    """No test, no cache, no benchmark and no lock travels with it."""
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(COPIED)
    assert [name for name in names if name.endswith(".pyc")] == []


def test_the_licence_travels_with_the_wheel(names: set[str]) -> None:
    """Whoever has the wheel has the licence."""
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's own copy of the code and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("arguments", [["--help"], ["schema", "case"], ["runbook", "show"]])
def test_the_installed_program_runs(site: Path, tmp_path: Path, arguments: list[str]) -> None:
    """Outside the checkout, with only the wheel's own copy of the code, the command line works."""
    run = subprocess.run(
        [sys.executable, "-c", START, *arguments],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr.startswith(str(site))
    assert run.stdout.strip()
