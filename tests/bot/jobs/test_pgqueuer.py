"""What only PostgreSQL can show: replicas that share the work, and a database that goes away."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.clock import system_clock
from bot.jobs.pgqueuer import PgQueuerJobs
from bot.jobs.pgqueuer_rows import forget_old
from bot.ports import Again, Job, JobKind
from bot.store.engine import create_engine

LIMIT_S = 30


async def test_replicas_share_the_work(postgres_url: str) -> None:
    """Of fifty jobs and two replicas, each job is run once, by one of them."""
    engines = [create_engine(postgres_url) for _ in range(2)]
    replicas = [PgQueuerJobs(engine, system_clock) for engine in engines]
    rows = [str(n) for n in range(50)]
    seen: Counter[str] = Counter()
    all_seen = asyncio.Event()

    async def look(row_id: str) -> Again | None:
        seen[row_id] += 1
        if len(seen) == len(rows):
            all_seen.set()
        return None

    async with engines[0].begin() as connection:
        await replicas[0].submit(
            connection, [Job(kind=JobKind.INBOX, row_id=row_id) for row_id in rows]
        )
    tasks = [asyncio.create_task(replica.run(dict.fromkeys(JobKind, look))) for replica in replicas]
    async with asyncio.timeout(LIMIT_S):
        await all_seen.wait()
        await asyncio.gather(*(replica.stop() for replica in replicas))
        await asyncio.gather(*tasks)
    await asyncio.gather(*(engine.dispose() for engine in engines))
    assert seen == Counter(rows)


async def test_a_database_that_goes_away_ends_the_run(postgres_url: str) -> None:
    """When the server cuts the connections, run raises, so that a supervisor starts the process anew."""
    engine, killer = create_engine(postgres_url), create_engine(postgres_url)
    jobs = PgQueuerJobs(engine, system_clock)
    looked = asyncio.Event()

    async def look(_row_id: str) -> Again | None:
        looked.set()
        return None

    async with engine.begin() as connection:
        await jobs.submit(connection, [Job(kind=JobKind.POST, row_id="a")])
    task = asyncio.create_task(jobs.run(dict.fromkeys(JobKind, look)))
    async with asyncio.timeout(LIMIT_S):
        await looked.wait()
        async with killer.begin() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        with pytest.raises(ExceptionGroup):
            await task
    await engine.dispose()
    await killer.dispose()


async def test_the_queues_own_log_does_not_grow_for_ever(postgres_url: str) -> None:
    """Old entries are deleted, younger ones stay."""
    engine = create_engine(postgres_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint) VALUES "
                    "(now() - interval '25 hours', 1, 'successful', 0, 'post'), "
                    "(now() - interval '23 hours', 2, 'successful', 0, 'post')"
                )
            )
            await forget_old(connection, timedelta(days=1))
            left = await connection.execute(text("SELECT job_id FROM pgqueuer_log"))
            assert [row.job_id for row in left] == [2]
    finally:
        await engine.dispose()
