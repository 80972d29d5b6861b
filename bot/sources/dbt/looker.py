"""Looks at dbt's artifacts: reads what was written anew since the last look. Blocking: runs in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from bot.payloads.dbt_catalog import CATALOG, Catalogued, read_catalog
from bot.payloads.dbt_document import ArtifactError
from bot.payloads.dbt_history import History
from bot.payloads.dbt_known import Known
from bot.payloads.dbt_manifest import MANIFEST, Project, read_manifest
from bot.payloads.dbt_runs import (
    RUN_RESULTS,
    SOURCES,
    FreshnessCheck,
    Invocation,
    read_run_results,
    read_sources,
)
from bot.sources.dbt.files import ARTIFACTS, File, Files

MOST_READ: Final = {MANIFEST: 1, RUN_RESULTS: 60, CATALOG: 10, SOURCES: 20}
"""Files of each kind that are read, the newest ones."""

MOST_OLD_MANIFESTS: Final = 8  # read for the checksums of earlier runs; each costs up to a second

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Looker:
    """Remembers by path and stamp what it read, so that nothing is read twice.

    ``wrong`` says by path why a file could not be used; what an earlier version of it said stays in use.
    ``misleads`` says by path that results are not about data.
    """

    files: Files
    history: History = field(default_factory=History)
    stamps: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    misleads: dict[str, str] = field(default_factory=dict)
    catalogs: dict[str, Catalogued] = field(default_factory=dict)
    freshness: dict[str, FreshnessCheck] = field(default_factory=dict)

    async def look(self, now: datetime) -> Known:
        """Return what is known at *now*; what cannot be read is said, and never raised."""
        return await asyncio.to_thread(self._look, now)

    def _look(self, now: datetime) -> Known:
        place = f"dbt's artifacts in {self.files.place}"
        try:
            found = self.files.list()
        except ArtifactError as error:
            return Known(place=place, missing=dict.fromkeys(ARTIFACTS, str(error)))
        for _, project in self._fresh(found, MANIFEST, read_manifest):
            self.history.knows(project)
        self._look_at_runs(found, now)
        for file, catalog in self._fresh(found, CATALOG, read_catalog):
            self.catalogs[file.path] = catalog
            self.history.reader = None  # it knows columns by the catalog
        for file, check in self._fresh(found, SOURCES, read_sources):
            self.freshness[file.path] = check
        newest = next(iter(_newest(found, RUN_RESULTS)), None)
        return Known(
            place=place,
            project=self.history.project,
            runs=tuple(self.history.runs.values()),
            catalogs=tuple(self.catalogs.values()),
            freshness=tuple(self.freshness.values()),
            missing=self._missing(found, place),
            misleading=self.misleads.get(newest.path) if newest else None,
            behind=self.wrong.get(newest.path) if newest else None,
        )

    def _look_at_runs(self, found: tuple[File, ...], now: datetime) -> None:
        manifests = {file.folder: file for file in found if file.artifact == MANIFEST}
        current = next(iter(_newest(found, MANIFEST)), None)
        recent = {file.path for file in _newest(found, RUN_RESULTS)[:MOST_OLD_MANIFESTS]}
        for file, invocation in self._fresh(found, RUN_RESULTS, read_run_results):
            self.misleads.pop(file.path, None)
            if invocation.misleads:
                at = f"{invocation.generated_at:%Y-%m-%d %H:%M} UTC"
                self.misleads[file.path] = f"{file.path} from {at} was {invocation.misleads}"
                continue
            beside = manifests.get(file.folder)
            old = beside if beside != current and file.path in recent else None
            self.history.ran(invocation, self._old_manifest(old, invocation), now)

    def _old_manifest(self, file: File | None, invocation: Invocation) -> Project | None:
        """The manifest beside an earlier run; when it cannot be read, only that run's checksums are missing."""
        current = self.history.project
        if file is None or (current and current.invocation_id == invocation.invocation_id):
            return None
        try:
            return read_manifest(self.files.read(file), file.path)
        except ArtifactError:
            return None

    def _fresh(
        self, found: tuple[File, ...], artifact: str, read: Callable[[bytes, str], T]
    ) -> Iterator[tuple[File, T]]:
        """What was written since the last look, the oldest first."""
        for file in reversed(_newest(found, artifact)):
            if self.stamps.get(file.path) == file.stamp:
                continue
            self.stamps[file.path] = file.stamp
            self.wrong.pop(file.path, None)
            try:
                document = read(self.files.read(file), file.path)
            except ArtifactError as error:
                self.wrong[file.path] = f"dbt's {error}"
            else:
                yield file, document

    def _missing(self, found: tuple[File, ...], place: str) -> Mapping[str, str]:
        """Why each artifact is not known: there is none, or its newest one cannot be used."""
        missing: dict[str, str] = {}
        for artifact in ARTIFACTS:
            newest = _newest(found, artifact)
            if not newest:
                missing[artifact] = f"looked for {place}: there is no {artifact}"
            elif newest[0].path in self.wrong:
                missing[artifact] = self.wrong[newest[0].path]
        return missing


def _newest(found: tuple[File, ...], artifact: str) -> tuple[File, ...]:
    """The files of one kind that are worth reading, the newest first."""
    of_kind = (file for file in found if file.artifact == artifact)
    in_order = sorted(of_kind, key=lambda file: (file.at, file.path), reverse=True)
    return tuple(in_order[: MOST_READ[artifact]])
