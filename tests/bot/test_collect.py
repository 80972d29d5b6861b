"""A case holds what the sources gave, and a hole with a reason for the rest; a source costs no more than its part."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.collect import collect
from bot.ports import Facts, Source
from rca.case import Anomaly, AnomalyType, Case, Dataset, FactKind, Hole
from tests.bot.surroundings import NOON

ANOMALY = Anomaly(
    tenant_id="acme",
    dataset="shopify_orders",
    anomaly_type=AnomalyType.VOLUME,
    detected_at=NOON,
)
COVERED = Dataset(name="shopify_orders", connector_id="c-1")
LIMIT = timedelta(milliseconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """A source that gives what it was told to give, or raises it."""

    name: str
    facts: Mapping[str, object] = field(default_factory=dict)
    holes: tuple[Hole, ...] = ()
    error: Exception | None = None

    async def read(self, anomaly: Anomaly, dataset: Dataset | None, as_of: datetime) -> Facts:
        """Answer at once."""
        assert (anomaly, dataset, as_of) == (ANOMALY, COVERED, NOON)
        if self.error is not None:
            raise self.error
        return Facts(found=self.facts, holes=self.holes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A source that never answers."""

    name: str = "airbyte"

    async def read(self, anomaly: Anomaly, dataset: Dataset | None, as_of: datetime) -> Facts:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError(anomaly, dataset, as_of)


async def case_of(*sources: Source) -> Case:
    """The case that *sources* give."""
    return await collect(ANOMALY, COVERED, sources, case_id="c", as_of=NOON, time_limit=LIMIT)


def reasons(case: Case) -> dict[str, str]:
    """Why each fact is missing."""
    return {hole.fact: hole.reason for hole in case.holes}


async def test_no_source_at_all() -> None:
    """Every kind of fact is a hole, and says that nobody provides it."""
    case = await case_of()
    assert set(reasons(case)) == {kind.value for kind in FactKind}
    assert set(reasons(case).values()) == {"no source provides it"}


async def test_the_first_source_that_has_a_fact_gives_it() -> None:
    """An empty list is an answer: what one source looked at is neither asked of the next nor a hole."""
    first = Answering(name="one", facts={"ingestion_jobs": ()})
    second = Answering(name="two", facts={"ingestion_jobs": None, "dbt_runs": ()})
    case = await case_of(first, second)
    assert case.ingestion_jobs == ()
    assert not {"ingestion_jobs", "dbt_runs"} & set(reasons(case))


async def test_a_source_that_does_not_answer() -> None:
    """It is left behind after its time; what the others read stands, and the holes name it."""
    case = await case_of(Silent(), Answering(name="two", facts={"ingestion_jobs": ()}))
    assert case.ingestion_jobs == ()
    assert reasons(case)["dbt_runs"] == "airbyte did not answer within 0.02 s"


@pytest.mark.parametrize("error", [RuntimeError("token=secret"), KeyError("x"), OSError("down")])
async def test_a_source_that_fails(error: Exception) -> None:
    """The holes name the source and the kind of error, never its words: those may hold a secret."""
    case = await case_of(Answering(name="dbt", error=error))
    assert reasons(case)["dbt_runs"] == f"dbt failed: {type(error).__name__}"


async def test_two_reasons_are_both_said() -> None:
    """Nobody could read the syncs, each for a reason of its own; the same reason is said once."""
    hole = Hole(fact="ingestion_jobs", reason="401 from Airbyte")
    again = Answering(name="three", holes=(hole,))
    case = await case_of(
        Answering(name="one", holes=(hole,)), Answering(name="dbt", error=OSError()), again
    )
    assert reasons(case)["ingestion_jobs"] == "401 from Airbyte; dbt failed: OSError"


@pytest.mark.parametrize("order", [1, -1])
async def test_facts_that_do_not_fit(order: int) -> None:
    """One source gives nonsense: it becomes holes that name the field, and the other's facts are kept."""
    good = Answering(name="good", facts={"ingestion_jobs": ()})
    bad = Answering(name="bad", facts={"dbt_runs": [{"row": "customer@example.com"}]})
    case = await case_of(*(good, bad)[::order])
    assert case.ingestion_jobs == ()
    assert "bad gave facts that cannot be used: dbt_runs.0" in reasons(case)["dbt_runs"]
    assert "customer@example.com" not in str(case.holes)


async def test_sources_are_asked_at_once() -> None:
    """Two silent sources cost the time of one."""
    async with asyncio.timeout(LIMIT.total_seconds() * 40):
        case = await case_of(*(Silent(name=f"s{number}") for number in range(30)))
    assert "s0 did not answer" in reasons(case)["dbt_runs"]
    assert "s29 did not answer" in reasons(case)["dbt_runs"]
