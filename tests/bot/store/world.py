"""A store with a clock that stands still, and short words for what its tests need."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.jobs.embedded import EmbeddedJobs
from bot.jobs.pgqueuer import PgQueuerJobs
from bot.ports import Again, JobKind, RunJob
from bot.records import Deadline, Incident, Joined, Place, Post, PostKind, Reason
from bot.store import Store
from rca.case import Anomaly, AnomalyType, Case, Severity
from rca.diagnosis import Band, Diagnosis

NOW = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=30)


@dataclass(slots=True)
class World:
    """A store, and what its jobs would wake."""

    store: Store
    jobs: EmbeddedJobs | PgQueuerJobs
    now: datetime = NOW
    woken: list[tuple[JobKind, str]] = field(default_factory=list)

    async def wake(self) -> set[tuple[JobKind, str]]:
        """Take every job that is due now, and return what they were about."""
        self.woken.clear()

        def noting(kind: JobKind) -> RunJob:
            async def note(row_id: str) -> Again | None:
                self.woken.append((kind, row_id))
                return None

            return note

        await self.jobs.drain({kind: noting(kind) for kind in JobKind})
        return set(self.woken)

    async def join(
        self,
        dataset: str = "shopify_orders",
        *,
        tenant_id: str = "acme",
        inbox_id: str = "in-1",
        position: int = 0,
        place: Place | None = None,
        severity: Severity | None = None,
        anomaly_type: AnomalyType = AnomalyType.VOLUME,
        is_alert: bool = True,
    ) -> Joined:
        """Let an anomaly open an incident or join one."""
        return await self.store.incidents.open_or_join(
            anomaly(dataset, tenant_id, anomaly_type, severity),
            inbox_id=inbox_id,
            position=position,
            place=place,
            title="row count is low",
            alert_url="https://alerts.example/1",
            now=self.now,
            is_alert=is_alert,
        )

    async def open(self, dataset: str = "shopify_orders", *, tenant_id: str = "acme") -> Incident:
        """Open an incident with a place in Slack."""
        place = Place(channel_id="C1", thread_ts="1.0")
        inbox_id = f"in-{tenant_id}-{dataset}"
        joined = await self.join(dataset, tenant_id=tenant_id, inbox_id=inbox_id, place=place)
        return joined.incident

    async def record(
        self,
        incident: Incident,
        signal_id: str = "s-1",
        *,
        deadlines: tuple[Deadline, ...] = (),
        posts: tuple[Post, ...] | None = None,
        reason: Reason = Reason.TOLD_OPENED,
    ) -> None:
        """Record a diagnosis without hypotheses, with the card and its details unless told otherwise."""
        said = anomaly(incident.dataset, incident.tenant_id, incident.anomaly_type)
        await self.store.incidents.record(
            incident.incident_id,
            case=Case(case_id=f"case of {signal_id}", as_of=self.now, anomaly=said),
            diagnosis=diagnosis(signal_id, incident, self.now),
            deadlines=deadlines,
            posts=card_and_details(incident) if posts is None else posts,
            reason=reason,
            now=self.now,
        )

    async def happened(self, incident: Incident) -> list[str]:
        """Return what the timeline says, in order."""
        return [entry.what for entry in await self.store.incidents.timeline(incident.incident_id)]


def anomaly(
    dataset: str = "shopify_orders",
    tenant_id: str = "acme",
    anomaly_type: AnomalyType = AnomalyType.VOLUME,
    severity: Severity | None = None,
) -> Anomaly:
    """Return an anomaly detected at NOW."""
    return Anomaly(
        tenant_id=tenant_id,
        dataset=dataset,
        anomaly_type=anomaly_type,
        detected_at=NOW,
        severity=severity,
        correlation_id="c-81",
    )


def diagnosis(signal_id: str, incident: Incident, as_of: datetime = NOW) -> Diagnosis:
    """Return a diagnosis without hypotheses."""
    return Diagnosis(
        signal_id=signal_id,
        case_id=f"case of {signal_id}",
        tenant_id=incident.tenant_id,
        dataset=incident.dataset,
        anomaly_type=incident.anomaly_type,
        detected_at=NOW,
        as_of=as_of,
        correlation_id="c-81",
        band=Band.MANUAL,
    )


def card_and_details(incident: Incident) -> tuple[Post, ...]:
    """Return the two posts that every incident in Slack has."""
    return tuple(
        Post(
            post_id=f"{kind}:{incident.incident_id}",
            incident_id=incident.incident_id,
            kind=kind,
            channel_id="C1",
            thread_ts="1.0",
        )
        for kind in (PostKind.CARD, PostKind.DETAILS)
    )


def deadline(
    incident: Incident,
    due_in: timedelta = 30 * MINUTE,
    *,
    rule: str = "matrix",
    team: str = "data_eng",
) -> Deadline:
    """Return a deadline *due_in* after NOW."""
    return Deadline(
        deadline_id=f"{rule}/{team}/{incident.incident_id}",
        incident_id=incident.incident_id,
        rule=rule,
        team=team,
        reason="not resolved in 30 min",
        due_at=NOW + due_in,
    )
