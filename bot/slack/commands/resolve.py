"""``/rca resolve DATASET``: it is over."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand, resolve
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incidents


async def run(request: CommandRequest, deps: Deps) -> str:
    """Resolve whatever is open about the dataset, and say so."""
    demand(request.actor, Act.RESOLVE)
    found = await the_incidents(request, request.words, deps)
    changes = [await resolve(one.incident_id, request.actor, deps) for one in found]
    told = [one for one in changes if one.changed] or changes
    return answers.resolved(told[0].incident, changed=told[0].changed)


COMMAND: Final = Command(
    verb="resolve",
    usage="/rca resolve [DATASET]",
    help="it is over; pages are resolved too",
    run=run,
)
