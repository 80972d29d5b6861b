"""A source that does not keep to its type, or to any measure, is a reason that names it, and nothing worse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import Ask, Facts, Notice
from bot.reading import MAX_NOTE, MOST_GIVEN, MOST_HOLES, MOST_NOTICED, notes, read_source
from rca.case import Anomaly, AnomalyType, Dataset, Hole, Lineage
from tests.bot.asked import Asked
from tests.bot.surroundings import NOON, deps_of, directory_of

ORDERS = Dataset(name="shopify_orders", connector_id="c-1")
ASK = Ask(tenant_id="acme", dataset=ORDERS, as_of=NOON, since=NOON - timedelta(days=90))
JOBS = "ingestion_jobs"


@pytest.mark.parametrize(
    ("instead", "problem"),
    [
        (None, "Airbyte gave NoneType in place of facts"),
        ({JOBS: []}, "Airbyte gave dict in place of facts"),
        (Facts(found=None), "Airbyte failed: AttributeError"),  # type: ignore[arg-type]  # because it is wrong
    ],
)
async def test_what_is_no_facts_is_a_problem(instead: object, problem: str) -> None:
    """Whatever a source returns, its question ends with a reason that names the source."""
    facts, said = await read_source(Asked(instead=instead), ASK)
    assert (dict(facts.found), said) == ({}, problem)


async def test_a_source_that_gives_nothing_leaves_a_hole(engine: AsyncEngine) -> None:
    """The case is built all the same, and its hole names the source."""
    deps = deps_of(engine, directory_of({}), sources=(Asked(instead=None),))
    anomaly = Anomaly(
        tenant_id="acme",
        dataset="shopify_orders",
        anomaly_type=AnomalyType.VOLUME,
        detected_at=NOON,
    )
    case = await deps.collector.case(anomaly, ORDERS, case_id="c", as_of=NOON)
    (hole,) = (hole for hole in case.holes if hole.fact == JOBS)
    assert hole.reason.startswith("Airbyte gave NoneType in place of facts")


@pytest.mark.parametrize(
    ("value", "too_many"),
    [
        ((0,) * MOST_GIVEN, False),
        ((0,) * (MOST_GIVEN + 1), True),
        ([0] * (MOST_GIVEN + 1), True),
        (Lineage(parents={str(number): () for number in range(MOST_GIVEN + 1)}), True),
        (Lineage(columns_used={str(number): () for number in range(MOST_GIVEN + 1)}), True),
        (set(range(MOST_GIVEN + 1)), True),
        (Lineage(parents={"a": ("b",)}), False),
    ],
    ids=[
        "as many as are taken",
        "one more",
        "a list",
        "a graph",
        "its columns",
        "a set",
        "a small graph",
    ],
)
async def test_a_list_without_end_is_a_hole(value: Any, *, too_many: bool) -> None:
    """More facts of one kind than any history has are not taken; what else came is."""
    facts, said = await read_source(Asked(facts={JOBS: value, "dq_results": ()}), ASK)
    assert said is None
    assert (JOBS in facts.found) is not too_many
    assert facts.found["dq_results"] == ()
    expected = f"Airbyte gave 50,001 {JOBS}; more than 50,000 are not taken"
    assert [hole.reason for hole in facts.holes] == [expected] * too_many


async def test_holes_and_notices_are_bounded() -> None:
    """Neither the reasons that are kept with a poll nor the alerts that it raises grow without end."""
    holes = tuple(Hole(fact=JOBS, reason=f"{n} {'x' * 100}") for n in range(MOST_HOLES + 1))
    noticed = tuple(
        Notice(key=str(n), anomaly_type=AnomalyType.SCHEMA, title="t")
        for n in range(MOST_NOTICED + 1)
    )
    facts, _ = await read_source(Asked(facts={JOBS: ()}, holes=holes, noticed=noticed), ASK)
    assert (len(facts.holes), len(facts.noticed)) == (MOST_HOLES, MOST_NOTICED)
    assert len(notes(facts) or "") == MAX_NOTE


@pytest.mark.parametrize("odd", ["no", None, 7])
async def test_what_is_no_hole_is_a_failure_of_its_source(odd: Any) -> None:
    """A source that gives something else in place of a hole is named, and nothing is raised."""
    facts, said = await read_source(Asked(facts={JOBS: ()}, holes=(odd,)), ASK)
    assert said == "Airbyte failed: TypeError"
    assert facts.found == {}


async def test_one_reason_cannot_be_endless() -> None:
    """Each is cut to what all of them may take together."""
    long = Hole(fact=JOBS, reason="x" * (MAX_NOTE + 1))
    facts, _ = await read_source(Asked(facts={JOBS: ()}, holes=(long,)), ASK)
    assert [len(hole.reason) for hole in facts.holes] == [MAX_NOTE]
