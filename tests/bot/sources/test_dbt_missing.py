"""What cannot be read of dbt's artifacts is named; what can be read is read once."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.ports import BotError
from bot.sources.dbt import SOURCE
from tests.bot.sources.dbt_world import (
    RAW,
    STAGED,
    Ticking,
    ask_of,
    catalog,
    lineage,
    manifest,
    opened,
    put,
    read_folder,
    reasons,
    run_results,
)


async def test_a_node_that_was_renamed(tmp_path: Path) -> None:
    """A node that the project lacks is found again by its relation, and its new name is said."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read_folder(tmp_path, ask_of("model.shop.old", relation="shop.main.stg_orders"))
    assert facts.dataset["dbt_node"] == STAGED
    assert "dbt_runs" in facts.found


async def test_a_node_that_is_gone(tmp_path: Path) -> None:
    """A node that the directory names and the project lacks leaves holes that say both."""
    put(tmp_path, manifest=manifest(), run_results=run_results())
    facts = await read_folder(tmp_path, ask_of("model.shop.renamed"))
    assert facts.found == {}
    assert set(reasons(facts)) == {"dbt_runs", "lineage", "dq_results", "column_snapshots"}
    assert reasons(facts)["lineage"] == (
        f"dbt's artifacts in {tmp_path}: manifest.json from 2026-03-02 12:00 UTC"
        " has no node model.shop.renamed among its 8"
    )


BROKEN: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "no folder content": (
        {},
        {"lineage": "looked for dbt's artifacts in {at}: there is no manifest.json"},
    ),
    "a cut manifest": (
        {"manifest": '{"metadata": {"generated_at"'},
        {"lineage": "dbt's {at}/manifest.json is not JSON, or was cut off"},
    ),
    "no results": (
        {"manifest": manifest()},
        {"dbt_runs": "looked for dbt's artifacts in {at}: there is no run_results.json"},
    ),
    "cut results": (
        {"manifest": manifest(), "run_results": "{"},
        {"dbt_runs": "dbt's {at}/run_results.json is not JSON, or was cut off"},
    ),
    "odd results": (
        {"manifest": manifest(), "run_results": {"metadata": {"generated_at": 3}, "results": []}},
        {
            "dq_results": "dbt's {at}/run_results.json: metadata.generated_at is missing or not a time",
        },
    ),
    "no catalog": (
        {"manifest": manifest(), "run_results": run_results()},
        {"column_snapshots": "looked for dbt's artifacts in {at}: there is no catalog.json"},
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_missing_is_named(tmp_path: Path, case: str) -> None:
    """A file that is missing or cannot be used leaves a hole that names it; the rest is given."""
    artifacts, expected = BROKEN[case]
    put(tmp_path, **artifacts)
    facts = await read_folder(tmp_path)
    found = reasons(facts)
    for fact, reason in expected.items():
        assert found[fact] == reason.replace("{at}", str(tmp_path))
    assert set(found) | set(facts.found) == {
        "dbt_runs",
        "lineage",
        "dq_results",
        "column_snapshots",
    }


async def test_no_such_folder(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    facts = await read_folder(tmp_path / "nowhere")
    assert set(reasons(facts).values()) == {
        f"looked for dbt's artifacts: there is no folder {tmp_path}/nowhere"
    }


async def test_a_file_half_written_leaves_the_old_one(tmp_path: Path) -> None:
    """While dbt writes its manifest, the one before is in use."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(), run_results=run_results())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        await source.read(ask_of())
        put(tmp_path, manifest=json.dumps(manifest())[:500])
        clock.now += timedelta(minutes=1)
        facts = await source.read(ask_of())
        checked = await source.check()
    assert STAGED in lineage(facts).parents
    assert checked[0].problem == f"dbt's {tmp_path}/manifest.json is not JSON, or was cut off"


async def test_many_datasets_are_one_look(tmp_path: Path) -> None:
    """A hundred questions at once read each file once; the next look is after five seconds."""
    clock = Ticking()
    put(tmp_path, manifest=manifest(), run_results=run_results())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}, clock) as source:
        counted = Counted(source.looker.files)
        source.looker.files = counted
        await asyncio.gather(*(source.read(ask_of()) for _ in range(100)))
        clock.now += timedelta(seconds=4)
        await source.read(ask_of())
        assert (counted.lists, len(counted.reads)) == (1, 2)
        clock.now += timedelta(seconds=1)
        await source.read(ask_of())
    assert (counted.lists, len(counted.reads)) == (2, 2)


class Counted:
    """Files that remember what was asked of them."""

    def __init__(self, files: Any) -> None:
        self.files = files
        self.place = files.place
        self.lists = 0
        self.reads: list[str] = []

    def list(self) -> Any:
        self.lists += 1
        return self.files.list()

    def read(self, file: Any) -> bytes:
        self.reads.append(file.path)
        content: bytes = self.files.read(file)
        return content


async def test_check_says_what_is_there(tmp_path: Path) -> None:
    """A good folder has no problem; one without results has, with what to do about it."""
    put(tmp_path, manifest=manifest(), run_results=run_results(), catalog=catalog())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        good = await source.check()
    put(tmp_path, run_results=run_results(which="generate"))
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        bad = await source.check()
    assert [one.problem for one in good] == [None, None]
    assert good[0].what == (
        f"dbt's artifacts in {tmp_path}: manifest.json with 8 nodes, written at 2026-03-02 12:00 UTC"
    )
    assert bad[1].problem is not None
    assert bad[1].fix is not None


async def test_without_the_extra_for_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sqlglot nobody claims that a column is or is not read, all else is given, and check says so."""
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    put(tmp_path, manifest=manifest(), run_results=run_results(), catalog=catalog())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        facts = await source.read(ask_of(RAW))
        checked = await source.check()
    assert lineage(facts).columns_used is None
    assert "dbt_runs" in facts.found
    assert "sqlglot is not installed (pip install 'rca-bot[lineage]')" in checked[-1].what


async def test_without_the_extra_for_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL without fsspec stops the start with the words that mend it; a folder needs none."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(BotError, match=r"s3://bucket/dbt needs fsspec: pip install 'rca-bot\[obj"):
        async with opened(SOURCE, {"artifacts": "s3://me:pa55@bucket/dbt"}):
            pass
    async with opened(SOURCE, {"artifacts": "target"}) as source:
        assert source.source_id == "dbt"
