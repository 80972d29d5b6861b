"""What people decide about an incident: acknowledge, escalate, resolve, snooze, say whether we were right.

The one place that asks whether this person may, and whether the incident is their tenant's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.deps import Deps
from bot.directory import Role
from bot.examine import REVIEWED
from bot.policy.who_may import Act, may
from bot.ports import BotError
from bot.records import (
    InboxKind,
    Incident,
    IncidentState,
    PersonsAnswer,
    TimelineEntry,
    Verdict,
)
from bot.store import Change, PageRequested
from rca.diagnosis import Diagnosis
from rca.evidence import Cause


class NotAllowedError(BotError):
    """The person's role does not allow this; the text says which role would."""


class NoSuchIncidentError(BotError):
    """There is no such incident for this tenant; another tenant's looks the same."""


class NoSuchTeamError(BotError):
    """The directory has no such team; the text names those it has."""


class NothingToMarkError(BotError):
    """There is nothing that could be right or wrong; the text says why."""


NONE_OF_THEM: Final = "none"
CAUSES: Final = (*(cause.value for cause in Cause), NONE_OF_THEM)
"""What a person may say that it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What somebody said of an incident's causes, and whether that was news."""

    incident: Incident
    causes: Mapping[str, Verdict]
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who decides: a Slack user or a token's name, for one tenant, with one role."""

    user_id: str
    tenant_id: str
    role: Role


def demand(actor: Actor, act: Act) -> None:
    """Raise ``NotAllowedError`` unless *actor* may do *act*."""
    if not may(actor.role, act):
        raise NotAllowedError(
            f"You are a {actor.role.value} here and may not {act.value.replace('_', ' ')}. "
            "A responder can; an admin changes roles in the directory."
        )


async def permitted(incident_id: str, actor: Actor, act: Act, deps: Deps) -> Incident:
    """Return the incident if it is the actor's tenant's and the actor may do *act* to it.

    Raises:
        NotAllowedError: the role does not allow it.
        NoSuchIncidentError: unknown, or another tenant's.
    """
    demand(actor, act)
    incident = await deps.store.incidents.get(incident_id)
    if incident is None or incident.tenant_id != actor.tenant_id:
        raise NoSuchIncidentError("There is no such incident here.")
    return incident


async def acknowledge(incident_id: str, actor: Actor, deps: Deps) -> Change:
    """Take the incident on: its deadlines are cancelled. The second time changes nothing."""
    await permitted(incident_id, actor, Act.ACKNOWLEDGE, deps)
    return await deps.store.incidents.acknowledge(incident_id, by=actor.user_id, now=deps.clock())


async def resolve(incident_id: str, actor: Actor, deps: Deps) -> Change:
    """Close the incident: deadlines are cancelled, accepted pages are resolved at their provider."""
    await permitted(incident_id, actor, Act.RESOLVE, deps)
    return await deps.store.incidents.resolve(incident_id, by=actor.user_id, now=deps.clock())


async def reopen(incident_id: str, actor: Actor, deps: Deps) -> Change:
    """It was not over after all: the incident is open again, unless a newer one of its kind is.

    Resolving it cancelled its deadlines; the new look at the dataset sets those that now hold.
    """
    await permitted(incident_id, actor, Act.RESOLVE, deps)
    now = deps.clock()
    change = await deps.store.incidents.reopen(incident_id, by=actor.user_id, now=now)
    if (
        change.incident.state is IncidentState.OPEN
    ):  # also the second time: the first may have died here
        key = f"reopen:{incident_id}:{now.isoformat()}"
        await _look_again(change.incident, actor, key, deps)
    return change


async def snooze(incident_id: str, actor: Actor, span: timedelta, deps: Deps) -> Change:
    """Keep quiet about the incident for *span*; its deadlines move to the end of it."""
    await permitted(incident_id, actor, Act.SNOOZE, deps)
    now = deps.clock()
    return await deps.store.incidents.snooze(
        incident_id, by=actor.user_id, until=now + span, now=now
    )


async def escalate(incident_id: str, team_id: str, actor: Actor, deps: Deps) -> PageRequested:
    """Ask for a page of *team_id*; asked a second time, it returns the first page with ``fresh`` False.

    Raises:
        NoSuchTeamError: the directory does not know the team.
        NotAllowedError, NoSuchIncidentError: as for every decision.
    """
    incident = await permitted(incident_id, actor, Act.ESCALATE, deps)
    if deps.directory.team(team_id) is None:
        known = ", ".join(sorted(deps.directory.teams)) or "none"
        raise NoSuchTeamError(f"I know no team named {team_id}. Teams: {known}.")
    if not incident.is_open:
        raise NoSuchIncidentError("This incident is resolved; nobody is paged for it any more.")
    return await deps.store.pages.request(
        incident_id,
        team=team_id,
        reason="escalated by hand",
        by=actor.user_id,
        now=deps.clock(),
    )


async def reviewed(incident_id: str, actor: Actor, key: str, deps: Deps) -> None:
    """Note that a person went through runs and results by hand, and have the dataset looked at anew.

    Args:
        incident_id: of an incident of the actor's tenant.
        actor: who reviewed.
        key: the request's own id, so that a repeated request is one review.
        deps: the flow's surroundings.
    """
    incident = await permitted(incident_id, actor, Act.ACKNOWLEDGE, deps)
    now = deps.clock()
    await deps.store.incidents.add_timeline(
        TimelineEntry(incident_id=incident_id, at=now, what=REVIEWED, actor=actor.user_id)
    )
    await _look_again(incident, actor, key, deps)


async def mark(incident_id: str, verdict: Verdict, actor: Actor, deps: Deps) -> Marked:
    """Say that the first hypothesis in force is right, or wrong; a resolved incident can be marked, too.

    Raises:
        NothingToMarkError: the diagnosis names no cause.
        NotAllowedError, NoSuchIncidentError: as for every decision.
    """
    incident = await permitted(incident_id, actor, Act.ANSWER, deps)
    diagnosis = await _in_force(incident, deps)
    if diagnosis.top is None:
        raise NothingToMarkError(
            "This diagnosis names no cause. If you know it: /rca cause CAUSE DATASET."
        )
    return await _answer(incident, diagnosis, {diagnosis.top.cause_type: verdict}, actor, deps)


async def name_cause(incident_id: str, cause: str, actor: Actor, deps: Deps) -> Marked:
    """Say which cause it was, or ``none`` of them; what stood first and is something else was wrong.

    Raises:
        NothingToMarkError: *cause* is not a cause we know; the text lists them.
        NotAllowedError, NoSuchIncidentError: as for every decision.
    """
    incident = await permitted(incident_id, actor, Act.ANSWER, deps)
    if cause not in CAUSES:
        raise NothingToMarkError(f"I know no cause named {cause}. Causes: {', '.join(CAUSES)}.")
    diagnosis = await _in_force(incident, deps)
    said = {cause: Verdict.RIGHT}
    if diagnosis.top is not None and diagnosis.top.cause_type != cause:
        said[diagnosis.top.cause_type] = Verdict.WRONG
    return await _answer(incident, diagnosis, said, actor, deps)


async def _in_force(incident: Incident, deps: Deps) -> Diagnosis:
    """The incident's last diagnosis; of a resolved incident, too."""
    view = await deps.store.incidents.view(incident.incident_id)
    if view is None or view.diagnosis is None:
        raise NothingToMarkError("It has not been diagnosed yet.")
    return view.diagnosis


async def _answer(
    incident: Incident,
    diagnosis: Diagnosis,
    said: Mapping[str, Verdict],
    actor: Actor,
    deps: Deps,
) -> Marked:
    now = deps.clock()
    answers = [
        PersonsAnswer(
            incident_id=incident.incident_id,
            signal_id=diagnosis.signal_id,
            tenant_id=incident.tenant_id,
            cause_type=cause,
            verdict=verdict,
            by=actor.user_id,
            at=now,
        )
        for cause, verdict in said.items()
    ]
    changed = await deps.store.answers.give(answers)
    return Marked(incident=incident, causes=dict(said), changed=changed)


async def _look_again(incident: Incident, actor: Actor, key: str, deps: Deps) -> None:
    """Have the incident's dataset diagnosed anew, once per *key*; what is due follows from that."""
    place = incident.place
    await deps.store.inbox.keep(
        kind=InboxKind.COMMAND,
        sender_id=key,
        tenant_id=actor.tenant_id,
        payload={
            "dataset": incident.dataset,
            "anomaly_type": incident.anomaly_type,
            "user": actor.user_id,
            "channel": place.channel_id if place else None,
            "thread_ts": place.thread_ts if place else None,
        },
        now=deps.clock(),
    )
