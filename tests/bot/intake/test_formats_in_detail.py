"""Facts about single formats that their samples do not show: the nearest thing that must not be read as theirs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from bot.intake.document import NativeDocument
from bot.intake.format import IntakeError
from bot.intake.registry import (
    formats,
    link_back_of,
    read_webhook,
    recognise_slack,
    webhook_formats,
)
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def only(message: dict[str, Any]) -> Alert:
    recognised = recognise_slack(message)
    assert recognised is not None
    (alert,) = recognised.alerts
    return alert


def elementary(title: str, subtitle: str, *details: str) -> dict[str, Any]:
    attachment = {"color": "#ff0000", "blocks": [section(text) for text in details]}
    return {"blocks": [header(title), section(subtitle)], "attachments": [attachment]}


@pytest.mark.parametrize(
    "message",
    [
        {"blocks": [header("Failure: something"), section("*Owner:* me")]},
        {"blocks": [section("*Test:* x | *Status:* fail")]},
        {"blocks": [header("40 issues detected"), section("in the tracker")]},
        {"blocks": [header("deploy - api - Failure"), section("Runtime: 3 min")]},
        {"text": "[FIRING:1] HighLatency api_gateway"},
        {"text": "FIRING shopify_orders"},
        {"text": "The sync failure occurred: orders"},
        {"text": 'say {"rca": "alert/1"} to me'},
        {"text": "Airbyte is great"},
        {"text": "hello"},
        {},
    ],
)
def test_near_neighbours_of_alerts_are_nobodys(message: dict[str, Any]):
    """What only resembles an alert is left alone."""
    assert recognise_slack(message) is None


@pytest.mark.parametrize(
    ("prefix", "status", "severity"),
    [
        ("Failure", "fail", Severity.ERROR),
        ("Warning", "warn", Severity.WARNING),
        ("Error", "error", Severity.ERROR),
        ("Runtime Error", "runtime error", Severity.ERROR),
        ("Warning", "Unknown", Severity.WARNING),
        ("Odd", "odd", Severity.ERROR),
    ],
)
def test_elementary_severity_is_the_status_or_the_titles(
    prefix: str, status: str, severity: Severity
):
    """The status word decides, then the title; an unknown word counts as an error."""
    message = elementary(
        f'{prefix}: "t" test failed on orders', f"*Test:* t | *Status:* {status}", "*Table*\norders"
    )
    assert only(message).severity is severity


@pytest.mark.parametrize(
    ("title", "test", "result", "kind"),
    [
        ('"x" test failed on o', "freshness_anomalies - Freshness", "", AnomalyType.FRESHNESS),
        ('"x" test failed on o', "volume_anomalies - Row Count", "", AnomalyType.VOLUME),
        ("Type Changed on o", "schema_changes", "", AnomalyType.SCHEMA),
        ("Column Added on o", "schema_changes", "", AnomalyType.SCHEMA),
        ('"x" test failed on o', "dimension_anomalies", "", AnomalyType.DISTRIBUTION),
        (
            '"x" test failed on o',
            "custom",
            "The last row_count value is 4.000. The average for this metric is 28.700.",
            AnomalyType.VOLUME,
        ),
        ('"x" test failed on o', "custom", "Got 3 results, volume", AnomalyType.QUALITY_CHECK),
        ('"x" test failed on o', "not_null", "", AnomalyType.QUALITY_CHECK),
    ],
)
def test_elementary_kinds(title: str, test: str, result: str, kind: AnomalyType):
    """The test's name decides, then Elementary's own sentences; a dbt test's words about itself do not."""
    said = ("*Result Message*", f"```{result}```") if result else ()
    message = elementary(
        f"Failure: {title}", f"*Test:* {test} | *Status:* fail", "*Table*\no", *said
    )
    assert only(message).anomaly_type is kind


def test_elementary_reads_a_changed_type():
    """The column of a schema change is found in its sentence."""
    message = elementary(
        "Type Changed on orders",
        "*Test:* schema_changes | *Status:* fail | *Time:* 2026-11-22 19:34:40 UTC",
        "*Result Message*",
        '```The type of "total_price" was changed from double to varchar```',
    )
    alert = only(message)
    assert (alert.column, alert.anomaly_type) == ("total_price", AnomalyType.SCHEMA)


def test_elementary_takes_the_number_from_the_anomalous_value_when_no_sentence_has_it():
    """The value beside the result counts when the result's sentence has no numbers."""
    message = elementary(
        'Failure: "t" test failed on orders',
        "*Test:* t | *Status:* fail",
        "*Result Message*",
        "```Test error message```",
        "🔎 *Test Results Sample*",
        "*Anomalous Value:* {'anomalous_value': 42}",
    )
    assert (only(message).observed, only(message).expected) == (42.0, None)


def test_the_documented_native_alert_is_one():
    """The example in docs/alerts.md reads, and shows every field there is."""
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert set(example) == set(NativeDocument.model_fields)
    (alert,) = read_webhook("native", example)
    assert alert.dataset_hints[1:] == (
        "raw.shopify.orders",
        "source.shop.shopify.orders",
        "9f0c2b1e-7d0e-4a59-8a3c-1f2d3e4a5b6c",
    )


def test_every_format_is_documented():
    """docs/alerts.md has a line for each format, and says rightly whether it takes webhooks."""
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    for each in formats():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `{each.name}` |"))
        assert (row.split("|")[3].strip() != "no") == (each.name in webhook_formats())


@pytest.mark.parametrize("when", ["N/A", "2026-11-22 19:34:40", "2026-11-22 19:34:40 CET"])
def test_a_time_we_cannot_place_is_not_guessed(when: str):
    """Without a zone that everybody reads alike, the message's own time holds."""
    message = elementary(
        'Failure: "t" test failed on orders', f"*Test:* t | *Status:* fail | *Time:* {when}"
    )
    assert only(message).detected_at is None


@pytest.mark.parametrize(
    ("labels", "hints"),
    [
        ({"dataset": "o"}, ("o",)),
        ({"table": "o", "schema": "s"}, ("s.o", "o")),
        ({"table": "o", "schema": "s", "database": "d"}, ("d.s.o", "o")),
        ({"table_name": "o", "schema": "s", "catalog": "c"}, ("c.s.o", "o")),
        ({"table": "d.s.o", "schema": "x"}, ("d.s.o",)),
        ({"dbt_model": "m", "dataset": "o"}, ("o", "m")),
        ({"connection_id": "9f0c"}, ("9f0c",)),
    ],
)
def test_alertmanager_labels_name_the_dataset(labels: dict[str, str], hints: tuple[str, ...]):
    """The fullest name first, then the others in the order of their sureness."""
    body = {"version": "4", "alerts": [{"status": "firing", "labels": labels}]}
    assert read_webhook("alertmanager", body)[0].dataset_hints == hints


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ({"anomaly_type": "schema_anomaly", "alertname": "RowCount"}, AnomalyType.SCHEMA),
        ({"anomaly_type": "volume", "alertname": "X"}, AnomalyType.VOLUME),
        ({"anomaly_type": "odd", "alertname": "OrdersFreshness"}, AnomalyType.FRESHNESS),
        ({"alertname": "Odd"}, AnomalyType.QUALITY_CHECK),
    ],
)
def test_alertmanager_kinds(labels: dict[str, str], kind: AnomalyType):
    """An explicit label decides, then the alert's name."""
    body = {"version": "4", "alerts": [{"status": "firing", "labels": {"dataset": "o", **labels}}]}
    assert read_webhook("alertmanager", body)[0].anomaly_type is kind


@pytest.mark.parametrize(
    ("title", "hints"),
    [
        ("[FIRING:1] RowCountDropped shopify_orders (critical)", ("shopify_orders",)),
        ("[FIRING:1] DataQuality (raw.shopify.orders warning)", ("raw.shopify.orders",)),
        ("[RESOLVED] TableFreshness crm_customers ", ("crm_customers",)),
        ("[FIRING:1] RowCountDropped orders (critical)", None),  # no word looks like a table
        ("[FIRING:1] HighCpu node_exporter (critical)", None),  # not about data
        ("[FIRING:1] RowCountDropped db-1:9100", None),
        ("[FIRING:1] ", None),
    ],
)
def test_alertmanagers_default_title(title: str, hints: tuple[str, ...] | None):
    """A table-like word counts when the alert's name speaks of data, and nothing else does."""
    recognised = recognise_slack({"attachments": [{"title": title, "color": "danger"}]})
    assert (recognised.alerts[0].dataset_hints if recognised else None) == hints


@pytest.mark.parametrize(
    ("first", "status", "severity"),
    [
        ("Sync failure occurred: <https://a/connections/c1|X>", AlertStatus.FIRING, Severity.ERROR),
        (
            "[prod] Sync completed: <https://a/connections/c1|X>",
            AlertStatus.RESOLVED,
            Severity.INFO,
        ),
        ("Connection disabled: <https://a/connections/c1|X>", AlertStatus.FIRING, Severity.ERROR),
        (
            "Warning - repeated connection failures: <https://a/connections/c1|X>",
            AlertStatus.FIRING,
            Severity.WARNING,
        ),
    ],
)
def test_airbyte_triggers(first: str, status: AlertStatus, severity: Severity):
    """Each trigger tells its state; all but schema changes are about freshness."""
    alert = only({"blocks": [section(first)]})
    assert (alert.status, alert.severity) == (status, severity)
    assert alert.dataset_hints == ("X", "c1")
    assert alert.anomaly_type is AnomalyType.FRESHNESS


def test_a_schema_change_that_breaks_nothing_is_a_warning():
    """Without the sentence about disabled connections it is a warning; one field is the alert's column."""
    change = " • Fields (+1/~0/-0)\n   • orders\n     \uff0b note\n"
    message = {
        "blocks": [
            section("The schema of '<https://a/connections/c1|X>' has changed."),
            section(change),
        ]
    }
    alert = only(message)
    assert (alert.severity, alert.column) == (Severity.WARNING, "note")
    assert alert.dataset_hints == ("X/orders", "c1/orders")


def test_a_schema_change_without_details_is_the_connections():
    """When no stream is named the whole connection is meant."""
    alert = only(
        {"blocks": [section("Airbyte detected schema changes for '<https://a/connections/c1|X>'.")]}
    )
    assert alert.dataset_hints == ("X", "c1")
    assert alert.message is None


def validation(**result: Any) -> dict[str, Any]:
    config = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}}
    return {
        "success": False,
        "suite_name": "s",
        "results": [{"success": False, "expectation_config": config, **result}],
        "meta": {
            "great_expectations_version": "1.24.1",
            "active_batch_definition": {"data_asset_name": "o"},
        },
    }


def test_an_expectation_that_crashed_says_so():
    """A check that could not run is no statement about the data, and its message tells."""
    raised = {"raised_exception": True, "exception_message": "no such column"}
    (alert,) = read_webhook("great_expectations", validation(exception_info=raised))
    assert alert.message == "The expectation could not be evaluated: no such column"


def test_an_expectation_that_was_met_resolves():
    """Met expectations say that their kind is well again."""
    (alert,) = read_webhook("great_expectations", validation(success=True))
    assert (alert.status, alert.severity) == (AlertStatus.RESOLVED, Severity.INFO)


@pytest.mark.parametrize(
    "message",
    [
        elementary('"t" test failed on o', "*Test:* t | *Status:* fail", "*Result Message*", text)
        for text in (
            "last a value is 1. " * 5_000,
            "dimension value for dimension a: " * 3_000,
            'column "' * 10_000,
            "(1, avg " * 10_000,
        )
    ]
    + [
        {"attachments": [{"title": "[FIRING:1] " + "a_" * 40_000, "text": "a=" * 40_000}]},
        {"blocks": [header("a - " * 30_000), section("*Expectation Suite*: x")]},
        {"text": "Airbyte detected schema changes for '" + "'" * 50_000},
        {"text": '{"rca": "alert/1", ' + "[" * 40_000},
    ],
)
def test_hostile_messages_are_read_quickly(message: dict[str, Any]):
    """No text of Slack's size makes a pattern run away."""
    started = time.perf_counter()
    recognise_slack(message)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://cloud.soda.io/integrations/webhook/1/incident-link/2/x", True),
        ("https://cloud.us.soda.io:443/x", True),
        ("https://SODA.io/x", True),
        ("http://cloud.soda.io/x", False),
        ("https://soda.io.evil.example/x", False),
        ("https://evilsoda.io/x", False),
        ("https://cloud.soda.io@evil.example/x", False),
        ("https://user:pass@cloud.soda.io/x", False),
        ("https://evil.example\\@cloud.soda.io/x", False),
        ("https://cloud.soda.io:8443/x", False),
        ("https://cloud.soda.io:x/", False),
        ("https://[cloud.soda.io/x", False),
        ("https://169.254.169.254/latest", False),
        ("https://cloud.soda.io/\n", False),
        ("https://cloud.sod\u0430.io/x", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_a_link_goes_to_soda_itself_by_https(address: object, *, taken: bool, inside: bool):
    """Nobody can make us post anywhere else, wherever in the body the address stands."""
    told = {"incidentLinkCallbackUrl": address}
    body = {"event": "incidentCreated", **({"incident": told} if inside else told)}
    assert link_back_of("soda", body) == (address if taken else None)


@pytest.mark.parametrize(
    ("evaluation", "outcome", "expected"),
    [
        (None, "pass", (AlertStatus.RESOLVED, Severity.INFO)),
        (None, "warn", (AlertStatus.FIRING, Severity.WARNING)),
        (None, "fail", (AlertStatus.FIRING, Severity.ERROR)),
        ("pass", None, (AlertStatus.RESOLVED, Severity.INFO)),
        ("fail", None, (AlertStatus.FIRING, Severity.ERROR)),
        ("fail", "warn", (AlertStatus.FIRING, Severity.WARNING)),
        ("pass", "warn", (AlertStatus.RESOLVED, Severity.INFO)),
        ("notEvaluated", "pass", None),
        ("excluded", None, None),
        (None, "NOT_EVALUATED", None),
    ],
)
def test_soda_tells_an_outcome_in_two_versions(
    evaluation: str | None, outcome: str | None, expected: tuple[AlertStatus, Severity] | None
):
    """The newer word decides, warn stays a warning, and what was not evaluated is not a pass."""
    check = {"datasets": [{"name": "orders"}], "evaluationStatus": evaluation, "outcome": outcome}
    alerts = read_webhook("soda", {"event": "checkEvaluation", "checkResults": [check]})
    assert [(alert.status, alert.severity) for alert in alerts] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("transition", "status", "severity"),
    [
        ("Triggered", AlertStatus.FIRING, Severity.ERROR),
        ("Re-Triggered", AlertStatus.FIRING, Severity.ERROR),
        ("Warn", AlertStatus.FIRING, Severity.WARNING),
        ("No Data", AlertStatus.FIRING, Severity.WARNING),
        ("Re-No Data", AlertStatus.FIRING, Severity.WARNING),
        ("Renotify", AlertStatus.FIRING, Severity.ERROR),
        ("Recovered", AlertStatus.RESOLVED, Severity.INFO),
    ],
)
def test_each_transition_of_a_datadog_monitor(
    transition: str, status: AlertStatus, severity: Severity
):
    """A transition says broken or well again; a variable that Datadog left unfilled says nothing."""
    body = {
        "source": "datadog",
        "alert_transition": transition,
        "alert_priority": "$ALERT_PRIORITY",
        "tags": "table:orders",
        "link": "",
    }
    (alert,) = read_webhook("datadog", body)
    assert (alert.status, alert.severity, alert.url) == (status, severity, None)
    assert alert.dataset_hints == ("orders",)


@pytest.mark.parametrize(
    ("tags", "hints"),
    [
        ("dataset:shopify_orders,env:prod", ("shopify_orders",)),
        ("env:prod, table:_airbyte_raw_orders_", ("_airbyte_raw_orders_",)),
        ("`table:raw.shopify.orders`", ("raw.shopify.orders",)),
        ("table:orders.", ("orders",)),
        ("table:b relation:a.b dataset:c", ("c", "a.b", "b")),
    ],
)
def test_tags_name_the_dataset(tags: str, hints: tuple[str, ...]):
    """The surest tag first; marks around it go, what belongs to the name stays."""
    body = {"source": "datadog", "alert_transition": "Warn", "tags": tags}
    (alert,) = read_webhook("datadog", body)
    assert alert.dataset_hints == hints


@pytest.mark.parametrize(
    "tags", ["env:prod", "mytable:orders", "x.table:orders", "table:", "table orders"]
)
def test_what_is_no_dataset_tag_names_nothing(tags: str):
    """The nearest things to a tag are refused by field."""
    with pytest.raises(IntakeError, match="tags: none names a dataset"):
        read_webhook("datadog", {"source": "datadog", "alert_transition": "Warn", "tags": tags})


def test_the_datadog_template_we_ship_is_the_one_we_read():
    """Every variable of deploy/datadog-webhook.json unfilled is refused by field; its keys are those that are read."""
    root = Path(__file__).parents[3]
    template = json.loads((root / "deploy" / "datadog-webhook.json").read_text("utf-8"))
    with pytest.raises(IntakeError, match="alert_transition: not one of"):
        read_webhook("datadog", template)
    filled = {**template, "alert_transition": "Triggered", "tags": "dataset:orders"}
    (alert,) = read_webhook("datadog", filled)
    assert alert.dataset_hints == ("orders",)
    assert (alert.message, alert.url, alert.detected_at) == (None, None, None)


@pytest.mark.parametrize(
    "message",
    [
        {"text": "Triggered: Rows of orders are low\ntable:orders"},
        {"text": "Triggered: CPU high\n<https://app.datadoghq.com/monitors/1|monitor> host:web-1"},
        {"text": "Fine\n<https://app.datadoghq.com/monitors/1|monitor> table:orders"},
        {"text": "Triggered: Rows\n<https://evil.example/datadoghq.com/monitors/1|m> table:orders"},
    ],
)
def test_only_datadogs_own_message_about_a_dataset_is_read(message: dict[str, Any]):
    """A link to its monitor, a transition and a dataset tag: without one of them it is nobody's."""
    assert recognise_slack(message) is None


@pytest.mark.parametrize(
    ("event_type", "code", "status"),
    [
        ("job.run.completed", 20, AlertStatus.FIRING),
        ("job.run.completed", 10, AlertStatus.RESOLVED),
        ("job.run.completed", 30, None),
        ("job.run.errored", 20, None),
        ("job.run.started", 3, None),
    ],
)
def test_a_failed_dbt_cloud_run_is_told_once(
    event_type: str, code: int, status: AlertStatus | None
):
    """Only the completed event counts, and a cancelled run is no alert."""
    run = {"jobId": 1, "jobName": "nightly", "runId": 2, "runStatusCode": code}
    alerts = read_webhook("dbt_cloud", {"eventType": event_type, "data": run})
    assert [alert.status for alert in alerts] == ([status] if status else [])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Failed", (AlertStatus.FIRING, Severity.ERROR)),
        ("Aborted", (AlertStatus.FIRING, Severity.WARNING)),
        ("Success", (AlertStatus.RESOLVED, Severity.INFO)),
        ("Queued", None),
    ],
)
def test_each_status_of_an_openmetadata_test(
    status: str, expected: tuple[AlertStatus, Severity] | None
):
    """An aborted test could not look: a warning. A queued one has said nothing yet."""
    body = openmetadata({"testCaseStatus": status})
    alerts = read_webhook("openmetadata", body)
    assert [(alert.status, alert.severity) for alert in alerts] == ([expected] if expected else [])


def openmetadata(result: dict[str, Any], **entity: Any) -> dict[str, Any]:
    link = '<#E::table::svc."Db.x".Public.Orders>'
    return {
        "eventType": "entityUpdated",
        "entityType": "testCase",
        "entity": {"name": "t", "entityLink": link, **entity},
        "changeDescription": {"fieldsUpdated": [{"name": "testCaseResult", "newValue": result}]},
    }


def test_an_openmetadata_service_is_no_part_of_the_relation():
    """The service's name goes; a dot inside quotes stays with its part."""
    (alert,) = read_webhook("openmetadata", openmetadata({"testCaseStatus": "Failed"}))
    assert alert.dataset_hints[0] == '"Db.x".Public.Orders'


@pytest.mark.parametrize(
    "body",
    [
        {"eventType": "entityUpdated", "entityType": "table"},
        {"eventType": "entityCreated", "entityType": "testCase", "changeDescription": None},
        {"eventType": "entityUpdated", "entityType": "testCase", "changeDescription": {}},
    ],
)
def test_other_changes_in_openmetadata_say_nothing(body: dict[str, Any]):
    """They are understood; there is only nothing to act on."""
    assert read_webhook("openmetadata", body) == ()


@pytest.mark.parametrize(
    ("feedback", "status"),
    [
        (None, AlertStatus.FIRING),
        ("investigating", AlertStatus.FIRING),
        ("work_in_progress", AlertStatus.FIRING),
        ("no_status", AlertStatus.FIRING),
        ("fixed", AlertStatus.RESOLVED),
        ("expected", AlertStatus.RESOLVED),
        ("no_action_needed", AlertStatus.RESOLVED),
        ("false_positive", AlertStatus.RESOLVED),
    ],
)
def test_each_state_of_a_monte_carlo_alert(feedback: str | None, status: AlertStatus):
    """Only states in which nobody has to act any more are well again."""
    payload = {"alert_feedback": feedback, "event_list": [{"table_name": "p:d.orders"}, {}]}
    (alert,) = read_webhook("monte_carlo", {"account": {"id": "a"}, "payload": payload})
    assert (alert.status, alert.dataset_hints) == (status, ("p.d.orders",))


@pytest.mark.parametrize(
    ("data", "event_type", "status"),
    [
        ({"dataset": "o", "status": "failed"}, "x.check", AlertStatus.FIRING),
        ({"dataset": "o", "status": "PASSED"}, "x.check.failed", AlertStatus.RESOLVED),
        ({"dataset": "o"}, "x.check.failed", AlertStatus.FIRING),
        ({"table": "o"}, "x.check.recovered", AlertStatus.RESOLVED),
    ],
)
def test_a_cloud_event_says_its_status_in_data_or_in_its_type(
    data: dict[str, Any], event_type: str, status: AlertStatus
):
    """What data says goes before the last word of the type."""
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": event_type, "data": data}
    (alert,) = read_webhook("cloudevents", event)
    assert (alert.status, alert.dataset_hints) == (status, ("o",))
