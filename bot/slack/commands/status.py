"""``/rca status DATASET``: where its incident stands and who is next."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest, the_incidents


async def run(request: CommandRequest, deps: Deps) -> str:
    """Return where each open incident of the dataset stands: verdict, who has it, who is paged and when."""
    demand(request.actor, Act.VIEW)
    found = await the_incidents(request, request.words, deps)
    views = [await deps.store.incidents.view(one.incident_id) for one in found]
    now = deps.clock()
    return "\n".join(answers.status(view, deps.names(), now) for view in views if view)


COMMAND: Final = Command(
    verb="status",
    usage="/rca status [DATASET]",
    help="where an incident stands, and who is next",
    run=run,
)
