"""``/rca list``: every open incident."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest

LONGEST: Final = 20  # more than a screen is not read


async def run(request: CommandRequest, deps: Deps) -> str:
    """Return the tenant's open incidents, worst first."""
    demand(request.actor, Act.VIEW)
    found = await deps.store.incidents.list_open(request.actor.tenant_id, LONGEST)
    return answers.list_open(found, deps.clock())


COMMAND: Final = Command(verb="list", usage="/rca list", help="open incidents", run=run)
