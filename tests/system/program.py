"""Runs the real ``rca-bot``, as a process of its own with nothing in its environment but what a test gives it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sysconfig.get_path("scripts")) / "rca-bot"
START_WITHIN_S = 40.0  # a start takes 3 s on an idle core; the tests may share theirs
STOP_WITHIN_S = 8.0  # below the ten seconds after which Docker kills
LONGEST_LINE = 2**20  # of a log that holds a traceback


def clean(folder: Path, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment that knows nothing of the machine but its programs, with *env* added."""
    return {"PATH": os.defpath, "HOME": str(folder), **(env or {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


def rca_bot(
    *arguments: str | Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    said: bytes = b"",
    within_s: float = START_WITHIN_S,
) -> Ended:
    """Run ``rca-bot`` with *arguments* in *folder*, with *said* on its standard input, until it ends by itself.

    Raises:
        subprocess.TimeoutExpired: it did not end within *within_s* seconds; it is killed then.
    """
    ended = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=clean(folder, env),
        input=said,
        capture_output=True,
        timeout=within_s,
        check=False,
    )
    return Ended(status=ended.returncode, out=ended.stdout.decode(), err=ended.stderr.decode())


class Bot:
    """A serving bot: what it logs, and how it ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.log: list[dict[str, Any]] = []
        self.rest: list[str] = []
        self._process = process
        self._news = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def says(self, event: str, within_s: float = START_WITHIN_S) -> dict[str, Any]:
        """Return the first line of the log whose event is *event*, once it is there.

        Raises:
            AssertionError: the process ended, or the time was over, before it said so; with all that it said.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._news.clear()
                    ended = self._listening.done()
                    for line in self.log:
                        if line["event"] == event:
                            return line
                    if ended:
                        break
                    await self._news.wait()
        except TimeoutError:
            pass
        raise AssertionError(f"it never said {event!r}:\n{self.everything}")

    @property
    def complaints(self) -> list[str]:
        """What it logged that should worry somebody, and what it wrote past the log."""
        worse = (line for line in self.log if line["level"] not in ("DEBUG", "INFO"))
        return [line["event"] for line in worse] + self.rest

    @property
    def everything(self) -> str:
        """All that it wrote, for a person to read."""
        return "\n".join([*(json.dumps(line) for line in self.log), *self.rest])

    async def kill(self) -> None:
        """End it as the kernel does when memory is short: at once, without a word."""
        self._process.kill()
        await self.ends(STOP_WITHIN_S)

    async def stop(self) -> int:
        """Ask it to end, as a supervisor does, and return its exit status.

        Raises:
            AssertionError: it did not end in time.
        """
        self._process.send_signal(signal.SIGTERM)
        return await self.ends(STOP_WITHIN_S)

    async def ends(self, within_s: float) -> int:
        """Return its exit status once it has ended.

        Raises:
            AssertionError: it still runs after *within_s* seconds.
        """
        try:
            async with asyncio.timeout(within_s):
                status = await self._process.wait()
                await self._listening
        except TimeoutError:
            raise AssertionError(
                f"it still runs after {within_s:g} s:\n{self.everything}"
            ) from None
        return status

    async def close(self) -> None:
        """End it if it still runs."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        async for raw in self._process.stderr:
            text = raw.decode().rstrip("\n")
            try:
                self.log.append(json.loads(text))
            except ValueError:
                self.rest.append(text)
            self._news.set()
        self._listening.add_done_callback(lambda _: self._news.set())


@asynccontextmanager
async def started(*, folder: Path, env: Mapping[str, str]) -> AsyncIterator[Bot]:
    """Yield ``rca-bot serve`` as soon as its process is there; it is ended with the block, however that ends."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "serve",
        cwd=folder,
        env=clean(folder, env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    bot = Bot(process)
    try:
        yield bot
    finally:
        await bot.close()
