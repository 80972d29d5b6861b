"""What an escalation rule asks of the incident: how old, how far it reaches, who deployed, who else is hit. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from rca.case import Case, DbtRun, ErrorCode, IngestionJob, JobStatus
from rca.diagnosis import Diagnosis
from rca.evidence import (
    ColumnChange,
    ColumnRemovedEvidence,
    ColumnTypeChangedEvidence,
    DbtModelFailureEvidence,
    Evidence,
    ExecutionTimeRegressionEvidence,
    PassToFailEvidence,
    SyncFailureEvidence,
    UnexpectedColumnEvidence,
)
from runbook.deployments import FAILED, RECENT_DEPLOYMENT, failing_since, last_deployment
from runbook.facts import Deployment, IncidentContext
from runbook.lineage import critical_uses, exposures_hit

__all__ = ["PEER_ERROR_AGE", "RECENT_DEPLOYMENT", "IncidentContext", "context_of"]

PEER_ERROR_AGE: Final = timedelta(hours=24)  # ours; an older error elsewhere is another incident

TYPE_ERROR: Final = re.compile(
    r"compilation error|contract|\btypes?\b|\bcast|operator|convert|coerce|argument|signature"
    r"|mismatch|numeric value|invalid input syntax|out of range|overflow",
    re.IGNORECASE,
)
"""Words by which dbt or a warehouse says that an expression no longer fits its columns' types.

dbt itself compiles only templates; what the runbook calls a compilation error reaches us from the warehouse too.
A full disk or a division by zero uses none of them.
"""

_SchemaEvidence = ColumnRemovedEvidence | ColumnTypeChangedEvidence | UnexpectedColumnEvidence


def context_of(
    case: Case,
    diagnosis: Diagnosis,
    *,
    opened_at: datetime,
    now: datetime,
    manual_review_done: bool = False,
) -> IncidentContext:
    """Return what is known of the incident beyond the evidence.

    Args:
        case: the facts; those later than its ``as_of`` are ignored.
        diagnosis: of that case.
        opened_at: when the incident was opened.
        now: the instant of asking.
        manual_review_done: whether a person has said that they went through the runs and results by hand.
    """
    dataset = case.dataset
    evidences = tuple(_evidences(diagnosis))
    changes = _changes(evidences)
    exposures = exposures_hit(case.lineage, dataset)
    hit = None if exposures is None else any(e.merchant_facing is True for e in exposures)
    flagged = None if dataset is None else dataset.merchant_facing
    return IncidentContext(
        opened_at=opened_at,
        age_s=max(0.0, (now - opened_at).total_seconds()),
        tenants_affected=_tenants_affected(case, evidences),
        exposures_hit=None
        if exposures is None
        else tuple(e.name or e.unique_id for e in exposures),
        merchant_facing=True if flagged or hit else _unless_unknown(flagged, hit),
        columns_changed=tuple(dict.fromkeys(change.column for change in changes)),
        critical_column_uses=critical_uses(case.lineage, dataset, changes),
        compile_errors=_compile_errors(case, evidences),
        last_deployment=_deployment(case, evidences),
        failing_model=_failing_model(evidences),
        sync_error=_sync_error(evidences),
        sync_recovered_at=_recovered_at(case, evidences),
        manual_review_done=manual_review_done,
    )


def _unless_unknown(flagged: bool | None, hit: bool | None) -> bool | None:  # noqa: FBT001 - two answers, each may be unknown
    """No only when one of the two has been looked at and said no."""
    return None if flagged is None and hit is None else False


def _evidences(diagnosis: Diagnosis) -> Iterator[Evidence]:
    for hypothesis in diagnosis.hypotheses:
        yield hypothesis.evidence
        for reading in hypothesis.signals:
            if reading.evidence != hypothesis.evidence:
                yield reading.evidence


def _changes(evidences: tuple[Evidence, ...]) -> tuple[ColumnChange, ...]:
    """The distinct changes over all schema signals, which may each show only their own."""
    found = (c for e in evidences if isinstance(e, _SchemaEvidence) for c in e.column_changes)
    return tuple({(change.column, change.change): change for change in found}.values())


def _tenants_affected(case: Case, evidences: tuple[Evidence, ...]) -> int:
    code = next((e.error_code for e in evidences if isinstance(e, SyncFailureEvidence)), None)
    tenants = {case.anomaly.tenant_id}
    if code is not None:
        tenants |= _peers(case, code)
    return len(tenants)


def _peers(case: Case, code: ErrorCode) -> set[str]:
    return {
        peer.tenant_id
        for peer in case.peer_errors or ()
        if peer.error_code is code
        and (peer.last_at is None or peer.last_at >= case.as_of - PEER_ERROR_AGE)
    }


def _runs(case: Case) -> list[DbtRun]:
    return [run for run in case.dbt_runs or () if run.dbt_generated_at <= case.as_of]


def _compile_errors(case: Case, evidences: tuple[Evidence, ...]) -> tuple[str, ...]:
    """The correlated failures whose last message speaks of types; without a message the correlation speaks."""
    correlated = dict.fromkeys(
        node
        for e in evidences
        if isinstance(e, _SchemaEvidence)
        for node in e.correlated_dbt_failures
    )
    messages: dict[str, str | None] = {}
    for run in sorted(_runs(case), key=lambda run: run.dbt_generated_at):
        for result in run.results:
            if result.unique_id in correlated and result.status in FAILED:
                messages[result.unique_id] = result.message
    said = ((node, messages.get(node)) for node in correlated)
    return tuple(node for node, message in said if not message or TYPE_ERROR.search(message))


def _deployment(case: Case, evidences: tuple[Evidence, ...]) -> Deployment | None:
    runs = _runs(case)
    failed_at = case.as_of
    for evidence in evidences:
        match evidence:
            case DbtModelFailureEvidence(failing_models=models, dbt_generated_at=at):
                failed_at = failing_since(runs, {model.unique_id for model in models}, at)
                break
            case PassToFailEvidence(transitions=tests, dbt_generated_at=at):
                failed_at = failing_since(runs, {test.unique_id for test in tests}, at)
                break
            case ExecutionTimeRegressionEvidence(dbt_generated_at=at):
                failed_at = at
                break
    return last_deployment(runs, failed_at)


def _failing_model(evidences: tuple[Evidence, ...]) -> str | None:
    """The name, without project, of the failed model nearest to the dataset, or of the slow one."""
    for evidence in evidences:
        match evidence:
            case DbtModelFailureEvidence(failing_models=models) if models:
                return _name_of(min(models, key=lambda model: model.depth).unique_id)
            case ExecutionTimeRegressionEvidence(model=model):
                return _name_of(model)
    return None


def _name_of(unique_id: str) -> str:
    return unique_id.rsplit(".", maxsplit=1)[-1]


def _sync_error(evidences: tuple[Evidence, ...]) -> str | None:
    for evidence in evidences:
        if isinstance(evidence, SyncFailureEvidence):
            message = (evidence.error_message or "").strip()
            return message or evidence.error_code
    return None


def _recovered_at(case: Case, evidences: tuple[Evidence, ...]) -> datetime | None:
    failure = next((e for e in evidences if isinstance(e, SyncFailureEvidence)), None)
    if failure is None:
        return None
    jobs = case.ingestion_jobs or ()
    failed_at = next((job.started_at for job in jobs if job.id == failure.job_id), None)
    since = failure.failed_since if failed_at is None else failed_at
    later = [
        at for job in jobs if (at := _succeeded_at(job, case.as_of)) and job.started_at > since
    ]
    return min(later, default=None)


def _succeeded_at(job: IngestionJob, as_of: datetime) -> datetime | None:
    if job.status is not JobStatus.SUCCEEDED or job.finished_at is None:
        return None
    return job.finished_at if job.finished_at <= as_of else None
