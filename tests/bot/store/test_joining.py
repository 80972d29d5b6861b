"""An anomaly opens an incident or joins the open one: once, whoever asks, however often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.jobs import submit_only
from bot.ports import JobKind
from bot.records import IncidentState, Place
from bot.store import Store
from bot.store.engine import create_engine
from bot.store.joining import fingerprint
from rca.case import AnomalyType, Severity
from tests.bot.store.world import MINUTE, NOW, World, anomaly, deadline


async def test_the_first_anomaly_opens_and_the_next_joins(world: World) -> None:
    """Same tenant, dataset and type: one incident that counts its alerts."""
    first = await world.join(inbox_id="in-1")
    second = await world.join(inbox_id="in-2")
    assert (first.opened, second.opened) == (True, False)
    assert second.incident == replace(first.incident, alert_count=2)
    assert first.incident.title == "row count is low"
    assert await world.happened(first.incident) == ["opened", "alert joined"]


@pytest.mark.parametrize(
    "other",
    [
        {"dataset": "shopify_refunds"},
        {"tenant_id": "globex"},
        {"anomaly_type": AnomalyType.FRESHNESS},
    ],
    ids=str,
)
async def test_another_fingerprint_is_another_incident(world: World, other: dict[str, Any]) -> None:
    """A different tenant, dataset or type never joins."""
    await world.join(inbox_id="in-1")
    assert (await world.join(inbox_id="in-2", **other)).opened


async def test_after_it_is_resolved_a_new_one_opens(world: World) -> None:
    """A resolved incident stays as it is; the next anomaly opens another."""
    first = (await world.join(inbox_id="in-1")).incident
    await world.store.incidents.resolve(first.incident_id, by="U1", now=NOW)
    second = await world.join(inbox_id="in-2")
    assert second.opened
    assert second.incident.incident_id != first.incident_id


async def test_a_repeated_job_changes_nothing(world: World) -> None:
    """The same anomaly of the same delivery gets the same answer, even after others have joined."""
    first = await world.join(inbox_id="in-1")
    joined = await world.join(inbox_id="in-2")
    assert await world.join(inbox_id="in-1") == replace(first, incident=joined.incident)
    assert await world.join(inbox_id="in-2") == joined
    assert await world.happened(first.incident) == ["opened", "alert joined"]


async def test_two_anomalies_of_one_delivery_both_count(world: World) -> None:
    """The position tells them apart."""
    await world.join(position=0)
    assert (await world.join(position=1)).incident.alert_count == 2


async def test_a_question_is_not_an_alert(world: World) -> None:
    """Somebody asks: the incident opens with no alert counted; the alert that follows joins it."""
    asked = await world.join(inbox_id="in-1", is_alert=False)
    assert asked.opened
    assert asked.incident.alert_count == 0
    assert (await world.join(inbox_id="in-2")).incident.alert_count == 1


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (None, Severity.INFO, Severity.INFO),
        (Severity.ERROR, None, Severity.ERROR),
        (Severity.WARNING, Severity.CRITICAL, Severity.CRITICAL),
        (Severity.CRITICAL, Severity.WARNING, Severity.CRITICAL),
        (None, None, None),
    ],
)
async def test_the_worst_severity_stays(
    world: World, first: Severity | None, second: Severity | None, kept: Severity | None
) -> None:
    """An incident is as bad as the worst of its alerts."""
    await world.join(inbox_id="in-1", severity=first)
    assert (await world.join(inbox_id="in-2", severity=second)).incident.severity is kept


async def test_the_first_place_is_the_place(world: World) -> None:
    """An incident from a webhook takes the first place in Slack that it is heard of, and keeps it."""
    assert (await world.join(inbox_id="in-1")).incident.place is None
    first, second = Place(channel_id="C1", thread_ts="1.0"), Place(channel_id="C2")
    assert (await world.join(inbox_id="in-2", place=first)).incident.place == first
    assert (await world.join(inbox_id="in-3", place=second)).incident.place == first


@pytest.mark.parametrize(
    ("acknowledged", "state"),
    [(False, IncidentState.OPEN), (True, IncidentState.ACKNOWLEDGED)],
)
async def test_what_fails_again_is_open_again(
    world: World, *, acknowledged: bool, state: IncidentState
) -> None:
    """An alert while the check seemed well: the incident stands as before, and its deadline counts on."""
    incident = await world.open()
    await world.record(incident, deadlines=(deadline(incident, MINUTE),))
    if acknowledged:
        await world.store.incidents.acknowledge(incident.incident_id, by="U1", now=NOW)
    await world.store.incidents.monitor(incident.incident_id, by="rca-bot", now=NOW)
    world.now += 5 * MINUTE
    await world.wake()
    again = await world.join(inbox_id="in-9")
    assert (again.incident.incident_id, again.incident.state) == (incident.incident_id, state)
    due = (JobKind.DEADLINE, deadline(incident).deadline_id)
    assert (due in await world.wake()) is not acknowledged
    assert await world.store.incidents.well_since(world.now, 10) == ()


async def test_a_question_does_not_end_monitoring(world: World) -> None:
    """Asking says nothing about being well or not."""
    incident = await world.open()
    await world.store.incidents.monitor(incident.incident_id, by="rca-bot", now=NOW)
    asked = await world.join(inbox_id="in-9", is_alert=False)
    assert asked.incident.state is IncidentState.MONITORING


async def test_replicas_that_race_open_one_incident(database_url: str) -> None:
    """Ten anomalies of one fingerprint over four connections of their own: one opens, nine join."""
    engines = [create_engine(database_url) for _ in range(4)]
    stores = [Store(engine, submit_only(engine, lambda: NOW)) for engine in engines]
    joined = await asyncio.gather(
        *(
            stores[n % 4].incidents.open_or_join(
                anomaly(),
                inbox_id=f"in-{n}",
                position=0,
                place=None,
                title=None,
                alert_url=None,
                now=NOW,
            )
            for n in range(10)
        )
    )
    incident = await stores[0].incidents.get(joined[0].incident.incident_id)
    await asyncio.gather(*(engine.dispose() for engine in engines))
    assert sum(one.opened for one in joined) == 1
    assert {one.incident.incident_id for one in joined} == {joined[0].incident.incident_id}
    assert incident is not None
    assert incident.alert_count == 10


async def test_replicas_with_the_same_job_count_it_once(database_url: str) -> None:
    """One delivery at work in four places at once: one alert."""
    engines = [create_engine(database_url) for _ in range(4)]
    stores = [Store(engine, submit_only(engine, lambda: NOW)) for engine in engines]
    joined = await asyncio.gather(
        *(
            store.incidents.open_or_join(
                anomaly(),
                inbox_id="in-1",
                position=0,
                place=None,
                title=None,
                alert_url=None,
                now=NOW,
            )
            for store in stores
        )
    )
    incident = await stores[0].incidents.get(joined[0].incident.incident_id)
    await asyncio.gather(*(engine.dispose() for engine in engines))
    assert incident is not None
    assert incident.alert_count == 1
    assert {one.incident.incident_id for one in joined} == {incident.incident_id}


NAMES = st.text(max_size=5)


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_fingerprints_tell_names_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Two pairs of tenant and dataset have one fingerprint only when they are the same, whatever is in them."""
    prints = [fingerprint(*names, AnomalyType.OTHER) for names in (one, other)]
    assert (prints[0] == prints[1]) == (one == other)
    assert all(len(each) == 64 for each in prints)
