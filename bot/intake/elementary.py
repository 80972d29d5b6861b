"""Elementary's messages in Slack: one test, model, snapshot or source, or a list of many.

A single alert has a header and below it ``*Test:* … | *Status:* … | *Time:* …``; a list has a header that
counts the issues and one bullet per alert. The table's full name is in the details, in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.intake.format import Format, SlackMessage
from bot.intake.slack_text import SlackText, code_of, plain
from bot.intake.words import kind_of, number_of, severity_of, time_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "elementary"

_PREFIX: Final = re.compile(r"^(Failure|Warning|Error|Runtime Error): ")
_LIST: Final = re.compile(r"\b\d+ issues? detected$")
_COUNTS: Final = ("model errors", "test failures", "test warnings", "test errors")
_BULLET_SEVERITY: Final = {"⚠": Severity.WARNING, "🔺": Severity.ERROR, "❌": Severity.ERROR}

_TEST: Final = re.compile(r'^"(?P<check>[^"]+)" test failed on (?P<name>\S+)$')
_BUILD: Final = re.compile(r'^dbt failed to \w+ \w+ "(?P<name>[^"]+)"$')
_SOURCE: Final = re.compile(
    r"^(?:Freshness exceeded the acceptable times on|Failed to calculate the source freshness of)"
    r'(?: source)? ["`](?P<name>[^"`]+)["`]$'
)
_SCHEMA: Final = re.compile(r"^(?P<check>[A-Z][\w ]{2,60}) on (?P<name>\S+)$")

_LAST: Final = re.compile(
    r"last (?P<name>[\w.]+) value is (?P<seen>[-\d.]+)\. .{0,200}?average for this metric is (?P<mean>[-\d.]+)",
    re.IGNORECASE,
)
_DIMENSION: Final = re.compile(
    r"dimension values? for dimension (?P<name>[^:]{1,200}): .{0,500}?\((?P<seen>[-\d.]+), avg (?P<mean>[-\d.]+)\)",
    re.IGNORECASE,
)
_ANOMALOUS: Final = re.compile(r"'anomalous_value': '?(?P<seen>-?\d[\d.]*)")
_COLUMN: Final = re.compile(r'\b(?:column|type of) "(?P<name>[^"]+)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summary:
    """One alert's summary sentence, read."""

    name: str
    kind: AnomalyType
    check: str | None = None


def from_slack(message: SlackMessage) -> tuple[Alert, ...] | None:
    """Return the alerts of a message by Elementary, or None when it is somebody else's."""
    text = message.text
    if text.header is None:
        return None
    if _LIST.search(text.header) and any(text.value(count) for count in _COUNTS):
        return tuple(_bullets(text))
    if text.value("Status") and text.value("Test", "Model", "Snapshot", "Source"):
        summary = _read(_PREFIX.sub("", text.header), text.value("Test"))
        return (_single(text, summary),) if summary or text.value("Table") else None
    return None


def _single(text: SlackText, summary: _Summary | None) -> Alert:
    said = code_of(text.value("Result Message") or "")
    check = text.value("Test") or (summary.check if summary else None)
    metric, seen, mean = _numbers(said, text)
    column = text.value("Column") or _group(_COLUMN, said)
    named = (text.value(label) for label in ("Table", "Source", "Model", "Snapshot"))
    names = (summary.name if summary else None, *named)
    return Alert(
        format=NAME,
        status=AlertStatus.FIRING,
        dataset_hints=_fullest_first(plain(name) for name in names if name),
        anomaly_type=_kind(summary, check, said),
        detected_at=time_of(text.value("Time")),
        severity=_severity(text),
        title=plain(text.header or ""),
        message=said or text.value("Description"),
        metric_name=metric,
        observed=seen,
        expected=mean,
        column=column,
        check_id=check,
        url=text.link("View in Elementary", "View Report", "View test"),
    )


def _fullest_first(names: Iterable[str]) -> tuple[str, ...]:
    """``shop.main.orders`` says more than ``orders``."""
    return tuple(sorted(names, key=lambda name: -name.count(".")))


def _kind(summary: _Summary | None, check: str | None, said: str) -> AnomalyType:
    if summary and summary.kind is not AnomalyType.QUALITY_CHECK:
        return summary.kind
    return kind_of(check) or _kind_said(said) or AnomalyType.QUALITY_CHECK


def _kind_said(said: str) -> AnomalyType | None:
    """What the result tells when the test's name does not: a dbt test's own words are about its own query."""
    if _LAST.search(said) or _DIMENSION.search(said) or _COLUMN.search(said):
        return kind_of(said)
    return None


def _severity(text: SlackText) -> Severity:
    if severity := severity_of(text.value("Status")):
        return severity
    prefix = _PREFIX.match(text.header or "")
    return (severity_of(prefix[1]) if prefix else None) or Severity.ERROR


def _numbers(said: str, text: SlackText) -> tuple[str | None, float | None, float | None]:
    """Metric, observed and expected, from the result's sentence or the anomalous value beside it."""
    found = _LAST.search(said) or _DIMENSION.search(said)
    if found:
        return (
            found["name"].strip(),
            number_of(found["seen"].rstrip(".")),
            number_of(found["mean"].rstrip(".")),
        )
    seen = _ANOMALOUS.search(text.value("Anomalous Value") or "")
    return None, number_of(seen["seen"].rstrip(".")) if seen else None, None


def _bullets(text: SlackText) -> Iterator[Alert]:
    """The alerts of a list; a bullet we cannot read is passed over, since the others still count."""
    reports = {link.url for link in text.links}
    for line in text.lines:
        icon, _, rest = line.partition(" ")
        words, _, _ = rest.strip().removeprefix("*").partition("*")
        summary = _read(words, None) if rest.startswith("*") else None
        if summary is None:
            continue
        yield Alert(
            format=NAME,
            status=AlertStatus.FIRING,
            dataset_hints=(summary.name,),
            anomaly_type=summary.kind,
            severity=_BULLET_SEVERITY.get(icon.rstrip("\ufe0f"), Severity.ERROR),
            title=words,
            check_id=summary.check,
            url=next(iter(reports)) if len(reports) == 1 else None,
        )


def _read(sentence: str, test: str | None) -> _Summary | None:
    words = sentence.strip()
    if found := _TEST.match(words):
        kind = kind_of(found["check"], test) or AnomalyType.QUALITY_CHECK
        return _Summary(name=found["name"], kind=kind, check=found["check"])
    if found := _SOURCE.match(words):
        return _Summary(name=found["name"], kind=AnomalyType.FRESHNESS)
    if found := _BUILD.match(words):
        return _Summary(name=found["name"], kind=AnomalyType.QUALITY_CHECK)
    if found := _SCHEMA.match(words):
        kind = kind_of(found["check"], test) or AnomalyType.QUALITY_CHECK
        return _Summary(name=found["name"], kind=kind, check=found["check"])
    return None


def _group(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found["name"] if found else None


FORMAT: Final = Format(
    name=NAME,
    about="Elementary in Slack: tests, anomalies, models, snapshots, source freshness, and lists of them.",
    from_slack=from_slack,
)
