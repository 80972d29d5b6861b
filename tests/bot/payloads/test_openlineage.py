"""What OpenLineage's events tell of checks, columns and lineage, as dbt's integration sends them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.payloads.openlineage import Event, checks_of, dq_result, edges_of, read_events, snapshot_of

RECORDED = Path(__file__).parent / "openlineage/dbt_build.json"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def recorded() -> tuple[Event, ...]:
    """The ends of all runs of one real ``dbt build``."""
    return read_events({"events": json.loads(RECORDED.read_text(encoding="utf-8"))})


def event(**changed: Any) -> dict[str, Any]:
    """A run's end with one input and one output."""
    made: dict[str, Any] = {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-22T12:00:00Z",
        "run": {"runId": "r-1", "facets": {}},
        "job": {"namespace": "airflow", "name": "shop.load_orders"},
        "inputs": [{"namespace": "postgres://db", "name": "Shop.Raw.Orders"}],
        "outputs": [{"namespace": "postgres://db", "name": "shop.mart.orders"}],
    }
    return copy.deepcopy(made) | changed


def one(**changed: Any) -> Event:
    """The same, read."""
    (read,) = read_events(event(**changed))
    return read


def columns(*fields: dict[str, str]) -> dict[str, Any]:
    """An output with a schema."""
    return {"namespace": "n", "name": "t", "facets": {"schema": {"fields": list(fields)}}}


def test_every_test_of_a_real_build_is_a_check() -> None:
    """Twelve tests ran; the one that failed says why, and all are linked to dbt's own invocation."""
    results = [dq_result(c, e, e.at) for e in recorded() for c in checks_of(e)]
    assert len(results) == len({result.id for result in results}) == 12
    (failed,) = [result for result in results if result.status == "failed"]
    assert failed.check_id == (
        "test.jaffle_shop.accepted_values_customers_first_name__Jane.21e890a312"
    )
    assert failed.context_metadata == {
        "tool": "openlineage",
        "kind": "accepted_values",
        "column": "first_name",
        "message": "Got 78 results, configured to fail if != 0",
    }
    assert {r.correlation_id for r in results} == {"bafba111-8366-4a41-b03b-2b9243c64d42"}


def test_a_dbt_model_stands_between_its_relations() -> None:
    """The relation is made by the model, and the model of what it reads: dbt's results lie on the way."""
    (edges,) = [
        edges_of(e) for e in recorded() if e.job and e.job.name == "model.jaffle_shop.customers"
    ]
    assert edges is not None
    assert edges.parents == {
        "postgres.public.customers": ("model.jaffle_shop.customers",),
        "model.jaffle_shop.customers": (
            "postgres.public.stg_customers",
            "postgres.public.stg_orders",
            "postgres.public.stg_payments",
        ),
    }


def test_a_test_makes_nothing() -> None:
    """The table with its failed rows is no dataset of anybody's, so a test has no edges."""
    tests = [e for e in recorded() if e.job_type == "TEST"]
    assert len(tests) == 12
    assert all(edges_of(e) is None for e in tests)


def test_another_job_makes_its_outputs_of_its_inputs() -> None:
    """Names of relations are in lower case; a table that a job reads and writes is not its own parent."""
    edges = edges_of(one())
    assert edges is not None
    assert edges.parents == {"shop.mart.orders": ("shop.raw.orders",)}
    same = [{"namespace": "postgres://db", "name": "shop.raw.orders"}]
    assert edges_of(one(outputs=same)) is None


def test_columns_that_are_read_are_known() -> None:
    """The facet columnLineage says which columns of the inputs an output was made of."""
    read = [{"namespace": "n", "name": "Shop.Raw.Orders", "field": "total_price"}]
    facets = {"columnLineage": {"fields": {"gmv": {"inputFields": read}}}}
    edges = edges_of(one(outputs=[{"namespace": "n", "name": "mart.gmv", "facets": facets}]))
    assert edges is not None
    assert edges.columns_used == {"mart.gmv": ("shop.raw.orders.total_price",)}


def test_a_schema_with_types_is_a_snapshot() -> None:
    """Without the types it is documentation, in which columns may be missing: no snapshot."""
    typed = columns({"name": "id", "type": "INTEGER"}, {"name": "at", "type": "TIMESTAMP"})
    snapshot = snapshot_of(one(outputs=[typed]).outputs[0], NOON)
    assert snapshot is not None
    assert [(c.name, c.type) for c in snapshot.columns] == [("id", "INTEGER"), ("at", "TIMESTAMP")]
    for fields in ([{"name": "id", "type": "INTEGER"}, {"name": "at"}], [{"name": "id"}], []):
        assert snapshot_of(one(outputs=[columns(*fields)]).outputs[0], NOON) is None


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"assertion": "not_null", "success": True}, "passed"),
        ({"assertion": "not_null", "success": False}, "failed"),
        ({"assertion": "not_null", "success": False, "severity": "WARN"}, "warning"),
        ({"assertion": "not_null", "success": True, "severity": "warn"}, "passed"),
        ({"assertion": "not_null"}, None),
        ({"assertion": "not_null", "success": "no"}, None),
        ({"success": False}, None),
        ("not an object", None),
    ],
)
def test_assertions(said: object, outcome: str | None) -> None:
    """A failed warning is a warning; what is not of the facet's shape is passed over."""
    facets = {"dataQualityAssertions": {"assertions": [said]}}
    inputs = [{"namespace": "n", "name": "t", "inputFacets": facets}]
    assert [c.outcome for c in checks_of(one(inputs=inputs))] == ([outcome] if outcome else [])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("pass", "passed"), ("FAIL", "failed"), ("skip", "unknown"), (None, "unknown")],
)
def test_the_test_facet_is_about_the_only_input(status: str | None, outcome: str) -> None:
    """With two inputs nobody says which one a test looked at, so neither gets it."""
    run = {"runId": "r-1", "facets": {"test": {"tests": [{"name": "fresh", "status": status}]}}}
    assert [(c.check_id, c.outcome) for c in checks_of(one(run=run))] == [("fresh", outcome)]
    two = [{"namespace": "n", "name": name} for name in ("a", "b")]
    assert not list(checks_of(one(run=run, inputs=two)))


@pytest.mark.parametrize("kind", ["START", "RUNNING", "OTHER"])
def test_what_is_not_over_tells_no_outcome(kind: str) -> None:
    """Its checks are repeated when it ends."""
    run = {"runId": "r-1", "facets": {"test": {"tests": [{"name": "fresh", "status": "pass"}]}}}
    assert not list(checks_of(one(eventType=kind, run=run)))
    assert list(checks_of(one(run=run)))


@pytest.mark.parametrize(
    "changed",
    [
        {"eventTime": "2026-11-22T12:00:00"},
        {"eventTime": None},
        {"inputs": [{"name": "t"}]},
        {"run": {}},
        {"job": {"name": "j"}},
    ],
)
def test_what_is_not_openlineage_is_refused(changed: dict[str, Any]) -> None:
    """A time without a zone, a dataset without a namespace, a run without its id."""
    with pytest.raises(ValidationError):
        one(**changed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["fields", "name", "assertions", "tests"]), inner)
    ),
    max_leaves=10,
)
FACETS = st.dictionaries(
    st.sampled_from(["schema", "columnLineage", "dataQualityAssertions", "jobType", "test"]), JSON
)


@given(FACETS, FACETS, FACETS)
def test_no_facet_breaks_an_event(
    run: dict[str, object], job: dict[str, object], data: dict[str, object]
) -> None:
    """A producer may send any facet in any shape."""
    read = one(
        run={"runId": "r", "facets": run},
        job={"namespace": "n", "name": "j", "facets": job},
        outputs=[{"namespace": "n", "name": "t", "facets": data, "inputFacets": data}],
    )
    for check in checks_of(read):
        dq_result(check, read, NOON)
    edges_of(read)
    snapshot_of(read.outputs[0], NOON)
