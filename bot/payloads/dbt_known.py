"""Everything that was found of one dbt project, and what it says of one dataset at one instant. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.payloads.dbt_catalog import CATALOG, Catalogued
from bot.payloads.dbt_facts import (
    Line,
    check_results,
    dbt_run,
    freshness_results,
    line_of,
    lineage,
    offers,
    snapshots,
)
from bot.payloads.dbt_manifest import MANIFEST, Project
from bot.payloads.dbt_runs import RUN_RESULTS, FreshnessCheck, Invocation
from bot.ports import Ask, BotError, Checked, Facts, Offer
from rca.case import Dataset, FactKind, Hole

GIVES: Final = frozenset(
    {FactKind.DBT_RUNS, FactKind.LINEAGE, FactKind.DQ_RESULTS, FactKind.COLUMN_SNAPSHOTS}
)
ABOUT_RUNS: Final = (FactKind.DBT_RUNS, FactKind.DQ_RESULTS)

TOLD_FOR: Final = timedelta(hours=3)  # ours; three times the longest pause between two polls
LATELY: Final = timedelta(
    hours=25
)  # since then history is wanted when the last answer is an hour old at most

ColumnsUsed = Callable[[Line], Mapping[str, tuple[str, ...]] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One invocation, when it was first seen here, and the checksums of its code where its own manifest was seen."""

    invocation: Invocation
    checksums: Mapping[str, str]
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One look at a project's artifacts.

    ``place`` is how messages call where they lie. ``missing`` says by the name of an artifact why it is not known;
    ``misleading`` why the newest file of results says nothing about data; ``behind`` why the results of the newest run
    are not known, so that older ones would mislead.
    """

    place: str
    project: Project | None = None
    runs: tuple[Ran, ...] = ()
    catalogs: tuple[Catalogued, ...] = ()
    freshness: tuple[FreshnessCheck, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    misleading: str | None = None
    behind: str | None = None


def facts_of(
    known: Known,
    ask: Ask,
    *,
    stale_after: timedelta,
    columns_used: ColumnsUsed | None = None,
) -> Facts:
    """Return what the project says of the dataset at ``ask.as_of``.

    Args:
        known: what was found.
        ask: which dataset, as of when, since when.
        stale_after: results older than this say nothing about now.
        columns_used: reads the compiled SQL; None where nobody can.

    Returns:
        Facts and holes; nothing at all for a dataset that only names a relation which the project does not have.
    """
    project = known.project
    if project is None:
        reason = _missing(known, MANIFEST)
        return Facts(found={}, holes=_holes(GIVES, reason))
    if project.generated_at > ask.as_of:
        reason = f"{known.place}: {MANIFEST} was written at {_at(project.generated_at)}, after the instant looked at"
        return Facts(found={}, holes=_holes(GIVES, reason))
    node = project.node_of(ask.dataset.dbt_node, ask.dataset.relation)
    if node is None:
        return Facts(found={}, holes=_unknown_node(known, project, ask.dataset))
    line = line_of(project, node)
    found, holes = _of_line(known, project, line, ask, why_no_runs(known, ask.as_of, stale_after))
    used = columns_used(line) if columns_used is not None else None
    found[FactKind.LINEAGE.value] = lineage(project, line, used)
    return Facts(found=found, holes=tuple(holes), dataset=_entry(project, line))


def _entry(project: Project, line: Line) -> dict[str, object]:
    """What the project says of the dataset itself: its node, and what is marked."""
    node = project.nodes[line.node]
    marked = {"critical": node.critical, "merchant_facing": node.merchant_facing}
    said = {key: mark for key, mark in marked.items() if mark is not None}
    return {"dbt_node": line.node, **said}


def _of_line(
    known: Known, project: Project, line: Line, ask: Ask, why_not: str | None
) -> tuple[dict[str, object], list[Hole]]:
    """Runs, test results and columns of the dataset; ``why_not``: nothing can be said about runs."""
    found: dict[str, object] = {}
    holes: list[Hole] = []
    if why_not is None:
        found |= _run_facts(known, project, line, ask)
    else:
        holes += _holes(ABOUT_RUNS, why_not)
    columns = snapshots(known.catalogs, line, ask.as_of)
    if columns:
        found[FactKind.COLUMN_SNAPSHOTS.value] = columns
    else:
        holes += _holes((FactKind.COLUMN_SNAPSHOTS,), _no_columns(known, line))
    return found, holes


def _run_facts(known: Known, project: Project, line: Line, ask: Ask) -> dict[str, object]:
    """Runs and test results since ``ask.since``, oldest first, and of the newest run always.

    A run that did nothing about the dataset is left out, for it would crowd out one that did; a run that failed
    before it did anything is not.
    """
    usable = list(_usable(known, ask.as_of))
    wanted = [ran for ran in usable if _is_wanted(ran, ask)] or usable[-1:]
    checks = [
        result
        for ran in wanted
        for result in check_results(ran.invocation, project, line, ask.as_of)
    ]
    fresh = [
        result
        for check in known.freshness
        for result in freshness_results(check, project, line, ask.as_of)
    ]
    told = [(ran, dbt_run(ran.invocation, line, ran.checksums)) for ran in wanted]
    return {
        FactKind.DBT_RUNS.value: tuple(
            run for ran, run in told if run.results or not ran.invocation.outcomes
        ),
        FactKind.DQ_RESULTS.value: (*checks, *fresh),
    }


def _is_wanted(ran: Ran, ask: Ask) -> bool:
    """Whether the run is news; one that was told to whoever asked within the last hours never changes."""
    if ran.invocation.generated_at < ask.since:
        return False
    asked_lately = ask.as_of - ask.since <= LATELY
    return not asked_lately or ask.as_of - ran.seen_at <= TOLD_FOR


def why_no_runs(known: Known, as_of: datetime, stale_after: timedelta) -> str | None:
    """Return why nothing can be said about runs at *as_of*; None when something can."""
    if known.behind is not None:
        return known.behind
    usable = list(_usable(known, as_of))
    if not usable:
        return known.misleading or _missing(known, RUN_RESULTS)
    newest = usable[-1].invocation.generated_at
    if as_of - newest <= stale_after:
        return None
    hours = stale_after.total_seconds() / 3600
    text = f"{known.place}: the newest results of a dbt run are from {_at(newest)}, over {hours:g} h before"
    return f"{text}; {known.misleading}" if known.misleading else text


def _usable(known: Known, as_of: datetime) -> Iterator[Ran]:
    """The runs that were over at *as_of*, the oldest first."""
    in_order = sorted(known.runs, key=lambda ran: ran.invocation.generated_at)
    return (ran for ran in in_order if ran.invocation.generated_at <= as_of)


def _unknown_node(known: Known, project: Project, dataset: Dataset) -> tuple[Hole, ...]:
    if dataset.dbt_node is None:
        return ()
    reason = (
        f"{known.place}: {MANIFEST} from {_at(project.generated_at)} has no node {dataset.dbt_node}"
        f" among its {len(project.nodes)}"
    )
    return _holes(GIVES, reason)


def _no_columns(known: Known, line: Line) -> str:
    if not known.catalogs:
        return _missing(known, CATALOG)
    return f"{known.place}: {CATALOG} has no columns of {line.node} that were known then"


def _missing(known: Known, artifact: str) -> str:
    return known.missing.get(artifact) or f"{known.place}: no {artifact} from before that instant"


def _holes(kinds: frozenset[FactKind] | tuple[FactKind, ...], reason: str) -> tuple[Hole, ...]:
    return tuple(Hole(fact=kind, reason=reason) for kind in sorted(kinds))


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def offers_of(source_id: str, known: Known) -> tuple[Offer, ...]:
    """Return every table of the project.

    Raises:
        BotError: the manifest is not known; the text says why.
    """
    if known.project is None:
        raise BotError(_missing(known, MANIFEST))
    newest = max(known.catalogs, key=lambda one: one.generated_at, default=None)
    return offers(source_id, known.project, newest)


def report(known: Known, why_not: str | None, *, can_read_sql: bool) -> tuple[Checked, ...]:
    """Return a line about each artifact; ``why_not``: nothing can be said about runs."""
    project = known.project
    manifest = known.missing.get(MANIFEST)
    lines = [
        Checked(
            what=f"{known.place}: {MANIFEST}",
            problem=manifest or (None if project else _missing(known, MANIFEST)),
            fix="run dbt, and let it write or copy its target folder there",
        )
        if manifest or project is None
        else Checked(
            what=f"{known.place}: {MANIFEST} with {len(project.nodes)} nodes,"
            f" written at {_at(project.generated_at)}"
        )
    ]
    count = f"{known.place}: {len(known.runs)} run{'' if len(known.runs) == 1 else 's'}"
    fix = "run dbt build into this folder, or raise stale_after_h when it runs more rarely"
    lines.append(Checked(what=count, problem=why_not, fix=fix if why_not else None))
    if not known.catalogs:
        lines.append(Checked(what="columns: not known from dbt, since no catalog.json was written"))
    if not can_read_sql:
        text = "columns that models read: not known, since sqlglot is not installed"
        lines.append(Checked(what=f"{text} (pip install 'rca-bot[lineage]')"))
    return tuple(lines)
