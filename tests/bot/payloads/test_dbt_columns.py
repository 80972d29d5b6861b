"""Which models read a column, proven from compiled SQL, and what the engine makes of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from bot.payloads.dbt_columns import MOST_PARSED, ColumnReader
from bot.payloads.dbt_facts import line_of, lineage
from bot.payloads.dbt_manifest import Project, read_manifest
from rca.case import Dataset
from rca.evidence import ColumnChange
from runbook.lineage import critical_uses

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "dbt" / "versions"
RAW: Final = "source.s.raw.orders"

Models = Mapping[str, tuple[str, tuple[str, ...]]]


def project_of(models: Models, adapter: str = "postgres", **meta: object) -> Project:
    """A project over raw.orders and raw.users; each model has its SQL and what it is built from."""
    nodes = {
        f"model.s.{name}": {
            "name": name,
            "relation_name": f"main.{name}",
            "compiled_code": sql,
            "depends_on": {"nodes": list(above)},
            "meta": {"critical": True} if name == meta.get("critical") else {},
        }
        for name, (sql, above) in models.items()
    }
    sources = {
        f"source.s.raw.{name}": {"name": name, "relation_name": f"raw.{name}"}
        for name in ("orders", "users")
    }
    document = {
        "metadata": {"generated_at": "2026-03-02T07:00:00Z", "adapter_type": adapter},
        "nodes": nodes,
        "sources": sources,
    }
    return read_manifest(json.dumps(document))


def used(project: Project, node: str = RAW) -> Mapping[str, tuple[str, ...]] | None:
    """Columns used along the node's line."""
    return ColumnReader(project=project, known={}).used(line_of(project, node))


CHAIN: Final[Models] = {
    "stg": ("select * from raw.orders", (RAW,)),
    "mid": (
        "with s as (select * from main.stg) select id, total as amount from s",
        ("model.s.stg",),
    ),
    "mart": ("select sum(amount) as gmv from main.mid", ("model.s.mid",)),
}


def test_a_star_passes_the_reading_on() -> None:
    """The model behind a select * is the one that a removed column breaks; the mart reads another name."""
    assert used(project_of(CHAIN)) == {"model.s.mid": (f"{RAW}.id", f"{RAW}.total")}


def test_columns_of_the_nodes_above_count_too() -> None:
    """For a dataset further down the columns of all that it is built from are told."""
    found = used(project_of(CHAIN), "model.s.mid")
    assert found == {
        "model.s.mid": ("model.s.stg.id", "model.s.stg.total", f"{RAW}.id", f"{RAW}.total"),
        "model.s.mart": ("model.s.mid.amount",),
    }


def test_a_critical_model_downstream_of_the_break() -> None:
    """The runbook's rule fires for a removed column that a critical model is built from, and not for another."""
    project = project_of(CHAIN, critical="mart")
    line = line_of(project, RAW)
    graph = lineage(project, line, used(project))
    dataset = Dataset(name="orders", dbt_node=RAW)
    for column, expected in (("TOTAL", ["model.s.mart"]), ("note", [])):
        change = ColumnChange.model_validate({"column": column, "change": "removed"})
        uses = critical_uses(graph, dataset, [change])
        assert uses is not None
        assert [use.model for use in uses] == expected


def test_sql_that_nobody_understands() -> None:
    """Its words count, so that a broken reader is not taken for no reader, and it is named."""
    project = project_of({"odd": ("select id, @@!! weird from raw.orders ((", (RAW,))})
    reader = ColumnReader(project=project, known={RAW: frozenset({"id", "total"})})
    assert reader.used(line_of(project, RAW)) == {"model.s.odd": (f"{RAW}.id",)}
    assert reader.unreadable == {"model.s.odd"}


@pytest.mark.parametrize(
    "sql", [None, "", "   ", "select 1"], ids=["none", "empty", "blank", "no table"]
)
def test_without_compiled_sql(sql: str | None) -> None:
    """A manifest that was written before compiling says nothing, which is not the same as no columns."""
    project = project_of({"stg": (sql or "", (RAW,))})
    found = used(project)
    assert found is None or found == {}
    assert (found is None) is (not (sql or "").strip())


def test_more_models_than_one_question_has_time_for() -> None:
    """No reader is missed: the words of the rest count until a later question has time to parse them."""
    sql = "select id from raw.orders -- ".ljust(MOST_PARSED // 400, "x")
    models = {f"m{number}": (sql, (RAW,)) for number in range(410)}
    project = project_of(models)
    reader = ColumnReader(project=project, known={})
    line = line_of(project, RAW)
    first = reader.used(line) or {}
    assert len(first) == 410
    assert len(reader.read_already) == 400
    assert all(f"{RAW}.id" in columns for columns in first.values())
    assert reader.used(line) == {f"model.s.m{number}": (f"{RAW}.id",) for number in range(410)}


def test_each_model_is_read_once() -> None:
    """A second dataset of the same project costs only what is new."""
    project = project_of(CHAIN)
    reader = ColumnReader(project=project, known={})
    reader.used(line_of(project, RAW))
    first = dict(reader.read_already)
    reader.used(line_of(project, "model.s.mart"))
    assert all(reader.read_already[name] is read for name, read in first.items())


@pytest.mark.parametrize("version", ["v3", "v9_at_1.5rc1", "v12_1.10", "v12_1.12"])
def test_real_projects(version: str) -> None:
    """In the public projects every model is understood, and staging models read columns of the raw tables."""
    raw = gzip.decompress((SAMPLES / f"manifest_{version}.json.gz").read_bytes())
    project = read_manifest(raw)
    own = [
        node
        for node in project.nodes.values()
        if node.sql and node.unique_id.startswith("model.jaffle_shop.")
    ]
    reader = ColumnReader(project=project, known={})
    staged = "model.jaffle_shop.stg_orders"
    above = project.parents[staged][0]
    found = reader.used(line_of(project, above)) or {}
    for node in own:
        reader.used(line_of(project, node.unique_id))
    assert not {one for one in reader.unreadable if one.startswith("model.jaffle_shop.")}
    assert f"{above}.id" in found[staged]
    assert len(found[staged]) > 3


def test_a_source_that_is_a_seed_here() -> None:
    """A table that a seed writes and a source reads is one table: its readers are those of both."""
    document = {
        "metadata": {"generated_at": "2026-03-02T07:00:00Z"},
        "nodes": {
            "seed.s.orders": {"name": "orders", "relation_name": "raw.orders"},
            "model.s.stg": {
                "name": "stg",
                "relation_name": "main.stg",
                "compiled_code": "select id from raw.orders",
                "depends_on": {"nodes": [RAW]},
            },
        },
        "sources": {RAW: {"name": "orders", "relation_name": "raw.orders"}},
    }
    project = read_manifest(json.dumps(document))
    assert project.node_of(None, "RAW.ORDERS") == "seed.s.orders"
    assert project.parents[RAW] == ("seed.s.orders",)
    assert used(project, "seed.s.orders") == {"model.s.stg": ("seed.s.orders.id",)}
    assert used(project, RAW) == {"model.s.stg": ("seed.s.orders.id", f"{RAW}.id")}
