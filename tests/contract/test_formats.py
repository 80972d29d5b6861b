"""What every alert format must hold, for all that the registry finds."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.catalog import Catalog
from bot.intake.format import Format, IntakeError, SlackMessage
from bot.intake.registry import (
    UnknownFormatError,
    formats,
    is_from_a_bot,
    read_webhook,
    recognise_slack,
    webhook_formats,
)
from bot.intake.slack_text import read_slack
from bot.records import Alert
from rca.case import Dataset
from rca.expected import CANNOT_BE_USED

INTAKE = Path(__file__).parents[1] / "bot" / "intake"
SAMPLES = INTAKE / "samples"
GOLDEN: dict[str, list[dict[str, Any]]] = json.loads((INTAKE / "golden.json").read_text("utf-8"))

NAMES_A_PLACE = re.compile(r"^[\w.\[\]]+: \S")
TO_PROGRAMMERS = ("Input should", "Field required", "a valid", CANNOT_BE_USED)
SAID_TWICE = {"airbyte/webhook_schema_change.json"}  # text and blocks; either is enough

FORMATS = formats()
BY_NAME = {each.name: each for each in FORMATS}
WEBHOOKS = [each for each in FORMATS if each.from_webhook]
SLACKS = [each for each in FORMATS if each.from_slack]


def files(*kinds: str) -> list[str]:
    found = (path for kind in kinds for path in SAMPLES.glob(f"*/{kind}_*.json"))
    return sorted(str(path.relative_to(SAMPLES)) for path in found)


def body(sample: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / sample).read_text("utf-8"))
    return found


def shown(alerts: tuple[Alert, ...]) -> list[dict[str, Any]]:
    """Alerts as JSON, without what they do not say."""
    pairs = ([(f.name, getattr(alert, f.name)) for f in fields(alert)] for alert in alerts)
    kept = ({k: v for k, v in pair if v is not None and v != ""} for pair in pairs)
    result: list[dict[str, Any]] = json.loads(json.dumps(list(kept), default=datetime.isoformat))
    return result


def slack(message: Mapping[str, object]) -> SlackMessage:
    return SlackMessage(raw=message, text=read_slack(message))


def claims(message: Mapping[str, object]) -> list[str]:
    seen = slack(message)
    return [each.name for each in SLACKS if each.from_slack and each.from_slack(seen) is not None]


def test_each_format_has_samples_of_each_way():
    """A format that reads Slack or webhooks shows it with a sample, and says what it is about."""
    names = files("slack", "webhook")
    for each in FORMATS:
        assert each.about
        for way, reads in (("slack", each.from_slack), ("webhook", each.from_webhook)):
            assert bool(reads) == any(name.startswith(f"{each.name}/{way}_") for name in names)


def test_the_goldens_are_of_the_samples():
    """Every sample that says something has its golden, and no golden is left over."""
    assert sorted(GOLDEN) == files("slack", "webhook")


@pytest.mark.parametrize("sample", files("slack"))
def test_a_slack_sample_says_what_its_golden_says(sample: str):
    """The message is recognised as its format's and reads as expected."""
    recognised = recognise_slack(body(sample))
    assert recognised is not None
    assert recognised.format == Path(sample).parent.name
    assert shown(recognised.alerts) == GOLDEN[sample]


@pytest.mark.parametrize("sample", files("webhook"))
def test_a_webhook_sample_says_what_its_golden_says(sample: str):
    """The body reads as expected."""
    assert shown(read_webhook(Path(sample).parent.name, body(sample))) == GOLDEN[sample]


@pytest.mark.parametrize("sample", files("slack", "ignored", "webhook", "refused"))
def test_no_two_formats_claim_one_sample(sample: str):
    """As a Slack message, each sample belongs to at most one format, and a Slack sample to its own."""
    claimed = claims(body(sample))
    assert len(claimed) <= 1
    if Path(sample).name.startswith("slack_"):
        assert claimed == [Path(sample).parent.name]


@pytest.mark.parametrize("sample", files("ignored"))
def test_a_message_that_says_nothing_to_act_on_gives_no_alert(sample: str):
    """Near neighbours of alerts are left alone."""
    recognised = recognise_slack(body(sample))
    assert recognised is None or recognised.alerts == ()


@pytest.mark.parametrize("sample", files("refused"))
def test_a_refused_body_names_a_field(sample: str):
    """A body that is not of the format is refused with the field that shows it."""
    with pytest.raises(IntakeError, match=NAMES_A_PLACE):
        read_webhook(Path(sample).parent.name, body(sample))


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key and item in a JSON document."""
    items = value.items() if isinstance(value, dict) else []
    items = list(enumerate(value)) if isinstance(value, list) else list(items)
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


def without(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    cut = copy.deepcopy(document)
    holder: Any = cut
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return cut


def with_wrong(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    cut = copy.deepcopy(document)
    holder: Any = cut
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = {"wrong": [None]}
    return cut


@pytest.mark.parametrize("sample", files("webhook"))
def test_a_webhook_cut_at_any_field_reads_or_names_a_field(sample: str):
    """Without a field, or with nonsense in it, a body still reads, or the refusal says plainly what is wrong where."""
    name, whole = Path(sample).parent.name, body(sample)
    said = []
    for path in places(whole):
        for broken in (without(whole, path), with_wrong(whole, path)):
            try:
                read_webhook(name, broken)
            except IntakeError as error:
                said.append(str(error))
    assert [line for line in said if not NAMES_A_PLACE.match(line)] == []
    assert [line for line in said if any(word in line for word in TO_PROGRAMMERS)] == []
    assert said or sample in SAID_TWICE


NEEDED = {
    "native/webhook_one.json": {"rca", "dataset", "anomaly_type"},
    "native/webhook_several.json": {"rca", "alerts[0].dataset", "alerts[0].anomaly_type"},
    "great_expectations/webhook_validation_result.json": {
        "success",
        "suite_name",
        "results",
        "meta",
        "results[0].success",
        "results[0].expectation_config",
        "results[0].expectation_config.type",
        "meta.great_expectations_version",
        "meta.active_batch_definition",
        "meta.active_batch_definition.data_asset_name",
    },
    "alertmanager/webhook_group.json": {
        "version",
        "alerts",
        "alerts[0].status",
        "alerts[0].labels",
    },
    "airbyte/webhook_sync_failure.json": {
        "data.connection",
        "data.connection.id",
        "data.success",
    },
    "dbt_cloud/webhook_completed_errored.json": {
        "eventType",
        "data",
        "data.jobId",
        "data.jobName",
        "data.runId",
        "data.runStatusCode",
    },
    "datadog/webhook_triggered.json": {"source", "alert_transition"},
    "openmetadata/webhook_test_failed.json": {
        "eventType",
        "entityType",
        "changeDescription.fieldsUpdated[0].name",
        "changeDescription.fieldsUpdated[0].newValue",
        "changeDescription.fieldsUpdated[0].newValue.testCaseStatus",
        "entity",
        "entity.name",
    },
    "monte_carlo/webhook_rule_breached.json": {
        "account",
        "account.id",
        "payload",
        "payload.event_list",
        "payload.event_list[0].table_name",
    },
    "soda/webhook_checks_v3.json": {
        "event",
        "checkResults",
        "checkResults[0].datasets",
        "checkResults[0].datasets[0].name",
        "checkResults[0].datasets[0].datasource.name",
        "checkResults[0].outcome",
    },
    "soda/webhook_incident_v3.json": {
        "event",
        "incident",
        "incident.id",
        "incident.status",
        "incident.checkResults",
        "incident.checkResults[0].datasets",
        "incident.checkResults[0].datasets[0].name",
        "incident.checkResults[0].datasets[0].datasource.name",
    },
    "cloudevents/webhook_check_failed.json": {"specversion", "id", "source", "type", "data"},
}


@pytest.mark.parametrize("sample", sorted(NEEDED))
def test_a_webhook_without_a_needed_field_is_refused_by_that_name(sample: str):
    """Exactly the needed fields are missed, each under its own path."""
    whole = body(sample)
    missed = set()
    for path in places(whole):
        if any(isinstance(key, int) and key > 0 for key in path):
            continue
        try:
            read_webhook(Path(sample).parent.name, without(whole, path))
        except IntakeError as error:
            place = str(error).partition(":")[0]
            written = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in path).lstrip(".")
            if place == written:
                missed.add(place)
    assert missed == NEEDED[sample]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
KEYS = """type text blocks attachments fields elements rows title value url data alerts labels status version
results meta connection success header section rich_text table metadata event_type event_payload color rca_alert
4 firing"""
words = st.sampled_from(
    [*KEYS.split(), "*Test:* a | *Status:* fail", "*Table*", "```", "Sync queued: <x|y>"]
)
documents = st.dictionaries(
    words | st.text(max_size=8),
    st.recursive(
        scalars | words,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
        max_leaves=25,
    ),
    max_size=6,
)


@pytest.mark.parametrize("each", WEBHOOKS, ids=lambda each: each.name)
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(document=documents)
def test_any_json_is_read_or_refused(each: Format, document: dict[str, Any]):
    """A webhook body of any shape gives alerts or an IntakeError, never another exception."""
    try:
        alerts = read_webhook(each.name, document)
    except IntakeError:
        return
    assert all(alert.dataset_hints for alert in alerts)


@settings(deadline=None, max_examples=200)
@given(document=documents)
def test_no_message_makes_a_format_raise(document: dict[str, Any]):
    """Any JSON as a Slack message is recognised by somebody or by nobody."""
    assert set(claims(document)) <= set(BY_NAME)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A sample with a few places lost or overwritten."""
    document = body(draw(st.sampled_from(files("slack", "webhook"))))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(document))))
        document = draw(st.sampled_from([without, with_wrong]))(document, path)
        if not document:
            break
    return document


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(document=damaged())
def test_no_damaged_sample_makes_a_format_raise(document: dict[str, Any]):
    """What is nearly an alert is read or left alone; a webhook's is read or refused."""
    claims(document)
    for each in WEBHOOKS:
        try:
            alerts = read_webhook(each.name, document)
        except IntakeError:
            continue
        assert len(alerts) <= 200


@pytest.mark.parametrize("payload", [None, 3, "x", [], [{}]])
@pytest.mark.parametrize("name", [each.name for each in WEBHOOKS])
def test_a_body_that_is_no_object_is_refused(name: str, payload: object):
    """Only JSON objects are alerts."""
    with pytest.raises(IntakeError, match="document: must be a JSON object"):
        read_webhook(name, payload)


@pytest.mark.parametrize("name", ["", "nagios", "elementary", "../native", "registry"])
def test_an_unknown_format_is_refused_with_the_known_ones(name: str):
    """Who posts to a wrong name reads the right ones; a format without webhooks counts as unknown."""
    with pytest.raises(UnknownFormatError, match=f"{', '.join(webhook_formats())}\\."):
        read_webhook(name, {})
    assert name not in webhook_formats()


@pytest.mark.parametrize(
    ("event", "by_a_bot"),
    [
        ({"bot_id": "B0X"}, True),
        ({"app_id": "A0X", "user": "U0X"}, True),
        ({"subtype": "bot_message"}, True),
        ({"user": "U0ALICE", "text": "Sync failure occurred: orders"}, False),
        ({"bot_id": None, "app_id": ""}, False),
        ({}, False),
    ],
)
def test_only_apps_messages_count_as_a_bots(event: dict[str, Any], *, by_a_bot: bool):
    """A person's message has neither a bot nor an app behind it."""
    assert is_from_a_bot(event) is by_a_bot


@pytest.mark.parametrize(
    ("sample", "names"),
    [
        ("elementary/slack_volume_anomaly.json", ["shopify_orders"]),
        ("elementary/slack_source_freshness.json", ["identified"]),
        ("alertmanager/webhook_group.json", ["raw_orders", None]),
        ("airbyte/slack_sync_success.json", ["sheet"]),
        ("airbyte/slack_schema_change.json", [None, "shopify_orders"]),
        ("native/slack_metadata.json", ["shopify_orders"]),
        ("datadog/webhook_recovered.json", ["raw_orders"]),
        ("datadog/slack_triggered.json", ["shopify_orders"]),
        ("monte_carlo/webhook_rule_breached.json", ["raw_orders"]),
        ("openmetadata/webhook_test_failed.json", ["om_orders"]),
        ("soda/webhook_checks_v3.json", ["of_source", None]),
        ("dbt_cloud/webhook_completed_errored.json", ["nightly"]),
        ("cloudevents/webhook_check_failed.json", ["shopify_orders"]),
    ],
)
def test_hints_of_real_samples_resolve(sample: str, names: list[str | None]):
    """What formats hand over is what the catalog understands."""
    catalog = Catalog(
        (
            Dataset(name="shopify_orders", connector_id="aa941643", stream="orders"),
            Dataset(name="identified", relation='"TEST_DB"."TEST_SCHEMA"."TEST_IDENTIFIER"'),
            Dataset(name="raw_orders", relation="raw.shopify.orders"),
            Dataset(name="sheet", connector_id="AA941643-07EA-48A2-9035-024575491720"),
            Dataset(name="om_orders", relation="[SHOP].[Main].`ORDERS`"),
            Dataset(name="of_source", relation="x.y.z"),
            Dataset(name="nightly", relation="a.b.c"),
        ),
        {"of_source": ("Shopify/ORDERS",), "nightly": ("daily job (dbt build)",)},
    )
    recognised = recognise_slack(body(sample))
    alerts = (
        recognised.alerts if recognised else read_webhook(Path(sample).parent.name, body(sample))
    )
    found = [catalog.resolve(alert.dataset_hints) for alert in alerts]
    assert [dataset.name if dataset else None for dataset in found] == names
