"""``/rca resolve DATASET``: it is over."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand, resolve
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incident


async def run(request: CommandRequest, deps: Deps) -> str:
    """Resolve the dataset's open incident and say so."""
    demand(request.actor, Act.RESOLVE)
    incident = await the_incident(request, request.words, deps)
    change = await resolve(incident.incident_id, request.actor, deps)
    return answers.resolved(change.incident, changed=change.changed)


COMMAND: Final = Command(
    verb="resolve",
    usage="/rca resolve [DATASET]",
    help="it is over; pages are resolved too",
    run=run,
)
