"""Slack's acknowledgement under load, beside an empty Bolt listener under the same load.

The promise: p99 within 1.3 times of the empty listener's. Alerts arrive at a steady rate, whether or not earlier
ones have been answered; each is a signed HTTP delivery of a message event. The bot keeps, diagnoses and posts
meanwhile. Two turns each, in turn, so that a machine that is busy for a while harms both.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.surroundings import RCA_BOT, incidents, keep_facts, serving
from benchmarks.table import say, say_table
from bot.sandbox.records import Json
from bot.sandbox.server import Sandbox
from bot.sandbox.stage import environment, new_sandbox

CHANNEL = "data-alerts"
TURNS = 2
PROMISED = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many alerts about how many datasets, at which rate."""

    alerts: int
    datasets: int
    per_s: float


async def acknowledged_s(sandbox: Sandbox, messages: Sequence[Json], load: Load) -> list[float]:
    """Let the alerts arrive; return how long each waited for its acknowledgement, in seconds.

    Raises:
        RuntimeError: one was not acknowledged.
    """
    before = len(sandbox.sender.problems)
    begun = perf_counter()

    async def arrive(number: int) -> float:
        at = perf_counter()
        await sandbox.alert(CHANNEL, messages[number % len(messages)])
        return perf_counter() - at

    async with asyncio.TaskGroup() as group:
        tasks = []
        for number in range(load.alerts):
            await asyncio.sleep(max(0.0, begun + number / load.per_s - perf_counter()))
            tasks.append(group.create_task(arrive(number)))
    problems = sandbox.sender.problems[before:]
    if problems:
        raise RuntimeError(f"{len(problems)} were not acknowledged, first: {problems[0]}")
    return [task.result() for task in tasks]


def percentile_ms(spans_s: Sequence[float], share: float) -> float:
    """Return the span in milliseconds that this *share* of all spans does not exceed."""
    ordered = sorted(spans_s)
    return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _turn(name: str, folder: Path, load: Load, database_url: str | None) -> list[float]:
    async with new_sandbox() as sandbox:
        url = database_url or f"sqlite:///{folder / 'bot.sqlite3'}"
        env = {**environment(sandbox, folder, url), "LOG_FORMAT": "json", "LOG_LEVEL": "INFO"}
        known = list(incidents(load.datasets))
        messages = [message for _, message in known]
        if name == "rca-bot":
            await keep_facts(url, [case for case, _ in known])
            command: list[str | Path] = [RCA_BOT, "serve"]
        else:
            command = [sys.executable, "-m", "benchmarks.empty_listener"]
        async with serving(command, env, folder) as program:
            sandbox.connect(program.address)
            return await acknowledged_s(sandbox, messages, load)


async def _measure(load: Load, database_url: str | None) -> float:
    spans: dict[str, list[float]] = {"empty listener": [], "rca-bot": []}
    for _ in range(TURNS):
        for name in spans:
            with tempfile.TemporaryDirectory() as folder:
                spans[name] += await _turn(name, Path(folder), load, database_url)
    shares = (0.5, 0.95, 0.99)
    rows = [
        [name, str(len(seen)), *(f"{percentile_ms(seen, share):.1f}" for share in shares)]
        for name, seen in spans.items()
    ]
    say_table(["acknowledged by", "n", "p50 ms", "p95 ms", "p99 ms"], rows)
    empty, ours = (percentile_ms(seen, 0.99) for seen in spans.values())
    return ours / empty


def main(argv: Sequence[str]) -> int:
    """Measure both in turn, and print the ratio beside what is promised."""
    parser = argparse.ArgumentParser(prog="benchmarks ack", description=__doc__)
    parser.add_argument("--alerts", type=int, default=500, metavar="N")
    parser.add_argument("--datasets", type=int, default=50, metavar="N")
    parser.add_argument("--per-s", type=float, default=25.0, metavar="RATE")
    parser.add_argument("--database", metavar="URL", help="PostgreSQL instead of a SQLite file")
    given = parser.parse_args(argv)
    load = Load(alerts=given.alerts, datasets=given.datasets, per_s=given.per_s)
    say(f"{load.alerts} alerts about {load.datasets} datasets, {load.per_s:g} a second\n")
    ratio = asyncio.run(_measure(load, given.database))
    say(f"p99 is {ratio:.2f} times the empty listener's; promised: {PROMISED} times at most")
    return 0 if ratio <= PROMISED else 1
