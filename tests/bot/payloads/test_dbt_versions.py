"""One reader for every version of dbt's artifacts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.dbt_catalog import read_catalog
from bot.payloads.dbt_document import ArtifactError
from bot.payloads.dbt_facts import line_of
from bot.payloads.dbt_manifest import read_manifest
from bot.payloads.dbt_runs import read_run_results, read_sources

SAMPLES: Final = Path(__file__).parents[2] / "samples" / "dbt"
VERSIONS: Final = SAMPLES / "versions"


def text_of(path: Path) -> bytes:
    """The artifact as dbt wrote it."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def named(kind: str) -> list[Any]:
    """Every public artifact of one kind, by its version."""
    found = sorted(VERSIONS.glob(f"{kind}_v*.json.gz"))
    return [pytest.param(path, id=path.name.split(".json")[0]) for path in found]


@pytest.mark.parametrize("path", named("manifest"))
def test_a_manifest_of_any_version(path: Path) -> None:
    """Nodes, relations, checksums and edges are found, and every edge leads to a known node."""
    project = read_manifest(text_of(path))
    models = [node for node in project.nodes.values() if node.kind == "model"]
    assert models
    assert all(model.checksum for model in models)
    relation = str(project.nodes["model.jaffle_shop.stg_orders"].relation)
    orders = project.node_of(None, relation.upper())
    assert orders == "model.jaffle_shop.stg_orders"
    assert set(project.parents) == set(project.nodes)
    assert {one for above in project.parents.values() for one in above} <= set(project.nodes)


@pytest.mark.parametrize("path", named("manifest"))
def test_compiled_sql_under_either_name(path: Path) -> None:
    """SQL is read from compiled_sql and from compiled_code; a manifest written before compiling has none."""
    project = read_manifest(text_of(path))
    sql = [node.sql for node in project.nodes.values() if node.sql]
    assert bool(sql) == ("1.11" not in path.name)


@pytest.mark.parametrize("path", named("run_results"))
def test_run_results_of_any_version(path: Path) -> None:
    """Every result is read; what docs generate wrote is named as such, what build wrote is not."""
    raw = text_of(path)
    run = read_run_results(raw)
    assert len(run.outcomes) == len(json.loads(raw)["results"])
    assert all(one.execution_time_s is not None for one in run.outcomes)
    expected = "written by dbt docs generate, which runs no models" if "1.11" in path.name else None
    assert run.misleads == expected


@pytest.mark.parametrize("path", named("catalog"))
def test_a_catalog_of_any_version(path: Path) -> None:
    """Columns come in their order, with their types."""
    catalog = read_catalog(text_of(path))
    columns = catalog.columns["model.jaffle_shop.orders"]
    assert columns[0][0] == "order_id"
    assert all(kind for _, kind in columns)


OLD: Final[dict[str, dict[str, object]]] = {
    "v1": {"compiled_sql": "select 1", "refs": [["a"]]},
    "v2": {"compiled_sql": "select 1", "refs": [["a"]]},
    "v4": {"compiled_sql": "select 1", "refs": [["a"]]},
    "v7": {"compiled_code": "select 1", "refs": [["a"]]},
    "v10": {"compiled_code": "select 1", "refs": [{"name": "a", "package": None, "version": None}]},
    "v13": {"compiled_code": "select 1", "refs": "of a shape to come", "brand_new": {"x": [1]}},
}


@pytest.mark.parametrize("version", OLD)
def test_versions_without_a_public_sample(version: str) -> None:
    """The versions between the samples differ in the names of fields only; the next one may add any."""
    node = {
        "resource_type": "model",
        "name": "b",
        "database": "db",
        "schema": "main",
        "checksum": {"name": "sha256", "checksum": "c0ffee"},
        "depends_on": {"nodes": ["model.p.a"], "macros": []},
        **OLD[version],
    }
    document = {
        "metadata": {
            "dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/{version}.json",
            "generated_at": "2026-03-02T07:00:00.123456Z",
        },
        "nodes": {"model.p.a": {"name": "a"}, "model.p.b": node},
        "something_new": [],
    }
    project = read_manifest(json.dumps(document))
    assert project.parents["model.p.b"] == ("model.p.a",)
    assert project.children["model.p.a"] == ("model.p.b",)
    assert project.nodes["model.p.b"].sql == "select 1"
    assert project.node_of(None, '"DB"."MAIN"."B"') == "model.p.b"


def test_what_fusion_writes() -> None:
    """Fusion leaves empty fields out, says the command twice, and knows statuses of its own."""
    document = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
            "dbt_version": "2.0.0-preview.219",
            "generated_at": "2026-03-02T07:00:00.123456789Z",
            "invocation_id": "f",
        },
        "args": {"command": "build", "which": "build"},
        "results": [
            {
                "unique_id": "model.p.a",
                "status": "reused",
                "timing": [],
                "thread_id": "Thread-1",
                "execution_time": 0.0,
                "adapter_response": {},
                "static_analysis_off_reason": "unsafe",
            },
            {"unique_id": "test.p.t.1", "status": "fail", "failures": 2, "execution_time": 0.1},
        ],
        "elapsed_time": 1.0,
    }
    run = read_run_results(json.dumps(document))
    assert (run.command, run.misleads) == ("build", None)
    assert [(one.status, one.failures, one.sql) for one in run.outcomes] == [
        ("reused", None, None),
        ("fail", 2, None),
    ]
    assert run.generated_at.microsecond == 123456


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "columns", "meta", "config", "nodes", "macros", "checksum", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS: Final = [
    *("resource_type", "name", "config", "meta", "tags", "columns", "checksum", "depends_on"),
    *("relation_name", "compiled_code", "owner", "group", "status", "unique_id", "message"),
    *("failures", "execution_time", "timing", "adapter_response", "attached_node"),
]


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8))
def test_an_entry_of_any_shape(entry: dict[str, object]) -> None:
    """Whatever one entry holds, it is read or passed over, and its neighbours are there."""
    metadata = {"generated_at": "2026-03-02T07:00:00Z"}
    good = {"name": "b", "relation_name": "s.b", "depends_on": {"nodes": ["model.p.a"]}}
    sections = {
        section: {"model.p.a": entry, "model.p.b": good} for section in ("nodes", "sources")
    }
    project = read_manifest(json.dumps({"metadata": metadata, **sections, "macros": {"m": entry}}))
    assert project.parents["model.p.b"] == ("model.p.a",)
    line_of(project, "model.p.b")
    neighbour = {"unique_id": "model.p.b", "status": "success"}
    results = {"metadata": metadata, "results": [entry, neighbour]}
    assert read_run_results(json.dumps(results)).outcomes[-1].unique_id == "model.p.b"
    assert read_sources(json.dumps(results)).sources[-1].status == "success"
    listed = {"metadata": metadata, "nodes": {"model.p.a": entry}}
    read_catalog(json.dumps(listed))


WRONG: Final = {
    "empty": ("", "x.json is not JSON, or was cut off"),
    "cut": ('{"metadata": {"gener', "x.json is not JSON, or was cut off"),
    "list": ("[]", "x.json is not a JSON object"),
    "deep": ("[" * 200_000, "x.json is nested too deeply"),
    "no time": ('{"metadata": {}}', "x.json: metadata.generated_at is missing or not a time"),
    "metadata": ('{"metadata": 3}', "x.json: metadata is not an object"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("read", [read_manifest, read_run_results, read_catalog, read_sources])
def test_a_file_that_is_none_of_them(read: Any, case: str) -> None:
    """What is wrong is named by file and field."""
    raw, expected = WRONG[case]
    with pytest.raises(ArtifactError) as caught:
        read(raw, "x.json")
    assert str(caught.value) == expected


METADATA: Final = {"generated_at": "2026-03-02T07:00:00Z"}


@pytest.mark.parametrize(
    ("read", "rest", "expected"),
    [
        (read_manifest, {"nodes": []}, "x.json: nodes is not an object"),
        (read_manifest, {"nodes": {}, "macros": 1}, "x.json: macros is not an object"),
        (read_run_results, {}, "x.json: results is not a list"),
        (read_run_results, {"results": {}}, "x.json: results is not a list"),
        (read_sources, {"results": "none"}, "x.json: results is not a list"),
        (read_catalog, {"nodes": [1]}, "x.json: nodes is not an object"),
    ],
)
def test_a_section_of_another_type(read: Any, rest: dict[str, object], expected: str) -> None:
    """A section that is no section is named."""
    with pytest.raises(ArtifactError) as caught:
        read(json.dumps({"metadata": METADATA, **rest}), "x.json")
    assert str(caught.value) == expected


@pytest.mark.parametrize("value", [None, 3, "text", [], ["a"], {"a": {"b": []}}, True])
@pytest.mark.parametrize(
    "field",
    [
        "resource_type",
        "config",
        "meta",
        "tags",
        "checksum",
        "depends_on",
        "columns",
        "group",
        "relation_name",
        "compiled_code",
        "owner",
        "name",
        "database",
        "language",
    ],
)
def test_a_field_of_another_type_is_not_known(field: str, value: object) -> None:
    """One odd field costs that field, never the manifest."""
    nodes = {"model.p.a": {"name": "a", field: value}, "model.p.b": {"name": "b", "schema": "s"}}
    project = read_manifest(json.dumps({"metadata": METADATA, "nodes": nodes}))
    assert set(project.nodes) == {"model.p.a", "model.p.b"}
    assert project.node_of(None, "s.b") == "model.p.b"
