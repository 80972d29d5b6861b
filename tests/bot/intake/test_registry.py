"""Facts about the registry: which formats there are, and what it does with the alerts they read."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from bot.intake.format import Format
from bot.intake.registry import collect_formats, read_webhook, recognise_slack
from bot.ports import BotError
from bot.records import AlertStatus
from rca.case import Severity


def module(name: str, **content: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(content)
    return made


def native(*alerts: dict[str, Any]) -> dict[str, Any]:
    whole = [{"dataset": "orders", "anomaly_type": "volume_anomaly", **alert} for alert in alerts]
    return {"rca": "alert/1", "alerts": whole}


def test_a_module_without_a_format_is_refused_by_its_name():
    """A format file that forgot its last line is named at the start."""
    with pytest.raises(BotError, match=r"bot\.intake\.soda does not end in FORMAT"):
        collect_formats([module("bot.intake.soda")])


def test_two_formats_of_one_name_are_refused():
    """A name is one format's."""
    twice = Format(name="soda", about="x")
    with pytest.raises(BotError, match="two formats are named soda"):
        collect_formats([module("a", FORMAT=twice), module("b", FORMAT=twice)])


def test_formats_are_ordered_by_name():
    """The order does not depend on how the files were found."""
    made = [module(n, FORMAT=Format(name=n, about="x")) for n in ("b", "a")]
    assert [each.name for each in collect_formats(made)] == ["a", "b"]


def test_alerts_of_one_dataset_and_kind_are_told_once():
    """The most severe one speaks and names the others; another kind or dataset stands alone."""
    body = native(
        {"severity": "warning", "check_id": "a"},
        {"severity": "critical", "check_id": "b", "message": "bad"},
        {"severity": "critical", "check_id": "c"},
        {"anomaly_type": "freshness_anomaly"},
        {"dataset": "customers"},
    )
    first, second, third = read_webhook("native", body)
    assert (first.severity, first.check_id) == (Severity.CRITICAL, "b")
    assert first.message == "bad\nAnd 2 more: a, c"
    assert second.anomaly_type == "freshness_anomaly"
    assert third.dataset_hints == ("customers",)


def test_one_failing_check_keeps_a_dataset_firing():
    """A passing check of the same kind does not say that all is well."""
    (alert,) = read_webhook("native", native({"status": "resolved"}, {"status": "firing"}))
    assert alert.status is AlertStatus.FIRING
    (alert,) = read_webhook("native", native({"status": "resolved"}, {"status": "resolved"}))
    assert alert.status is AlertStatus.RESOLVED


def test_what_a_sender_writes_is_bounded_and_can_be_stored():
    """Long texts are cut, control characters replaced, a link that is no web address dropped."""
    body = native({"title": "t\x00" * 5_000, "message": "m" * 9_000, "check_id": "c\x1b"})
    (alert,) = read_webhook("native", body)
    assert len(alert.title) == 300
    assert alert.message is not None
    assert len(alert.message) == 3_000
    assert alert.check_id == "c�"
    message = {
        "text": "",
        "attachments": [{"title": "[FIRING:1] RowCount a_b", "title_link": "javascript:x"}],
    }
    recognised = recognise_slack(message)
    assert recognised is not None
    assert recognised.alerts[0].url is None


def test_a_dataset_without_a_name_gives_no_alert():
    """Names of control characters or blanks are no names."""
    assert read_webhook("native", native({"dataset": "  "}, {"dataset": "x"}))[0].dataset_hints == (
        "x",
    )
    assert read_webhook("native", native({"dataset": " "})) == ()


def test_a_storm_in_one_message_is_bounded():
    """A list of thousands of failures gives at most two hundred alerts."""
    bullets = "\n".join(f'🔺 *"not_null" test failed on table_{n}* - x' for n in range(3_000))
    blocks = [
        {"type": "header", "text": {"text": "Error: 3000 issues detected"}},
        {"type": "section", "text": {"text": "🔺 *Test Failures:* 3000"}},
        {"type": "section", "text": {"text": bullets}},
    ]
    recognised = recognise_slack({"blocks": blocks})
    assert recognised is not None
    assert len(recognised.alerts) == 200
