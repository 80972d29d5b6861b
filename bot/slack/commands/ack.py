"""``/rca ack DATASET``: I have it; nobody else is paged by itself."""

from __future__ import annotations

from typing import Final

from bot.decisions import acknowledge, demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incident


async def run(request: CommandRequest, deps: Deps) -> str:
    """Acknowledge the dataset's open incident and say so."""
    demand(request.actor, Act.ACKNOWLEDGE)
    incident = await the_incident(request, request.words, deps)
    change = await acknowledge(incident.incident_id, request.actor, deps)
    return answers.acknowledged(change.incident, changed=change.changed)


COMMAND: Final = Command(
    verb="ack",
    usage="/rca ack [DATASET]",
    help="you have it; nobody else is paged by itself",
    run=run,
)
