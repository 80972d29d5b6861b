"""``/rca unrecognised``: messages of other bots that no format knew."""

from __future__ import annotations

from typing import Final

from bot.decisions import demand
from bot.deps import Deps
from bot.policy.who_may import Act
from bot.render import answers
from bot.slack.command import Command, CommandRequest

NEWEST: Final = 5


async def run(request: CommandRequest, deps: Deps) -> str:
    """Return how many alerts were left alone because no format knew them, and the newest of them."""
    demand(request.actor, Act.VIEW)
    tenant_id = request.actor.tenant_id
    count = await deps.store.inbox.count_unrecognised(tenant_id)
    newest = await deps.store.inbox.unrecognised(tenant_id, NEWEST)
    return answers.unrecognised(count, newest)


COMMAND: Final = Command(
    verb="unrecognised", usage="/rca unrecognised", help="alerts that no format knew", run=run
)
