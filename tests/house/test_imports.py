"""The import contracts of pyproject.toml hold, and each of them would notice a wrong import."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINTER = Path(sys.executable).with_name("lint-imports")
PACKAGES = ("rca", "runbook", "bot")

# A module that must not be, its one line, the contract that is about it.
WRONG = (
    ("rca.stats.wrong_a", "import bot.clock", "one direction"),
    ("runbook.wrong_b", "import rca.engine", "runbook sees only rca's documents"),
    ("rca.stats.wrong_c", "import rca.engine", "rca: from documents up to the engine"),
    ("bot.render.wrong_d", "import bot.flow", "bot: from the clock up to the command line"),
    ("rca.detectors.wrong_e", "import asyncio", "touches nothing outside: rca and runbook"),
    ("bot.policy.wrong_f", "import os", "touches nothing outside: the bot's pure rooms"),
    ("rca.detectors.wrong_g", "import rca.detectors.sync_failure", "one another: detectors"),
    ("bot.intake.wrong_h", "import bot.intake.elementary", "one another: formats"),
    ("bot.pagers.wrong_i", "import bot.pagers.pagerduty", "one another: pagers"),
    ("bot.sources.wrong_j", "import bot.sources.airbyte", "one another: sources"),
    ("bot.slack.commands.wrong_k", "import bot.slack.commands.ack", "one another: commands"),
)


def _lint(folder: Path) -> tuple[int, str]:
    """Check the contracts of the code in *folder*, without a cache that could remember another."""
    run = subprocess.run(
        [LINTER, "--no-cache", "--no-logo"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def _copy(root: Path, folder: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(
            root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(root / "pyproject.toml", folder)


@pytest.fixture(scope="module")
def spoiled(root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says about a copy of the code with every wrong module in it."""
    folder = tmp_path_factory.mktemp("spoiled")
    _copy(root, folder)
    for module, line, _ in WRONG:
        path = folder / f"{module.replace('.', '/')}.py"
        path.write_text(f'"""Wrong."""\n\n{line}\n', encoding="utf-8")
    code, output = _lint(folder)
    assert code == 1, output
    return output


def test_the_contracts_hold(root: Path) -> None:
    """Nobody imports what is above, beside or outside where the plan forbids it."""
    code, output = _lint(root)
    assert code == 0, output


@pytest.mark.parametrize(("module", "line", "contract"), WRONG)
def test_a_wrong_import_is_noticed(spoiled: str, module: str, line: str, contract: str) -> None:
    """The contract that a wrong line offends is broken, and the report names module and import."""
    verdicts = [text for text in spoiled.splitlines() if contract in text and "BROKEN" in text]
    assert verdicts, spoiled
    assert f"{module} -> {line.removeprefix('import ')}" in spoiled


def test_a_module_without_a_layer_is_noticed(root: Path, tmp_path: Path) -> None:
    """A new room of the house must be given its place before it may be used."""
    _copy(root, tmp_path)
    (tmp_path / "rca/homeless.py").write_text('"""Homeless."""\n', encoding="utf-8")
    (tmp_path / "bot/homeless.py").write_text('"""Homeless."""\n', encoding="utf-8")
    code, output = _lint(tmp_path)
    assert code == 1
    assert output.count("homeless") >= len(("rca", "bot"))
