"""``/rca status DATASET``: where its incident stands and who is next."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incident


async def run(request: CommandRequest, deps: Deps) -> str:
    """Return where one incident stands: verdict, who has it, who is paged and when."""
    demand(request.actor, Act.VIEW)
    incident = await the_incident(request, request.words, deps)
    view = await deps.store.incidents.view(incident.incident_id)
    return answers.status(view, deps.names(), deps.clock()) if view else ""


COMMAND: Final = Command(
    verb="status",
    usage="/rca status [DATASET]",
    help="where an incident stands, and who is next",
    run=run,
)
