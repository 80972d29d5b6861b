"""Airbyte's notifications: syncs, schema changes, disabled connections; in Slack and as a webhook.

A webhook about a sync carries ``data``; every other trigger carries only the text and blocks that Slack
would get, so both ways share one reading. The connection's id is the end of its link. A sync that somebody
cancelled is no alert. ``data`` is also the sync itself, kept as a fact.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from bot.intake.format import Format, IntakeError, Payload, SlackMessage, parse
from bot.intake.slack_text import SlackText, code_of, plain, read_slack
from bot.intake.words import number_of
from bot.payloads.airbyte import CANCELLED, Failure, instant_of, judge
from bot.ports import Pushed
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, FactKind, IngestionJob, JobStatus, Severity

NAME: Final = "airbyte"
MAX_ID: Final = 200  # characters
MOST_ROWS: Final = 2**62  # no counter is larger; the tables hold 64 bits

_TAG: Final = re.compile(r"^\[[^\]]{1,80}\] ")
_CONNECTION: Final = re.compile(r"/connections/(?P<id>[\w-]{1,80})")
_SYNC: Final = re.compile(r"^Sync (?P<outcome>failure occurred|completed|queued): ?(?P<name>.*)$")
_TROUBLE: Final = re.compile(
    r"^(?P<what>Connection disabled|Warning - repeated connection failures): ?(?P<name>.*)$"
)
_SCHEMA: Final = re.compile(
    r"^(?:Airbyte detected schema changes for|The (?:upstream )?schema of) '(?P<name>.+?)'(?:\.| has changed)"
)
_STOPPED: Final = re.compile(rf"^\s*(?:\[{CANCELLED}\]|This attempt was cancelled)")
_RECORDS: Final = re.compile(
    r"(?P<out>\d+) record\(s\) extracted / (?P<into>\d+) record\(s\) loaded"
)
_STREAM: Final = re.compile(r"^ {2,4}• (?P<name>\S.*)$")
_CHANGE: Final = re.compile("^ {2,6}(?P<sign>[\uff0b\uff0d\uff5e]) (?P<name>\\S.*)$")
_SIGNS: Final = {"\uff0b": "added", "\uff0d": "removed", "\uff5e": "changed"}


def from_slack(message: SlackMessage) -> tuple[Alert, ...] | None:
    """Return the alerts of a message by Airbyte, or None when it is somebody else's."""
    return _from_text(message.text)


def _from_text(text: SlackText) -> tuple[Alert, ...] | None:
    first = _TAG.sub("", text.lines[0]) if text.lines else ""
    if sync := _SYNC.match(first):
        return _sync(text, sync["outcome"], sync["name"])
    if trouble := _TROUBLE.match(first):
        return (_trouble(text, trouble["what"], trouble["name"]),)
    if schema := _SCHEMA.match(first):
        return tuple(_schema(text, schema["name"]))
    return None


def _connection(text: SlackText) -> tuple[str | None, str | None]:
    """The connection's id and link."""
    for link in text.links:
        if found := _CONNECTION.search(link.url):
            return found["id"], link.url
    return None, None


def _hints(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name)


def _sync(text: SlackText, outcome: str, name: str) -> tuple[Alert, ...]:
    if outcome == "queued":
        return ()
    failed = outcome == "failure occurred"
    connection_id, url = _connection(text)
    records = _RECORDS.search("\n".join(text.lines))
    reason = code_of(text.value("Failure reason") or "")
    if failed and _STOPPED.match(reason or ""):
        return ()
    return (
        Alert(
            format=NAME,
            status=AlertStatus.FIRING if failed else AlertStatus.RESOLVED,
            dataset_hints=_hints(name.strip(), connection_id),
            anomaly_type=AnomalyType.FRESHNESS,
            severity=Severity.ERROR if failed else Severity.INFO,
            title=f"Sync {'failed' if failed else 'completed'}: {name.strip()}",
            message=reason or None,
            metric_name="records_loaded" if records else None,
            observed=number_of(records["into"]) if records else None,
            url=url,
        ),
    )


def _trouble(text: SlackText, what: str, name: str) -> Alert:
    disabled = what == "Connection disabled"
    connection_id, url = _connection(text)
    return Alert(
        format=NAME,
        status=AlertStatus.FIRING,
        dataset_hints=_hints(name.strip(), connection_id),
        anomaly_type=AnomalyType.FRESHNESS,
        severity=Severity.ERROR if disabled else Severity.WARNING,
        title=f"{what}: {name.strip()}",
        message="\n".join(plain(line) for line in text.lines[1:]) or None,
        url=url,
    )


def _schema(text: SlackText, name: str) -> Iterator[Alert]:
    """One alert per stream whose fields changed; one for the connection when the message names none."""
    connection_id, url = _connection(text)
    streams = _changes(text)
    breaking = any("automatically disabled your connection" in line for line in text.lines)
    for stream, changes in (streams or {"": []}).items():
        of_stream = f"{connection_id}/{stream}" if connection_id else None
        hints = (f"{name}/{stream}", of_stream) if stream else (name, connection_id)
        lines = [f"{sign} {field}" for sign, field in changes]
        if breaking:
            lines.append("Airbyte has disabled the connection until somebody approves the changes.")
        yield Alert(
            format=NAME,
            status=AlertStatus.FIRING,
            dataset_hints=_hints(*hints),
            anomaly_type=AnomalyType.SCHEMA,
            severity=Severity.ERROR if breaking else Severity.WARNING,
            title=f"Schema changed: {hints[0]}",
            message="\n".join(lines) or None,
            column=changes[0][1] if len(changes) == 1 and changes[0][0] != "stream" else None,
            url=url,
        )


def _changes(text: SlackText) -> dict[str, list[tuple[str, str]]]:
    """What changed by stream: ``orders`` to ``("removed", "total_price_usd")``; whole streams by their name."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    stream = ""
    for line in (line for paragraph in text.paragraphs for line in paragraph.split("\n")):
        if change := _CHANGE.match(line):
            sign, name = _SIGNS[change["sign"]], change["name"].strip()
            found[stream or name].append((sign, name) if stream else ("stream", sign))
        elif heading := _STREAM.match(line):
            stream = heading["name"].strip()
        elif line.startswith(" •"):
            stream = ""
    return dict(found)


class _Named(Payload):
    id: Annotated[str, Field(min_length=1)]
    name: str | None = None
    url: str | None = None


class Sync(Payload):
    """What a webhook about a sync says."""

    connection: _Named
    success: bool
    job_id: int | str | None = Field(None, alias="jobId")
    started_at: float | str | None = Field(None, alias="startedAt")
    finished_at: float | str | None = Field(None, alias="finishedAt")
    records_committed: float | None = Field(None, alias="recordsCommitted")
    bytes_committed: float | None = Field(None, alias="bytesCommitted")
    error_message: str | None = Field(None, alias="errorMessage")
    error_type: str | None = Field(None, alias="errorType")
    error_origin: str | None = Field(None, alias="errorOrigin")

    @property
    def cancelled(self) -> bool:
        """Whether somebody stopped it, which is no incident."""
        return not self.success and (
            self.error_type == CANCELLED or _STOPPED.match(self.error_message or "") is not None
        )


class _Body(Payload):
    data: Sync


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the alerts of a notification: from ``data`` where there is one, else from its text.

    Raises:
        IntakeError: ``data`` is not a sync's, or there is none and the text is not Airbyte's.
    """
    if "data" in body:
        sync = parse(_Body, body).data
        return () if sync.cancelled else (_synced(sync),)
    alerts = _from_text(read_slack(body))
    if alerts is None:
        raise IntakeError(
            "data: missing, and neither text nor blocks read like a notification by Airbyte"
        )
    return alerts


def _synced(sync: Sync) -> Alert:
    name = sync.connection.name or sync.connection.id
    reason = f"[{sync.error_type}] {sync.error_message}" if sync.error_type else sync.error_message
    return Alert(
        format=NAME,
        status=AlertStatus.RESOLVED if sync.success else AlertStatus.FIRING,
        dataset_hints=_hints(sync.connection.name, sync.connection.id),
        anomaly_type=AnomalyType.FRESHNESS,
        detected_at=instant_of(sync.finished_at) or instant_of(sync.started_at),
        severity=Severity.INFO if sync.success else Severity.ERROR,
        title=f"Sync {'completed' if sync.success else 'failed'}: {name}",
        message=reason,
        metric_name="records_loaded" if sync.records_committed is not None else None,
        observed=sync.records_committed,
        url=sync.connection.url,
    )


def pushed(body: Mapping[str, object], received_at: datetime) -> tuple[Pushed, ...]:
    """Return the sync that a notification tells of, known by its connection's id; none for other triggers.

    Args:
        body: the notification.
        received_at: when it came; a sync whose end is not said had ended by then.

    Raises:
        IntakeError: ``data`` is not a sync's.
    """
    if "data" not in body:
        return ()
    sync = parse(_Body, body).data
    started = instant_of(sync.started_at) or instant_of(sync.finished_at)
    if sync.job_id in (None, "") or started is None:
        return ()
    job = _job(sync, started, received_at)
    return (Pushed(dataset_hints=(sync.connection.id,), found={FactKind.INGESTION_JOBS: (job,)}),)


def _job(sync: Sync, started: datetime, received_at: datetime) -> IngestionJob:
    failure = Failure(
        origin=sync.error_origin, failure_type=sync.error_type, external=sync.error_message
    )
    verdict = None if sync.success else judge([failure])
    status = JobStatus.CANCELLED if sync.cancelled else JobStatus.FAILED
    told = verdict is not None and any((sync.error_type, sync.error_message))
    return IngestionJob(
        id=str(sync.job_id)[:MAX_ID],
        connector_id=sync.connection.id,
        status=JobStatus.SUCCEEDED if sync.success else status,
        error_code=verdict.code if verdict and told and not sync.cancelled else None,
        error_message=verdict.message if verdict else None,
        failure_origin=verdict.origin if verdict else None,
        failure_type=verdict.failure_type if verdict else None,
        started_at=started,
        finished_at=max(instant_of(sync.finished_at) or received_at, started),
        rows_synced=_count(sync.records_committed),
        bytes_synced=_count(sync.bytes_committed),
    )


def _count(number: float | None) -> int | None:
    return int(number) if number is not None and 0 <= number <= MOST_ROWS else None


FORMAT: Final = Format(
    name=NAME,
    about="Airbyte in Slack and as a webhook: syncs, schema changes, disabled connections.",
    from_slack=from_slack,
    from_webhook=from_webhook,
    pushed=pushed,
)
