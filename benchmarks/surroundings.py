"""A program under load: started as a process of its own between a stand-in Slack and stand-in pagers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.clock import system_clock
from bot.jobs import submit_only
from bot.sandbox.library import MESSAGES, recorded
from bot.sandbox.records import Json
from bot.store import Store
from bot.store.engine import create_engine
from bot.store.migrate import upgrade
from rca.case import Case

RCA_BOT = Path(sysconfig.get_path("scripts")) / "rca-bot"
LONGEST_LINE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A process that says where it listens."""

    address: str
    pid: int

    @property
    def peak_mib(self) -> float:
        """The most memory it ever held, in MiB; as Linux counts it."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


@asynccontextmanager
async def serving(
    command: Sequence[str | Path], env: Mapping[str, str], folder: Path
) -> AsyncIterator[Program]:
    """Yield *command* once a JSON line of its standard error has an ``address``; it ends with the block.

    Raises:
        RuntimeError: it ended before it said where it listens.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": str(Path.cwd()), **env},
        stderr=subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    assert process.stderr is not None  # noqa: S101 - asked for above
    reading = None
    try:
        address = await _address(process.stderr)
        reading = asyncio.create_task(_drop(process.stderr))
        yield Program(address=address, pid=process.pid)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reading is not None:
            await reading


async def _address(lines: asyncio.StreamReader) -> str:
    said = []
    async for raw in lines:
        said.append(raw.decode())
        try:
            return str(json.loads(raw)["address"])
        except (ValueError, KeyError):
            continue
    raise RuntimeError("".join(said))


async def _drop(lines: asyncio.StreamReader) -> None:
    async for _ in lines:
        pass


def incidents(datasets: int) -> Iterator[tuple[Case, Json]]:
    """Yield a case and its alert for each of *datasets* datasets, all with expired credentials of their own."""
    pattern = recorded(system_clock())[0].case
    for number in range(datasets):
        name = f"dataset_{number}"
        dataset = pattern.dataset
        assert dataset is not None  # noqa: S101 - the first recorded incident is covered
        own = dataset.model_copy(
            update={"name": name, "relation": f"raw.{name}", "connector_id": f"connector-{number}"}
        )
        anomaly = pattern.anomaly.model_copy(update={"dataset": name, "correlation_id": None})
        case = pattern.model_copy(
            update={"anomaly": anomaly, "dataset": own, "case_id": f"storm-{number}"}
        )
        yield case, MESSAGES["native"](anomaly, own)


async def keep_facts(database_url: str, cases: Sequence[Case]) -> None:
    """Store the facts of *cases*, in a database that is made if it is not there."""
    engine = create_engine(database_url)
    try:
        await upgrade(engine)
        store = Store(engine, submit_only(engine, system_clock))
        for case in cases:
            await store.facts.load(case, system_clock())
    finally:
        await engine.dispose()
