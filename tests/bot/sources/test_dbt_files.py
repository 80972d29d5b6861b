"""Artifacts in an object store are read as those in a folder are; what goes wrong is named without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest
from pydantic import ValidationError

from bot.payloads.dbt_document import ArtifactError
from bot.sources.dbt import SOURCE, files
from bot.sources.dbt.files import File, LocalFiles, open_files, without_secrets
from rca.case import DbtRun
from tests.bot.sources.dbt_world import (
    NOON,
    STAGED,
    Ticking,
    ask_of,
    catalog,
    manifest,
    opened,
    put,
    run_results,
)


@pytest.fixture
def bucket() -> Iterator[str]:
    """An address in fsspec's store in memory, empty before and after."""
    url = f"memory://{uuid4().hex}"
    yield url
    system = fsspec.filesystem("memory")
    if system.exists(url):
        system.rm(url, recursive=True)


def store(url: str, **artifacts: object) -> None:
    """Write artifacts into the store."""
    for name, document in artifacts.items():
        with fsspec.open(f"{url}/{name}.json", "w") as file:
            file.write(json.dumps(document))


def ids(found: object) -> list[str | None]:
    """The runs' ids."""
    assert isinstance(found, tuple)
    return [run.invocation_id for run in found if isinstance(run, DbtRun)]


async def test_a_store_is_read_as_a_folder(bucket: str, tmp_path: Path) -> None:
    """The same artifacts give the same facts."""
    artifacts = {"manifest": manifest(), "run_results": run_results(), "catalog": catalog()}
    store(bucket, **artifacts)
    put(tmp_path, **artifacts)
    async with opened(SOURCE, {"artifacts": bucket}) as stored:
        of_store = await stored.read(ask_of())
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as local:
        of_folder = await local.read(ask_of())
    assert of_store.found == of_folder.found
    assert of_store.found


async def test_folders_of_a_store(bucket: str) -> None:
    """A pattern finds one folder per run; what is written anew is found at the next look."""
    clock = Ticking()
    store(
        f"{bucket}/2026-03-01",
        manifest=manifest(),
        run_results=run_results(NOON - timedelta(days=1), "a"),
    )
    store(f"{bucket}/2026-03-02", run_results=run_results(NOON, "b"))
    store(f"{bucket}/other", run_results=run_results(NOON, "c"))
    async with opened(SOURCE, {"artifacts": bucket, "folders": "2026-*"}, clock) as source:
        first = await source.read(ask_of())
        store(f"{bucket}/2026-03-03", run_results=run_results(NOON + timedelta(minutes=1), "d"))
        clock.now += timedelta(minutes=1)
        second = await source.read(ask_of())
    assert ids(first.found["dbt_runs"]) == ["a", "b"]
    assert ids(second.found["dbt_runs"]) == ["a", "b", "d"]


async def test_old_folders_of_a_store_are_listed_once(bucket: str) -> None:
    """Listing costs a call each, so of the folders only the last three by name are looked into again."""
    clock = Ticking()
    for day in range(1, 6):
        at = NOON - timedelta(days=6 - day)
        store(f"{bucket}/d{day}", manifest=manifest(), run_results=run_results(at, f"inv-{day}"))
    async with opened(SOURCE, {"artifacts": bucket, "folders": "d*"}, clock) as source:
        await source.read(ask_of())
        store(f"{bucket}/d1", run_results=run_results(NOON, "late-1"))
        store(f"{bucket}/d3", run_results=run_results(NOON, "late-3"))
        clock.now += timedelta(minutes=1)
        facts = await source.read(ask_of())
    assert ids(facts.found["dbt_runs"]) == [*(f"inv-{day}" for day in range(1, 6)), "late-3"]


async def test_a_store_without_artifacts(bucket: str) -> None:
    """An empty place is named as one."""
    async with opened(SOURCE, {"artifacts": bucket}) as source:
        facts = await source.read(ask_of())
    assert {hole.reason for hole in facts.holes} == {
        f"looked for dbt's artifacts in {bucket}: there is no manifest.json"
    }


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense://bucket/x", "ValueError"),
        ("s3://bucket/x", "the library for this kind of address is not installed"),
    ],
)
async def test_a_store_that_cannot_be_opened(url: str, words: str) -> None:
    """An address that nobody can read, or whose library is missing, is named."""
    async with opened(SOURCE, {"artifacts": url}) as source:
        facts = await source.read(ask_of())
        checked = await source.check()
    assert {hole.reason for hole in facts.holes} == {
        f"looked for dbt's artifacts in {url}: {words}"
    }
    assert checked[0].problem == f"looked for dbt's artifacts in {url}: {words}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/dbt", "s3://bucket/dbt"),
        ("https://me:pa55@host/dbt?sig=abc#x", "https://host/dbt"),
        ("ftp://me@host:21/dbt", "ftp://host:21/dbt"),
    ],
)
def test_addresses_without_secrets(url: str, shown: str) -> None:
    """User, password and query stay out of messages."""
    assert without_secrets(url) == shown
    assert open_files(url, None, {"key": "pa55"}).place == shown
    assert "pa55" not in repr(open_files(shown, None, {"key": "pa55"}))


async def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """A folder in the place of a file is named, and the rest is given."""
    put(tmp_path, manifest=manifest())
    (tmp_path / "run_results.json").mkdir()
    async with opened(SOURCE, {"artifacts": str(tmp_path)}) as source:
        facts = await source.read(ask_of())
    found = {hole.fact: hole.reason for hole in facts.holes}
    assert found["dbt_runs"] == f"dbt's artifact {tmp_path}/run_results.json: IsADirectoryError"
    assert STAGED in str(facts.found["lineage"])


def test_a_file_that_is_too_big(tmp_path: Path) -> None:
    """What no manifest needs is not read into memory."""
    file = File(
        path=str(tmp_path / "manifest.json"),
        folder=str(tmp_path),
        artifact="manifest.json",
        size=files.MAX_BYTES + 1,
        at=0.0,
        stamp="",
    )
    with pytest.raises(ArtifactError, match=r"has 537 MB; at most 537 MB are read"):
        LocalFiles(root=tmp_path, folders=None).read(file)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (NOON, NOON.timestamp()),
        (NOON.isoformat(), NOON.timestamp()),
        ("2026-03-02T12:00:00Z", NOON.timestamp()),
        (1772452800.5, 1772452800.5),
        (None, 0.0),
        ("soon", 0.0),
        (datetime(1970, 1, 1, tzinfo=UTC), 0.0),
    ],
)
def test_when_a_store_says_that_a_file_was_written(written: object, seconds: float) -> None:
    """Stores tell times as objects, texts and numbers."""
    assert files._seconds(written) == seconds


@pytest.mark.parametrize("folders", ["/etc", "", " x"])
def test_a_pattern_that_leads_elsewhere(folders: str) -> None:
    """Folders are looked for below the artifacts only."""
    with pytest.raises(ValidationError):
        SOURCE.options.model_validate({"artifacts": "target", "folders": folders})
