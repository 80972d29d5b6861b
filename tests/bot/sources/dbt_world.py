"""A small dbt project for tests: its artifacts as dbt writes them, at the times a test chooses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot.directory import Directory
from bot.ports import Ask, Facts, Source
from bot.sources.registry import Opening, SourceKind
from rca.case import Dataset, DbtRun, Lineage

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

RAW: Final = "source.shop.shopify.orders"
STAGED: Final = "model.shop.stg_orders"
ORDERS: Final = "model.shop.orders"
REVENUE: Final = "model.shop.revenue"
CUSTOMERS: Final = "model.shop.customers"
DASHBOARD: Final = "exposure.shop.gmv"
NOT_NULL: Final = "test.shop.not_null_stg_orders_id.aaaa"
UNIQUE_RAW: Final = "test.shop.source_unique_orders_id.bbbb"

SQL: Final = {
    STAGED: "with source as (select * from raw.shopify.orders) "
    "select id as order_id, total_price / 100 as amount, customer_id from source",
    ORDERS: "select o.*, c.email from shop.main.stg_orders o join shop.main.customers c using (customer_id)",
    REVENUE: "select sum(amount) as revenue from shop.main.orders",
}
RELATIONS: Final = {
    RAW: '"RAW"."shopify"."orders"',
    STAGED: '"shop"."main"."stg_orders"',
    ORDERS: '"shop"."main"."orders"',
    REVENUE: '"shop"."main"."revenue"',
    CUSTOMERS: '"shop"."main"."customers"',
}
PARENTS: Final = {
    RAW: (),
    CUSTOMERS: (),
    STAGED: (RAW,),
    ORDERS: (STAGED, CUSTOMERS),
    REVENUE: (ORDERS,),
    DASHBOARD: (REVENUE,),
    NOT_NULL: (STAGED,),
    UNIQUE_RAW: (RAW,),
}
SECTION_OF: Final = {"source": "sources", "exposure": "exposures"}


def text(instant: datetime) -> str:
    """A time as dbt writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def manifest(
    at: datetime = NOON,
    invocation_id: str = "inv-1",
    checksums: Mapping[str, str] | None = None,
    **of: Mapping[str, object],
) -> dict[str, Any]:
    """A manifest of the project; *of* adds to nodes, by the last word of their id."""
    document: dict[str, Any] = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "generated_at": text(at),
            "invocation_id": invocation_id,
            "project_name": "shop",
            "adapter_type": "postgres",
        },
        "nodes": {},
        "sources": {},
        "exposures": {},
        "macros": {},
    }
    for unique_id, above in PARENTS.items():
        kind = unique_id.partition(".")[0]
        name = unique_id.split(".")[2] if kind == "test" else unique_id.rpartition(".")[2]
        node: dict[str, Any] = {
            "unique_id": unique_id,
            "resource_type": kind,
            "name": name,
            "relation_name": RELATIONS.get(unique_id),
            "depends_on": {"nodes": list(above), "macros": []},
            "config": {"severity": "ERROR"} if kind == "test" else {},
        }
        if kind == "model":
            sum_of = (checksums or {}).get(unique_id, f"sum of {name}")
            node |= {"checksum": {"name": "sha256", "checksum": sum_of}}
            node |= {"compiled_code": SQL.get(unique_id)}
        node |= of.get(name, {})
        document[SECTION_OF.get(kind, "nodes")][unique_id] = node
    return document


def run_results(
    at: datetime = NOON,
    invocation_id: str = "inv-1",
    which: str | None = "build",
    env: Mapping[str, str] | None = None,
    **statuses: str,
) -> dict[str, Any]:
    """Results of a run in which all went well, but for *statuses* by the last word of a node's id."""
    good = {"model": "success", "test": "pass"}
    results = []
    for unique_id in (UNIQUE_RAW, CUSTOMERS, STAGED, NOT_NULL, ORDERS, REVENUE):
        kind = unique_id.partition(".")[0]
        name = unique_id.split(".")[2] if kind == "test" else unique_id.rpartition(".")[2]
        status = statuses.get(name, good[kind])
        results.append(
            {
                "unique_id": unique_id,
                "status": status,
                "message": "it went wrong" if status in ("error", "fail") else None,
                "failures": 3 if status == "fail" else None,
                "execution_time": 1.5,
                "adapter_response": {"rows_affected": 10},
                "timing": [{"name": "execute", "completed_at": text(at - timedelta(seconds=5))}],
            }
        )
    metadata = {"generated_at": text(at), "invocation_id": invocation_id, "env": dict(env or {})}
    arguments = {} if which is None else {"which": which}
    return {"metadata": metadata, "args": arguments, "results": results, "elapsed_time": 9.0}


def catalog(
    at: datetime = NOON, columns: tuple[str, ...] = ("id", "total_price")
) -> dict[str, Any]:
    """A catalog in which the raw orders have *columns*."""
    entries = {
        name: {"name": name, "type": "text", "index": index + 1}
        for index, name in enumerate(columns)
    }
    return {
        "metadata": {"generated_at": text(at)},
        "nodes": {},
        "sources": {RAW: {"columns": entries}},
    }


def put(folder: Path, **artifacts: object) -> None:
    """Write artifacts into a folder, as ``run_results=…`` or as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in artifacts.items():
        content = document if isinstance(document, str) else json.dumps(document)
        (folder / f"{name}.json").write_text(content, encoding="utf-8")


def ask_of(
    node: str | None = STAGED,
    as_of: datetime = NOON + timedelta(minutes=10),
    relation: str | None = None,
    since: datetime | None = None,
) -> Ask:
    """A question about one dataset."""
    return Ask(
        tenant_id="acme",
        dataset=Dataset(name="orders", dbt_node=node, relation=relation),
        as_of=as_of,
        since=since or as_of - timedelta(days=90),
    )


@dataclass(slots=True)
class Ticking:
    """A clock that a test moves."""

    now: datetime = NOON + timedelta(minutes=10)
    reads: int = field(default=0)

    def __call__(self) -> datetime:
        self.reads += 1
        return self.now


@asynccontextmanager
async def opened(
    kind: SourceKind,
    options: Mapping[str, object],
    clock: Ticking | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Any:
    """The source as the program opens it."""
    async with aiohttp.ClientSession() as session:
        opening = Opening(
            source_id="dbt",
            options=kind.options.model_validate(options),
            secrets=secrets or {},
            session=session,
            directory=Directory.empty(),
            clock=clock or Ticking(),
        )
        async with kind.open(opening) as source:
            yield source


@asynccontextmanager
async def world(folder: Path) -> Any:
    """A source over a folder in which all went well, and a question that it can answer."""
    from bot.sources.dbt import SOURCE  # noqa: PLC0415 - only the contract needs it here

    put(folder, manifest=manifest(), run_results=run_results(), catalog=catalog())
    async with opened(SOURCE, {"artifacts": str(folder)}) as source:
        found: tuple[Source, Ask] = (source, ask_of())
        yield found


async def read_folder(folder: Path, *asks: Ask, **options: object) -> Facts:
    """What one look at a folder says."""
    from bot.sources.dbt import SOURCE  # noqa: PLC0415 - registered by its package

    async with opened(SOURCE, {"artifacts": str(folder), **options}) as source:
        facts: Facts = await source.read(asks[0] if asks else ask_of())
        return facts


def reasons(facts: Facts) -> dict[str, str]:
    """Why each fact is missing."""
    return {hole.fact: hole.reason for hole in facts.holes}


def runs(facts: Facts) -> tuple[DbtRun, ...]:
    """The runs, oldest first."""
    found = facts.found["dbt_runs"]
    assert isinstance(found, tuple)
    return found


def lineage(facts: Facts) -> Lineage:
    """The graph."""
    found = facts.found["lineage"]
    assert isinstance(found, Lineage)
    return found


def statuses(run: DbtRun) -> dict[str, str]:
    """What each node did."""
    return {result.unique_id: result.status for result in run.results}
