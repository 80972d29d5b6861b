"""``/rca escalate TEAM [DATASET]``: page a team now."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand, escalate
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incident
from bot.slack.requests import UsageError


async def run(request: CommandRequest, deps: Deps) -> str:
    """Page *TEAM* for the dataset's open incident; the second time, say who did it.

    Raises:
        UsageError: no team named.
    """
    demand(request.actor, Act.ESCALATE)
    if not request.words:
        raise UsageError(f"Say {COMMAND.usage}. Teams: {', '.join(sorted(deps.directory.teams))}.")
    incident = await the_incident(request, request.words[1:], deps)
    team = request.words[0].lower()
    asked = await escalate(incident.incident_id, team, request.actor, deps)
    return answers.paging(asked.page, deps.names(), fresh=asked.fresh)


COMMAND: Final = Command(
    verb="escalate", usage="/rca escalate TEAM [DATASET]", help="page a team now", run=run
)
