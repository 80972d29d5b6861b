"""dbt Cloud's webhook about a job's run.

A failed run is told twice: ``job.run.errored`` at once and ``job.run.completed`` with code 20 when its artifacts
are there; only the second counts. The webhook names the job and no table: a dataset whose ``aliases`` hold the
job's name stands for it. A run that somebody cancelled is no alert. How it reads in Slack is not known for
certain, so it is not read there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

from pydantic import Field

from bot.intake.format import Format, IntakeError, Payload, parse
from bot.intake.signatures import signed_by_hex
from bot.intake.words import time_of
from bot.records import Alert, AlertStatus
from rca.case import AnomalyType, Severity

NAME: Final = "dbt_cloud"
COMPLETED: Final = "job.run.completed"
SUCCESS: Final = 10  # dbt Cloud's runStatusCode
ERROR: Final = 20
CANCELLED: Final = 30
NO_MESSAGE: Final = "None"  # what dbt Cloud writes where it has nothing to say

Name = Annotated[str, Field(min_length=1)]


class _Run(Payload):
    job_id: int | str = Field(alias="jobId")
    job_name: Name = Field(alias="jobName")
    run_id: int | str = Field(alias="runId")
    project_name: str | None = Field(None, alias="projectName")
    environment_name: str | None = Field(None, alias="environmentName")
    code: int = Field(alias="runStatusCode")
    message: str | None = Field(None, alias="runStatusMessage")
    reason: str | None = Field(None, alias="runReason")
    started_at: str | None = Field(None, alias="runStartedAt")
    finished_at: str | None = Field(None, alias="runFinishedAt")


class _Event(Payload):
    event_type: str = Field(alias="eventType", pattern=r"^job\.run\.(started|completed|errored)$")


class _Completed(Payload):
    data: _Run


def from_webhook(body: Mapping[str, object]) -> tuple[Alert, ...]:
    """Return the alert of a run that ended: firing when it failed, resolved when it succeeded.

    Raises:
        IntakeError: not dbt Cloud's event, or a run's status that dbt Cloud does not document.
    """
    if parse(_Event, body).event_type != COMPLETED:
        return ()
    run = parse(_Completed, body).data
    if run.code == CANCELLED:
        return ()
    if run.code not in (SUCCESS, ERROR):
        raise IntakeError("data.runStatusCode: a completed run has 10, 20 or 30")
    return (_alert(run, failed=run.code == ERROR),)


def _alert(run: _Run, *, failed: bool) -> Alert:
    said = run.message if run.message != NO_MESSAGE else None
    return Alert(
        format=NAME,
        status=AlertStatus.FIRING if failed else AlertStatus.RESOLVED,
        dataset_hints=(run.job_name, f"dbt_cloud_job:{run.job_id}"),
        anomaly_type=AnomalyType.QUALITY_CHECK,
        detected_at=time_of(run.finished_at) or time_of(run.started_at),
        severity=Severity.ERROR if failed else Severity.INFO,
        title=f"dbt job {'failed' if failed else 'succeeded'}: {run.job_name}",
        message="\n".join(part for part in (said, run.reason) if part) or None,
        check_id=f"run {run.run_id}",
    )


def delivery(body: Mapping[str, object]) -> str | None:
    """Return dbt Cloud's own id of the event: it is sent up to five times."""
    event_id = body.get("eventId")
    return event_id if isinstance(event_id, str) and event_id else None


FORMAT: Final = Format(
    name=NAME,
    about="dbt Cloud's webhook job.run.completed, signed with its secret.",
    from_webhook=from_webhook,
    signed=partial(signed_by_hex, header="authorization"),
    delivery=delivery,
)
