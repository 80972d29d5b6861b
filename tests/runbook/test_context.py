"""What is known of an incident beyond the evidence: not known, looked and found none, and found stay apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from rca.case import Case, Exposure, Lineage
from rca.diagnosis import Diagnosis
from runbook.context import IncidentContext, context_of
from runbook.lineage import downstream, exposures_hit
from tests.runbook.build import (
    HOUR,
    NOW,
    SOURCE,
    case,
    diagnosis,
    hypothesis,
    model_failure,
    removed,
    slow_model,
    sync_failure,
)


def _context(
    facts: Case | None = None, found: Diagnosis | None = None, opened_at: datetime = NOW
) -> IncidentContext:
    return context_of(facts or case(), found or diagnosis(), opened_at=opened_at, now=NOW)


@pytest.mark.parametrize(
    ("opened_at", "age_s"), [(NOW - HOUR, 3600.0), (NOW, 0.0), (NOW + HOUR, 0.0)]
)
def test_age_is_never_negative(opened_at: datetime, age_s: float) -> None:
    """Age counts from the opening; a clock that runs ahead gives 0."""
    assert _context(opened_at=opened_at).age_s == age_s


@pytest.mark.parametrize(
    ("dataset", "lineage", "hit", "facing"),
    [
        (None, None, None, None),
        ({"merchant_facing": None}, None, None, None),
        ({"merchant_facing": False}, None, None, False),
        ({"merchant_facing": True}, None, None, True),
        ({"dbt_node": SOURCE}, {"parents": {}}, None, None),
        ({"dbt_node": SOURCE}, {"exposures": []}, (), False),
        ({}, {"exposures": []}, None, None),
    ],
)
def test_what_is_not_known_is_not_a_no(
    dataset: dict[str, Any] | None, lineage: dict[str, Any] | None, hit: object, facing: object
) -> None:
    """Without lineage, a node or a list of exposures nothing is said of them; an empty list says none."""
    entry = None if dataset is None else {"name": "shopify_orders", **dataset}
    found = _context(case(dataset=entry, lineage=lineage))
    assert (found.exposures_hit, found.merchant_facing) == (hit, facing)


def test_exposure_may_be_reached_by_its_own_place_in_the_lineage() -> None:
    """An exposure that lists no models is found through its parents, and shown by its name or its id."""
    facts = case(
        lineage={
            "parents": {"model.a": [SOURCE], "exposure.one": ["model.a"]},
            "exposures": [
                {"unique_id": "exposure.one"},
                {"unique_id": "exposure.two", "name": "GMV", "depends_on": ["model.a"]},
                {"unique_id": "exposure.three", "depends_on": ["model.b"]},
            ],
        }
    )
    assert _context(facts).exposures_hit == ("exposure.one", "GMV")


def test_lineage_with_a_cycle_ends() -> None:
    """A graph that bites its tail is walked once."""
    lineage = Lineage(parents={"a": ("b",), "b": ("a", "root"), "c": ("b",)})
    assert downstream(lineage, ("root",)) == {"root", "a", "b", "c"}
    assert downstream(lineage, ()) == frozenset()


def test_long_lineage_is_walked_without_recursion() -> None:
    """A chain of fifty thousand models is no problem."""
    lineage = Lineage(parents={f"n{n + 1}": (f"n{n}",) for n in range(50_000)})
    assert len(downstream(lineage, ("n0",))) == 50_001


def test_exposures_need_the_datasets_node() -> None:
    """Without a dataset nothing is known, whatever the lineage has."""
    lineage = Lineage(exposures=(Exposure(unique_id="exposure.one", depends_on=("a",)),))
    assert exposures_hit(lineage, None) is None


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (model_failure("model.shop.orders"), "orders"),
        (slow_model(11.0), "orders"),
        (removed("a"), None),
    ],
)
def test_failing_model_is_named_without_its_project(found: Any, name: str | None) -> None:
    """The command to copy needs the model's own name."""
    assert _context(found=diagnosis(hypothesis(found))).failing_model == name


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"error_message": " HTTP 401 ", "error_code": "auth_error"}, "HTTP 401"),
        ({"error_message": None, "error_code": "auth_error"}, "auth_error"),
        ({"error_message": " ", "error_code": None}, None),
    ],
)
def test_sync_error_is_the_message_or_else_the_code(fields: dict[str, Any], says: object) -> None:
    """What a failed sync says is its own words, else their classification, else nothing."""
    assert _context(found=diagnosis(hypothesis(sync_failure(**fields)))).sync_error == says


def test_recovery_is_the_first_success_after_the_failure() -> None:
    """Of several successes the first one ended the failure; where the job is gone, failed_since counts."""
    jobs = [
        {
            "id": str(n),
            "status": "succeeded",
            "started_at": NOW - HOUR + timedelta(minutes=n),
            "finished_at": NOW - HOUR + timedelta(minutes=n + 1),
        }
        for n in range(3)
    ]
    found = diagnosis(hypothesis(sync_failure(failed_since=NOW - HOUR)))
    recovered = _context(case(ingestion_jobs=jobs), found).sync_recovered_at
    assert recovered == NOW - HOUR + timedelta(minutes=2)


def test_later_runs_are_not_looked_at() -> None:
    """A deployment after the instant of the diagnosis is not known yet."""
    run = {"dbt_generated_at": NOW + HOUR, "deployed_at": NOW - HOUR, "deployed_by": "dana"}
    assert _context(case(dbt_runs=[run])).last_deployment is None
