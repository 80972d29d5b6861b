"""Who is paged by itself, and when; and when a page that was not taken is tried again. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.directory import Directory
from bot.records import Deadline, Incident, IncidentState
from rca.case import Dataset
from rca.diagnosis import Band, Diagnosis, Escalation, Urgency

MATRIX_RULE: Final = "matrix"

PAGING_LIMIT: Final = timedelta(seconds=60)  # SYSTEM.md, Paging: "undelivered within 60 s"
FIRST_PAUSE: Final = timedelta(seconds=2)

SOURCE_OWNER: Final = "source_owner"
DEPLOYER: Final = "deployer"
STANDS_IN_FOR: Final = {SOURCE_OWNER: "data_eng", DEPLOYER: "analytics_eng"}
"""Who is paged for a role that nobody can be found for: the runbook's quick reference, by cause."""

BAND_WORDS: Final = {
    Band.ACT: "confidence above 0.85",
    Band.INVESTIGATE_TOP: "confidence 0.60 to 0.85",
    Band.INVESTIGATE_ALL: "confidence 0.40 to 0.60",
    Band.MANUAL: "confidence below 0.40, or no cause found",
}

_DEADLINES: Final = uuid.UUID("6f2f7c0e-3a0c-5d0e-9f51-7d0f5b0f6a11")


# ── deadlines ─────────────────────────────────────────────────────────────────────────────────────────────


def plan(incident: Incident, diagnosis: Diagnosis, now: datetime) -> tuple[Deadline, ...]:
    """Return the deadlines that *diagnosis* asks for, the earliest first.

    The matrix counts from the moment the incident was opened; an escalation rule has its own ``due_at``, null
    for at once. None is due before *now*, nor before a snooze ends. One per rule and team: the earlier wins.
    Only escalations of urgency ``now`` wake somebody, and only the incident's own and those of the top
    hypothesis count: one that another explains pages nobody.

    Returns:
        Nothing for an incident that is acknowledged or resolved. One that is monitored keeps its deadlines,
        since a deadline once cancelled does not come back when the check fails again.
    """
    if incident.state in {IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED}:
        return ()
    earliest = max(now, incident.snoozed_until) if incident.snoozed_until else now
    wanted = [*_by_matrix(incident, diagnosis, now), *_by_rules(incident, diagnosis, now)]
    kept: dict[str, Deadline] = {}
    for deadline in wanted:
        due = replace(deadline, due_at=max(deadline.due_at, earliest))
        other = kept.get(due.deadline_id)
        if other is None or due.due_at < other.due_at:
            kept[due.deadline_id] = due
    return _in_order(kept.values())


def _by_matrix(incident: Incident, diagnosis: Diagnosis, now: datetime) -> Iterator[Deadline]:
    guidance = diagnosis.guidance
    if guidance is None or guidance.escalate_after_s is None or guidance.escalate_to is None:
        return
    span = timedelta(seconds=guidance.escalate_after_s)
    yield _deadline(
        incident,
        rule=MATRIX_RULE,
        team=guidance.escalate_to,
        reason=_matrix_reason(diagnosis.band, span),
        due_at=incident.opened_at + span if span else now,
    )


def _matrix_reason(band: Band, span: timedelta) -> str:
    if not span:
        return BAND_WORDS[band]
    return f"not resolved in {int(span.total_seconds() // 60)} min ({BAND_WORDS[band]})"


def _by_rules(incident: Incident, diagnosis: Diagnosis, now: datetime) -> Iterator[Deadline]:
    top = next((one for one in diagnosis.hypotheses if one.symptom_of is None), None)
    own = diagnosis.guidance.escalations if diagnosis.guidance else ()
    rules: tuple[Escalation, ...] = (*own, *(top.escalations if top else ()))
    for rule in rules:
        if rule.urgency is Urgency.NOW:
            yield _deadline(
                incident,
                rule=rule.rule,
                team=rule.team,
                reason=rule.reason,
                due_at=rule.due_at or now,
                person=rule.person,
            )


def _deadline(
    incident: Incident,
    *,
    rule: str,
    team: str,
    reason: str,
    due_at: datetime,
    person: str | None = None,
) -> Deadline:
    return Deadline(
        deadline_id=_id_of(incident.incident_id, rule, team),
        incident_id=incident.incident_id,
        rule=rule,
        team=team,
        reason=reason,
        due_at=due_at,
        person=person,
    )


def _id_of(incident_id: str, rule: str, team: str) -> str:
    """The same incident, rule and team always give the same id, so that planning twice keeps one row."""
    return str(uuid.uuid5(_DEADLINES, f"{incident_id}\n{rule}\n{team}"))


def _in_order(deadlines: Iterable[Deadline]) -> tuple[Deadline, ...]:
    return tuple(sorted(deadlines, key=lambda one: (one.due_at, one.rule, one.team)))


# ── targets ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The team whose pager is used, and the person it is for where we know one."""

    team: str
    person: str | None = None


def resolve_targets(
    planned: Sequence[Deadline], dataset: Dataset | None, directory: Directory
) -> tuple[Deadline, ...]:
    """Return *planned* with roles replaced by teams of the directory; still one per rule and team."""
    kept: dict[str, Deadline] = {}
    for deadline in planned:
        found = target_of(deadline.team, deadline.person, dataset, directory)
        resolved = replace(
            deadline,
            deadline_id=_id_of(deadline.incident_id, deadline.rule, found.team),
            team=found.team,
            person=found.person,
        )
        other = kept.get(resolved.deadline_id)
        if other is None or resolved.due_at < other.due_at:
            kept[resolved.deadline_id] = resolved
    return _in_order(kept.values())


def target_of(
    team: str, person: str | None, dataset: Dataset | None, directory: Directory
) -> Target:
    """Return who is meant by *team*: a team as it stands, or one of the roles ``source_owner`` and ``deployer``.

    The source owner is the team or the person that the dataset's entry names; the deployer is *person*.
    A person has no pager of their own: the team that stands in for the role is paged, for that person.
    """
    if team not in STANDS_IN_FOR or directory.team(team) is not None:
        return Target(team=team, person=person)
    if team == SOURCE_OWNER:
        owner = dataset.source_owner if dataset else None
        owning = _team_named(owner, directory)
        if owning is not None:
            return Target(team=owning, person=person)
        return Target(team=STANDS_IN_FOR[team], person=person or owner)
    return Target(team=STANDS_IN_FOR[team], person=person)


def _team_named(name: str | None, directory: Directory) -> str | None:
    """The id of the team of that id or name, in any case and with ``-``, ``_`` or a space between words."""
    if not name:
        return None
    for team_id in directory.teams:
        team = directory.team(team_id)
        names = {_plain(team_id)} | ({_plain(team.name)} if team else set())
        if _plain(name) in names:
            return team_id
    return None


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


# ── tries ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The page is to be tried again, not before *at*."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """No further try: the team's next target and its user group are tried instead."""

    reason: str


def next_attempt(
    attempts: int, requested_at: datetime, now: datetime, retry_after: timedelta | None
) -> Retry | GiveUp:
    """Return when a page that was refused is tried again.

    Args:
        attempts: how many tries there were, from 1.
        requested_at: when the page was asked for.
        now: when it was refused.
        retry_after: what the provider asked for at least; None when trying again is useless.

    Returns:
        The pause doubles, 2, 4, 8, 16 s, or is the provider's if that is longer. A try that would come later
        than ``PAGING_LIMIT`` after the request is not made.
    """
    if retry_after is None:
        return GiveUp(reason="the provider will not take it")
    tries = min(max(attempts, 1), 16)  # 2^16 s is beyond every limit, and keeps the number small
    at = now + max(FIRST_PAUSE * 2 ** (tries - 1), retry_after)
    if at > requested_at + PAGING_LIMIT:
        return GiveUp(reason=f"not delivered within {PAGING_LIMIT.total_seconds():.0f} s")
    return Retry(at=at)
