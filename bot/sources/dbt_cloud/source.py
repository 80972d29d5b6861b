"""The source of facts behind a project in dbt Cloud."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from bot.directory import EnvName, Url
from bot.ports import Pace, Source
from bot.sources.dbt_cloud.api import CloudApi
from bot.sources.dbt_cloud.looker import CloudLooker, Wanted
from bot.sources.dbt_project import DbtProject
from bot.sources.registry import Opening, Options, SourceKind

LOOK_AGAIN: Final = timedelta(seconds=10)  # one look serves all; an alert must see its run
PACE: Final = Pace(
    time_limit=timedelta(seconds=30),
    fresh_for=timedelta(seconds=20),
    poll_every=timedelta(minutes=5),
    stale_after=timedelta(hours=1),
    reach=timedelta(days=90),
)

Id = Annotated[int, Field(gt=0)]


class DbtCloudOptions(Options):
    """One dbt project of an account: by its id, by its jobs, or both."""

    url: Url = "https://cloud.getdbt.com"
    account_id: Id
    token_env: EnvName
    project_id: Id | None = None
    job_ids: Annotated[tuple[Id, ...], Field(max_length=20)] = ()
    environment_id: Id | None = None
    stale_after_h: Annotated[float, Field(gt=0, le=24 * 366)] = 36.0

    @model_validator(mode="after")
    def _one_project(self) -> Self:
        if self.project_id is None and not self.job_ids:
            raise ValueError("project_id or job_ids is needed: a source is one dbt project")
        return self


@asynccontextmanager
async def _open(opening: Opening) -> AsyncIterator[Source]:
    options: DbtCloudOptions = opening.options
    api = CloudApi(
        session=opening.session,
        address=options.url.rstrip("/"),
        account_id=options.account_id,
        token=opening.secret(options.token_env),
    )
    wanted = Wanted(
        project_id=options.project_id,
        job_ids=options.job_ids,
        environment_id=options.environment_id,
    )
    project = DbtProject(
        source_id=opening.source_id,
        name="dbt Cloud",
        looker=CloudLooker(api=api, wanted=wanted),
        stale_after=timedelta(hours=options.stale_after_h),
        look_again=LOOK_AGAIN,
        clock=opening.clock,
        pace=PACE,
    )
    async with project.opened() as source:
        yield source


SOURCE: Final = SourceKind(
    kind="dbt_cloud",
    about="dbt Cloud's runs of one project: results, tests, lineage, columns, who deployed what",
    options=DbtCloudOptions,
    open=_open,
)
