"""The source of facts behind a folder of dbt's artifacts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from bot.ports import Pace, Source
from bot.sources.dbt.files import Files, open_files
from bot.sources.dbt.looker import Looker
from bot.sources.dbt_project import DbtProject
from bot.sources.registry import Opening, Options, SourceKind

LOOK_AGAIN: Final = timedelta(seconds=5)  # one look serves all; an alert must see its run
PACE: Final = Pace(
    time_limit=timedelta(seconds=20),
    fresh_for=timedelta(seconds=20),
    poll_every=timedelta(minutes=5),
    stale_after=timedelta(hours=1),
    reach=timedelta(days=90),
)


class DbtOptions(Options):
    """``artifacts``: a folder or a URL; ``folders``: a pattern below it, where each run has a folder of its own."""

    artifacts: Annotated[str, Field(min_length=1, max_length=2_000)]
    folders: Annotated[str, Field(pattern=r"^[^/\s][^\n]{0,500}$")] | None = None
    stale_after_h: Annotated[float, Field(gt=0, le=24 * 366)] = 36.0
    storage: dict[str, str | int | bool] = Field(default_factory=dict)


@asynccontextmanager
async def _open(opening: Opening) -> AsyncIterator[Source]:
    options: DbtOptions = opening.options
    files: Files = open_files(options.artifacts, options.folders, options.storage)
    project = DbtProject(
        source_id=opening.source_id,
        name="dbt",
        looker=Looker(files=files),
        stale_after=timedelta(hours=options.stale_after_h),
        look_again=LOOK_AGAIN,
        clock=opening.clock,
        pace=PACE,
    )
    async with project.opened() as source:
        yield source


SOURCE: Final = SourceKind(
    kind="dbt",
    about="dbt's artifacts in a folder or an object store: runs, tests, lineage, columns",
    options=DbtOptions,
    open=_open,
)
