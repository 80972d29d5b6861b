"""What is remembered of a project between two looks: its runs, also when their file was overwritten since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from bot.payloads.dbt_catalog import Catalogued
from bot.payloads.dbt_facts import compiled_by, with_checksums, with_sql, without_sql
from bot.payloads.dbt_known import ColumnsUsed, Ran
from bot.payloads.dbt_manifest import Project
from bot.payloads.dbt_runs import Invocation

if TYPE_CHECKING:
    from bot.payloads.dbt_columns import ColumnReader

MOST_RUNS: Final = 60  # kept; as many as a case holds
MOST_OUTCOMES: Final = 100_000  # kept of all runs together, about 30 MB


def can_read_sql() -> bool:
    """Return whether sqlglot is installed: without it nobody knows which columns a model reads."""
    return find_spec("sqlglot") is not None


@dataclass(slots=True, kw_only=True)
class History:
    """One project's runs by invocation, the SQL of its newest ones, and who reads that SQL."""

    runs: dict[str, Ran] = field(default_factory=dict)
    project: Project | None = None
    compiled: dict[str, str] = field(default_factory=dict)
    reader: ColumnReader | None = None

    def knows(self, project: Project) -> None:
        """Take a manifest as the newest; what its own invocation ran gets its checksums."""
        self.project = project
        self.reader = None
        for key, ran in self.runs.items():
            checksums = with_checksums(ran.invocation, project)
            if checksums:
                self.runs[key] = replace(ran, checksums=checksums)

    def ran(self, invocation: Invocation, project: Project | None, now: datetime) -> None:
        """Take a run that was read at *now*, and the manifest beside it; the oldest runs are forgotten."""
        checksums = with_checksums(invocation, project) or with_checksums(invocation, self.project)
        key = invocation.invocation_id or invocation.generated_at.isoformat()
        known = self.runs.get(key)
        if known is not None and not checksums:
            checksums = known.checksums
        if can_read_sql():
            self._compiled(invocation)
        self.runs[key] = Ran(
            invocation=without_sql(invocation),
            checksums=checksums,
            seen_at=known.seen_at if known is not None else now,
        )
        self._forget()

    def columns_used(self, catalogs: tuple[Catalogued, ...]) -> ColumnsUsed | None:
        """Return who reads the SQL of the newest manifest; None without sqlglot or a manifest."""
        current, reader = (
            self.project,
            self.reader,
        )  # a look in another thread may change them meanwhile
        if current is None or not can_read_sql():
            return None
        if reader is None:
            from bot.payloads.dbt_columns import ColumnReader  # noqa: PLC0415 - an extra

            newest = max(catalogs, key=lambda one: one.generated_at, default=None)
            project = with_sql(current, self.compiled)
            reader = self.reader = ColumnReader(project=project, known=_names(newest))
        return reader.used

    def _compiled(self, invocation: Invocation) -> None:
        newest = max((ran.invocation.generated_at for ran in self.runs.values()), default=None)
        fresh = compiled_by(invocation)
        is_newest = newest is None or invocation.generated_at >= newest
        # A new dict each time: a thread may be reading the one before.
        self.compiled = {**self.compiled, **fresh} if is_newest else {**fresh, **self.compiled}
        self.reader = None

    def _forget(self) -> None:
        newest_first = sorted(
            self.runs.items(), key=lambda item: item[1].invocation.generated_at, reverse=True
        )
        kept: dict[str, Ran] = {}
        count = 0
        for key, ran in newest_first[:MOST_RUNS]:
            count += len(ran.invocation.outcomes)
            if kept and count > MOST_OUTCOMES:
                break
            kept[key] = ran
        self.runs = kept


def _names(catalog: Catalogued | None) -> Mapping[str, frozenset[str]]:
    columns = catalog.columns if catalog else {}
    return {
        unique_id: frozenset(name.casefold() for name, _ in pairs)
        for unique_id, pairs in columns.items()
    }
