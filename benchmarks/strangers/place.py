"""One place where data flows: who, what, how often, through which models, with which noise."""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Final
from uuid import UUID

from benchmarks.strangers.words import DOMAINS, TYPES, Domain

HOUR: Final = timedelta(hours=1)
CADENCES: Final = (  # window, choices of the time between syncs, windows kept
    (HOUR, (HOUR,), (48, 200)),
    (4 * HOUR, (HOUR, 4 * HOUR), (30, 90)),
    (24 * HOUR, (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR), (16, 75)),
    (168 * HOUR, (24 * HOUR, 168 * HOUR), (9, 30)),
)
CADENCE_WEIGHTS: Final = (2, 3, 9, 1)
SHORT_HISTORY_SHARE: Final = 0.06
BY_ARRIVAL: Final = 0.7  # of the places; the contract's own reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One dimension that is counted: its values, their usual shares, and how much a day's shares wander."""

    name: str
    values: tuple[str, ...]
    shares: tuple[float, ...]
    steadiness: (
        float | None
    )  # concentration of the Dirichlet draw of each window; None: no wandering at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How many rows come when: mean per window, day-to-day noise, weekday and hour shape, slow trend."""

    rows: float
    sigma: float
    weekdays: tuple[float, ...]
    night: float  # share of the daytime rate that is left at night
    trend_per_day: float
    month_end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The dbt side: nodes from the source to the deepest model, who reads whom, and what else the project holds."""

    source: str | None
    chain: tuple[str, ...]
    parents: dict[str, tuple[str, ...]]
    unrelated: tuple[str, ...]
    tests: dict[str, tuple[str, ...]]
    columns_used: dict[str, tuple[str, ...]]
    node: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Everything that holds before anything goes wrong."""

    tenant: str
    dataset: str
    relation: str
    connector_id: str
    source_kind: str
    stream: str
    owner: str
    zone: str
    adapter: str
    role: str
    window: timedelta
    windows: int
    sync_every: timedelta
    sync_s: float
    run_every: timedelta
    runs: int
    jobs: int
    daily_snapshots: bool
    by_arrival: (
        bool  # windows count rows by when they came, else by the instant that the row itself names
    )
    stream_factor: float  # rows of the whole connector for each row of this table
    id_column: str
    columns: tuple[tuple[str, str], ...]
    types: dict[str, str]
    dimensions: tuple[Dimension, ...]
    fresh: tuple[str, ...]
    traffic: Traffic
    models: Models
    short: bool


def happens(draw: Random, share: float) -> bool:
    """Return True *share* of the times."""
    return draw.random() < share


def draw_place(draw: Random, *, busy: bool, modelled: bool, raw: bool) -> Place:
    """Return a place.

    Args:
        draw: the source of chance.
        busy: at least some hundred rows a window, so that shares mean something.
        modelled: the dataset is a dbt model.
        raw: the dataset is what the connector writes.
    """
    domain = draw.choice(DOMAINS)
    window, every, kept = draw.choices(CADENCES, CADENCE_WEIGHTS)[0]
    sync_every = draw.choice(every)
    short = happens(draw, SHORT_HISTORY_SHARE)
    role = _role(draw, modelled=modelled, raw=raw)
    models = _models(draw, domain, role)
    adapter = draw.choice(tuple(TYPES))
    name = (
        models.node.rsplit(".", 1)[-1]
        if models.node and role in ("staging", "mart")
        else domain.table
    )
    return Place(
        tenant=domain.tenant, dataset=name, relation=_relation(draw, domain, role, name),
        connector_id=_identifier(draw), source_kind=domain.source_kind, stream=domain.table,
        owner=draw.choice(("core-banking", "platform-fr", "ops", "équipe SI", "vendor desk")),
        zone=domain.zone, adapter=adapter, role=role, window=window,
        windows=draw.randint(4, 6) if short else draw.randint(*kept),
        sync_every=sync_every, sync_s=sync_every.total_seconds() * draw.uniform(0.02, 0.12),
        run_every=_run_every(draw, window, sync_every),
        runs=draw.randint(2, 4) if short else draw.randint(6, 40),
        jobs=draw.randint(4, 8) if short else draw.randint(15, 70),
        daily_snapshots=happens(draw, 0.5),
        by_arrival=happens(draw, BY_ARRIVAL),
        stream_factor=draw.choice((1.0, 1.0, draw.uniform(1.05, 3.0))),
        id_column=domain.id_column, columns=domain.columns, types=TYPES[adapter],
        dimensions=_dimensions(draw, domain), fresh=domain.fresh,
        traffic=_traffic(draw, busy=busy, window=window), models=models, short=short,
    )  # fmt: skip


def _run_every(draw: Random, window: timedelta, sync_every: timedelta) -> timedelta:
    """Return a span that holds whole syncs and of which a window holds a whole number."""
    spans = [hours * HOUR for hours in (1, 2, 3, 4, 6, 12, 24, 168)]
    fitting = [s for s in spans if s >= sync_every and not s % sync_every and not window % s]
    return draw.choice((sync_every, draw.choice(fitting)))


def _role(draw: Random, *, modelled: bool, raw: bool) -> str:
    if modelled:
        return draw.choice(("staging", "mart", "mart"))
    return (
        draw.choice(("raw", "source", "source"))
        if raw
        else draw.choice(("raw", "source", "source", "staging", "mart", "mart"))
    )


def _identifier(draw: Random) -> str:
    if happens(draw, 0.5):  # half with UUIDs, the rest as the tool counts or names them
        return str(UUID(int=draw.getrandbits(128), version=4))
    return draw.choice(
        (
            str(draw.randint(100, 99999)),
            "".join(draw.choices(string.ascii_lowercase, k=12))
            + "_"
            + "".join(draw.choices(string.ascii_lowercase, k=8)),
        )
    )


def _relation(draw: Random, domain: Domain, role: str, name: str) -> str:
    schema = (
        f"{domain.source_kind}_ingest"
        if role in ("raw", "source")
        else draw.choice(("analytics", "dwh", "core", "reporting_prod"))
    )
    return draw.choice(
        (f"{schema}.{name}", f"prod.{schema}.{name}", f'"PROD"."{schema.upper()}"."{name.upper()}"')
    )


def _traffic(draw: Random, *, busy: bool, window: timedelta) -> Traffic:
    per_day = 10 ** (
        draw.uniform(3.3, 6.3)
        if busy
        else draw.choice((draw.uniform(0.7, 2.5), draw.uniform(2.5, 6.3)))
    )
    weekdays = draw.choice((
        (1.0,) * 7,
        (1.0, 1.05, 1.0, 1.0, 1.1, 0.6, 0.45),
        (0.8, 0.8, 0.9, 1.0, 1.3, 1.7, 1.4),
        (1.0, 1.0, 1.0, 1.0, 0.95, 0.0, 0.0),
    ))  # fmt: skip
    return Traffic(
        rows=per_day * window / (24 * HOUR),
        sigma=draw.choice((0.02, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45)),
        weekdays=weekdays, night=draw.choice((1.0, 0.5, 0.1)),
        trend_per_day=draw.choice((0.0, 0.0, 0.003, -0.002, 0.01)),
        month_end=draw.choice((1.0, 1.0, 1.0, 2.2)),
    )  # fmt: skip


def _dimensions(draw: Random, domain: Domain) -> tuple[Dimension, ...]:
    found = []
    for name, values in domain.dimensions:
        weights = [draw.gammavariate(1.5, 1.0) + 0.05 for _ in values]
        total = sum(weights)
        steadiness = draw.choice((None, 20000.0, 5000.0, 1500.0, 400.0))
        found.append(
            Dimension(
                name=name,
                values=values,
                shares=tuple(w / total for w in weights),
                steadiness=steadiness,
            )
        )
    draw.shuffle(found)
    return tuple(found[: draw.randint(1, len(found))])


def _models(draw: Random, domain: Domain, role: str) -> Models:
    if role == "raw":
        return Models(
            source=None, chain=(), parents={}, unrelated=(), tests={}, columns_used={}, node=None
        )
    project = domain.tenant.replace("-", "_")
    group = f"{domain.source_kind}_{draw.choice(('prod', 'eu', 'core', 'v2'))}"
    table = domain.table
    source = f"source.{project}.{group}.{table}"
    staging = f"model.{project}.{draw.choice(('stg_', 'base_', 'bronze_'))}{table.lower()}"
    depth = draw.randint(3, 6)
    names = [
        f"{draw.choice(('int_', 'silver_', 'prep_'))}{table.lower()}_{word}"
        for word in draw.sample(
            ("joined", "deduped", "enriched", "daily", "typed", "current"), depth - 2
        )
    ]
    mart = f"model.{project}.{draw.choice(('fct_', 'mart_', 'gold_', 'rpt_'))}{table.lower()}"
    chain = (source, staging, *(f"model.{project}.{n}" for n in names), mart)
    parents: dict[str, tuple[str, ...]] = {child: (parent,) for parent, child in pairwise(chain)}
    side = f"source.{project}.{group}.{domain.siblings[0]}"
    side_model = f"model.{project}.stg_{domain.siblings[0].lower()}"
    parents[side_model] = (side,)
    parents[mart] = (*parents[mart], side_model)
    unrelated = tuple(
        f"model.{project}.{word}"
        for word in draw.sample(
            (
                "fct_marketing_spend",
                "hr_headcount",
                "dim_calendar",
                "finance_ledger",
                "seo_rankings",
            ),
            draw.randint(1, 4),
        )
    )
    for other in unrelated:
        parents[other] = (f"source.{project}.misc.{other.rsplit('.', 1)[-1]}_raw",)
    tests = {
        node: _tests(draw, project, node, domain) for node in (*chain[1:], side_model, *unrelated)
    }
    tests[source] = _tests(draw, project, source, domain)
    node = source if role == "source" else staging if role == "staging" else mart
    used = {
        staging: tuple(f"{source}.{column}" for column, _ in domain.columns if happens(draw, 0.8))
    }  # most are read
    return Models(
        source=source,
        chain=chain,
        parents=parents,
        unrelated=unrelated,
        tests=tests,
        columns_used=used,
        node=node,
    )


def _tests(draw: Random, project: str, node: str, domain: Domain) -> tuple[str, ...]:
    short = node.rsplit(".", 1)[-1].lower()
    column = draw.choice(domain.columns)[0].lower()
    dimension = domain.dimensions[0][0].lower()
    kinds = (
        f"not_null_{short}_{column}",
        f"unique_{short}_{domain.id_column.lower()}",
        f"accepted_values_{short}_{dimension}",
        f"dbt_utils_recency_{short}",
    )
    return tuple(
        f"test.{project}.{kind}.{draw.getrandbits(40):010x}"
        for kind in draw.sample(kinds, draw.randint(1, 3))
    )
