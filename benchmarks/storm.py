"""A storm: a burst of alerts about many datasets, all of them at once.

The promise: all kept, grouped, told within Slack's rate limits, memory bounded. Slack's side answers at once, so
what is measured is ours: how fast alerts are acknowledged and diagnosed, how many were lost, and the most
messages that a channel got within a second. Cards keep the channel's pace, so not all of them are waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.ack import CHANNEL, percentile_ms
from benchmarks.surroundings import RCA_BOT, incidents, keep_facts, serving
from benchmarks.table import say, say_table
from bot.records import InboxState
from bot.sandbox.records import Json
from bot.sandbox.server import Sandbox
from bot.sandbox.stage import environment, new_sandbox
from bot.store.engine import create_engine
from bot.store.tables import INBOX, INCIDENTS

AT_ONCE = 50  # deliveries on their way; Slack does not wait for one to send the next
LOOK_EVERY_S = 0.5
GIVEN_UP_AFTER_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What came of it."""

    acknowledged_s: list[float]
    arrived_in_s: float
    done_after_s: float
    lost: int
    incidents: int
    most_posts_a_second: int
    posts: int
    peak_mib: float


async def _arrive(sandbox: Sandbox, messages: Sequence[Json], alerts: int) -> list[float]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> float:
        async with gate:
            at = perf_counter()
            await sandbox.alert(CHANNEL, messages[number % len(messages)])
            return perf_counter() - at

    return await asyncio.gather(*(one(number) for number in range(alerts)))


async def _counts(engine: AsyncEngine) -> tuple[int, int, int]:
    """How many alerts were kept, how many of them are still to be done, and how many incidents there are."""
    async with engine.connect() as connection:
        kept = await connection.scalar(select(func.count()).select_from(INBOX))
        new = await connection.scalar(
            select(func.count()).select_from(INBOX).where(INBOX.c.state == InboxState.NEW)
        )
        opened = await connection.scalar(select(func.count()).select_from(INCIDENTS))
    return int(kept or 0), int(new or 0), int(opened or 0)


def _posted(sandbox: Sandbox) -> Counter[int]:
    """How many messages of ours arrived in each second."""
    place = sandbox.workspace.channel(CHANNEL)
    ours = [one for one in sandbox.workspace.everything(place) if one.author == sandbox.app]
    return Counter(int(float(one.ts)) for one in ours)


async def _blow(alerts: int, datasets: int, folder: Path, database_url: str | None) -> Storm:
    url = database_url or f"sqlite:///{folder / 'bot.sqlite3'}"
    known = list(incidents(datasets))
    await keep_facts(url, [case for case, _ in known])
    engine = create_engine(url)
    async with new_sandbox() as sandbox:
        env = {**environment(sandbox, folder, url), "LOG_FORMAT": "json", "LOG_LEVEL": "INFO"}
        async with serving([RCA_BOT, "serve"], env, folder) as program:
            sandbox.connect(program.address)
            begun = perf_counter()
            spans = await _arrive(sandbox, [message for _, message in known], alerts)
            arrived_in_s = perf_counter() - begun
            async with asyncio.timeout(GIVEN_UP_AFTER_S):
                while (await _counts(engine))[1]:  # noqa: ASYNC110 - another process: nobody can tell us
                    await asyncio.sleep(LOOK_EVERY_S)
            done_after_s = perf_counter() - begun
            kept, _, opened = await _counts(engine)
            posted = _posted(sandbox)
            peak_mib = program.peak_mib
    await engine.dispose()
    return Storm(
        acknowledged_s=spans,
        arrived_in_s=arrived_in_s,
        done_after_s=done_after_s,
        lost=alerts - kept,
        incidents=opened,
        most_posts_a_second=max(posted.values(), default=0),
        posts=posted.total(),
        peak_mib=peak_mib,
    )


def main(argv: Sequence[str]) -> int:
    """Let it blow once; the status is 0 when every alert was kept."""
    parser = argparse.ArgumentParser(prog="benchmarks storm", description=__doc__)
    parser.add_argument("--alerts", type=int, default=2_000, metavar="N")
    parser.add_argument("--datasets", type=int, default=100, metavar="N")
    parser.add_argument("--database", metavar="URL", help="PostgreSQL instead of a SQLite file")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        storm = asyncio.run(_blow(given.alerts, given.datasets, Path(folder), given.database))
    say(f"{given.alerts} alerts about {given.datasets} datasets in one burst\n")
    p50, p99 = (percentile_ms(storm.acknowledged_s, share) for share in (0.5, 0.99))
    rows = {
        "alerts lost": str(storm.lost),
        "incidents opened": str(storm.incidents),
        "acknowledged, a second": f"{given.alerts / storm.arrived_in_s:.0f}",
        "acknowledgement p50 / p99, ms": f"{p50:.0f} / {p99:.0f}",
        "all diagnosed after, s": f"{storm.done_after_s:.1f}",
        "most messages in one second": str(storm.most_posts_a_second),
        "messages by then": str(storm.posts),
        "most memory, MiB": f"{storm.peak_mib:.0f}",
    }
    say_table(["measure", "value"], [list(row) for row in rows.items()])
    return 0 if storm.lost == 0 else 1
