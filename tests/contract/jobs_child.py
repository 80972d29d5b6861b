"""A process of its own that runs jobs, says on its output which one has started, and never ends one."""

from __future__ import annotations

import asyncio
import sys

from bot.clock import system_clock
from bot.jobs import open_jobs
from bot.ports import Again, JobKind
from bot.store.engine import create_engine


async def _hang(row_id: str) -> Again | None:
    sys.stdout.write(f"{row_id}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    return None


async def _main(url: str) -> None:
    engine = create_engine(url)
    async with open_jobs(engine, system_clock) as jobs:
        await jobs.run(dict.fromkeys(JobKind, _hang))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
