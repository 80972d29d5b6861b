"""``/rca ack DATASET``: I have it; nobody else is paged by itself."""

from __future__ import annotations

from typing import Final

from bot.decisions import acknowledge, demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incidents


async def run(request: CommandRequest, deps: Deps) -> str:
    """Acknowledge whatever is open about the dataset, and say so."""
    demand(request.actor, Act.ACKNOWLEDGE)
    found = await the_incidents(request, request.words, deps)
    changes = [await acknowledge(one.incident_id, request.actor, deps) for one in found]
    told = [one for one in changes if one.changed] or changes
    return answers.acknowledged(told[0].incident, changed=told[0].changed)


COMMAND: Final = Command(
    verb="ack",
    usage="/rca ack [DATASET]",
    help="you have it; nobody else is paged by itself",
    run=run,
)
