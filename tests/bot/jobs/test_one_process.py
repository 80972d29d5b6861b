"""SQLite serves one process: a second one is refused with words that help."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bot.clock import system_clock
from bot.jobs import SecondProcessError, open_jobs, submit_only
from bot.ports import Job, JobKind
from bot.store.engine import create_engine

ROOT = Path(__file__).resolve().parents[3]


async def test_a_second_runner_is_refused(sqlite_url: str) -> None:
    """While one holds the database, the other is told who does and what to use instead; then it may."""
    engine, other = create_engine(sqlite_url), create_engine(sqlite_url)
    try:
        async with open_jobs(engine, system_clock):
            with pytest.raises(SecondProcessError, match=r"Another rca-bot .* PostgreSQL"):
                async with open_jobs(other, system_clock):
                    pass
        async with open_jobs(other, system_clock):
            pass
    finally:
        await engine.dispose()
        await other.dispose()


async def test_a_killed_process_gives_the_database_back(sqlite_url: str) -> None:
    """The lock ends with its process, however that ended; no file has to be deleted."""
    engine = create_engine(sqlite_url)
    async with engine.begin() as connection:
        jobs = submit_only(engine, system_clock)
        await jobs.submit(connection, [Job(kind=JobKind.POST, row_id="a")])
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests/contract/jobs_child.py"),
        sqlite_url,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"a\n"
        with pytest.raises(SecondProcessError):
            async with open_jobs(engine, system_clock):
                pass
        child.kill()
        await child.wait()
        async with open_jobs(engine, system_clock):
            pass
    finally:
        await engine.dispose()


async def test_a_command_beside_a_serving_bot_may_submit(sqlite_url: str) -> None:
    """Submitting needs no lock: a job that somebody else submits is seen by the one who runs."""
    engine, other = create_engine(sqlite_url), create_engine(sqlite_url)
    seen: list[str] = []
    try:
        async with open_jobs(engine, system_clock) as jobs:

            async def look(row_id: str) -> None:
                seen.append(row_id)
                await jobs.stop()

            async with other.begin() as connection:
                await submit_only(other, system_clock).submit(
                    connection, [Job(kind=JobKind.POST, row_id="a")]
                )
            await jobs.run(dict.fromkeys(JobKind, look))
    finally:
        await engine.dispose()
        await other.dispose()
    assert seen == ["a"]
