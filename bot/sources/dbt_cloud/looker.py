"""Looks at an account's runs: asks for what ended since the last look, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeVar

from bot.payloads.dbt_catalog import CATALOG, Catalogued, read_catalog
from bot.payloads.dbt_cloud import (
    FRESHNESS,
    CloudRun,
    CloudStep,
    deployers,
    nothing_ran,
    read_runs,
    read_steps,
)
from bot.payloads.dbt_document import ArtifactError
from bot.payloads.dbt_history import History
from bot.payloads.dbt_known import Known
from bot.payloads.dbt_manifest import MANIFEST, read_manifest
from bot.payloads.dbt_runs import (
    RUN_RESULTS,
    SOURCES,
    FreshnessCheck,
    Invocation,
    read_run_results,
    read_sources,
)
from bot.sources.dbt_cloud.api import CloudApi

MOST_RUNS: Final = 20  # asked for per look, and per job when jobs are named
MOST_STEPS: Final = 8  # of one run whose artifacts are asked for
AT_ONCE: Final = 4  # runs that are read side by side
KEPT: Final = 20  # freshness checks and catalogs

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs are of this project; those of pull requests never are."""

    project_id: int | None
    job_ids: tuple[int, ...]
    environment_id: int | None


@dataclass(slots=True, kw_only=True)
class CloudLooker:
    """Remembers by their ids which runs were read; a run that ended never changes.

    ``with_results`` are the newest run that ran something, and the step to ask for its manifest.
    """

    api: CloudApi
    wanted: Wanted
    history: History = field(default_factory=History)
    read_already: set[int] = field(default_factory=set)
    with_results: tuple[int, int] | None = None
    manifest_of: int | None = None
    catalogs: dict[int, Catalogued] = field(default_factory=dict)
    freshness: dict[int, FreshnessCheck] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """How messages call it."""
        return f"dbt Cloud at {self.api.address}, account {self.api.account_id}"

    async def look(self, now: datetime) -> Known:
        """Return what is known at *now*; what cannot be read is said, and never raised."""
        self.missing = {}
        try:
            ended = await self._ended()
        except ArtifactError as error:
            return Known(
                place=self.place,
                missing=dict.fromkeys((MANIFEST, RUN_RESULTS, CATALOG), str(error)),
            )
        if not ended:
            self.missing[RUN_RESULTS] = f"{self.place}: no run of this project has ended"
        await self._read_all(ended, now)
        await self._read_manifest()
        return Known(
            place=self.place,
            project=self.history.project,
            runs=tuple(self.history.runs.values()),
            catalogs=tuple(self.catalogs.values()),
            freshness=tuple(self.freshness.values()),
            missing=dict(self.missing),
            behind=self._behind(ended),
        )

    def _behind(self, ended: Sequence[CloudRun]) -> str | None:
        """Why the results of the newest run are not known."""
        if not ended or ended[-1].id in self.read_already:
            return None
        late = f"{self.place}: run {ended[-1].id} has ended, and its results are not there yet"
        return self.missing.get(RUN_RESULTS, late)

    async def _ended(self) -> tuple[CloudRun, ...]:
        """The newest runs that ended, the oldest first."""
        found: dict[int, CloudRun] = {}
        for job_id in self.wanted.job_ids or (None,):
            params = {"order_by": "-finished_at", "limit": str(MOST_RUNS)}
            params["include_related"] = '["trigger","job"]'
            what = "runs"
            if job_id is not None:
                params["job_definition_id"] = str(job_id)
                what = f"runs of job {job_id}"
            if self.wanted.project_id is not None:
                params["project_id"] = str(self.wanted.project_id)
                what += f" of project {self.wanted.project_id}"
            body = await self.api.get("runs/", what, params)
            if body is None:
                raise ArtifactError(f"asked {self.place} for {what}: 404 Not Found")
            found |= {run.id: run for run in read_runs(body, f"{self.place}: {what}")}
        environment = self.wanted.environment_id
        return tuple(
            run
            for run in sorted(found.values(), key=lambda run: run.id)
            if run.ended and not run.for_pull_request and environment in (None, run.environment_id)
        )

    async def _read_all(self, ended: Sequence[CloudRun], now: datetime) -> None:
        """Read what is new, the newest run first; once an answer was refused nothing more is asked."""
        deployed_by = deployers(ended)
        gate = asyncio.Semaphore(AT_ONCE)
        refused: list[str] = []

        async def one(run: CloudRun) -> None:
            async with gate:
                if refused:
                    return
                try:
                    await self._read_run(run, deployed_by.get(run.id), now)
                except ArtifactError as error:
                    refused.append(str(error))

        fresh = [run for run in reversed(ended) if run.id not in self.read_already]
        await asyncio.gather(*(one(run) for run in fresh))
        if refused:
            self.missing[RUN_RESULTS] = refused[0]

    async def _read_run(self, run: CloudRun, deployed_by: str | None, now: datetime) -> None:
        """Read what each step of a run left; the run counts as read when there is no more to come."""
        what = f"run {run.id}"
        body = await self.api.get(f"runs/{run.id}/", what, {"include_related": '["run_steps"]'})
        if body is None:
            self.read_already.add(run.id)  # deleted since
            return
        steps = read_steps(body, f"{self.place}: {what}")
        invocations = [
            (step, invocation)
            for step in _worth(steps)
            if (invocation := await self._results(run, step)) is not None
        ]
        for step in steps:
            if step.command == FRESHNESS:
                await self._read_freshness(run, step)
        for step, invocation in invocations:
            by = invocation.deployed_by or deployed_by
            self._take(run, step, replace(invocation, deployed_by=by), now)
        if not invocations and not run.is_settled(now):
            return
        if not invocations and (empty := nothing_ran(run)) is not None:
            self.history.ran(replace(empty, deployed_by=deployed_by), None, now)
        self.read_already.add(run.id)

    def _take(self, run: CloudRun, step: CloudStep, invocation: Invocation, now: datetime) -> None:
        self.history.ran(replace(invocation, git_sha=invocation.git_sha or run.git_sha), None, now)
        self.with_results = max(self.with_results or (0, 0), (run.id, step.index))

    async def _results(self, run: CloudRun, step: CloudStep) -> Invocation | None:
        body = await self._artifact(run.id, step.index, RUN_RESULTS)
        if body is None:
            return None
        what = f"{self.place}: {RUN_RESULTS} of run {run.id}, step {step.index}"
        invocation = await asyncio.to_thread(read_run_results, body, what)
        return None if invocation.misleads else invocation

    async def _read_freshness(self, run: CloudRun, step: CloudStep) -> None:
        body = await self._artifact(run.id, step.index, SOURCES)
        if body is not None:
            self.freshness[run.id] = read_sources(body, f"{self.place}: {SOURCES} of run {run.id}")
            _keep_newest(self.freshness)

    async def _read_manifest(self) -> None:
        """The manifest of the newest run that ran something, and the catalog that the run may have written."""
        if self.with_results is None or self.manifest_of == self.with_results[0]:
            if self.history.project is None:
                none = f"{self.place}: no run has left a {MANIFEST}"
                self.missing[MANIFEST] = self.missing.get(RUN_RESULTS, none)
            self._miss_catalog()
            return
        run_id, step = self.with_results
        what = f"{self.place}: {MANIFEST} of run {run_id}"
        try:
            body = await self._artifact(run_id, step, MANIFEST)
            if body is None:
                self.missing[MANIFEST] = f"{what}: there is none"
            else:
                self.history.knows(await asyncio.to_thread(read_manifest, body, what))
                self.manifest_of = run_id
                await self._read_catalog(run_id)
        except ArtifactError as error:
            self.missing[MANIFEST] = str(error)
        self._miss_catalog()

    async def _read_catalog(self, run_id: int) -> None:
        body = await self._artifact(run_id, None, CATALOG)
        if body is not None:
            what = f"{self.place}: {CATALOG} of run {run_id}"
            self.catalogs[run_id] = await asyncio.to_thread(read_catalog, body, what)
            self.history.reader = None  # it knows columns by the catalog
            _keep_newest(self.catalogs)

    def _miss_catalog(self) -> None:
        if not self.catalogs:
            self.missing[CATALOG] = f"{self.place}: the newest run left no {CATALOG}"

    async def _artifact(self, run_id: int, step: int | None, name: str) -> bytes | None:
        what = f"{name} of run {run_id}" + (f", step {step}" if step else "")
        params = {"step": str(step)} if step else {}
        return await self.api.get(f"runs/{run_id}/artifacts/{name}", what, params)


def _worth(steps: Iterable[CloudStep]) -> tuple[CloudStep, ...]:
    """The steps that ran nodes."""
    return tuple(step for step in steps if step.runs_nodes)[:MOST_STEPS]


def _keep_newest(found: dict[int, T]) -> None:
    for run_id in sorted(found)[:-KEPT]:
        del found[run_id]
