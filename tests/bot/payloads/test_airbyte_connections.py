"""Airbyte's connections, their streams and what happened to them, whole or spoilt."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.payloads.airbyte_connections import (
    Connection,
    SchemaChange,
    Stream,
    connection,
    connections,
    interval_s,
)
from bot.payloads.airbyte_events import Event, events, stream_changes

SAMPLES = Path(__file__).parents[2] / "samples/airbyte"
TODAY = date(2026, 11, 22)
HOUR, DAY = 3_600.0, 86_400.0
AT = datetime(2026, 11, 21, 2, 0, 5, tzinfo=UTC)


def sample(name: str) -> Any:
    """One answer."""
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def test_an_older_connection() -> None:
    """Its schedule is bare, its streams are in the catalog, and the source's own schema is written to."""
    (entry,) = sample("config_older.json")["connection"]
    found = connection(entry, TODAY)
    assert found == Connection(
        connection_id="a10f6d82-4fc6-4c90-ba04-bb773c8fbb0f",
        name="MSSQL <> Postgres",
        status="inactive",
        interval_s=DAY,
        streams=tuple(
            Stream(name=name, relation=f"production.{name}")
            for name in ("brands", "categories", "products", "stocks")
        ),
    )
    assert found.is_off


@pytest.mark.parametrize(
    ("entry", "expected_s"),
    [
        ({"schedule": {"units": 24, "timeUnit": "hours"}}, DAY),
        ({"schedule": {"scheduleType": "basic", "basicTiming": "Every 24 HOURS"}}, DAY),
        ({"schedule": {"scheduleType": "basic", "basicTiming": "every 1 hour"}}, HOUR),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}}, HOUR),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ? UTC"}}, HOUR),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 6 * * ? Europe/Berlin"}}, DAY),
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 6 * * ? 2020/1"}}, DAY),
        ({"schedule": {"scheduleType": "cron", "cronExpression": 7}}, None),
        ({"schedule": {"scheduleType": "manual"}}, None),
        ({"schedule": {"scheduleType": "basic", "basicTiming": "now and then"}}, None),
        ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"units": 2, "timeUnit": "weeks"}}}, 14 * DAY),
        ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"units": 1, "timeUnit": "months"}}}, 31 * DAY),
        ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"units": True, "timeUnit": "hours"}}}, None),
        ({"scheduleType": "basic", "scheduleData": {"basicSchedule": {"units": 0, "timeUnit": "hours"}}}, None),
        ({"scheduleType": "manual", "scheduleData": {"basicSchedule": {"units": 1, "timeUnit": "hours"}}}, None),
        ({"scheduleType": "cron", "scheduleData": {}}, None),
        ({"scheduleType": "cron", "scheduleData": {"cron": []}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_every_way_to_write_a_schedule(entry: dict[str, Any], expected_s: float | None) -> None:
    """Both APIs, old and new; what starts nothing by itself, or cannot be read, has no interval."""
    assert interval_s(entry, TODAY) == expected_s


@pytest.mark.parametrize(
    ("said", "relation"),
    [
        ({"namespaceDefinition": "source", "prefix": "raw_"}, "shop.raw_orders"),
        ({"namespaceDefinition": "customformat", "namespaceFormat": "lake"}, "lake.orders"),
        ({"namespaceDefinition": "customformat", "namespaceFormat": "a_${SOURCE_NAMESPACE}"}, "a_shop.orders"),
        ({"namespaceDefinition": "customformat"}, None),
        ({"namespaceDefinition": "destination"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_where_a_stream_is_written_to(said: dict[str, Any], relation: str | None) -> None:
    """Only a connection that names the schema tells it; the destination's own is not known here."""
    stream = {"stream": {"name": "orders", "namespace": "shop"}, "config": {"selected": True}}
    found = connection({"connectionId": "c", "syncCatalog": {"streams": [stream]}, **said}, TODAY)
    assert found is not None
    assert found.streams == (Stream(name="orders", relation=relation),)


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ({"schemaChange": "breaking"}, SchemaChange.BREAKING),
        ({"schemaChange": "no_change", "breakingChange": True}, SchemaChange.NONE),
        ({"breakingChange": True}, SchemaChange.BREAKING),
        ({"breakingChange": False}, None),
        ({"schemaChange": "odd"}, None),
    ],
)
def test_the_state_of_the_schema(said: dict[str, Any], change: SchemaChange | None) -> None:
    """The list says it in a word, the connection itself only when it breaks."""
    found = connection({"connectionId": "c", **said}, TODAY)
    assert found is not None
    assert found.schema_change is change


@pytest.mark.parametrize("document", [None, [], {}, {"connections": {}}, {"data": 1}])
def test_no_list_of_connections(document: object) -> None:
    """What is no such list is none, and not an empty one."""
    assert connections(document, TODAY) is None


def test_one_spoilt_connection_leaves_the_others() -> None:
    """One without an id cannot be anybody's."""
    found = connections({"data": [{"connectionId": "c"}, {"name": "x"}, 7]}, TODAY)
    assert found == (Connection(connection_id="c"),)


# ── changes and events ────────────────────────────────────────────────────────────────────────────────────


def test_what_changed_in_one_stream() -> None:
    """Removed, retyped and added columns in Airbyte's order; other streams are not ours."""
    changes = stream_changes(sample("catalog_diff.json"), "Orders")
    assert changes is not None
    assert changes.lines == (
        "orders.total_price_usd: removed",
        "orders.customer_id: changed from integer to string",
        "orders.total_cash_rounding_payment_adjustment_set: added",
    )
    assert not changes.breaking


def test_the_same_changes_have_the_same_key() -> None:
    """And others another, so that each set of changes is told once."""
    document = sample("catalog_diff.json")
    orders = stream_changes(document, "orders")
    whole = stream_changes(document, None)
    assert orders is not None
    assert whole is not None
    assert orders == stream_changes(sample("catalog_diff.json"), "orders")
    assert orders.key != whole.key
    assert whole.breaking, "a removed stream breaks whoever reads it"


@pytest.mark.parametrize(
    "document", [None, {}, {"catalogDiff": None}, {"catalogDiff": {"transforms": {}}}]
)
def test_no_changes(document: object) -> None:
    """A connection without a diff has none."""
    assert stream_changes(document, None) is None


def event_of(by: str | None = None, reason: str | None = None) -> Event:
    """A connection that was switched off."""
    return Event(event_type="CONNECTION_DISABLED", at=AT, by=by, reason=reason)


@pytest.mark.parametrize(
    ("entry", "event"),
    [
        ({"createdAt": 1_795_226_405}, event_of()),
        ({"createdAt": "2026-11-21T02:00:05Z"}, event_of()),
        ({"createdAt": 1_795_226_405, "user": {"name": "Dana"}}, event_of(by="Dana")),
        (
            {"createdAt": 1_795_226_405, "user": {"email": "d@acme.example"}},
            event_of(by="d@acme.example"),
        ),
        ({"createdAt": 1_795_226_405, "summary": {"disabledReason": "X"}}, event_of(reason="X")),
        ({"createdAt": 1_795_226_405, "summary": '{"disabledReason": "X"}'}, event_of(reason="X")),
        ({"createdAt": 1_795_226_405, "summary": "{"}, event_of()),
        ({"createdAt": "soon"}, None),
    ],
)
def test_an_event(entry: dict[str, Any], event: Event | None) -> None:
    """When it happened, who did it, and why, as far as it is said."""
    found = events({"events": [{"eventType": "CONNECTION_DISABLED", **entry}]})
    assert found == ((event,) if event else ())


def test_events_come_newest_first() -> None:
    """Whatever order they are sent in; what is no list of them is none."""
    kind = {"eventType": "CONNECTION_DISABLED"}
    found = events({"events": [{**kind, "createdAt": 1_700_000_000 + n} for n in (1, 3, 2)]})
    assert found is not None
    assert [event.at.second for event in found] == [23, 22, 21]
    assert events({"events": None}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "connectionId",
                    "name",
                    "schedule",
                    "scheduleData",
                    "basicSchedule",
                    "cron",
                    "cronExpression",
                    "units",
                    "timeUnit",
                    "syncCatalog",
                    "streams",
                    "stream",
                    "config",
                    "source",
                    "transforms",
                    "streamDescriptor",
                    "updateStream",
                    "fieldTransforms",
                    "fieldName",
                    "transformType",
                    "updateFieldSchema",
                    "oldSchema",
                    "type",
                    "eventType",
                    "createdAt",
                    "summary",
                    "user",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(value=JSON)
def test_nothing_that_is_sent_raises(value: object) -> None:
    """Any document has an answer, of the kind that was asked for."""
    one = connection(value, TODAY)
    assert one is None or isinstance(one, Connection)
    assert connections({"connections": [value]}, TODAY) == ((one,) if one else ())
    assert stream_changes({"catalogDiff": {"transforms": [value]}}, "x") is None or value
    assert stream_changes({"catalogDiff": value}, None) is None or value
    assert len(events({"events": [value]}) or ()) <= 1
